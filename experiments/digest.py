"""Short names for plain data."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGITS = 32
"""Hexadecimal, 128 bits: two of a billion runs share a name with a probability below 1e-20."""


def digest(*data: Any) -> str:
    """A name for plain data: of equal data the same, in every process and on every machine."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
