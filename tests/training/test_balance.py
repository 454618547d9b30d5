"""Classes of different sizes: the three ways to balance them, and their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from automorph.augmenters import as_treatment
from automorph.augmenters.scoring import Scorer
from automorph.data import Dataset, Split, from_arrays, split
from automorph.errors import PolicyError, UsageError
from automorph.robustness import train_robust
from automorph.targets import AdjustedClasses, Classes
from automorph.training import (
    Augmenter,
    Balance,
    Recipe,
    Task,
    as_augmenter,
    as_task,
    balanced_rows,
    find_machine,
    fitted,
    make_task,
    task_identity,
    train,
    with_changes,
)
from automorph.training.balance import class_weights
from automorph.training.linear_head import Features, fit_head
from automorph.training.loader import Loader

torch.set_num_threads(1)
COUNTS = (80, 16, 4)
STRONG = "crop(pad=0.25) + randaugment(n=2,m=9)"
WAYS = ("sampler", "loss", "logits")


@pytest.fixture(scope="module")
def rare() -> Dataset:
    """Digits of three classes: 80, 16 and 4 for training."""
    from automorph.data import load_data

    digits = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    train = digits.train
    rows = [np.flatnonzero(train.labels == k)[:n] for k, n in enumerate(COUNTS)]
    held = {
        name: (part.data[part.labels < 3][:60], part.labels[part.labels < 3][:60])
        for name, part in digits.parts.items()
        if name != "train"
    }
    chosen = np.concatenate(rows)
    return from_arrays(train.data[chosen], train.labels[chosen], name="rare digits", **held)


def task_of(data: Dataset, balance: str = "none", **recipe: object) -> Task:
    entries = {"epochs": 3, "batch_size": 32, "lr": 0.05, "precision": "fp32", **recipe}
    return make_task(data, model="cnn:4", recipe=Recipe(**entries, balance=balance))  # type: ignore[arg-type]


def made(task: Task, policy: str = "crop", *, workers: int = 0, epoch: int = 1):
    augmenter = as_augmenter(fitted(as_treatment(policy), task))
    loader = Loader(task, augmenter, 3, find_machine("cpu"), workers=workers)
    return list(loader.epoch(epoch, task.build(0)))


def test_class_weights_are_inverse_to_the_counts_with_a_mean_of_one() -> None:
    counts = np.array(COUNTS)
    weights = class_weights(counts)
    assert weights.tolist() == pytest.approx([100 / 240, 100 / 48, 100 / 12])
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1)


def test_class_weights_are_those_of_scikit_learn() -> None:
    weight = pytest.importorskip("sklearn.utils.class_weight").compute_class_weight
    labels = np.repeat([0, 1, 2], COUNTS)
    expected = weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(class_weights(np.array(COUNTS)), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("tau", [0.0, 1.0, 2.5])
def test_logit_adjustment_is_cross_entropy_of_shifted_logits(tau: float, smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(7, 3, requires_grad=True), torch.tensor([0, 1, 2, 2, 0, 1, 0])
    target = AdjustedClasses.of(COUNTS, tau=tau)
    soft = torch.from_numpy(target.encode(labels.numpy()))
    losses = target.loss(logits, soft, smoothing=smoothing)
    prior = torch.tensor(COUNTS) / sum(COUNTS)
    expected = functional.cross_entropy(
        logits + tau * prior.log(), labels, reduction="none", label_smoothing=smoothing
    )
    torch.testing.assert_close(losses, expected)
    if not smoothing:
        (gradient,) = torch.autograd.grad(losses.sum(), logits)
        torch.testing.assert_close(target.gradient(logits, soft), gradient)
    assert (target.predict(logits) == logits.argmax(1)).all()


def test_the_sampler_draws_all_classes_equally_often(rare: Dataset) -> None:
    task = task_of(rare, "sampler")
    labels = task.data.train.labels
    batches = made(task)
    assert [len(batch) for batch in batches] == [len(batch) for batch in made(task_of(rare))]
    drawn = labels[np.concatenate([batch.index for batch in batches])]
    assert np.ptp(np.bincount(drawn)) <= 1
    for batch in batches:
        assert np.ptp(np.bincount(labels[batch.index], minlength=3)) <= 1
    # Every example of a rare class comes equally often, up to one.
    assert np.ptp(np.bincount(np.concatenate([b.index for b in batches]))[-4:]) <= 1


def test_repeats_draw_differently_and_alike_for_any_number_of_workers(rare: Dataset) -> None:
    task = task_of(rare, "sampler")
    alone, ahead = (made(task, STRONG, workers=workers) for workers in (0, 2))
    for one, other in zip(alone, ahead, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert (one.index == other.index).all()
    index = np.concatenate([batch.index for batch in alone])
    images = torch.cat([batch.inputs for batch in alone])[index == np.bincount(index).argmax()]
    assert len(images) > 5
    assert len({image.numpy().tobytes() for image in images}) == len(images)
    assert not torch.equal(made(task, STRONG, epoch=2)[0].inputs, alone[0].inputs)


@pytest.mark.parametrize("policy", ["none", "mixup", "cutmix", "uncertainty", "augmix-jsd"])
def test_losses_are_weighted_by_the_expected_weight_of_a_soft_label(
    rare: Dataset, policy: str
) -> None:
    weights = torch.tensor(class_weights(np.array(COUNTS)), dtype=torch.float32)
    for batch in made(task_of(rare, "loss"), policy):
        assert batch.weights is not None
        torch.testing.assert_close(batch.weights, (batch.labels * weights).sum(dim=1))
    for balance in ("none", "sampler", "logits"):
        assert all(batch.weights is None for batch in made(task_of(rare, balance), policy))


def test_weights_of_an_augmenter_are_kept(rare: Dataset) -> None:
    balance = Balance(task_of(rare, "loss"))
    labels = torch.eye(3)
    given = torch.tensor([1.0, 2.0, 3.0])
    plain = balance.weights(labels)
    assert plain is not None
    torch.testing.assert_close(balance.weights(labels, given), plain * given)


@pytest.mark.parametrize("policy", ["uncertainty", "mixup"])
def test_augmenters_score_with_the_adjusted_loss(
    rare: Dataset, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored, score = [], Scorer.__call__

    def noted(self, model, batch, *, step):
        scored.append(batch.target)
        return score(self, model, batch, step=step)

    monkeypatch.setattr(Scorer, "__call__", noted)
    task = task_of(rare, "logits")
    trained = [batch.target for batch in made(task, policy)]
    assert set(trained) == {AdjustedClasses.of(COUNTS)}
    assert set(scored) == (set(trained) if policy == "uncertainty" else set())
    assert type(task.target) is Classes


@pytest.mark.parametrize("balance", WAYS)
def test_a_resumed_training_has_the_same_bits(rare: Dataset, balance: str, tmp_path, same) -> None:
    task = task_of(rare, balance)
    whole = train(task, "crop + mixup", folder=tmp_path / "whole", progress=False)
    train(task, "crop + mixup", folder=tmp_path / "two", stop_epoch=1, progress=False)
    resumed = train(task, "crop + mixup", folder=tmp_path / "two", progress=False)
    assert same(whole, resumed)
    assert not same(whole, train(task_of(rare), "crop + mixup", progress=False))


@pytest.mark.parametrize("balance", WAYS)
@pytest.mark.parametrize("schedule", ["cosine", "stable"])
def test_rare_classes_are_recognised_more_often(rare: Dataset, balance: str, schedule: str) -> None:
    def predicted(balance: str) -> int:
        task = task_of(rare, balance, epochs=12, schedule=schedule)
        seen = train(task, progress=False, parts=("validation",)).predictions["validation"]
        return int((seen == 2).sum())

    assert predicted(balance) > predicted("none")


def test_evaluation_is_of_plain_logits(rare: Dataset) -> None:
    from automorph.training import evaluate

    task = task_of(rare, "logits")
    result = train(task, progress=False)
    assert result.model is not None
    part = task.data.parts["validation"]
    seen = evaluate(result.model, part, encoder=task.encoder)
    assert result.loss["validation"] == pytest.approx(seen.loss)
    adjusted = evaluate(result.model, part, encoder=task.encoder, target=AdjustedClasses.of(COUNTS))
    assert result.curves[-1].validation_loss == pytest.approx(adjusted.loss)
    assert result.accuracy["validation"] == seen.accuracy == adjusted.accuracy


def test_equal_classes_are_weighted_by_one_and_not_shifted() -> None:
    assert class_weights(np.array([5, 5])).tolist() == [1, 1]
    assert len(set(AdjustedClasses.of([5, 5]).shift)) == 1


def test_a_guess_is_judged_by_the_classes_as_they_are_counted(rare: Dataset) -> None:
    shares = {kind: Balance(task_of(rare, kind)).shares.tolist() for kind in ("none", *WAYS)}
    natural, equal = [0.8, 0.16, 0.04], [1 / 3] * 3
    expected = {"none": natural, "logits": natural, "sampler": equal, "loss": equal}
    for kind, share in expected.items():
        assert shares[kind] == pytest.approx(share)


def test_a_class_without_examples_counts_as_if_it_had_one(rare: Dataset) -> None:
    alone = rare.replace(train=rare.train.take(np.flatnonzero(rare.train.labels < 2)))
    assert Balance(task_of(alone, "logits")).target == AdjustedClasses.of((80, 16, 1))
    for balance in WAYS:
        assert np.isfinite(train(task_of(alone, balance, epochs=1), progress=False).curves[0].loss)


def test_the_balance_is_part_of_the_identity_unless_there_is_none(rare: Dataset) -> None:
    plain = task_identity(task_of(rare))
    assert "balance" not in plain["recipe"]
    for balance in WAYS:
        identity = task_identity(task_of(rare, balance))
        assert identity["recipe"].pop("balance") == balance
        assert identity == plain


def test_the_option_is_an_entry_of_the_recipe() -> None:
    task = as_task("digits", model="cnn:4", limit=100, recipe={"balance": "loss"})
    assert task.recipe.balance == "loss"


class OwnRows(Augmenter):
    """Chooses the examples of an epoch itself."""

    def __call__(self, raw, model):
        return raw.batch()

    def epoch_rows(self, n, batch_size, *, seed, epoch):
        return balanced_rows(np.arange(n) % 2, batch_size, seed=seed, epoch=epoch)


def test_what_cannot_be_balanced_is_refused(rare: Dataset, tmp_path, monkeypatch) -> None:
    with pytest.raises(UsageError, match="balance is 'weights'; expected one of none, sampler"):
        Recipe(balance="weights")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="OwnRows, which itself chooses"):
        train(task_of(rare, "sampler"), OwnRows(), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(task_of(rare, "loss", epochs=1), OwnRows(), progress=False)
    monkeypatch.setattr("automorph.training.task.target_of", lambda data: object())
    with pytest.raises(UsageError, match="expected one label for each example"):
        Balance(task_of(rare, "loss"))


@pytest.mark.parametrize("objective", ["erm", "balanced", "gdro"])
def test_robust_objectives_refuse_it(rare: Dataset, objective: str) -> None:
    part = rare.train
    groups = np.arange(len(part)) % 2
    data = rare.replace(
        train=Split(part.data, part.labels, part.ids, groups), validation=None,
        subgroup_names=("a", "b"),
    )  # fmt: skip
    with pytest.raises(UsageError, match="balance='loss' for a robust training; expected 'none'"):
        train_robust(task_of(data, "loss"), objective)


def test_a_head_on_frozen_features_is_balanced_by_its_bias() -> None:
    """The bias has no penalty, so that it takes up the shift, and nothing else changes."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], COUNTS)
    features = torch.from_numpy(rng.normal(size=(100, 4)) + labels[:, None]).float()
    target = AdjustedClasses.of(COUNTS)
    rows = Features(features, torch.from_numpy(target.encode(labels)), torch.ones(100))
    plain, balanced = (fit_head(rows, one) for one in (Classes(3), target))
    torch.testing.assert_close(balanced.weight, plain.weight, rtol=1e-2, atol=1e-2)
    shifted = balanced.bias + torch.tensor(target.shift)
    difference = shifted - plain.bias
    torch.testing.assert_close(difference, difference.mean().expand(3), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("balance", WAYS)
def test_a_balanced_treatment_trains_as_a_balanced_recipe(
    rare: Dataset, balance: str, same, tmp_path
) -> None:
    treatment = as_treatment(f"crop + Balance({balance})")
    assert treatment.name == f"crop + balance({balance})"
    assert as_treatment(treatment.name) == treatment
    one = train(task_of(rare), treatment, progress=False, folder=tmp_path / "run")
    assert same(one, train(task_of(rare, balance), "crop", progress=False))
    # The same identity: either call resumes the other's folder.
    assert same(one, train(task_of(rare, balance), "crop", folder=tmp_path / "run"))
    assert with_changes(task_of(rare, "loss"), treatment).recipe.balance == balance


def test_a_comparison_has_trainings_with_and_without_balance(rare: Dataset) -> None:
    from automorph import compare

    task = task_of(rare, epochs=1)
    found = compare(task, ["crop", "crop + balance(loss)"], seeds=1)
    assert [row.policy for row in found.rows] == ["crop", "crop + balance(loss)"]
    balanced = train(task_of(rare, "loss", epochs=1), "crop", progress=False)
    assert found["crop + balance(loss)"].validation.values == (balanced.accuracy["validation"],)
    with pytest.raises(PolicyError, match="weights"):
        as_treatment("balance(weights)")


def test_a_race_can_have_it_among_its_treatments(rare: Dataset) -> None:
    from automorph import search

    method = "heats(searches=instant,share=0,arms=none; none + balance(logits))"
    found = search(task_of(rare, epochs=2), method, trials=6, seeds=1, post_policy="crop")
    names = {one["name"] for heat in found.history["heats"] for one in heat["arms"]}
    assert "none + balance(logits)" in names
