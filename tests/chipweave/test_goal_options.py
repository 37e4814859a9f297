"""Goals from the command line: what is meant reaches the goal, what is wrong is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chipweave import goals
from chipweave.commands.options import Conditions
from instances.instance import Instance
from schedules.files import write_schedule
from schedules.goal import Goal, Pin, hold
from schedules.schedule import Cluster, Schedule, Segment

SPLIT = Schedule(
    (
        Segment((Cluster(0, 0, 2, ("WSP",)), Cluster(1, 1, 1, ("ISP",)))),
        Segment((Cluster(2, 2, 3, ("ISP",)),)),
    )
)
NAMES = ("conv-1", "conv-1-2", "0")


@pytest.fixture
def instance(make_instance: Callable[..., Instance]) -> Instance:
    """Three layers on three chiplets, with names that look like ranges and indices."""
    from dataclasses import replace

    plain = make_instance([[[9, 5, 4]] * 2] * 3, batch=6)
    return replace(plain, tables=replace(plain.tables, layers=NAMES))


@pytest.fixture
def split(tmp_path: Path) -> Path:
    path = tmp_path / "split.yaml"
    write_schedule(SPLIT, path)
    return path


def test_every_option_reaches_the_goal(instance: Instance) -> None:
    conditions = Conditions(
        throughput_floor=None,
        latency_cap="1.5e3",
        energy_cap="12.9",
        max_segments=3,
        max_clusters=2,
        max_chiplets=1,
        pin=["1:cluster"],
    )
    assert conditions.goal(instance, "energy") == Goal(
        "energy", 1500, 12, 3, 2, 1, (Pin(1, cluster=True),)
    )


@pytest.mark.parametrize(
    ("cap", "floor", "most"),
    [
        (None, None, None),
        ("70", None, 70),
        (None, "0.1", 60),  # 6 samples in 60 cycles, though 0.1 is no binary fraction
        (None, "6/59", 59),
        ("50", "0.1", 50),
        ("1,234,567.8", None, 1234567),  # as our own tables print it
        ("70", "0.1", 60),
    ],
)
def test_the_stricter_of_cap_and_floor_counts(
    instance: Instance, cap: str | None, floor: str | None, most: int | None
) -> None:
    assert goals.latency_cap(instance, cap, floor) == most


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("0.01", 0.01), ("1%", 0.01), ("5 %", 0.05)]
)
def test_a_share_is_a_number_or_a_percentage(text: str, value: float) -> None:
    assert goals.share("--gap-limit", text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("conv-1:segment", Pin(0, segment=True)),
        ("1:no-segment,no-cluster", Pin(1, segment=False, cluster=False)),
        ("2:tiled, chiplets=3", Pin(2, tiled=True, chiplets=3)),
        ("conv-1-2:no-tiled,option=WSP", Pin(1, tiled=False, option="WSP")),
        ("0:cluster", Pin(2, cluster=True)),  # a name goes before an index
        ("1:chiplets=2,chiplets=2", Pin(1, chiplets=2)),
    ],
)
def test_a_pin_fixes_the_facts_that_it_names(instance: Instance, text: str, pin: Pin) -> None:
    assert goals.pins(instance, [text], []) == (pin,)


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [
        ("", 0, 2),
        (":1-2", 1, 2),
        (":1", 1, 1),
        (":conv-1-conv-1-2", 0, 1),
        (":conv-1-2", 1, 1),  # the layer of this name, not conv-1 to 2
        (":conv-1-0", 0, 2),
    ],
)
def test_a_part_of_a_schedule_is_held(
    instance: Instance, split: Path, part: str, first: int, last: int
) -> None:
    assert goals.pins(instance, [], [f"{split}{part}"]) == hold(SPLIT, first, last)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"pin": ["conv-1"]}, "expected LAYER:FACT"),
        ({"pin": ["conv-1:"]}, "expected LAYER:FACT"),
        ({"pin": ["conv1:segment"]}, "Did you mean conv-1"),
        ({"pin": ["3:segment"]}, "no layer '3'"),
        ({"pin": ["-1:segment"]}, "no layer '-1'"),
        ({"pin": ["1:segmented"]}, "Did you mean segment"),
        ({"pin": ["1:no-option"]}, "unknown fact 'no-option'"),
        ({"pin": ["1:option"]}, "option needs a value, such as chiplets=4"),
        ({"pin": ["1:chiplets=many"]}, "chiplets=many is not a number"),
        ({"pin": ["1:chiplets=4"]}, "pinned to 4 chiplets: the package has 3"),
        ({"pin": ["1:option=XSP"]}, "there are ISP, WSP"),
        ({"pin": ["1:chiplets"]}, "chiplets needs a value, such as chiplets=4"),
        ({"pin": ["1:segment=yes"]}, "segment takes no value"),
        ({"hold": ["nowhere.yaml"]}, "--hold nowhere.yaml: "),
        ({"hold": ["."]}, "--hold .: is a folder"),
        ({"latency_cap": "1,5"}, "--latency-cap 1,5: is not a number"),
        ({"pin": ["1:segment,no-segment"]}, "segment and no-segment contradict each other"),
        ({"hold": ["nowhere.yaml"]}, "no such file"),
        ({"hold": ["{split}:2-1"]}, "layer 2 comes after layer 1"),
        ({"hold": ["{split}:1-9"]}, "no layer '9'"),
        ({"hold": ["{split}:"]}, "no layer ''"),
        ({"hold": ["{split}:5"]}, "no layer '5'"),
        ({"latency_cap": "fast"}, "--latency-cap fast: is not a number"),
        ({"latency_cap": "nan"}, "--latency-cap nan: is not a number"),
        ({"latency_cap": "1e999999999"}, "is not a number"),
        ({"latency_cap": "-1"}, "latency cap -1 is negative"),
        ({"energy_cap": "3/0"}, "--energy-cap 3/0: is not a number"),
        ({"throughput_floor": "0"}, "is not a positive number"),
        ({"max_segments": 0}, "at least 1"),
    ],
)
def test_what_is_wrong_is_named(
    instance: Instance, split: Path, texts: dict[str, Any], message: str
) -> None:
    if "hold" in texts:
        texts = {"hold": [text.format(split=split) for text in texts["hold"]]}
    with pytest.raises(ValueError, match=message):
        Conditions(**texts).goal(instance)


@pytest.mark.parametrize("text", ["150%", "100%", "1", "-0.1", "nan", "half", "%", ""])
def test_a_gap_limit_is_a_share(text: str) -> None:
    with pytest.raises(ValueError, match="--gap-limit"):
        goals.share("--gap-limit", text)


def test_a_schedule_that_may_not_run_cannot_be_held(instance: Instance, split: Path) -> None:
    split.write_text(split.read_text().replace("chiplets: 2", "chiplets: 9"))
    with pytest.raises(ValueError, match="the schedule may not run: "):
        goals.pins(instance, [], [str(split)])


def test_an_unknown_objective_is_named() -> None:
    with pytest.raises(ValueError, match="Did you mean energy"):
        goals.objective("energie")
