"""An audit of new data beside an earlier one."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from automorph.errors import DataError, UsageError
from automorph.robustness import Grouper, Reference, compare_audits, failures, measure
from automorph.robustness.against import fallen, shifted

GROUPER = Grouper(("cat", "dog"), ("day", "night"))
KEYS = [("cat", "day"), ("cat", "night"), ("dog", "day"), ("dog", "night")]


def audit(right, n):
    """Audit predictions that are right so often in each group."""
    groups = np.repeat(np.arange(4), n)
    labels = groups // 2
    place = np.concatenate([np.arange(size) for size in n])
    correct = place < np.repeat(right, n)
    return measure(labels, np.where(correct, labels, 1 - labels), groups, GROUPER)


def reference(right, n):
    return Reference("runs/audit", dict(zip(KEYS, n, strict=True)),
                     dict(zip(KEYS, right, strict=True)))  # fmt: skip


def drawn(drop, repeats, seed):
    random = np.random.default_rng(seed)
    then = random.binomial(300, 0.9, (repeats, 4))
    return then, random.binomial(300, [0.9 - drop, 0.9, 0.9, 0.9], (repeats, 4))


def counted(right, n):
    """What a comparison reads of an audit, without the intervals that it takes longest to make."""
    groups = [SimpleNamespace(class_name=name, subgroup=subgroup, n=int(size), accuracy=k / size)
              for (name, subgroup), k, size in zip(KEYS, right, n, strict=True)]  # fmt: skip
    return SimpleNamespace(groups=groups)


def alarms(then, now):
    n = [300] * 4
    found = [
        [change.alarm for change in compare_audits(counted(b, n), reference(a, n)).groups]
        for a, b in zip(then, now, strict=True)
    ]
    return np.array(found)


def test_a_drop_of_ten_points_is_caught_and_chance_is_not():
    caught = alarms(*drawn(0.10, 100, seed=0))
    assert caught[:, 0].sum() >= 80
    assert caught[:, 1:].any(axis=1).sum() <= 5
    assert alarms(*drawn(0.0, 100, seed=1)).any(axis=1).sum() <= 5


def test_a_drop_of_five_points_is_caught_as_often_as_by_the_exact_test():
    caught = alarms(*drawn(0.05, 1000, seed=2))[:, 0].mean()
    # The power of Fisher's test at the rate that Holm gives to the first of four groups.
    then, now = np.meshgrid(np.arange(301), np.arange(301), indexing="ij")
    n = np.full(then.size, 300)
    rejects = fallen(then.ravel(), n, now.ravel(), n).reshape(then.shape) < 0.05 / 4
    chance = np.outer(*(stats.binom.pmf(np.arange(301), 300, p) for p in (0.90, 0.85)))
    power = float((chance * rejects).sum())
    print(f"caught {caught:.3f}, power of the exact test {power:.3f}")
    assert abs(caught - power) <= 0.05


def test_fallen_is_fishers_test():
    for right_then, n_then, right_now, n_now in ((270, 300, 240, 300), (9, 10, 3, 8), (5, 5, 5, 5)):
        table = [[right_now, n_now - right_now], [right_then, n_then - right_then]]
        expected = stats.fisher_exact(table, alternative="less").pvalue
        found = fallen(*(np.array([x]) for x in (right_then, n_then, right_now, n_now)))[0]
        assert found == pytest.approx(expected)


def test_shares_that_move_are_told():
    n = [300, 300, 300, 300]
    same = compare_audits(audit([270] * 4, n), reference([270] * 4, n))
    assert not same.alarms
    assert same.shares_p == 1.0
    assert same.shifts == ()
    moved = compare_audits(audit([90, 90, 270, 270], [100, 100, 300, 300]), reference([270] * 4, n))
    assert moved.classes_p < 0.001
    assert "'cat' 50.0 % then, 25.0 % now" in moved.verdict


def test_rare_groups_are_merged_for_the_test_of_shares():
    assert shifted(np.array([500, 1, 1]), np.array([500, 0, 3])) > 0.05
    assert shifted(np.array([5, 0]), np.array([0, 0])) == 1.0


def test_a_group_without_rows_is_never_silent():
    n = [300, 300, 300, 0]
    now = audit([270, 270, 200, 0], n)
    then = reference([270] * 4, [300] * 4)
    found = compare_audits(now, then)
    assert found.missing == (("dog", "night"),)
    below, empty = failures(now, limit=0.8, known=[*KEYS])
    assert below.startswith("(dog, day) is right in 66.7 % of 300 examples")
    assert "no example of (dog, night)" in empty
    assert failures(now, limit=0.5, known=KEYS, missing="pass") == ()


def test_audits_without_a_common_group_are_refused():
    then = Reference("runs/audit", {("bird", "day"): 10}, {("bird", "day"): 5})
    with pytest.raises(DataError, match="at least one in common"):
        compare_audits(audit([270] * 4, [300] * 4), then)


def test_a_folder_without_an_audit_is_refused(tmp_path):
    from automorph.robustness import read_reference

    with pytest.raises(UsageError, match="no finished audit"):
        read_reference(tmp_path)
