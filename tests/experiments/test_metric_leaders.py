"""Leaders by each metric, and the sentence on why they differ."""

import numpy as np
import pytest

from automorph.data import from_arrays, split
from automorph.experiments import JobResult, compare
from automorph.experiments.metric_leaders import kind_of, leaders_of, why_leaders_differ
from automorph.experiments.table import Cell
from automorph.metrics import METRICS, load_metric
from automorph.training import Units

CLASSES = ("benign", "malignant")
SCORERS = [load_metric(name, CLASSES) for name in ("accuracy", "recall:malignant", "log-loss")]
SEEDS = (0, 1)


def result(*validation, test=None):
    """A training with values of the metrics on both parts."""
    names = [scorer.name for scorer in SCORERS]
    metrics = {"validation": dict(zip(names, validation, strict=True)),
               "test": dict(zip(names, test or validation, strict=True))}  # fmt: skip
    return JobResult(validation[0], Units(), 1.0, {"metrics": metrics})


@pytest.fixture
def data():
    labels = np.repeat([0, 1], [160, 40])
    images = np.random.default_rng(0).integers(0, 255, (200, 4, 4, 1), np.uint8)
    return split(from_arrays(images, labels, classes=list(CLASSES)))


def cells(none, flip):
    return {Cell(place, seed): one for place, both in enumerate((none, flip))
            for seed, one in enumerate(both)}  # fmt: skip


def why(found, data):
    leaders = leaders_of(["none", "flip"], SEEDS, found, SCORERS)
    return leaders, why_leaders_differ(
        leaders, SCORERS, ["none", "flip"], SEEDS, found, data, confidence=0.95
    )


def test_the_reason_is_taken_from_the_data(data):
    found = cells((result(0.85, 0.2, 0.4), result(0.86, 0.21, 0.4)),
                  (result(0.83, 0.6, 0.5), result(0.84, 0.6, 0.5)))  # fmt: skip
    leaders, [words] = why(found, data)
    assert leaders == {"accuracy": "none", "recall of malignant": "flip", "log-loss": "none"}
    rare = float((data.parts["test"].labels == 1).mean())
    assert words == (
        "By accuracy and log-loss, 'none' is the best policy on the validation part, but by recall "
        "of malignant, 'flip' is: accuracy counts every test example alike, and "
        f"{1 - rare:.0%} of them are 'benign'; recall of malignant counts only the examples of "
        f"'malignant' ({rare:.0%} of the examples). On the test part, 'flip' is ahead of 'none' "
        "beyond chance by recall of malignant."
    )


def test_what_is_within_chance_is_said_to_be(data):
    none, flip = (0.8, 0.3, 0.4), (0.8, 0.2, 0.5)
    found = cells((result(0.85, 0.2, 0.4, test=none), result(0.86, 0.2, 0.4)),
                  (result(0.83, 0.6, 0.5, test=flip), result(0.84, 0.6, 0.5)))  # fmt: skip
    assert "these differences are within chance" in why(found, data)[1][0]


def test_one_leader_and_ties_need_no_words(data):
    """Lower is better by log-loss; of equal policies, the leader by the first metric counts."""
    found = cells((result(0.8, 0.5, 0.5), result(0.8, 0.5, 0.5)),
                  (result(0.9, 0.5, 0.4), result(0.9, 0.5, 0.4)))  # fmt: skip
    leaders, words = why(found, data)
    assert set(leaders.values()) == {"flip"}
    assert words == []


def test_a_policy_that_failed_leads_nothing(data):
    failed = JobResult(float("nan"), error="diverged")
    found = cells((result(0.8, 0.5, 0.5), result(0.8, 0.5, 0.5)), (failed, failed))
    assert set(leaders_of(["none", "flip"], SEEDS, found, SCORERS).values()) == {"none"}


def test_every_metric_is_of_a_kind_that_has_words(data):
    shown = {"f1", "recall", "precision", "specificity"}
    names = [f"{name}:2" if name in shown else name for name in METRICS if "-at-" not in name]
    for name in [*names, "sensitivity:2@specificity=0.8"]:
        scorer = load_metric(name, ("1", "2"))
        leaders = {"accuracy": "none", scorer.title: "flip"}
        if scorer.name != "accuracy":
            pair = [load_metric("accuracy", ("1", "2")), scorer]
            [words] = why_leaders_differ(leaders, pair, ["none", "flip"], (0,), {}, data,
                                         confidence=0.95)  # fmt: skip
            assert scorer.title[1:] in words, kind_of(scorer)


def test_a_comparison_has_its_leaders():
    found = compare(
        "digits", ["none", "flip-crop"], seeds=2, model="cnn:4", limit=200, engine="local",
        recipe={"epochs": 1}, metric="balanced-accuracy", also=["recall:3", "log-loss"],
    )  # fmt: skip
    assert list(found.leaders) == ["balanced accuracy", "recall of 3", "log-loss"]
    assert found.leaders["balanced accuracy"] == found.winner
    assert found.to_dict()["leaders"] == found.leaders
    differ = len(set(found.leaders.values())) > 1
    assert any(one.startswith("By balanced accuracy") for one in found.remarks) == differ
