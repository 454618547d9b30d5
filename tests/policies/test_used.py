"""The draws of a policy, as a report shows them."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.operations import named_space
from automorph.policies import Uniform, changes_by_epoch, load_policy, usage
from automorph.policies.usage_counts import BINS


def test_one_operation_each_makes_shares_that_sum_to_one():
    used = usage(load_policy("trivialaugment"))
    assert sum(one.share for one in used) == pytest.approx(1)
    assert all(abs(one.share - 1 / len(used)) < 0.02 for one in used)


def test_two_of_a_kind_count_once():
    k = len(named_space("randaugment"))
    used = usage(load_policy("randaugment(n=2,m=9)"))
    # 1 - (1 - 1/k)^2: the example gets it once or twice.
    assert np.mean([one.share for one in used]) == pytest.approx(1 - (1 - 1 / k) ** 2, abs=0.002)


def test_magnitudes_are_where_they_are_drawn():
    space = named_space("randaugment")
    still = usage(Uniform(operations=space, length=1, low=0.3, high=0.3))
    wide = usage(Uniform(operations=space, length=1, low=0.0, high=1.0))
    for one, spread, operation in zip(still, wide, space, strict=True):
        if operation.magnitude_free:
            assert one.magnitudes == spread.magnitudes == ()
            continue
        assert one.magnitudes[int(0.3 * BINS)] == 1
        assert sum(spread.magnitudes) == pytest.approx(1)
        assert max(spread.magnitudes) < 0.2


def test_a_schedule_hangs_on_the_epoch():
    schedule = load_policy("schedule(2:none,2:trivialaugment)")
    assert changes_by_epoch(schedule)
    assert changes_by_epoch(load_policy("flip-crop + schedule(2:none,2:trivialaugment)"))
    assert not changes_by_epoch(load_policy("flip-crop + trivialaugment"))
    first, last = (sum(one.share for one in usage(schedule, epoch=epoch)) for epoch in (0, 3))
    assert (first, last) == (0, pytest.approx(1))


def test_what_is_no_sequence_has_no_usage():
    assert usage(load_policy("none")) == usage(load_policy("augmix")) == ()


def test_the_random_policy_is_told_over_several_draws():
    used = usage(load_policy("random"))
    assert sum(one.share > 0 for one in used) == len(used)
