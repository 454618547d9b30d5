"""`train` without a folder: learning, reproducibility, stopping."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from automorph.data import Dataset
from automorph.errors import DataError, TrainingError, UsageError
from automorph.training import Recipe, as_task, evaluate, make_task, soft_cross_entropy, train


def flat():
    """A network without batch statistics or dependence on order."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def shaky():
    """A network with dropout, which draws random numbers in training."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Dropout(0.5), nn.Linear(32, 10))


def test_a_network_learns_the_digits(digits):
    result = train(make_task(digits), seed=0)

    assert result.accuracy["test"] > 0.85
    assert result.curves[-1].loss < 0.2 < result.curves[0].loss
    assert result.accuracy["validation"] == result.curves[-1].validation_accuracy
    epochs = len(result.curves)
    assert (result.chosen, result.selection, result.finished) == (epochs, "last", True)
    assert result.converged
    assert epochs < 80
    assert result.units.forward == result.units.backward == epochs * 100


@pytest.mark.parametrize("model", ["cnn:4", shaky])
def test_a_run_is_a_pure_function_of_its_seed(task, same, model):
    task = replace(task, model=model)
    first, again, other = (train(task, "trivialaugment", seed=seed) for seed in (1, 1, 2))

    assert same(first, again)
    assert [e.loss for e in first.curves] == [e.loss for e in again.curves]
    assert not same(first, other)


@pytest.mark.parametrize("workers", [1, 4])
def test_workers_change_no_number(task, same, workers):
    alone = train(task, "randaugment(n=2,m=9)", seed=1)

    assert same(alone, train(task, "randaugment(n=2,m=9)", seed=1, workers=workers))


def test_the_callers_random_numbers_and_threads_are_left_alone(task):
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = torch.rand(3)
        torch.manual_seed(7)
        train(task.with_recipe(epochs=1))

        assert torch.equal(torch.rand(3), expected)


def test_validation_and_its_frequency_change_no_weight(task, same):
    often = train(task, parts=("validation",))
    never = train(task, parts=(), validate_every=0)

    assert same(often, never)
    assert never.accuracy == {}
    assert all(epoch.validation_accuracy is None for epoch in never.curves[:-1])


def test_the_test_part_is_touched_only_at_the_end(task):
    opened = []

    class Sealed:
        def __getattr__(self, name):
            opened.append(name)
            raise AssertionError(name)

    class Parts(Dataset):
        @property
        def parts(self):
            return {name: getattr(self, name) for name in ("train", "validation", "test")}

        def __post_init__(self):
            """Ignore the input."""

    data = task.data
    sealed = replace(
        task, data=Parts("sealed", data.classes, data.train, data.validation, Sealed())
    )
    train(sealed, parts=("validation",))
    train(sealed, stop_epoch=2)

    assert opened == []
    with pytest.raises((AssertionError, TypeError)):
        train(sealed)


def test_pieces_of_a_batch_give_the_step_of_the_whole(digits):
    recipe = Recipe(epochs=2, batch_size=50, lr=0.1, clip_norm=1.0, precision="fp32")
    task = make_task(digits, model=flat, recipe=recipe)
    whole, pieces = (train(task.with_recipe(accumulate=n)) for n in (1, 7))

    for p, q in zip(whole.model.parameters(), pieces.model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


def test_the_best_epoch_is_kept_if_asked_for(task):
    # A rate this high makes the accuracy jump up and down.
    wild = task.with_recipe(select="best", lr=0.5, schedule="constant", epochs=6)
    result = train(wild)

    curve = [epoch.validation_accuracy for epoch in result.curves]
    assert result.chosen == 1 + int(np.argmax(curve))
    assert result.accuracy["validation"] == max(curve)
    assert result.selection == "best"


def test_the_average_of_the_weights_is_what_is_kept(task, same):
    plain, averaged = train(task), train(task.with_recipe(ema_decay=0.99))

    assert not same(plain, averaged)
    assert [e.loss for e in plain.curves] == [e.loss for e in averaged.curves]


def test_evaluation_says_what_the_model_says(task):
    model = train(task).model
    part = task.data.test
    found = evaluate(model, part, encoder=task.encoder, batch_size=7)

    with torch.no_grad():
        logits = model(task.encoder(part.data, None))
    np.testing.assert_allclose(found.logits, logits.numpy(), rtol=1e-4, atol=1e-5)
    assert found.accuracy == np.mean(found.predictions == part.labels)
    expected = nn.functional.cross_entropy(logits, torch.from_numpy(part.labels))
    assert found.loss == pytest.approx(expected.item(), rel=1e-5)
    assert not model.training


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_pytorchs_with_soft_labels(smoothing):
    with torch.random.fork_rng():
        logits, labels = torch.randn(5, 4), torch.rand(5, 4).softmax(1)
    expected = nn.functional.cross_entropy(
        logits, labels, reduction="none", label_smoothing=smoothing
    )

    torch.testing.assert_close(soft_cross_entropy(logits, labels, smoothing=smoothing), expected)


def test_a_mixed_label_costs_the_mixed_losses():
    with torch.random.fork_rng():
        logits = torch.randn(1, 3)
    a, b = torch.eye(3)[[0]], torch.eye(3)[[2]]
    mixed = soft_cross_entropy(logits, 0.3 * a + 0.7 * b)

    torch.testing.assert_close(
        mixed, 0.3 * soft_cross_entropy(logits, a) + 0.7 * soft_cross_entropy(logits, b)
    )


def test_a_loss_that_is_no_number_stops_the_training(task):
    with pytest.raises(TrainingError, match=r"epoch \d, step \d of 4.*rate of 1e\+30.*Try") as stop:
        train(task.with_recipe(lr=1e30, warmup_epochs=0, schedule="constant"))

    assert "clip_norm" in str(stop.value)


def test_a_hopeless_loss_stops_the_training(digits):
    recipe = Recipe(epochs=4, lr=50.0, schedule="constant", momentum=0.0, precision="fp32")
    task = make_task(digits, model=flat, recipe=recipe)
    with pytest.raises(TrainingError, match="mean loss of the epoch"):
        train(task)


def test_progress_is_told_every_epoch(task):
    told = []
    result = train(task, progress=told.append)

    assert tuple(told) == result.curves


def test_a_bar_shows_when_asked_for(task, capsys):
    train(task, progress=True)
    shown = capsys.readouterr()

    assert shown.out == ""
    assert "epoch 4/4" in shown.err
    assert "validation" in shown.err
    train(task)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parts": ("tests",)}, "tests"),
        ({"stop_epoch": 0}, "stop_epoch"),
        ({"device": "abacus"}, "abacus"),
        ({"workers": -1}, "workers"),
    ],
)
def test_bad_options_are_refused(task, options, words):
    with pytest.raises(UsageError, match=words):
        train(task, **options)


def test_a_task_takes_no_options_and_says_so(task):
    assert as_task(task, model=None, recipe={"epochs": None}, limit=None, protect=()) is task
    with pytest.raises(UsageError, match="a Task is complete: model, limit cannot be used with it"):
        as_task(task, model="cnn", limit=100)
    with pytest.raises(UsageError, match="a Task is complete: recipe, limitt cannot"):
        as_task(task, recipe={"epochs": 3}, limitt=5)
    with pytest.raises(UsageError, match=r"a Task is complete: epochs .* task.with_recipe\(epochs"):
        as_task(task, epochs=3)
    with pytest.raises(UsageError, match=r"unknown option 'out'; .* folder=PATH"):
        as_task(task, out="runs")


def test_data_that_are_ready_take_no_options_and_say_so(task):
    assert as_task(task.data, model="cnn:4", limit=None).data.name == task.data.name
    with pytest.raises(
        UsageError, match="a Dataset is already loaded: limit cannot be used with it"
    ):
        as_task(task.data, limit=100)
    with pytest.raises(UsageError, match=r"write recipe=\{\"epochs\": 2\}"):
        as_task(task.data, epochs=2)


@pytest.mark.parametrize(("options", "message"), [
    ({"epochs": 2}, r"got the option 'epochs', .* write recipe=\{\"epochs\": 2\}"),
    ({"lr": 0.1}, r"recipe=\{\"lr\": 0.1\}"),
    ({"out": "runs"}, "folder=PATH"),
    ({"limt": 5}, r"unknown option 'limt'\. Did you mean 'limit'\? Expected one of"),
    ({"job": 2}, "Did you mean 'jobs'"),
    ({"xyz": 2}, "unknown option 'xyz'. Expected one of model, seed, recipe, .*limit"),
    ({"recipe": {"epoch": 1}}, r"entry 'epoch' of the recipe\. Did you mean 'epochs'"),
    ({"recipe": Recipe(epochs=1)}, r"got recipe=Recipe\(.*; expected a dict"),
])  # fmt: skip
@pytest.mark.parametrize("source", ["digits", "arrays"])
def test_unknown_options_are_named(digits, source, options, message):
    part = digits.train
    data = source if source == "digits" else (part.data, part.labels)
    with pytest.raises(UsageError, match=message):
        as_task(data, **options)


def test_options_of_files_are_none_of_arrays(digits):
    with pytest.raises(UsageError, match="unknown option 'download'"):
        as_task((digits.train.data, digits.train.labels), download=True)


def test_a_task_is_shown_without_its_vocabulary():
    texts = [f"{word} film" for word in map(str, range(500))]
    shown = repr(as_task((texts, [0, 1] * 250), recipe={"epochs": 3}))

    assert shown.startswith("Task(Dataset('arrays', 2 classes, train=Split(300 of texts)")
    assert "model='text-cnn', Recipe(epochs=3, " in shown
    assert len(shown) < 600
    assert "model='test_train:Net'" in repr(as_task("digits", model=Net, limit=50))
    partial = functools.partial(Net, 10)
    assert "model='functools:partial'" in repr(as_task("digits", model=partial, limit=50))


def test_a_table_in_memory_is_told_what_to_do():
    pandas = pytest.importorskip("pandas")
    texts = [f"film {number}" for number in range(40)]
    frame = pandas.DataFrame({"opinion": texts, "stars": [5, 1] * 20})
    with pytest.raises(UsageError, match=r"got a DataFrame with the columns 'opinion', 'stars'"):
        as_task(frame)
    assert as_task((frame["opinion"], frame["stars"])).data.domain == "text"


def test_a_wrong_entry_of_a_tasks_recipe_is_named(task):
    with pytest.raises(UsageError, match="unknown entry 'epoch'"):
        task.with_recipe(epoch=1)


def test_the_best_epoch_needs_a_validation_part(task):
    blind = replace(task.with_recipe(select="best"), data=task.data.replace(validation=None))
    with pytest.raises(UsageError, match="no validation part"):
        train(blind)


def test_too_little_data_is_refused(digits):
    with pytest.raises(DataError, match="expected at least 2"):
        make_task(digits.replace(train=digits.train.take([0])))


class Net(nn.Module):
    """A network that draws random numbers when it is built and when it is called."""

    def __init__(self, outputs=10, inputs=64, answer="logits"):
        super().__init__()
        self.layer, self.answer = nn.Linear(inputs, outputs), answer

    def forward(self, images):
        logits = self.layer(images.flatten(1)) + 0 * torch.rand(1)
        return {"logits": logits} if self.answer == "dict" else logits


@pytest.mark.parametrize(("model", "message"), [
    (Net(), r"got a network; pass a factory.*: model=Net, or model=lambda: Net\(10\)"),
    (3, "got model=3; pass a factory"),
    (lambda: Net(3), r"does not fit .* inputs float \(2, 1, 8, 8\).* it returned float \(2, 3\)"),
    (lambda: Net(inputs=60), r"does not accept the data.*\(2, 1, 8, 8\).*cannot be multiplied"),
    (lambda: Net(answer="dict"), r"it returned dict. Expected logits \(n, classes\)"),
    (lambda outputs: Net(outputs), "cannot be built by calling model=... without arguments"),
    (lambda: "cnn", "calling model=... returned str"),
    (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), "lazy layers, Sequential, whose"),
], ids=range(8))  # fmt: skip
def test_a_network_that_does_not_fit_is_explained(digits, model, message):
    with pytest.raises(UsageError, match=message):
        as_task(digits, model=model)
    if callable(model) and not isinstance(model, nn.Module):
        with pytest.raises(UsageError, match=message):
            train(make_task(digits, model=model))


def test_a_look_at_a_network_moves_no_random_number(digits):
    before = torch.get_rng_state()
    as_task(digits, model=Net)

    assert torch.equal(torch.get_rng_state(), before)
