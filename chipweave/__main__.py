"""`python -m chipweave`."""

import sys

from chipweave.cli import main

sys.exit(main())
