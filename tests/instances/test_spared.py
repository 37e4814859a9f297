"""What DRAM is spared, of all segments at once."""

import numpy as np
import pytest

from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.ratio_tables import spared_tables


@pytest.mark.parametrize("seed", range(20))
def test_all_segments_are_spared_what_each_is(seed: int) -> None:
    given = random_ratios(random_instance(seed, layers=7, shape="dag"), seed).compression
    assert given is not None
    k = np.random.default_rng(seed).integers(0, len(given.ratios), 7)
    units, energy = spared_tables(given, k)
    for first in range(7):
        for last in range(first, 7):
            own = units[first, last], energy[first, last]
            assert own == given.spared(first, last, k.tolist())
    assert not np.tril(units, -1).any()
