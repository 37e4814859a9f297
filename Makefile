# Needs Python 3.11 or newer and make; everything else goes into a virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test docs dist-check fuzz fuzz-atheris tables clean

# Maps ResNet-50 onto 16 chiplets, proves it, compares it and draws it.
demo: $(VENV)/.installed
	$(BIN)/chipweave compare resnet50 --package simba-4x4 --methods scope,segmented,exact \
	    --plot resnet50.png
	@echo "the picture: resnet50.png"

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest --numprocesses auto --maxprocesses 4

# Builds the documentation as a site; a link that leads nowhere is an error.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict # not --quiet: then warnings are no errors
	@echo "the site: build/site/index.html"

# Builds wheel and sdist, and uses the wheel from an empty folder; takes some two minutes.
dist-check: $(VENV)/.installed-dev
	.ci/dist-check $(BIN)

# Thousands of mutated files through every reader: FILES=10000 SEED=0. What fails is kept.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz.many --files $(or $(FILES),10000) --seed $(or $(SEED),0)

# The same with atheris (pip install atheris), which follows coverage: SECONDS=600 a reader.
fuzz-atheris: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz.atheris_readers all --seconds $(or $(SECONDS),600)

# Measures the tables of README.md and docs/ anew, on this machine.
tables: $(VENV)/.installed-dev
	$(BIN)/python docs/refresh.py

clean:
	rm -rf $(VENV) build dist *.egg-info resnet50.png
	rm -rf fuzz-failures fuzz-corpus .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@echo "setting up $(VENV), once; this takes a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@
