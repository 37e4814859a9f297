"""JSON Schemas of the file formats, for editors, made from the models that read the files.

A schema says what the reader says of keys, types and ranges. What ties several values together,
such as the lengths of lists in a table instance, only the reader checks.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

DRAFT = "https://json-schema.org/draft/2020-12/schema"

KINDS = MappingProxyType(
    {
        "network": "instances.files.network_file:NetworkModel",
        "package": "instances.files.package_file:PackageModel",
        "instance": "chipweave.schema_models:InstanceSchema",
        "tables": "instances.files.table_schema:TableFile",
        "workload": "chipweave.schema_models:WorkloadSchema",
        "array": "instances.files.array_file:ArrayModel",
        "experiment": "experiments.definition:ExperimentFile",
        "schedule": "schedules.files:ScheduleModel",
        "windows": "schedules.windows.files:WindowsModel",
        "array-schedule": "schedules.array.files:ArrayScheduleModel",
        "graph": "instances.files.graph_file:GraphModel",
        "partition": "schedules.partition.files:PartitionModel",
    }
)
"""Kind of file -> the model that reads it, as module:class."""

_PARTS = (KINDS["network"], KINDS["package"])
"""Models that stand in other files, too."""

WITHOUT_KIND = ("graph",)
"""Files whose format is not ours: they have no key `kind`."""

KIND_MAY_BE_ABSENT = ("schedule", "windows", "array-schedule", "partition")

_ENTRY = re.compile(r"( *)((?:- )*)([\w-]+):(?: .*?)??(?: *# (.*))?")
_MORE = re.compile(r".*#  +(\S.*)|  +# (.*)")
"""A comment that goes on: on a line of its own, or further to the right."""


def file_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file, with what each key means.

    Raises:
        ValueError: no such kind.
    """
    if kind not in KINDS:
        near = get_close_matches(kind, list(KINDS), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"there is no schema of {kind!r}.{hint} Kinds of files: {', '.join(KINDS)}"
        )
    model = _loaded(KINDS[kind])
    schema: dict[str, Any] = _without_titles(model.model_json_schema())
    _require(schema, kind)
    text = _example(model)
    _describe(schema, schema, text)
    for part in _PARTS:
        own = schema.get("$defs", {}).get(part.rsplit(":", 1)[-1])
        if own is not None:
            _describe(schema, own, _example(_loaded(part)))
    about = text.splitlines()[0].rstrip(".")
    return {"$schema": DRAFT, "title": f"chipweave: {about[:1].lower()}{about[1:]}", **schema}


def _loaded(place: str) -> type[BaseModel]:
    module, name = place.split(":")
    model: type[BaseModel] = getattr(importlib.import_module(module), name)
    return model


def _example(model: type) -> str:
    """The docstring that shows the file: of the module where the format's own model is."""
    base = next(own for own in model.__mro__ if own.__module__ != "chipweave.schema_models")
    return inspect.getdoc(importlib.import_module(base.__module__)) or ""


def _without_titles(schema: Any) -> Any:
    """Pydantic repeats each key as its title, which helps nobody."""
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def _require(schema: dict[str, Any], kind: str) -> None:
    """What readers ask for beyond their models: the key `kind`, and an output of each layer."""
    schema.pop("description", None)
    if kind in WITHOUT_KIND:
        return
    if kind not in KIND_MAY_BE_ABSENT:
        schema["required"] = list(dict.fromkeys(["kind", *schema.get("required", [])]))
    schema["properties"]["kind"] = {"const": kind}
    layer = schema.get("$defs", {}).get("LayerModel")
    if layer is not None:
        layer["oneOf"] = [{"required": ["output"]}, {"required": ["outputs"]}]


def _describe(schema: dict[str, Any], top: dict[str, Any], docstring: str) -> None:
    """Give keys below a part of a schema the words that stand beside them in a file's example."""
    for path, comment in _comments(docstring):
        found = _property(schema, top, path)
        words = re.sub(r"^default(; |$)", "", comment)  # the schema has it as a key of its own
        if found is not None and words:
            before = found.get("description")
            found["description"] = f"{before}; {words}" if before else words


def _comments(docstring: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """(keys from the top, comment) of each entry of the example."""
    path: list[tuple[int, str]] = []
    found: list[tuple[tuple[str, ...], list[str]]] = []
    for line in docstring.splitlines()[1:]:
        entry, more = _ENTRY.fullmatch(line), _MORE.fullmatch(line)
        if more and found:
            found[-1][1].append(more[1] or more[2])
        if entry:
            depth = len(entry[1]) + len(entry[2])
            path = [*(part for part in path if part[0] < depth), (depth, entry[3])]
            words = [entry[4]] if entry[4] and not more else []
            found.append((tuple(key for _, key in path), words))
    return ((keys, " ".join(words)) for keys, words in found)


def _property(
    schema: dict[str, Any], top: dict[str, Any], path: tuple[str, ...]
) -> dict[str, Any] | None:
    """The part of the schema for a key; lists on the way stand for their items."""
    here: Any = top
    for key in path:
        here = next((part for part in _objects(schema, here) if key in part["properties"]), None)
        if here is None:
            return None
        here = here["properties"][key]
    found: dict[str, Any] = here
    return found


def _objects(schema: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The mappings that a part may be, or its items."""
    if "properties" in part:
        yield part
    if "$ref" in part:
        yield from _objects(schema, schema["$defs"][part["$ref"].rsplit("/", 1)[-1]])
    if isinstance(part.get("items"), dict):
        yield from _objects(schema, part["items"])
    for choice in part.get("anyOf", ()):
        yield from _objects(schema, choice)
