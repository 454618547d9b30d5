"""Consistency training on unlabelled examples (UDA): the published loss, views, training."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div

from automorph.augmenters import UnlabelledConsistency, annealing_threshold, as_treatment
from automorph.data import limited, load_data, split, with_unlabelled
from automorph.errors import PolicyError
from automorph.policies import load_policy
from automorph.training import Recipe, as_task, make_task, train


def method(policy="flip", **options):
    return UnlabelledConsistency(draws=load_policy(policy), **options)


@pytest.fixture
def with_rest(raw_batch):
    """Return a function that builds a raw batch of 12 labelled and ``m`` unlabelled examples."""

    def make(m=8, **options):
        raw = raw_batch(12, **options)
        rest = raw_batch(60).rows(slice(60 - m, 60))
        rest = replace(rest, labels=np.zeros((m, 10), np.float32), index=rest.index + 1000)
        return replace(raw, unlabelled=rest)

    return make


def by_the_book(plain, drawn, temperature, threshold):
    """Mean over all unlabelled examples, also those below the threshold, which count as zero."""
    sure = plain.softmax(1).amax(1) > threshold
    target = (plain / temperature).softmax(1)
    apart = kl_div(drawn.log_softmax(1), target, reduction="none").sum(1)
    return (apart * sure).mean()


def test_the_mean_is_the_published_loss(with_rest):
    torch.manual_seed(0)
    batch = method().build()(with_rest())
    labelled = 3 * torch.randn(12, 10)
    plain, drawn = 3 * torch.randn(8, 10), torch.randn(8, 10)
    logits = torch.stack([plain, drawn], dim=1).flatten(0, 1)
    for weight, temperature, threshold in ((1.0, 0.4, 0.8), (2.0, 1.0, 0.0)):
        augmenter = method(weight=weight, temperature=temperature, threshold=threshold).build()
        found = augmenter.unlabelled_loss(logits, batch)
        assert found.shape == (16,)
        expected = weight * by_the_book(plain, drawn, temperature, threshold)
        assert found.mean().item() == pytest.approx(expected.item(), rel=1e-5)
        supervised = augmenter.loss(labelled, batch).mean()
        assert supervised.item() == pytest.approx(cross_entropy(labelled, batch.labels).item())
    assert 0 < augmenter.end_epoch(None)["sure"] <= 1


def test_only_the_drawn_view_gets_a_gradient(with_rest):
    batch = method().build()(with_rest())
    logits = torch.randn(16, 10, requires_grad=True)
    augmenter = method(threshold=0.0).build()
    (slope,) = torch.autograd.grad(augmenter.unlabelled_loss(logits, batch).mean(), logits)
    assert not slope[0::2].any()
    assert slope[1::2].abs().sum() > 0


def test_the_thresholds_of_signal_annealing_are_the_published_ones():
    """eta_t = alpha_t (1 - 1/K) + 1/K; alpha is t, 1 - exp(-5 t), or exp(5 (t - 1))."""
    for t in (0.0, 0.25, 0.5, 1.0):
        alphas = {"linear": t, "log": 1 - math.exp(-5 * t), "exp": math.exp(5 * (t - 1))}
        for name, alpha in alphas.items():
            assert annealing_threshold(t, name, 10) == pytest.approx(0.9 * alpha + 0.1)
    assert annealing_threshold(0.3, "none", 10) == 1.0


def test_annealing_leaves_out_examples_that_are_learned_already(with_rest):
    batch = method().build()(with_rest())
    logits = torch.where(torch.arange(12)[:, None] < 9, 9 * batch.labels, torch.zeros(12, 10))
    plain = cross_entropy(logits, batch.labels, reduction="none")
    augmenter = method(annealing="linear").build()
    # Halfway, 0.55: the nine sure examples are left out, the mean is that of the other three.
    half = replace(batch, progress=0.5)
    assert augmenter.loss(logits, half).mean().item() == pytest.approx(plain[9:].mean().item())
    assert augmenter.end_epoch(None) == {"learned": 0.25}
    # At the end all take part; where none does, the loss is 0.
    end = replace(batch, progress=1.0)
    assert augmenter.loss(logits, end).mean().item() == pytest.approx(plain.mean().item())
    sure = augmenter.loss(9 * batch.labels, half)
    assert not sure.any()


def test_the_views_are_those_of_the_paper(with_rest):
    """Labelled: the other steps alone. Unlabelled: these, and these with the policy."""
    raw = with_rest(m=8)
    spec = as_treatment("flip(p=1) + consistency(randaugment(n=2,m=15))")
    batch = spec.build()(raw)
    flip = load_policy("flip(p=1)")
    assert torch.equal(batch.inputs, raw.encode(flip.augment(raw.examples, seed=0)))
    rest = batch.unlabelled
    assert (len(batch), len(rest), rest.views) == (12, 16, 2)
    assert rest.index.tolist() == np.repeat(raw.unlabelled.index, 2).tolist()
    assert torch.equal(rest.inputs[0::2], raw.encode(flip.augment(raw.unlabelled.examples, seed=0)))
    assert not torch.equal(rest.inputs[0::2], rest.inputs[1::2])
    assert not rest.labels.any()


@pytest.mark.parametrize(
    "name",
    [
        "consistency(flip(p=1) + cutout(16),ratio=2,weight=0.5,temperature=1,threshold=0)",
        "flip-crop + consistency(flip-crop,ratio=7,weight=1,temperature=0.4,threshold=0.8)",
        "consistency(eda(alpha=0.2),ratio=3,weight=1,temperature=0.85,threshold=0,annealing=log)",
    ],
)
def test_names_load_as_what_they_name(name):
    assert as_treatment(name).name == name
    assert as_treatment(as_treatment(name).name) == as_treatment(name)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("consistency(flip,temperature=0)", "temperature"),
        ("consistency(flip,ratio=0)", "ratio"),
        ("consistency(flip,annealing=cosine)", "Expected one of none, linear, log, exp"),
        ("consistency(flip + mixup)", "mixes labels"),
        ("consistency(flip) + cutmix", "mixes labels"),
        ("consistency(flip,temprature=1)", "Did you mean 'temperature'"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(PolicyError, match=message):
        as_treatment(wrong)


def test_unlabelled_digits_help():
    """100 labels and 1,077 digits without, two seeds: better than labels alone, with or without."""
    whole = split(load_data("digits"), seed=0)
    data = with_unlabelled(limited(whole, 100), whole.train)
    recipe = Recipe(epochs=30, batch_size=25, lr=0.05, precision="fp32")
    task = make_task(data, model="cnn:8", recipe=recipe)

    def accuracy(name):
        spec = as_treatment(name)
        runs = [train(task, spec, seed=seed, parts=("test",), progress=False) for seed in (0, 1)]
        return sum(run.accuracy["test"] for run in runs) / 2

    consistent = accuracy("consistency(crop,ratio=4,threshold=0.5)")
    assert consistent > max(accuracy("none"), accuracy("crop")) + 0.01


def test_texts_of_different_lengths_are_encoded_together():
    """Words of the unlabelled texts are known, and rows of both kinds have one length."""
    words = ["good", "fine", "great"], ["bad", "poor", "dull"]
    rng = np.random.default_rng(0)

    def texts(n):
        labels = rng.integers(0, 2, n)
        return [
            " ".join(["film", *rng.choice(words[one], 1 + 3 * (k % 3)), f"take{k}"])
            for k, one in enumerate(labels)
        ], labels

    labelled, rest = texts(60), texts(90)[0]
    task = as_task(labelled, unlabelled=rest, model="bag-of-words", recipe={"epochs": 3})
    assert "take89" in task.encoder.words
    spec = as_treatment("consistency(aeda,ratio=2,threshold=0,annealing=linear)")
    result = train(task, spec, seed=0, progress=False)
    assert [set(epoch.augmenter) for epoch in result.curves] == [
        {"learned", "sure", "divergence"}
    ] * 3
