"""Other packages use the target: they have no loss of their own and support other targets."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import automorph
from automorph.targets import Classes
from automorph.training import as_task, evaluate, train

torch.set_num_threads(1)
SOURCE = Path(automorph.__file__).parent
LOSSES = {"soft_cross_entropy", "cross_entropy", "nll_loss", "one_hot", "binary_cross_entropy"}
ALLOWED = {
    "training/__init__.py": "exports `soft_cross_entropy`, which asks `Classes`",
    "theory/layers.py": "states the objectives of a paper, in its terms",
}


def names(tree):
    """What a file imports by name or takes from a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def test_no_other_room_has_a_loss_of_labels():
    found = set()
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        own = place.startswith("targets/")
        if not own and LOSSES & set(names(ast.parse(path.read_text("utf-8")))):
            found.add(place)
    assert found == set(ALLOWED), "ask the task's target (automorph.targets)"


class Doubled(Classes):
    """Losses are doubled; what `Classes` counts as wrong is correct."""

    @property
    def guess(self):
        return 2 * super().guess

    def loss(self, logits, targets, *, smoothing=0.0):
        return 2 * super().loss(logits, targets, smoothing=smoothing)

    def correct(self, predictions, labels):
        return predictions != labels


@pytest.mark.parametrize("policy", ["none", "mixup", "crop"])
def test_a_training_follows_its_target(policy, monkeypatch):
    recipe = {"epochs": 2, "batch_size": 32, "lr": 0.25, "weight_decay": 0.0, "precision": "fp32",
              "label_smoothing": 0.125, "defaults": "0.1"}  # fmt: skip
    task = as_task("digits", model="cnn:4", limit=100, recipe=recipe)
    plain = train(task, policy, progress=False)
    monkeypatch.setattr(
        "automorph.training.task.target_of", lambda data: Doubled(len(data.classes))
    )
    # SGD at half the rate with twice the gradient: powers of two leave every bit as it is.
    other = train(task.with_recipe(lr=0.125), policy, progress=False)

    weights = [result.model.state_dict() for result in (plain, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for one, two in zip(plain.curves, other.curves, strict=True):
        assert two.loss == 2 * one.loss
        assert two.validation_loss == 2 * one.validation_loss
        assert two.accuracy == pytest.approx(1 - one.accuracy)
    assert other.accuracy["test"] == pytest.approx(1 - plain.accuracy["test"])
    assert (other.predictions["test"] == plain.predictions["test"]).all()


def test_an_evaluation_without_a_target_takes_the_outputs_for_classes():
    task = as_task("digits", model="cnn:4", limit=60)
    model, part = task.build(0), task.data.train
    seen = evaluate(model, part, encoder=task.encoder)
    asked = evaluate(model, part, encoder=task.encoder, target=task.target)
    assert seen.target == asked.target == Classes(10)
    assert np.array_equal(seen.losses, asked.losses)
