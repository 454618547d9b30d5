"""Audits of known tables, and the stated rate of false alarms."""

import numpy as np
import pytest

from automorph.errors import DataError, UsageError
from automorph.report import audit_page
from automorph.robustness.audit_result import RATE, measure
from automorph.robustness.groups import Grouper
from automorph.robustness.intersections import intersections
from automorph.robustness.run_audit import audit

GROUPER = Grouper(("benign", "malignant"), ("bare", "patch"))


def predictions_of(labels, groups, accuracy, rng):
    right = rng.random(len(labels)) < np.asarray(accuracy)[groups]
    return np.where(right, labels, 1 - labels)


def made(sizes, accuracy, seed=0):
    groups = np.repeat(np.arange(4), sizes)
    labels = groups // 2
    return labels, predictions_of(labels, groups, accuracy, np.random.default_rng(seed)), groups


def test_the_numbers_of_an_audit():
    labels, predictions, groups = made([400, 100, 300, 60], [0.95, 0.5, 0.9, 0.9])
    found = measure(labels, predictions, groups, GROUPER)
    correct = predictions == labels

    assert found.accuracy.value == pytest.approx(correct.mean())
    shares = [correct[groups == g].mean() for g in range(4)]
    assert [g.accuracy for g in found.groups] == pytest.approx(shares)
    assert found.robust_accuracy == min(shares) <= found.accuracy.value
    assert sum(g.n * g.accuracy for g in found.groups) / found.n == pytest.approx(correct.mean())
    assert found.gap["benign"].value == pytest.approx(shares[0] - shares[1])
    assert (found.worst.class_name, found.worst.subgroup) == ("benign", "patch")
    assert [g.alarm for g in found.groups] == [False, True, False, False]
    assert "(benign, patch)" in found.verdict
    assert any("malignant, patch: 60" in note for note in found.notes)


def test_the_contract():
    labels, predictions, groups = made([40, 10, 30, 0], [0.9, 0.5, 0.9, 0.9])
    plain = measure(labels, predictions, groups, GROUPER).to_dict()

    keys = {"accuracy", "robust_accuracy", "groups", "gap", "mutual_information", "report"}
    assert keys <= set(plain)
    for group in plain["groups"]:
        assert {"class", "subgroup", "n", "accuracy", "low", "high"} <= set(group)
    assert plain["groups"][3]["accuracy"] is None
    assert plain["gap"]["malignant"] is None
    assert plain["gap"]["benign"] == pytest.approx(
        100 * (plain["groups"][0]["accuracy"] - plain["groups"][1]["accuracy"])
    )
    assert any("No examples of (malignant, patch)" in note for note in plain["notes"])


def test_a_constant_classifier_is_fair_and_useless():
    labels, _, groups = made([50] * 4, [1] * 4)
    found = measure(labels, np.zeros_like(labels), groups, GROUPER)

    assert found.robust_accuracy == 0
    assert all(gap.value == 0 for gap in found.gap.values())
    assert found.mutual_information == 0
    assert not found.alarms
    assert found.verdict.startswith("It predicts only 'benign' for every example: train it")


def test_calibration():
    labels, predictions, groups = made([500] * 4, [0.8] * 4)
    sure = np.full((2000, 2), 0.02)
    sure[np.arange(2000), predictions] = 0.98
    found = measure(labels, predictions, groups, GROUPER, probabilities=sure)

    assert found.overconfidence.value == pytest.approx(0.98 - found.accuracy.value)
    for group in found.groups:
        assert group.overconfidence.low < 0.98 - group.accuracy < group.overconfidence.high
        right = group.accuracy
        assert group.loss == pytest.approx(-right * np.log(0.98) - (1 - right) * np.log(0.02))


def alarms_of_random_slices(repeats):
    """Random subgroups of several counts and sizes; classes of different difficulty."""
    rng = np.random.default_rng(0)
    raised = 0
    for _ in range(repeats):
        k = int(rng.integers(2, 7))
        labels = rng.integers(0, 3, 1500)
        subgroups = rng.choice(k, 1500, p=rng.dirichlet(np.ones(k)))
        right = rng.random(1500) < np.array([0.95, 0.8, 0.6])[labels]
        grouper = Grouper(("a", "b", "c"), tuple(map(str, range(k))))
        predictions = np.where(right, labels, (labels + 1) % 3)
        found = measure(labels, predictions, grouper(labels, subgroups), grouper)
        raised += bool(found.alarms)
    return raised / repeats


def test_random_slices_raise_no_alarm():
    assert alarms_of_random_slices(40) <= RATE + 2 * np.sqrt(RATE * (1 - RATE) / 40)


@pytest.mark.slow
def test_random_slices_raise_alarms_no_more_often_than_stated():
    assert alarms_of_random_slices(200) <= RATE + 2 * np.sqrt(RATE * (1 - RATE) / 200)


def alarms_of_audits_that_discover(repeats):
    """Random subgroups, and slices sought in noise."""
    rng = np.random.default_rng(0)
    raised = 0
    for seed in range(repeats):
        labels = rng.integers(0, 2, 600)
        images = rng.integers(0, 256, (600, 4, 4, 1), np.uint8)
        right = rng.random(600) < np.array([0.9, 0.7])[labels]
        data = (images, labels, rng.integers(0, 5, 600))
        predictions = np.where(right, labels, 1 - labels)
        raised += bool(audit(data, predictions=predictions, discover=True, seed=seed).alarms)
    return raised / repeats


