"""TANDA end to end: the same policy after a kill, on images and texts, as a search."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_task import small_task

from automorph.augmenters import Regularised
from automorph.errors import DataError, UsageError
from automorph.operations import (
    TEXT_OPERATIONS,
    SearchSpace,
    find_operation,
    named_space,
    operation,
)
from automorph.operations.synthetic import unit_disc
from automorph.policies import Uniform, load_policy, save_policy
from automorph.searchers.base import SearchContext
from automorph.searchers.tanda import AdversarialJob, Settings, Tanda, learn_generator
from automorph.searchers.tanda.adversary import Adversary
from automorph.training import train

torch.set_num_threads(1)
AXES = named_space("disc-axes")
QUICK = Settings(
    generator="lstm", length=3, steps=6, look_every=2, batch_size=8, samples=2, width=4
)


@operation()
def scrambled(image, value, rng):
    """Pixels in random order."""
    return rng.permutation(image.reshape(-1)).reshape(image.shape)


@pytest.fixture
def task():
    return small_task(epochs=3, n=100)


@pytest.fixture
def images(task):
    return task.data.train.data


def test_what_is_destroyed_is_avoided_without_labels(images):
    """A user operation without declarations, among harmless ones."""
    space = SearchSpace(
        "mine", (scrambled, find_operation("Rotate").at(3), find_operation("Zoom").at(1.1))
    )
    learned = learn_generator(
        images, space, generator="mean-field", length=2, steps=60, rate=0.01, width=4,
        discriminator_rate=1e-3,
        base=load_policy("crop"), seed=1,
    )  # fmt: skip
    assert learned.policy.shares[:, 0].max() < 0.1
    assert learned.ratio > 1
    assert learned.policy.augment(images[:3]).shape == images[:3].shape


def test_a_killed_learning_goes_on_to_the_same_policy(images, tmp_path, monkeypatch):
    space = named_space("tanda-mnist")
    whole = learn_generator(images, space, settings=QUICK, seed=3)
    step, done = Adversary.step, []

    def killed(self):
        done.append(self.step_number)
        if len(done) in (4, 6):
            raise KeyboardInterrupt
        step(self)

    monkeypatch.setattr(Adversary, "step", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            learn_generator(images, space, settings=QUICK, seed=3, folder=tmp_path)
    resumed = learn_generator(images, space, settings=QUICK, seed=3, folder=tmp_path)
    assert done == [0, 1, 2, 3, 2, 3, 2, 3, 4, 5]
    assert resumed.policy == whole.policy
    assert resumed.history == whole.history
    assert resumed.best == whole.best
    again = learn_generator(images, space, settings=QUICK, seed=3, folder=tmp_path)
    assert again.policy == whole.policy
    assert len(done) == 10
    other = learn_generator(images, space, settings=QUICK, seed=4)
    assert other.policy != whole.policy
    with pytest.raises(UsageError, match="contains a generator trained with other examples"):
        learn_generator(images, space, settings=QUICK, seed=4, folder=tmp_path)


def test_it_stops_when_nothing_is_gained():
    learned = learn_generator(
        unit_disc(50), AXES, length=1, steps=1000, look_every=1, patience=3, rate=0.0,
        discriminator_rate=0.0,
    )  # fmt: skip
    assert [look.step for look in learned.history] == [0, 1, 2, 3]
    assert learned.best.ratio == pytest.approx(1, abs=0.05)


def test_texts_are_judged_by_their_words():
    @operation(domain="text")
    def shout(text, value):
        return text.upper()

    @operation(domain="text")
    def nothing(text, value):
        return None

    words = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree"]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 6)) for _ in range(64)]
    learned = learn_generator(
        texts, SearchSpace("mine", (shout, nothing)), generator="mean-field", length=2, steps=40,
        rate=0.02,
    )  # fmt: skip
    assert learned.policy.shares[:, 0].max() < 0.35


def test_operations_with_a_range_are_held_at_values():
    """Every operation of a sequence fires; at full strength, nothing of an example would remain."""
    texts = ["one two three", "two three four", "three four five"]
    plain = SearchSpace("mine", (TEXT_OPERATIONS["Delete"],))
    learned = learn_generator(texts, plain, length=1, steps=0)
    assert learned.policy.operations.names == ("Delete[0.05]", "Delete[0.15]")
    chosen = learn_generator(texts, plain, length=1, steps=0, magnitudes=(1.0,))
    assert chosen.policy.operations.names == ("Delete[0.5]",)


def test_what_cannot_be_learned_from_is_refused():
    with pytest.raises(DataError, match="got 1 examples"):
        learn_generator(unit_disc(1), AXES)
    with pytest.raises(
        UsageError,
        match=r"'lenght'\. Did you mean 'length'\? Expected one of",
    ):
        learn_generator(unit_disc(9), AXES, lenght=3)


def test_as_a_search_it_returns_the_generator_of_the_best_child(task, tmp_path):
    space = SearchSpace("mine", (find_operation("Rotate").between(-30, 30), scrambled))
    setting = SearchContext(
        task=task, space=space, post_policy=load_policy("crop"), trials=2, seed=1
    )
    search = Tanda(setting, length=2, steps=2)
    assert isinstance(search.result(), Uniform)
    jobs = search.ask()
    assert [job.settings.rate for job in jobs] == pytest.approx([1e-3, 3e-3])
    assert all(isinstance(job, AdversarialJob) for job in jobs)
    outcomes = [job.run(task, tmp_path) for job in jobs]
    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert outcomes[0].units.forward > len(task.data.train) * task.recipe.epochs
    again = jobs[0].run(task, tmp_path)
    assert again.score == outcomes[0].score
    assert again.facts["policy"] == outcomes[0].facts["policy"]
    search.tell(outcomes)
    assert search.ask() == []
    best = max(outcomes, key=lambda outcome: outcome.score)
    found = search.result()
    assert found.name == best.facts["policy"]["name"]
    assert found.space.names == ("Rotate[-7.5]", "Rotate[7.5]", "Rotate[-22.5]", "Rotate[22.5]",
                                 "scrambled")  # fmt: skip
    path = save_policy(found, tmp_path / "policy.json")
    assert load_policy(path, operations=[scrambled]) == found
    assert len(search.history()["generators"]) == 2


def test_a_network_is_trained_under_regularisation(task):
    """Copies must agree: the logits of two draws are closer than without regularisation."""
    draws = load_policy("randaugment(n=1,m=9)")
    images = task.data.validation.data
    views = [draws.augment(images, seed=9, copy=copy) for copy in (0, 1)]
    gap = []
    for weight in (0.0, 2.0):
        method = Regularised(draws=draws, weight=weight)
        result = train(task, method, seed=0, progress=False)
        with torch.inference_mode():
            one, two = (
                result.model(task.encoder(view, torch.device("cpu"))).double() for view in views
            )
        gap.append(float((one - two).square().sum(1).mean()))
    assert gap[1] < 0.8 * gap[0]
