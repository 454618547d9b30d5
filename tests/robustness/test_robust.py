"""Robust trainings on small real data with a planted mark."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from automorph.data import Dataset, Split, from_arrays, load_data, split
from automorph.errors import DataError, UsageError
from automorph.experiments import dead_seed
from automorph.robustness.builtin import METHODS, load_method
from automorph.robustness.dfr import features, fit_logistic, last_linear
from automorph.robustness.groups import grouper_of, notes_on
from automorph.robustness.jtt import train_first
from automorph.robustness.robust import GroupTraining, group_accuracy, train_robust
from automorph.training import Units, make_task, recipe_for, train

torch.set_num_threads(1)


def marked(images):
    """Draw a bright line at the top, the mark that distinguishes the subgroups."""
    images = images.copy()
    images[:, 0] = 255
    return images


class Exact:
    """Both renderings of every example: without and with the mark."""

    def __init__(self, clean):
        self.both = np.stack([clean, marked(clean)])

    def __len__(self):
        return self.both.shape[1]

    def take(self, rows):
        return self.both[:, rows]


def planted(part: Split, share: float) -> tuple[Split, np.ndarray]:
    """Even or odd digits; ``share`` of the odd ones are marked, of the even ones the rest."""
    odd = part.labels % 2
    rare = np.arange(len(part)) % round(1 / (1 - share)) == 0
    subgroup = np.where(rare, 1 - odd, odd).astype(np.int64)
    images = np.where(subgroup[:, None, None, None] == 1, marked(part.data), part.data)
    return Split(images, odd.astype(np.int64), part.ids, subgroup), part.data


@pytest.fixture(scope="module")
def planted_task():
    digits = split(load_data("digits"))
    train, clean = planted(digits.train, 0.95)
    data = Dataset(
        "marked digits", ("even", "odd"), train,
        planted(digits.validation, 0.5)[0], planted(digits.test, 0.5)[0],
        subgroup_names=("clean", "marked"),
    )  # fmt: skip
    recipe = recipe_for("cnn:8", len(train), epochs=4, batch_size=64, precision="fp32")
    return make_task(data, model="cnn:8", recipe=recipe), Exact(clean)


@pytest.mark.parametrize("title", METHODS)
def test_every_method_trains(title, planted_task):
    task, renderings = planted_task
    options = {"renderings": renderings} if title == "camel" else {}
    run = train_robust(task.with_recipe(epochs=2), title, **options)

    assert run.method.title == title
    assert run.seen["test"].logits.shape == (len(task.data.test), 2)
    assert 0 <= run.robust_accuracy() <= run.accuracy() <= 1
    assert np.isnan(run.group_accuracy()).sum() == 0
    if title != "dfr":  # It reports the accuracy on its own half of the validation part.
        assert run.validation_robust_accuracy == run.robust_accuracy("validation")
    views = 3 if title == "camel" else 1
    assert run.run.units.forward == 2 * views * len(task.data.train)


def test_model_patching_closes_the_gap(planted_task):
    task, renderings = planted_task
    plain = train_robust(task, "erm")
    camel = train_robust(task, "camel", renderings=renderings)

    def gap(run):
        return np.ptp(run.group_accuracy().reshape(2, 2), axis=1).max()

    assert camel.robust_accuracy() > plain.robust_accuracy() + 0.1
    assert gap(camel) < gap(plain) / 2


def test_training_twice_without_more_copies_is_plain_training(planted_task):
    task, _ = planted_task
    short = task.with_recipe(epochs=1)
    plain, twice = (train_robust(short, title, seed=3) for title in ("erm", "jtt(weight=0)"))
    assert np.array_equal(plain.seen["test"].logits, twice.seen["test"].logits)


def test_errors_come_one_and_weight_times(planted_task):
    task, _ = planted_task
    first = train_first(task, load_method("jtt(weight=7)"), None, folder=None, seed=0)
    assert set(first.copies.tolist()) == {1, 8}
    assert first.notes == ()


def test_the_first_training_follows_the_full_schedule(planted_task):
    """Epoch 3 of 30 ends at a rate of 0.0976; annealed over 3 epochs, it ended at 1e-5."""
    task, _ = planted_task
    cosine = {"optimizer": "sgd", "sgd_share": 1.0, "schedule": "cosine", "stop": "epochs"}
    long = task.with_recipe(epochs=30, lr=0.1, warmup_epochs=0, **cosine)
    rates = []
    method = load_method("jtt")
    train_first(long, method, None, folder=None, seed=0, progress=lambda e: rates.append(e.lr))
    assert len(rates) == 3
    assert rates[-1] == pytest.approx(0.0976, abs=1e-4)


def test_a_first_training_without_errors_is_told(planted_task):
    task, _ = planted_task
    part = task.data.train
    white = np.where(part.labels == 1, 255, 0).astype(np.uint8)
    easy = part.data * 0 + white[:, None, None, None]
    train = Split(easy, part.labels, part.ids, part.subgroups)
    simple = replace(task.with_recipe(epochs=10), data=task.data.replace(train=train))
    with pytest.warns(UserWarning, match=r"no errors on the training part.*jtt\(epochs=1\)"):
        run = train_robust(simple, "jtt(epochs=10)")
    assert len(run.notes) == 1


def test_a_first_training_of_one_answer_is_told(planted_task):
    task, _ = planted_task
    first = train_first(task.with_recipe(lr=1e-9), load_method("jtt"), None, folder=None, seed=0)
    assert "for every training example" in first.notes[0]


def test_dfr_is_based_on_the_last_epoch(planted_task):
    """Its base was the epoch of best robust validation accuracy, chosen by the groups it fits."""
    task, _ = planted_task
    seed = next(s for s in range(9) if train_robust(task, "erm", seed=s).run.chosen < 4)
    run = train_robust(task, "dfr", seed=seed)
    assert run.run.chosen == task.recipe.epochs == 4
    last = train(task, None, seed=seed)
    assert np.array_equal(
        features(run.model, task.data.test, encoder=task.encoder),
        features(last.model, task.data.test, encoder=task.encoder),
    )


def test_a_training_that_died_is_repeated_from_a_new_objective(planted_task, tmp_path, monkeypatch):
    task, _ = planted_task
    monkeypatch.setattr(dead_seed, "has_died", lambda *given: True)
    run = train_robust(task, "gdro", seed=1, folder=tmp_path)
    assert run.died == "it predicted one class only"
    assert run.checkpoint.parent == tmp_path / dead_seed.AGAIN
    monkeypatch.undo()
    warm = task.with_recipe(warmup_epochs=max(1.0, 2 * task.recipe.warmup_epochs))
    alone = train_robust(warm, "gdro", seed=1)
    assert np.array_equal(run.seen["test"].logits, alone.seen["test"].logits)
    assert run.units == alone.units + alone.units


def test_the_guess_of_a_dead_training_is_that_of_what_was_drawn(planted_task):
    task, _ = planted_task
    groups = grouper_of(task.data)
    lacking = GroupTraining(task, METHODS["balanced"](), groups)
    lacking.groups = lacking.groups[lacking.groups != 2]
    assert lacking.class_shares.tolist() == [2 / 3, 1 / 3]
    copies = np.where(task.data.train.labels == 1, 3, 1)
    repeated = GroupTraining(task, METHODS["jtt"](), groups, copies=copies)
    odd = (task.data.train.labels == 1).mean()
    assert repeated.class_shares[1] == pytest.approx(3 * odd / (3 * odd + 1 - odd))


def test_the_epoch_of_best_robust_accuracy_is_kept(planted_task):
    task, _ = planted_task
    run = train_robust(task, "gdro", seed=1)
    robust = [epoch.augmenter["robust_accuracy"] for epoch in run.run.curves]

    assert run.validation_robust_accuracy == max(robust)
    assert robust[run.run.chosen - 1] == max(robust)
    assert sum(run.run.curves[-1].augmenter["weights"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("title", ["camel", "jtt", "dfr"])
def test_a_stopped_run_goes_on_to_the_same_weights(title, planted_task, tmp_path):
    task, renderings = planted_task
    options = {"renderings": renderings} if title == "camel" else {}
    once = train_robust(task, title, seed=2, **options)

    def stop(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_robust(task, title, seed=2, folder=tmp_path, progress=stop, **options)
    again = train_robust(task, title, seed=2, folder=tmp_path, **options)

    assert np.array_equal(once.seen["test"].logits, again.seen["test"].logits)
    assert again.checkpoint.exists()
    assert again.units == once.units


def test_the_passes_of_every_training_and_rendering_count(planted_task):
    task, renderings = planted_task
    n, epochs = len(task.data.train), task.recipe.epochs
    plain = Units(n * epochs, n * epochs)
    assert train_robust(task, "erm").units == train_robust(task, "gdro").units == plain
    assert train_robust(task, "camel", renderings=renderings).units.passes == 3 * plain.passes
    # A first training of a tenth of the epochs, whose mistakes are found by a pass over the data.
    assert train_robust(task, "jtt").units == plain + Units(n, n) + Units(forward=n)
    features_of = n + len(task.data.parts["validation"])
    assert train_robust(task, "dfr").units == plain + Units(forward=features_of)


def test_the_loss_has_the_gradient_of_the_objective(planted_task):
    task, _ = planted_task
    groups = grouper_of(task.data)
    told = GroupTraining(task, METHODS["sgdro"](), groups)
    rows = np.arange(64)
    batch = told(_raw(task, rows))
    logits = torch.randn(64, 2, requires_grad=True)
    losses = told.loss(logits, batch)
    losses.mean().backward()

    plain = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none")
    torch.testing.assert_close(losses, plain)
    q = told.objective.weights
    own = torch.from_numpy(told.groups[rows])
    expected = torch.autograd.grad(
        sum(q[g] * plain[own == g].mean() for g in own.unique()), logits
    )[0]
    torch.testing.assert_close(logits.grad, expected)


def _raw(task, rows):
    from automorph.training import RawBatch

    part = task.data.train
    labels = np.eye(2, dtype=np.float32)[part.labels[rows]]
    return RawBatch(part.data[rows], labels, rows, 0, 0, 0, task.encoder)


def test_features_stay_when_the_last_layer_is_fitted(planted_task):
    task, _ = planted_task
    plain = train_robust(task.with_recipe(epochs=2), "erm", seed=3)
    fitted = train_robust(task.with_recipe(epochs=2), "dfr", seed=3)
    part = task.data.test

    assert np.array_equal(
        features(plain.model, part, encoder=task.encoder),
        features(fitted.model, part, encoder=task.encoder),
    )
    assert not torch.equal(last_linear(plain.model).weight, last_linear(fitted.model).weight)
    assert fitted.robust_accuracy() >= plain.robust_accuracy()


def test_the_fit_of_the_last_layer_is_a_minimum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)).astype(np.float32)
    y = (x[:, 0] - x[:, 1] + rng.normal(size=200) > 0).astype(np.int64)

    def risk(w, b, c):
        z = x @ w + b
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -log_p[np.arange(200), y].mean() + np.abs(w).sum() / (c * 200)

    w, b = fit_logistic(x, y, 2, c=1.0)
    for _ in range(50):
        assert risk(w, b, 1.0) <= risk(w + 0.01 * rng.normal(size=w.shape), b, 1.0) + 1e-6
    assert np.count_nonzero(fit_logistic(x, y, 2, c=0.02)[0]) < np.count_nonzero(w)


def test_groups_that_are_absent(planted_task):
    task, _ = planted_task
    part = task.data.train
    keep = (part.labels == 0) | (part.subgroups == 1)
    data = task.data.replace(train=part.take(keep))
    lacking = replace(task.with_recipe(epochs=1), data=data)

    assert "(odd, clean)" in notes_on(data, grouper_of(data))[0]
    for title in ("balanced", "sgdro"):
        assert 0 <= train_robust(lacking, title).robust_accuracy() <= 1


def test_what_cannot_be_trained(planted_task):
    task, _ = planted_task
    with pytest.raises(UsageError, match="renderings"):
        train_robust(task, "camel")
    with pytest.raises(UsageError, match="same order"):
        train_robust(task, "camel", renderings=Exact(task.data.test.data))
    with pytest.raises(UsageError, match="accumulate"):
        train_robust(task.with_recipe(accumulate=2), "gdro")
    with pytest.raises(UsageError, match="--subgroup"):
        train_robust(make_task(split(load_data("digits"))), "gdro")


def test_subgroups_that_are_names():
    images = np.zeros((400, 8, 8, 1), np.uint8)
    data = from_arrays(images, np.arange(400) % 2, subgroups=np.arange(400) // 2, leakage="keep")
    with pytest.raises(DataError, match="identifier or a measurement"):
        grouper_of(data)


def test_a_class_with_a_single_subgroup_is_told():
    images = np.zeros((60, 8, 8, 1), np.uint8)
    labels = np.arange(60) % 2
    data = from_arrays(images, labels, subgroups=labels * (np.arange(60) % 4 > 1))

    assert any("only one subgroup" in note for note in notes_on(data, grouper_of(data)))


def test_group_accuracy_of_nothing():
    assert np.isnan(group_accuracy(np.zeros(0, bool), np.zeros(0, np.int64), 2)).all()
