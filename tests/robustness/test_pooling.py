"""Small groups are pulled towards their class or set aside; leaking columns are named."""

import numpy as np
import pytest

from automorph import audit
from automorph.cli import main
from automorph.errors import DataError
from automorph.robustness.audit_result import measure
from automorph.robustness.groups import Grouper
from automorph.robustness.pooling import association, leaking, pooled_recalls


def of(found, column, value):
    return next(one for one in found if one.column == column and one.value == value)


def test_recalls_are_pulled_towards_the_class_the_more_the_smaller_they_are():
    sites = np.repeat(["a", "b", "c", "d"], [400, 400, 400, 4])
    correct = np.ones(1204, bool)
    correct[np.r_[0:40, 400:520, 800:880]] = False  # 90, 70 and 80 %.
    correct[1200:] = False  # None of four.
    found = pooled_recalls(correct, np.zeros(1204, np.int64), {"site": sites}, ("x",))
    whole, tiny = of(found, "class", "(all)"), of(found, "site", "d")
    assert whole.n == 1204
    assert tiny.recall == 0
    assert 0.3 < tiny.pooled < whole.pooled
    assert tiny.high - tiny.low > 0.2
    large = of(found, "site", "a")
    assert large.recall == 0.9
    assert large.pooled == pytest.approx(0.9, abs=0.01)


def test_equal_values_are_pooled_nearly_wholly_and_absent_ones_have_the_prior():
    rng = np.random.default_rng(0)
    labels, site = np.repeat([0, 1], 500), np.tile(np.repeat(list("abcde"), 100), 2)
    site[900:] = "d"  # Class 1 has no example of e.
    found = pooled_recalls(rng.random(1000) < 0.8, labels, {"site": site}, ("x", "y"))
    own = [one for one in found if one.column == "site" and one.class_name == "x"]
    assert np.ptp([one.pooled for one in own]) < np.ptp([one.recall for one in own]) / 2
    of_y = [one for one in found if one.class_name == "y"]
    absent = of(of_y, "site", "e")
    assert absent.n == 0
    assert absent.recall is None
    assert absent.low < of(of_y, "class", "(all)").pooled < absent.high


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(20):
        truth = rng.beta(16, 4, 12)
        sizes = rng.integers(3, 40, 12)
        site = np.repeat([f"s{k:02}" for k in range(12)], sizes)
        correct = rng.random(len(site)) < np.repeat(truth, sizes)
        found = pooled_recalls(correct, np.zeros(len(site), np.int64), {"site": site}, ("x",))
        inside += [one.low <= p <= one.high for one, p in zip(found[1:], truth, strict=True)]
    assert np.mean(inside) > 0.88


def test_association_is_unbiased_and_one_for_a_copy():
    rng = np.random.default_rng(2)
    values = []
    for _ in range(200):
        table = np.zeros((2, 5))
        np.add.at(table, (rng.integers(0, 2, 100), rng.integers(0, 5, 100)), 1)
        values.append(association(table) ** 2)
    assert np.mean(values) < 0.012  # Without the correction, 0.04.
    assert association(np.diag([30.0, 40.0])) == pytest.approx(1, abs=0.02)
    assert association(np.array([[3.0, 4.0]])) == 0


def test_groups_below_the_limit_are_not_the_worst():
    labels = np.repeat([0, 1], 100)
    groups = np.repeat([0, 1, 2, 3], [94, 6, 80, 20])
    predictions = labels.copy()
    predictions[94:] = 1 - labels[94:]
    predictions[100:180] = labels[100:180]
    grouper = Grouper(("a", "b"), ("x", "y"))
    assert measure(labels, predictions, groups, grouper).worst.n == 6
    found = measure(labels, predictions, groups, grouper, min_group=10)
    assert found.worst.n == 20
    assert any("(a, y; 6)" in note for note in found.notes)
    with pytest.raises(DataError, match="the largest has 94"):
        measure(labels, predictions, groups, grouper, min_group=500)


def test_leaking_columns_are_named_and_not_searched(tmp_path, capsys):
    rng = np.random.default_rng(3)
    file = tmp_path / "rows.csv"
    lines = ["text,label,site,diagnosis,predicted"]
    for k in range(300):
        y = k % 2
        site = rng.integers(0, 3)
        wrong = site == 2 and rng.random() < 0.5
        lines.append(f"word{k} of {y},{'ab'[y]},s{site},d{y},{'ab'[y ^ wrong]}")
    file.write_text("\n".join(lines))
    data = f"csv:{file}"
    result = audit(data, label="label", subgroup="site", predictions="predicted", min_group=5)
    assert any("'diagnosis' gives the class away" in note for note in result.notes)
    assert not any("diagnosis" in one.values for one in result.intersections)
    assert {one.column for one in result.pooled} >= {"class", "subgroup"}
    main(["audit", data, "--label", "label", "--subgroup", "site", "--predictions", "predicted",
          "--min-group", "5", "--out", str(tmp_path / "run")])  # fmt: skip
    assert "Recall of a" in capsys.readouterr().err
    assert leaking(np.array([0, 1]), {}) == {}
