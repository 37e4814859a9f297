"""What all file kinds share: strict models, limits of numbers, errors in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from instances.files.errors import Place, Problems, closest, counted, listed, quoted, show
from instances.tables import LIMIT

MAX_LAYERS = 20_000
"""Layers of a network."""

MAX_CHIPLETS = 65_536
"""Chiplets of a package."""

MAX_BATCH = 10**9
"""Samples of one run."""

MAX_SIZE = 2**31
"""Every extent of a layer, a tensor or a chiplet."""

MAX_CONSTANT = 10**9
"""Every latency, energy and power of a package, in its unit."""

MAX_RATE = 10**15
"""Hertz, bytes a second, and bytes of a buffer."""

Count = Annotated[int, Field(ge=0, lt=LIMIT)]
Item = TypeVar("Item")

Items = Annotated[list[Item], Field(fail_fast=True)]
"""A list of which only the first wrong item is an error: there may be millions."""

Counts = Items[Count]

Size = Annotated[int, Field(ge=1, le=MAX_SIZE)]
Pair = Annotated[list[Size], Field(min_length=2, max_length=2, fail_fast=True)]
Spot = Annotated[
    list[Annotated[int, Field(ge=0, lt=MAX_CHIPLETS)]],
    Field(min_length=2, max_length=2, fail_fast=True),
]
Triple = Annotated[list[Size], Field(min_length=3, max_length=3, fail_fast=True)]
Batch = Annotated[int, Field(ge=1, le=MAX_BATCH)]
Chiplets = Annotated[int, Field(ge=1, le=MAX_CHIPLETS)]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Names = Items[Name]
Constant = Annotated[float, Field(ge=0, le=MAX_CONSTANT, allow_inf_nan=False)]
Rate = Annotated[int, Field(ge=1, le=MAX_RATE)]

Model = TypeVar("Model", bound=BaseModel)


class FileModel(BaseModel):
    """A mapping of a file: no conversion of types, no unknown keys, no `layers` without end."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_early(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        layers = data.get("layers")
        if isinstance(layers, list) and len(layers) > MAX_LAYERS:
            found = f"found {len(layers)} layers, expected at most {MAX_LAYERS}"
            raise PydanticCustomError("plain", "{text}", {"text": found})
        unknown = [key for key in data if key not in cls.model_fields]
        if unknown:
            key = unknown[0]
            expected = f"{listed(cls.model_fields)}{closest(key, cls.model_fields)}"
            found = f"found unknown key {quoted(key)}, expected one of {expected}"
            raise PydanticCustomError("plain", "{text}", {"text": found})
        return data


def validate(model: type[Model], data: object, problems: Problems, place: Place = ()) -> Model:
    """The data as a model; `place` is where in the file the data stand.

    Raises:
        FileError: the data do not fit the model.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problems.add((*place, *detail["loc"]), _sentence(detail))
        problems.stop_if_any()
        raise


_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text (put it in quotes)",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "string_too_short": "at least one character",
    "string_too_long": "at most {max_length} characters",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "too_short": "{min_length}",
    "too_long": "{max_length}",
}
"""What was expected, by pydantic's type of error."""


def _sentence(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "found nothing, expected a value for this key"
    if kind not in _EXPECTED:
        return detail["msg"]
    found = show(detail["input"])
    if kind in ("too_short", "too_long"):
        found = counted(len(detail["input"]))
    return f"found {found}, expected {_EXPECTED[kind].format(**context)}"
