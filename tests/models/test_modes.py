"""The mode of every layer: whatever evaluates gives it back, and training keeps it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

import automorph
from automorph.data import limited, load_data, split
from automorph.diagnostics.features import network_features
from automorph.models import Modes, begin_training, evaluating, held_in_evaluation, modes_kept
from automorph.robustness.dfr import features
from automorph.robustness.predictions import of_network
from automorph.robustness.saliency import available, saliency
from automorph.searchers.dada.train import alignments, validation_gradient
from automorph.training import PolicyAugmenter, Recipe, evaluate, make_task, multiply_adds, train
from automorph.training.network import check_network

SOURCE = Path(automorph.__file__).parent

# Every call of `eval` or `train` on a network outside `models/modes.py`, and why it may.
MAY_CALL = {
    "training/trainer.py:_conclude": "a trained network is returned ready to predict",
    "training/trainer.py:_finished": "likewise",
    "training/load_model.py:trained_from": "likewise, a network loaded from a file",
    "robustness/translators/cyclegan/training.py:train_cyclegan": "likewise, the generators",
    "text/pretrained.py:pretrained": "a network of ours that only predicts",
    "inference/run_export.py:export_model": "a network of ours that is written to a file",
    "models/from_transformers.py:encoder_of": "a network of ours that only predicts",
    "models/frozen.py:__init__": "a backbone, which is never trained",
}
# Methods of the same name of other objects.
NO_NETWORK = {
    "searchers/tanda/train.py": {"state.train"},
    "experiments/external_training.py": {"task.train"},
}


def network():
    """Two normalisations and dropout; the first normalisation is held in evaluation mode."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    model[1].eval()
    return model


@pytest.fixture(scope="module")
def task():
    data = limited(split(load_data("digits"), seed=0), 60)
    recipe = Recipe(epochs=2, batch_size=20, lr=0.05, precision="fp32")
    return make_task(data, model=network, recipe=recipe)


def modes(model):
    return [layer.training for layer in model.modules()]


def _saliency(task, model):
    if not available():
        pytest.skip("captum is not installed")
    train = task.data.train
    saliency(model, train.data[:2], train.labels[:2], encoder=task.encoder, copies=2)


def _inputs(task):
    return task.encoder(task.data.train.data[:4], torch.device("cpu"))


def _labels(task):
    return torch.from_numpy(task.target.encode(task.data.train.labels[:4]))


USERS = {
    "evaluate": lambda task, m: evaluate(m, task.data.validation, encoder=task.encoder),
    "multiply_adds": lambda task, m: multiply_adds(m, _inputs(task)[:1]),
    "saliency": _saliency,
    "last layer's features": lambda task, m: features(m, task.data.train, encoder=task.encoder),
    "audit": lambda task, m: of_network(
        m, task.data.validation, encoder=task.encoder, classes=task.data.classes, name="net"
    ),
    "explain": lambda task, m: network_features(task, m)(task.data.train.data[:5]),
    "dada's gradient": lambda task, m: validation_gradient(
        m, _inputs(task), _labels(task), task.target
    ),
    "dada's reward": lambda task, m: alignments(
        m, [torch.ones_like(p) for p in m.parameters()], _inputs(task), _labels(task), task.target
    ),
}


@pytest.mark.parametrize("name", USERS)
def test_whatever_evaluates_gives_back_the_mode_of_every_layer(task, name):
    model = network()
    before = modes(model)
    statistics = model[4].running_mean.clone()
    USERS[name](task, model)

    assert modes(model) == before
    assert torch.equal(model[4].running_mean, statistics)


def test_modes_are_given_back_after_an_error(task):
    model = network()
    before = modes(model)
    with pytest.raises(RuntimeError):
        multiply_adds(model, torch.zeros(1, 3, 8, 8))
    with evaluating(model):
        assert not any(modes(model))

    assert modes(model) == before
    assert not any(layer._forward_hooks for layer in model.modules())


def test_the_networks_own_train_is_called():
    class Merging(nn.Linear):
        merged = False

        def train(self, mode=True):
            self.merged = not mode
            return super().train(mode)

    model = nn.Sequential(Merging(2, 2), nn.Dropout())
    with modes_kept(model):
        model.eval()
        assert model[0].merged

    assert not model[0].merged


def test_a_network_in_evaluation_mode_as_a_whole_is_put_in_training_mode_as_a_whole():
    model = network().eval()
    assert not held_in_evaluation(model)
    begin_training(model)
    assert all(modes(model))

    model = network()
    assert list(held_in_evaluation(model)) == ["1"]
    begin_training(model)
    assert [not mode for mode in modes(model)].count(True) == 1


def test_modes_are_restored_from_any_state():
    model = network()
    known, before = Modes(model), modes(model)
    model.eval()
    known.restore()
    assert modes(model) == before


@pytest.mark.parametrize("average", [None, 0.9])
def test_training_keeps_the_statistics_of_a_held_layer(task, tmp_path, average):
    task = task.with_recipe(ema_decay=average)
    straight = train(task, "crop", progress=False)
    train(task, "crop", progress=False, folder=tmp_path, stop_epoch=1)
    resumed = train(task, "crop", progress=False, folder=tmp_path)

    held, free = straight.model[1], straight.model[4]
    assert torch.equal(held.running_mean, torch.zeros(4))
    assert torch.equal(held.running_var, torch.ones(4))
    assert not torch.equal(held.weight, torch.ones(4))  # Its scale is trained.
    assert not torch.equal(free.running_mean, torch.zeros(4))
    state = resumed.model.state_dict()
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_a_method_that_leaves_the_network_in_evaluation_mode_changes_no_mode(task):
    seen = []

    class Careless(PolicyAugmenter):
        needs_model = True

        def __call__(self, raw, model=None):
            seen.append(modes(model))
            model.eval()
            return super().__call__(raw, model)

    train(task, Careless("crop"), progress=False)

    assert len(seen) > 3
    assert all(one == modes(network()) for one in seen)


def test_parts_in_evaluation_mode_are_named_to_the_user(task):
    def wrapped():
        return nn.Sequential(nn.Sequential(nn.Flatten(), nn.Dropout()).eval(), nn.Linear(64, 10))

    with pytest.warns(UserWarning, match=r"Sequential has parts .* \(0, 0\.0, 0\.1\)"):
        check_network(make_task(task.data, model=wrapped))


def test_no_other_code_changes_modes():
    found = {}
    for file in sorted(SOURCE.rglob("*.py")):
        place = file.relative_to(SOURCE).as_posix()
        if place == "models/modes.py":
            continue
        for owner, call in calls(ast.parse(file.read_text("utf-8"))):
            if call not in NO_NETWORK.get(place, ()):
                found.setdefault(f"{place}:{owner}", []).append(call)

    assert found.keys() == MAY_CALL.keys(), "use `automorph.models.evaluating`, or say why not"


def calls(tree):
    """Yield each call and assignment that changes a mode, with the function around it."""
    tops = [inner for outer in tree.body for inner in getattr(outer, "body", [outer])]
    functions = [one for one in [*tree.body, *tops] if isinstance(one, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in ("eval", "train"):
                yield function.name, ast.unparse(called)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield from [(function.name, ast.unparse(node))] * (node.attr == "training")
