"""Goals as a user writes them: caps, pins and parts of a schedule held fixed, from text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

from chipweave.inputs import suggestion
from instances.files import FileError
from instances.instance import Instance
from schedules.files import read_schedule
from schedules.goal import OBJECTIVES, Objective, Pin, hold, latency_cap_for
from schedules.schedule import Schedule
from schedules.verify import violations

SWITCHES = ("segment", "cluster", "tiled")
"""Facts of a pin that are so or, with 'no-' before them, are not."""

FACTS = (*(f"{no}{name}" for name in SWITCHES for no in ("", "no-")), "chiplets=N", "option=NAME")


def objective(text: str) -> Objective:
    """An objective by name.

    Raises:
        ValueError: an unknown name.
    """
    for name in OBJECTIVES:
        if text == name:
            return name
    raise ValueError(
        f"unknown objective {text!r}.{suggestion(text, OBJECTIVES)}"
        f" Choose one of {', '.join(OBJECTIVES)}"
    )


def latency_cap(instance: Instance, text: str | None, throughput_floor: str | None) -> int | None:
    """The most cycles that a cap and a throughput floor in samples a cycle leave.

    Raises:
        ValueError: either is not a number, or the floor is not positive.
    """
    most = cap("--latency-cap", text)
    if throughput_floor is None:
        return most
    samples = _number("--throughput-floor", throughput_floor)
    enough = latency_cap_for(instance, samples)
    return enough if most is None else min(most, enough)


def cap(option: str, text: str | None) -> int | None:
    """The largest integer up to the number that an option was given, if it was.

    Raises:
        ValueError: no number.
    """
    return None if text is None else floor(_number(option, text))


def share(option: str, text: str) -> float:
    """A share between 0 and 1, from '0.01' or '1%'.

    Raises:
        ValueError: no number, or out of the range.
    """
    percent = text.strip().endswith("%")
    value = _number(option, text.strip().removesuffix("%"))
    value = value / 100 if percent else value
    if not 0 <= value < 1:
        raise ValueError(f"{option} {text}: a share from 0 to below 1 (or 100%) is needed")
    return float(value)


def loss(option: str, text: str) -> float:
    """A loss of at least 0, from '0.01' or '1%'.

    Raises:
        ValueError: no number, or negative.
    """
    percent = text.strip().endswith("%")
    value = _number(option, text.strip().removesuffix("%"))
    if value < 0:
        raise ValueError(f"{option} {text}: expected a loss of at least 0, such as 0.01 or 1%")
    return float(value / 100 if percent else value)


def _number(option: str, text: str) -> Fraction:
    try:
        if re.fullmatch(r"\d+/0*[1-9]\d*", text):
            return Fraction(text)
        thousands = re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d*)?", text)
        value = Decimal(text.replace(",", "") if thousands else text)
        # Beyond these exponents the exact fraction alone would fill the memory.
        if value.is_finite() and abs(value.adjusted()) < 100:
            return Fraction(value)
    except InvalidOperation:
        pass
    raise ValueError(f"{option} {text}: is not a number, expected one such as 12000, 1.5e9 or 3/4")


def pins(instance: Instance, texts: Sequence[str], holds: Sequence[str]) -> tuple[Pin, ...]:
    """What `--pin` and `--hold` fix.

    Raises:
        ValueError: an unknown layer, fact or file, or a schedule that may not run.
    """
    single = [_pin(instance, text) for text in texts]
    held = [pin for text in holds for pin in _held(instance, text)]
    return (*single, *held)


def _pin(instance: Instance, text: str) -> Pin:
    name, colon, facts = text.rpartition(":")
    if not colon or not facts.strip():
        raise ValueError(
            f"--pin {text}: expected LAYER:FACT[,FACT], such as conv1:segment or 3:chiplets=4;"
            f" facts are {', '.join(FACTS)}"
        )
    pin = Pin(_layer(instance, name, f"--pin {text}"))
    for fact in facts.split(","):
        pin = _with_fact(pin, fact.strip(), f"--pin {text}")
    return pin


def _with_fact(pin: Pin, fact: str, where: str) -> Pin:
    switch = fact.removeprefix("no-")
    if switch in SWITCHES:
        return _fixed(pin, switch, switch == fact, where)
    key, equals, value = fact.partition("=")
    if equals and key == "option":
        return _fixed(pin, "option", value, where)
    if equals and key == "chiplets":
        if not re.fullmatch(r"\d{1,9}", value):
            raise ValueError(
                f"{where}: chiplets={value} is not a number of chiplets, expected 1 up to the"
                " package's"
            )
        return _fixed(pin, "chiplets", int(value), where)
    if key in ("chiplets", "option"):
        raise ValueError(f"{where}: {key} needs a value, such as chiplets=4 or option=ISP")
    if equals and key.removeprefix("no-") in SWITCHES:
        raise ValueError(f"{where}: {key} takes no value; write it alone")
    names = [known.partition("=")[0] for known in FACTS]
    raise ValueError(
        f"{where}: unknown fact {fact!r}.{suggestion(key, names)} Facts are {', '.join(FACTS)}"
    )


def _fixed(pin: Pin, fact: str, value: Any, where: str) -> Pin:
    before = getattr(pin, fact)
    if before is not None and before != value:
        if fact in SWITCHES:
            raise ValueError(f"{where}: {fact} and no-{fact} contradict each other")
        raise ValueError(f"{where}: {fact} is fixed twice, to {before} and to {value}")
    return replace(pin, **{fact: value})


def _held(instance: Instance, text: str) -> tuple[Pin, ...]:
    path, colon, part = text, "", ""
    if not Path(text).exists() and ":" in text:
        path, colon, part = text.rpartition(":")
    schedule = schedule_of(f"--hold {text}", path)
    wrong = violations(instance, schedule)
    if wrong:
        raise ValueError(f"--hold {text}: the schedule may not run: {wrong[0]}")
    last = len(instance.layers) - 1
    first, last = _span(instance, part, f"--hold {text}") if colon else (0, last)
    return hold(schedule, first, last)


def schedule_of(where: str, path: str) -> Schedule:
    """The schedule in a file.

    Raises:
        ValueError: there is none; `where` says which option wanted it.
    """
    if Path(path).is_dir():
        raise ValueError(f"{where}: is a folder, expected a schedule's file")
    try:
        return read_schedule(path)
    except FileError as error:
        raise ValueError(f"{where}: {error}") from None


def _span(instance: Instance, part: str, where: str) -> tuple[int, int]:
    """First and last layer of 'FIRST-LAST' or of one layer; names may hold a '-' themselves."""
    for first, last in _halves(part):
        if _is_layer(instance, first) and _is_layer(instance, last):
            span = _layer(instance, first, where), _layer(instance, last, where)
            if span[0] > span[1]:
                raise ValueError(f"{where}: layer {first} comes after layer {last}")
            return span
    first, dash, last = part.partition("-")
    for name in (first, last) if dash else (first,):
        _layer(instance, name, where)
    raise ValueError(f"{where}: expected SCHEDULE:FIRST-LAST with two layers")


def _halves(part: str) -> Iterator[tuple[str, str]]:
    yield part, part
    for place, character in enumerate(part):
        if character == "-":
            yield part[:place], part[place + 1 :]


def _is_layer(instance: Instance, text: str) -> bool:
    names = instance.layers
    return text in names or (bool(re.fullmatch(r"\d{1,9}", text)) and int(text) < len(names))


def _layer(instance: Instance, text: str, where: str) -> int:
    """A layer's index from its name, or from the index itself."""
    names = instance.layers
    if text in names:
        return names.index(text)
    if _is_layer(instance, text):
        return int(text)
    raise ValueError(
        f"{where}: there is no layer {text!r}.{suggestion(text, names)}"
        f" Layers are 0 to {len(names) - 1} or their names, which `chipweave show` lists"
    )
