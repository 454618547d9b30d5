"""The kit for augmenters accepts every in-training method, and catches one with a fault."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from kits import failing, states_three_parts

from automorph.augmenters import InTrainingMethod, as_treatment
from automorph.operations import Stream
from automorph.policies import load_policy
from automorph.testing import augmenter_checks, check_augmenter, small_task
from automorph.training import Augmenter, PolicyAugmenter, Units

METHODS = (
    "views(m=2,policy=mixup)",
    "uncertainty(c=3,s=2,rule=proportional) + cutout(2)",
    "uncertainty(c=3,rule=adaptive)",
    "uncertainty(c=3,rule=top,frozen=5)",
    "adversarial(m=2,every=1)",
    "crop + augmix-jsd",
    "consistency(crop,ratio=2,threshold=0)",
    "crop + tanda-tr(policy=flip,passes=2)",
    "crop + balance(logits)",
)


@pytest.mark.parametrize("name", METHODS)
def test_methods_pass(name):
    check_augmenter(as_treatment(name))


def test_a_method_that_learns_from_its_batches_passes_all_but_one_check():
    """The probe of a batch is fitted to that batch, so halves of it have other probes."""
    method = as_treatment("uncertainty(c=3,rule=top,probe=5)")
    check_augmenter(method, skip=["split_batches_give_the_same"])


def test_functions_that_build_augmenters_pass():
    check_augmenter(PolicyAugmenter)
    check_augmenter(lambda: PolicyAugmenter("mixup"), task=small_task(examples=50))


class Harder(Augmenter):
    """Noise that grows while the loss falls: a good augmenter, for others to break."""

    def __init__(self):
        self.strength = torch.ones(())

    def noise(self, raw):
        stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
        return torch.from_numpy(stream.uniform("noise", 64).reshape(-1, 1, 8, 8))

    def __call__(self, raw, model):
        batch = raw.batch()
        return replace(batch, inputs=batch.inputs + 0.1 * self.strength * self.noise(raw))

    def feedback(self, losses):
        self.strength = self.strength + 0.1 * (3 - losses.mean())

    def state_dict(self):
        return {"strength": self.strength}

    def load_state_dict(self, state):
        self.strength = state["strength"].clone()


@dataclass(frozen=True, kw_only=True)
class Method(InTrainingMethod):
    """A value that builds it."""

    title = "harder"

    @property
    def inner(self):
        return load_policy("none")

    def build(self):
        return Harder()


@dataclass(frozen=True, kw_only=True, eq=False)
class Incomparable(Method):
    __eq__, __hash__ = object.__eq__, object.__hash__


@dataclass(frozen=True, kw_only=True)
class WithArrays(Method):
    def describe(self):
        return {"strength": np.ones(2)}


ONE = Harder()


@dataclass(frozen=True, kw_only=True)
class Single(Method):
    def build(self):
        return ONE


class Batches(Harder):
    """An augmenter whose batches are changed afterwards."""

    def change(self, batch, raw, model):
        return batch

    def __call__(self, raw, model):
        return self.change(super().__call__(raw, model), raw, model)


class Interleaved(Batches):
    def change(self, batch, raw, model):
        twice = {name: torch.cat([getattr(batch, name)] * 2) for name in ("inputs", "labels")}
        return replace(batch, **twice, index=np.tile(batch.index, 2), views=2)


class Unlabelled(Batches):
    def change(self, batch, raw, model):
        return replace(batch, labels=batch.labels / 2)


class NotFinite(Batches):
    def change(self, batch, raw, model):
        return replace(batch, inputs=batch.inputs / 0)


class Negative(Batches):
    def change(self, batch, raw, model):
        return replace(batch, weights=-torch.ones(len(batch)))


class Overwriting(Batches):
    def change(self, batch, raw, model):
        raw.labels[:] = 0
        return batch


class Teaching(Batches):
    needs_model = True

    def change(self, batch, raw, model):
        model(batch.inputs).sum().backward()
        return batch


class Moving(Batches):
    needs_model = True

    def change(self, batch, raw, model):
        with torch.no_grad():
            model(batch.inputs)  # In training mode: statistics of batch norm move.
            next(model.parameters()).mul_(0.9)
        return batch


class GlobalNoise(Harder):
    def noise(self, raw):
        return torch.rand(len(raw), 1, 8, 8)


class SharedState(Harder):
    calls = 0

    def noise(self, raw):
        SharedState.calls += 1
        return super().noise(raw) + SharedState.calls


class Repeating(Harder):
    def noise(self, raw):
        return super().noise(replace(raw, occurrence=None))


class Centred(Batches):
    def change(self, batch, raw, model):
        return replace(batch, inputs=batch.inputs - batch.inputs.mean(dim=0))


class Averaged(Harder):
    def loss(self, logits, batch, *, smoothing=0.0):
        return super().loss(logits, batch, smoothing=smoothing).mean()


class LogOfZero(Harder):
    def loss(self, logits, batch, *, smoothing=0.0):
        return super().loss(logits, batch, smoothing=smoothing) + (logits[:, 0] * 0).log()


class SteepRoot(Harder):
    def loss(self, logits, batch, *, smoothing=0.0):
        return super().loss(logits, batch, smoothing=smoothing) + (logits[:, 0] * 0).sqrt()


class Shares(Harder):
    def units(self):
        return Units(forward=0.5)


class Asking(Harder):
    def unlabelled_rows(self, batch_size):
        return 2 * batch_size


class AskingForHalf(Harder):
    def unlabelled_rows(self, batch_size):
        return batch_size / 2


class Taking(Asking):
    """Makes rows of the unlabelled examples, which are changed afterwards."""

    def change(self, rest):
        return rest

    def __call__(self, raw, model):
        batch = super().__call__(raw, model)
        rest = batch if raw.unlabelled is None else self.change(raw.unlabelled.batch())
        return replace(batch, unlabelled=rest)

    def unlabelled_loss(self, logits, batch):
        return logits.square().sum(dim=1)


class Ignoring(Taking):
    def unlabelled_loss(self, logits, batch):
        return Augmenter.unlabelled_loss(self, logits, batch)


class Guessing(Taking):
    def change(self, rest):
        return replace(rest, labels=rest.labels + 0.1)


class AveragedUnlabelled(Taking):
    def unlabelled_loss(self, logits, batch):
        return logits.mean()


class Answering(Harder):
    def feedback(self, losses):
        return losses.mean()


class Short(Harder):
    def epoch_rows(self, n, batch_size, *, seed, epoch):
        return super().epoch_rows(n, batch_size, seed=seed, epoch=epoch)[1:]


class Drawing(Harder):
    def epoch_rows(self, n, batch_size, *, seed, epoch):
        return [np.random.randint(0, n, 20) for _ in range(n // batch_size)]


class Forgetting(Harder):
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Numbers(Harder):
    def state_dict(self):
        return {"strength": float(self.strength)}


BROKEN = {
    "the_method_is_a_value": (Incomparable(), WithArrays(), Single()),
    "batches_fit": (Interleaved, Unlabelled, NotFinite, Negative),
    "inputs_are_untouched": (Overwriting, Teaching, Moving),
    "batches_depend_on_their_place_only": (GlobalNoise, SharedState),
    "repeats_draw_differently": (Repeating,),
    "split_batches_give_the_same": (Centred,),
    "losses_fit": (Averaged, LogOfZero, SteepRoot),
    "unlabelled_examples_take_part": (
        Asking,
        AskingForHalf,
        Ignoring,
        Guessing,
        AveragedUnlabelled,
    ),
    "costs_are_counted": (Shares, Answering),
    "epochs_are_complete": (Short, Drawing),
    "state_restores_it": (Forgetting, Numbers),
    "resumed_training_is_the_same": (Forgetting,),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{getattr(subject, '__name__', type(subject).__name__)}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_a_good_augmenter_passes():
    check_augmenter(Harder)
    check_augmenter(Taking)
    check_augmenter(Method())


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in augmenter_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    """Only the check is run: others of these faults would train, and fail slowly."""
    found = failing([check for check in augmenter_checks() if check.name == name], subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]
