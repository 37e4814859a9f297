"""The four steps of Scope's search in words, and what a search does that is held to them."""

import pytest

from heuristics.scope import SCOPE, WIDE, Steps, scope, steps_of
from instances.generate import random_instance
from schedules.progress import Progress
from schedules.schedule import Schedule

OPTIONS = ("ISP", "WSP")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("segments=one", Steps(resolution=0)),
        ("clusters=single", Steps(longest=1)),
        ("regions=even", Steps(even=True)),
        ("partitions=none", Steps(changes="none")),
        ("partitions=any", Steps(changes="any")),
        ("partitions=WSP", Steps(only="WSP")),
        ("segments=any,clusters=merged,regions=free,partitions=switch", SCOPE),
        (" regions = even , segments = one ", Steps(even=True, resolution=0)),
    ],
)
def test_words_change_the_steps_that_they_name_and_no_others(text: str, steps: Steps) -> None:
    assert steps_of(text, OPTIONS) == steps


@pytest.mark.parametrize(
    "steps",
    [
        SCOPE,
        Steps(resolution=0, longest=1, even=True, changes="none"),
        Steps(changes="any"),
        Steps(only="ISP"),
    ],
)
def test_the_text_of_steps_says_all_four(steps: Steps) -> None:
    assert steps_of(steps.text, OPTIONS) == steps


def test_the_text_of_the_wide_search_tells_in_which_step_it_differs() -> None:
    assert WIDE.text == "segments=any,clusters=merged,regions=free,partitions=any"


def test_a_word_for_partitions_comes_before_an_option_of_that_name() -> None:
    assert steps_of("partitions=none", ("none", "all")) == Steps(changes="none")
    assert steps_of("partitions=all", ("none", "all")) == Steps(only="all")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no step: expected segments=any|one, clusters=merged|single, regions="),
        ("one", "'one' is no step: expected segments"),
        ("segments=one,", "'' is no step"),
        ("colours=red", "'colours' is no step: .*partitions=ISP|WSP|switch|none|any"),
        ("segments", "segments cannot be '': expected one of any, one"),
        ("segments=two", "segments cannot be 'two': expected one of any, one"),
        ("partitions=OSP", "partitions cannot be 'OSP': expected one of ISP, WSP, switch, none"),
        ("regions=even,regions=free", "regions is named twice"),
    ],
)
def test_what_is_no_step_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^steps: {message}".replace("|", r"\|")) as refusal:
        steps_of(text, OPTIONS)
    assert "\n" not in str(refusal.value)


def found(seed: int, steps: Steps | None) -> Schedule | None:
    """What `scope` offers on a small instance whose buffers are tight."""
    instance = random_instance(seed, layers=6, chiplets=8, memory="tight")
    progress = Progress(instance)
    assert scope(instance, progress, 0, 1, steps) == "finished"
    return progress.best


def test_the_sequential_schedule_does_not_stand_in_for_one_segment() -> None:
    """Else a search for one segment would always find something."""
    one = {seed: found(seed, Steps(resolution=0)) for seed in range(40)}
    lengths = {len(best.segments) for best in one.values() if best is not None}
    assert lengths == {1}
    missing = [seed for seed, best in one.items() if best is None]
    assert any(found(seed, None) is not None for seed in missing)


def test_a_search_counts_what_it_does() -> None:
    instance = random_instance(3, layers=6, chiplets=5, memory="loose")
    all_steps, single = Progress(instance), Progress(instance)
    scope(instance, all_steps, 0, 1)
    assert all_steps.counts["candidates"] == 6 * 7 // 2
    assert 6 <= all_steps.counts["segments priced"] <= all_steps.counts["candidates"]
    scope(instance, single, 0, 1, Steps(longest=1))
    assert 0 < single.counts["stage times"] < all_steps.counts["stage times"]