@pytest.mark.slow
def test_groups_and_slices_together_raise_alarms_no_more_often_than_stated():
    assert alarms_of_audits_that_discover(1000) <= RATE + 2 * np.sqrt(RATE * (1 - RATE) / 1000)


def test_groups_and_slices_share_the_rate():
    groups = np.repeat(np.arange(4), 200)
    labels = groups // 2
    # Each group has 20 errors, one has 38: p is 0.03.
    wrong = np.arange(800) % 200 < np.array([20, 38, 20, 20])[groups]
    predictions = np.where(wrong, 1 - labels, labels)
    whole = measure(labels, predictions, groups, GROUPER)
    half = measure(labels, predictions, groups, GROUPER, looks=2)

    worst = whole.groups[1]
    assert RATE / 2 < worst.p < RATE
    assert worst.alarm
    assert not half.alarms
    assert half.groups[1].p == worst.p

    images = np.zeros((len(labels), 4, 4, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels)) % 256
    plain, discovering = (
        audit((images, labels, groups % 2), predictions=predictions, discover=discover)
        for discover in (False, True)
    )
    assert [group.alarm for group in plain.groups] == [group.alarm for group in whole.groups]
    assert not any(group.alarm for group in discovering.groups)


def test_the_worst_intersection_is_found():
    rng = np.random.default_rng(1)
    n = 4000
    labels = rng.integers(0, 2, n)
    columns = {
        "site": rng.choice(["north", "south"], n),
        "device": rng.choice(["a", "b", "c"], n),
        "age": rng.integers(20, 80, n).astype(str),
        "id": np.arange(n).astype(str) + "x",
    }
    bad = (labels == 1) & (columns["site"] == "south") & (columns["device"] == "c")
    correct = rng.random(n) < np.where(bad, 0.5, 0.95)
    found = intersections(correct, labels, columns, ("no", "yes"))

    assert found[0].class_name == "yes"
    assert {"site": "south", "device": "c"}.items() <= found[0].values.items()
    assert found[0].alarm
    assert found[0].n == bad.sum() or "age" in found[0].values
    assert all("id" not in one.values for one in found)


def test_intersections_of_random_columns_raise_no_alarm():
    rng = np.random.default_rng(2)
    raised = 0
    for _ in range(30):
        labels = rng.integers(0, 2, 600)
        columns = {name: rng.choice(["x", "y", "z"], 600) for name in "abcd"}
        found = intersections(rng.random(600) < 0.85, labels, columns, ("no", "yes"))
        raised += any(one.alarm for one in found)
    assert raised <= 4


def test_nothing_to_audit():
    empty = np.zeros(0, np.int64)
    with pytest.raises(DataError, match="no examples"):
        measure(empty, empty, empty, GROUPER)


def test_one_subgroup_has_nothing_to_compare_with():
    labels = np.repeat([0, 1], 50)
    grouper = Grouper(("a", "b"), ("all",))
    found = measure(labels, labels, labels, grouper)

    assert found.gap == {"a": None, "b": None}
    assert found.information is None
    assert "no subgroup" in found.verdict


def audited_without_subgroups(wrong, n=400, **options):
    """Two classes of different pictures; ``wrong`` selects the misclassified rows."""
    labels = np.arange(n) % 2
    images = np.random.default_rng(0).integers(0, 255, (n, 8, 8, 1), np.uint8)
    predictions = np.where(wrong(np.arange(n)), 1 - labels, labels)
    return audit((images, labels), predictions=predictions, discover=True, **options)


def test_what_was_looked_for_and_not_found_is_said():
    found = audited_without_subgroups(lambda row: (row % 2 == 1) & (row % 20 != 1))
    told = found.verdict
    assert not found.named
    assert told.startswith("The class that fails most is '1': 10.0 % right")
    assert "Slices were searched for in the train part (domino)" in told
    assert "subgroup to compare" not in told
    assert not any("merge groups" in note or "all" in note.split(":")[0] for note in found.notes)
    hypotheses = [note for note in found.notes if "hypotheses" in note]
    assert len(hypotheses) == bool(found.slices)


def test_a_class_that_fails_as_a_whole_is_no_alarm_and_not_overlooked():
    found = audited_without_subgroups(lambda row: row % 2 == 1)
    page = audit_page(found.to_dict())
    assert "without result: no slice" in found.verdict
    assert not any("hypotheses" in note for note in found.notes)
    assert page.badge == "weak on a class"
    assert [answer.question for answer in page.answers] == [
        "How accurate is it on average?", "How accurate is it on the worst class?",
        "Does it fail on a slice?",
    ]  # fmt: skip
    table = page.sections[0].parts[1]
    assert list(table.columns)[:3] == ["Class", "Examples", "Accuracy"]
    assert [row[0] for row in table.rows] == ["1", "0"]


def test_the_page_has_the_worst_group_first():
    labels, predictions, groups = made([400, 100, 300, 60], [0.95, 0.9, 0.5, 0.7])
    found = measure(labels, predictions, groups, GROUPER)
    page = audit_page({**found.to_dict(), "part": "test", "subject": "it", "data": "them"})
    rows = page.sections[0].parts[1].rows
    assert [str(row[0]) for row in rows[:2]] == ["malignant", "malignant"]
    assert page.badge == "fails on a subgroup"


def test_an_option_that_there_is_not_is_told():
    with pytest.raises(UsageError, match="entry of the recipe"):
        audit("digits-correlation", epochs=2)
    with pytest.raises(UsageError, match="limit"):
        audit("digits-correlation", limitt=2)
