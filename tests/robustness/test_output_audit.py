"""Audits of several labels and of values: figures, tests, gaps, and networks of both kinds."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, mean_absolute_error

from automorph.cli import main
from automorph.data import from_arrays, load_data, split
from automorph.errors import DataError, UsageError
from automorph.report.audit import audit_page
from automorph.robustness import OutputAudit, audit
from automorph.robustness.measure_outputs import Answers, measure_outputs
from automorph.training import as_task, train

torch.set_num_threads(1)
GROUPS = np.repeat([0, 1], 150)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Make the bootstrap short: its intervals are those of `automorph.metrics.resampled`."""
    monkeypatch.setattr("automorph.robustness.measure_outputs.RESAMPLES", 40)


def labelled(seed=0, missed=0.0):
    """Two labels, and scores that miss the second one on the second subgroup."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, (300, 2)).astype(np.uint8)
    scores = np.clip(labels * 0.4 + random.uniform(0, 0.6, (300, 2)), 0, 1)
    low = (random.random(300) < missed) & (GROUPS == 1) & (labels[:, 1] == 1)
    scores[low, 1] = random.uniform(0, 0.3, low.sum())
    return labels, scores


def measured(labels, scores, **options):
    answers = Answers((scores >= 0.5).astype(np.int64), scores)
    return measure_outputs(
        "labels", labels, answers, ("open", "short"), subgroups=GROUPS,
        subgroup_names=("old", "new"), **options,
    )  # fmt: skip


def test_figures_of_labels_are_those_of_scikit_learn():
    labels, scores = labelled(missed=0.7)
    found = measured(labels, scores)
    for group in found.groups:
        k = ("open", "short").index(group.output)
        rows = {"": slice(None), "old": slice(150), "new": slice(150, None)}[group.subgroup]
        first, recall, specificity = group.figures
        y, s = labels[rows, k], scores[rows, k]
        assert first.value == pytest.approx(average_precision_score(y, s))
        assert first.low <= first.value <= first.high
        assert recall.value == pytest.approx((s[y == 1] >= 0.5).mean())
        assert specificity.value == pytest.approx((s[y == 0] < 0.5).mean())
        assert group.present == y.sum()
    assert found.metrics[0].name == "mean-average-precision"
    both = average_precision_score(labels, scores)
    assert found.metrics[0].value == pytest.approx(both)


def test_a_label_that_is_missed_on_a_subgroup_raises_the_only_alarm():
    found = measured(*labelled(missed=0.7))
    alarmed = [(one.output, one.subgroup, one.fault) for one in found.groups if one.alarm]
    assert alarmed == [("short", "new", "misses")]
    assert found.verdict.startswith("It misses 'short' more often on 'new': average precision")
    gap = found.gap["short"]
    assert gap.low > 0.1
    assert gap.value > 2 * found.gap["open"].value


def test_alarms_are_rare_where_errors_do_not_depend_on_the_subgroup():
    quick = partial(measured, metrics=("exact-match",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("automorph.robustness.measure_outputs._estimate", lambda *_: None)
        raised = [bool(quick(*labelled(seed)).alarms) for seed in range(100)]
        assert sum(raised) <= 10
        patch.setattr("automorph.robustness.measure_outputs.PERMUTATIONS", 199)
        errors = np.random.default_rng(0).normal(size=(100, 300, 1))
        raised = [bool(of_values(np.zeros((300, 1)), one).alarms) for one in errors]
    assert sum(raised) <= 10


def of_values(values, predicted):
    return measure_outputs(
        "values", values, Answers(predicted, predicted), ("weight",), subgroups=GROUPS,
        subgroup_names=("old", "new"),
    )  # fmt: skip


def test_values_are_measured_and_tested_in_their_units():
    random = np.random.default_rng(0)
    values = random.uniform(50, 500, (300, 1))
    spread = np.where(GROUPS, 30, 10)[:, None]
    predicted = values + random.normal(0, spread)
    found = of_values(values, predicted)
    whole, old, new = found.groups
    for group, rows in ((whole, slice(None)), (old, slice(150)), (new, slice(150, None))):
        mae, rmse = group.figures
        assert mae.value == pytest.approx(mean_absolute_error(values[rows], predicted[rows]))
        assert rmse.value == pytest.approx(np.sqrt(((values - predicted)[rows] ** 2).mean()))
    assert [one.alarm for one in found.groups] == [False, False, True]
    assert found.gap["weight"].value == pytest.approx(new.figures[0].value - old.figures[0].value)
    assert found.verdict.startswith("Its errors of 'weight' are larger on 'new': MAE")
    page = audit_page({**found.to_dict(), "subject": "a", "data": "b", "part": "test"})
    assert [s.title for s in page.sections] == [
        "All values", "All values together, by subgroup", "Gap by value", "Metrics",
    ]  # fmt: skip
    json.dumps(found.to_dict())


@pytest.fixture(scope="module")
def boards():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (240, 2))
    images = random.integers(0, 60, (240, 8, 8), np.uint8)
    images[labels[:, 0] == 1, :2] += 150
    images[labels[:, 1] == 1, -2:] += 150
    return split(from_arrays(
        images, labels, classes=["top", "bottom"], subgroups=np.arange(240) % 2, target="labels"
    ))  # fmt: skip


def test_a_run_is_audited_by_its_thresholds_as_it_was_tested(boards, tmp_path):
    task = as_task(boards, model="cnn:4", recipe={"epochs": 3}, also=["macro-f1"])
    run = train(task, "none", folder=tmp_path / "run", progress=False)
    found = audit(boards, checkpoint=tmp_path / "run", metrics=["macro-f1"])
    assert isinstance(found, OutputAudit)
    np.testing.assert_array_equal(found.predictions, run.predictions["test"])
    assert found.metrics[0].value == pytest.approx(run.metrics["test"]["macro-f1"])
    alike = audit(boards, model="cnn:4", recipe={"epochs": 3}, progress=False)
    assert alike.n == found.n
    given = audit(boards, predictions=found.predictions, part="test")
    assert given.metrics[0].value == pytest.approx(found.metrics[0].value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"discover": True}, UsageError, "audit one label as two classes"),
        ({"predictions": "a.csv"}, UsageError, "--checkpoint"),
        ({"predictions": np.zeros((3, 2))}, DataError, "one row for each example"),
        ({"predictions": np.full((49, 2), 7.0)}, DataError, "decisions of 0 and 1"),
    ],
)
def test_what_labels_do_not_have_is_refused(boards, options, error, message):
    with pytest.raises(error, match=message):
        audit(boards, part="test", **options)


def test_the_command_audits_labels_values_and_one_label(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    rows = ["text,open,short,stars,site"]
    for i in range(150):
        a, b = random.integers(0, 2, 2)
        words = f"{'crack ' * a}{'bridge ' * b}board number {i}"
        rows.append(f"{words},{a},{b},{a + 2 * b + 0.5},{'north' if i % 3 else 'south'}")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    base = ["csv:t.csv", "--subgroup", "site", "--epochs", "3"]
    words = ["audit", *base, "--label", "open,short", "--target", "labels", "--out", "a"]
    assert main(words) in (0, None)
    said = capsys.readouterr().err
    assert "Gap of open among subgroups (average precision of open)" in said
    kept = json.loads((tmp_path / "a" / "audit.json").read_text())
    assert {one["subgroup"] for one in kept["outputs"]} == {"", "north", "south"}
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "All labels together, by subgroup" in page

    values = ["audit", *base, "--label", "stars", "--target", "values", "--out", "b", "--json"]
    assert main(values) in (0, None)
    assert json.loads(capsys.readouterr().out)["metrics"][0]["name"] == "mae"

    with pytest.raises(SystemExit):
        main(["report", "a", "b"])
    assert "a is an audit of labels; expected audits of classes" in " ".join(
        capsys.readouterr().err.split()
    )

    one = ["audit", *base, "--label", "open,short", "--label-of", "short", "--out", "c", "--json"]
    assert main(one) in (0, None)
    printed = json.loads(capsys.readouterr().out)
    assert {group["class"] for group in printed["groups"]} == {"no short", "short"}

    with pytest.raises(SystemExit):
        main([*words[:-1], "d", "--fail-under", "0.5"])
    assert "got --fail-under for --target labels" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(SystemExit):
        main([*one[:-3], "--out", "e", "--against", "a"])
    assert "expected the folder of a run" in " ".join(capsys.readouterr().err.split())


def test_one_label_is_patched_by_name(tmp_path):
    from automorph.robustness import patch

    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (160, 2))
    images = random.integers(0, 60, (160, 8, 8), np.uint8)
    images[labels[:, 1] == 1, -2:] += 150
    np.savez(tmp_path / "a.npz", images=images, labels=labels, subgroups=np.arange(160) % 2)
    data = load_data(f"numpy:{tmp_path / 'a.npz'}", label_of="1")
    found = patch(
        split(data), model="cnn:4", recipe={"epochs": 1}, seeds=1, translator="none",
        objective="gdro", progress=False, folder=tmp_path / "patched",
    )  # fmt: skip
    assert {group.class_name for group in found.after.groups} == {"no 1", "1"}
