"""Random compression: the same for the same seed, and what its docstring promises."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from instances.compression import Compression
from instances.generate import random_instance
from instances.generate_ratios import RATIOS, random_ratios


def drawn(seed: int, **asked: Any) -> Compression:
    plain = random_instance(seed, layers=4, shape="dag" if seed % 2 else "chain")
    found = random_ratios(plain, seed, **asked).compression
    assert found is not None
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two objects are equal, arrays and all."""
    if is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))


def test_the_same_seed_draws_the_same_and_another_draws_something_else() -> None:
    assert all(same(drawn(seed), drawn(seed)) for seed in range(5))
    assert not same(drawn(1), random_ratios(random_instance(1, layers=4), 2).compression)


def test_the_instance_stays_as_it_is() -> None:
    plain = random_instance(4)
    instance = random_ratios(plain, 4)
    assert instance.costs is plain.costs
    assert (instance.name, instance.batch) == (plain.name, plain.batch)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_so_many_ratios_are_drawn_as_were_asked_for(number: int) -> None:
    found = drawn(7, ratios=number)
    assert found.ratios == RATIOS[: number + 1]
    assert found.losses.shape == (4, number + 1)
    assert found.entry.shape[0] == found.saved.shape[0] == number + 1


@pytest.mark.parametrize("number", [0, len(RATIOS)])
def test_a_number_of_ratios_that_there_is_not_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"{number} ratios above 1, expected 1 to 4"):
        drawn(7, ratios=number)


@pytest.mark.parametrize("seed", range(12))
def test_budgets_are_nothing_a_part_or_all_of_what_can_be_lost(seed: int) -> None:
    zero, tight, loose = (drawn(seed, budget=kind) for kind in ("zero", "tight", "loose"))
    most = int(loose.losses.max(axis=1).clip(0).sum())
    assert (zero.budget, loose.budget) == (0, most)
    assert 0.1 * most - 1 <= tight.budget <= 0.6 * most
    assert same(zero.within(5), loose.within(5))


def test_about_a_quarter_of_the_outputs_cannot_be_compressed_and_the_last_never() -> None:
    found = [drawn(seed, ratios=2).losses[:, 1:] for seed in range(60)]
    never = np.array([(losses < 0).all(axis=1) for losses in found])
    assert never[:, -1].all()
    assert 0.15 < never[:, :-1].mean() < 0.45


def test_ratio_1_is_no_compression_and_higher_ratios_lose_more() -> None:
    for seed in range(20):
        plain = random_instance(seed, layers=4)
        own = random_ratios(plain, seed, ratios=3).compression
        assert own is not None
        assert np.array_equal(own.entry[0], plain.tables.entry)
        assert np.array_equal(own.exit[0], plain.tables.exit)
        assert not own.encoders.resident[0].any()
        assert not own.saved[0].any()
        assert not own.losses[:, 0].any()
        for row in own.losses[:, 1:]:
            lost = row[row >= 0]
            assert (lost > 0).all()
            assert (np.diff(lost) > 0).all()
