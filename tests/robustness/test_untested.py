"""Groups with hardly any test examples: translated ones count in the verdict of a patch."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from marked_images import bars, marked_data

from automorph.experiments import paired_difference, summarise
from automorph.robustness import ExactPairs, patch
from automorph.robustness.groups import grouper_of
from automorph.robustness.patch_result import TreatmentRow, judge
from automorph.robustness.translators.base import SomeDirections
from automorph.robustness.untested import Untested, translated_test, untested_groups
from automorph.training import as_task, evaluate

torch.set_num_threads(1)
TRAIN = {(0, 0): 60, (0, 1): 30, (1, 0): 40, (1, 1): 4}
"""As skin lesions are: nearly all marked examples are of one class."""
TEST = {(0, 0): 30, (0, 1): 30, (1, 0): 30}
RECIPE = {"epochs": 2, "batch_size": 32, "lr": 0.05, "warmup_epochs": 0.5}


@pytest.fixture(scope="module")
def task():
    return as_task(marked_data(TRAIN, TEST), model="cnn:4", recipe=RECIPE)


@pytest.fixture(scope="module")
def pairs():
    parts = (bars(counts, seed)[1] for counts, seed in ((TRAIN, 1), (TRAIN, 2), (TEST, 3)))
    return ExactPairs(np.concatenate(list(parts), axis=1))


def test_only_groups_without_test_examples_are_made(task, pairs):
    wider = translated_test(task, pairs)
    assert wider is not None
    grouper, test = grouper_of(task.data), task.data.parts["test"]
    made = wider.groups[len(test) :]
    assert len(wider.made) == len(made) == 30  # All of class 1 without the mark.
    assert {grouper.names[group] for group in made} == {(task.data.classes[1], "marked")}
    np.testing.assert_array_equal(wider.groups[: len(test)], grouper.of(test))
    rows = (test.labels == 1) & (test.subgroups == 0)
    np.testing.assert_array_equal(wider.made.data[:], bars(TEST, 3)[1][1, rows])


def test_nothing_is_made_if_all_groups_are_tested_or_none_is_reached(task, pairs):
    even = as_task(marked_data(TRAIN, {**TEST, (1, 1): 10}), model="cnn:4", recipe=RECIPE)
    assert translated_test(even, pairs) is None
    assert translated_test(task, None) is None
    assert translated_test(task, SomeDirections(pairs, frozenset({(1, 0)}))) is None


class Fooled(torch.nn.Module):
    """Right, except that it takes every marked image for class 0, as all of the test part are."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(5.0))

    def forward(self, x):
        x = x[:, 0]
        lying = x[:, 5:].sum(2).amax(1) > x[:, 5:].sum(1).amax(1)
        marked = x[:, :4].amax((1, 2)) > x.amin((1, 2)) + 1
        return self.scale * torch.stack([lying | marked, ~lying & ~marked], 1)


def test_the_worst_group_is_the_translated_one(task, pairs):
    model, test = Fooled(), task.data.parts["test"]
    seen = evaluate(model, test, encoder=task.encoder, target=task.target)
    assert seen.accuracy == 1
    found = untested_groups(
        task, pairs, {"before": model, "after": model}, {"before": seen, "after": seen}, [], {}.get
    )
    assert found is not None
    assert found.groups == ((task.data.classes[1], "marked"),)
    assert found.n == 30
    assert found.before == found.after == 0


def rows():
    def row(name, robust, base):
        numbers = summarise(robust)
        gap = None if base is None else paired_difference(robust, base)
        return TreatmentRow(name, numbers, numbers, {}, numbers, numbers, numbers, gap)

    base = [0.57, 0.58, 0.57]
    return (
        row("erm", [0.60, 0.61, 0.60], base), row("balanced", base, None),
        row("camel", [0.56, 0.57, 0.56], base),
    )  # fmt: skip


def audited(robust, accuracy):
    return SimpleNamespace(
        only=None, robust_accuracy=robust, robust=SimpleNamespace(low=robust - 0.05),
        accuracy=SimpleNamespace(value=accuracy),
        worst=SimpleNamespace(class_name="malignant", subgroup="0"),
    )  # fmt: skip


def test_the_verdict_counts_translated_examples():
    """Real test groups alone say that nothing was mended: none of them has the failing mark."""
    before, after, seeds = audited(0.617, 0.658), audited(0.563, 0.716), (0, 1, 2)
    alone = judge(rows(), "camel", before, after, seeds)
    assert "keep the model you have" in alone.text
    values = {"erm": [0.20, 0.21, 0.2], "balanced": [0.2, 0.22, 0.21], "camel": [0.43, 0.46, 0.44]}
    untested = Untested(
        (("malignant", "1"),), 103, 0.2, 0.44,
        {name: summarise(own) for name, own in values.items()},
    )  # fmt: skip
    verdict = judge(rows(), "camel", before, after, seeds, None, untested)
    assert verdict.kind == "better"
    assert verdict.text.startswith(
        "With test examples translated into (malignant, 1) (fewer than 10 real ones), robust "
        "accuracy goes from 20.0% to 44.0% with camel. On real ones alone, robust accuracy goes "
        "from 61.7% to 56.3% with camel;"
    )
    assert "so what is added to balanced sampling pays" in verdict.text
    worse = replace(untested, after=0.1)
    text = judge(rows(), "camel", before, after, seeds, None, worse).text
    assert "More examples of (malignant, 1) would help most" in text


@pytest.mark.parametrize("metric", ["accuracy", "balanced-accuracy"])
def test_a_patch_tells_of_it_everywhere(task, pairs, metric, tmp_path):
    from automorph.report import patch_page, write_report

    own = as_task(marked_data(TRAIN, TEST), model="cnn:4", recipe=RECIPE, metric=metric)
    result = patch(
        own, translator=pairs, objective="balanced", baselines=("erm",), seeds=2,
        folder=tmp_path, maps=False,
    )  # fmt: skip
    if result.choice.translator is None:
        pytest.fail(f"the pairs failed their checks: {result.choice.notes}")
    found = result.untested
    assert found is not None
    assert set(found.objectives) == {"erm", "balanced"}
    assert all(len(one.values) == 2 for one in found.objectives.values())
    assert "translated into" in result.verdict.text
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert content["untested"]["groups"] == [[own.data.classes[1], "marked"]]
    page = patch_page({"data": "marked", **result.to_dict(), "subgroups": ["plain", "marked"]})
    assert "Groups without test examples" in [section.title for section in page.sections]
    assert "30 other test examples" in write_report(tmp_path / "page.html", page).read_text()
