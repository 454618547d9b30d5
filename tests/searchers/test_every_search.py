"""Every search, small, on real data, against the kit for searchers.

It ends, its jobs succeed, its result is valid at any time and can be saved, and a replay repeats
it.
"""

from __future__ import annotations

import pytest

from automorph.searchers.builtin import load_method
from automorph.testing import check_searcher

NAMES = (
    "race",
    "race(candidates=crop;none;flip)",
    "random(count=2)",
    "randaugment(by=grid,reach=1.5)",
    "autoaugment(batch=2,subpolicies=2)",
    "fast-autoaugment(passes=2)",
    "text-autoaugment(subpolicies=2)",
    "pba(every=1)",
    "dada(epochs=2)",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_search_meets_the_contract(name):
    check_searcher(load_method(name).build)
