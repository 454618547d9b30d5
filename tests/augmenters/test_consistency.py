"""AugMix with its Jensen-Shannon loss, and the stages allowed around it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from automorph.augmenters import as_treatment, consistency_loss
from automorph.errors import PolicyError
from automorph.operations import Stream
from automorph.policies import load_policy
from automorph.training import Units, train

LOGITS = torch.tensor(np.random.default_rng(0).normal(size=(4, 3, 5)), dtype=torch.float32)
LABELS = torch.eye(5)[[0, 3, 2, 2]]


def rows(logits=LOGITS, labels=LABELS):
    return logits.reshape(-1, logits.shape[2]), labels.repeat_interleave(logits.shape[1], dim=0)


def by_the_book(logits, labels, weight):
    """The authors' formula for the loss, using PyTorch's divergence."""
    p = logits.softmax(2)
    middle = p.mean(1).clamp(1e-7, 1).log()
    divergence = (
        sum(functional.kl_div(middle, p[:, v], reduction="batchmean") for v in range(3)) / 3
    )
    return functional.cross_entropy(logits[:, 0], labels.argmax(1)) + weight * divergence


def test_the_mean_is_the_published_loss():
    found = consistency_loss(*rows(), views=3, weight=12.0)

    assert found.shape == (12,)
    assert found.mean() == pytest.approx(by_the_book(LOGITS, LABELS, 12.0).item(), rel=1e-5)
    torch.testing.assert_close(found[0::3], found[2::3])


def test_gradients_are_those_of_the_published_loss():
    ours, theirs = (LOGITS.clone().requires_grad_() for _ in range(2))
    consistency_loss(*rows(ours), views=3, weight=12.0).mean().backward()
    by_the_book(theirs, LABELS, 12.0).backward()

    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_views_that_agree_leave_the_cross_entropy():
    logits = LOGITS[:, :1].expand(-1, 3, -1)
    found = consistency_loss(*rows(logits), views=3, weight=12.0)[::3]

    expected = functional.cross_entropy(LOGITS[:, 0], LABELS.argmax(1), reduction="none")
    torch.testing.assert_close(found, expected)


def test_only_the_clean_view_is_held_to_the_label():
    logits, labels = rows()
    other = labels.clone().view(4, 3, 5)
    other[:, 1:] = 0.2

    first = consistency_loss(logits, labels, views=3, weight=1.0)
    second = consistency_loss(logits, other.view(12, 5), views=3, weight=1.0)
    assert torch.equal(first, second)


def test_certainty_is_finite():
    logits = 1000 * torch.eye(3)[None]

    assert consistency_loss(*rows(logits, torch.eye(3)[:1]), views=3, weight=12.0).isfinite().all()


def views_of(text, raw):
    batch = as_treatment(text).build()(raw)
    return batch, batch.inputs.view(len(raw), batch.views, *batch.inputs.shape[1:])


def test_the_first_view_is_the_example_itself(raw_batch):
    raw = raw_batch(9)
    batch, views = views_of("augmix-jsd", raw)

    assert (batch.views, views.shape[1]) == (3, 3)
    assert torch.equal(views[:, 0], raw.encode())
    for view in (1, 2):
        expected = load_policy("augmix").augment(raw.examples, index=raw.index, copy=view)
        assert torch.equal(views[:, view], raw.encode(expected))
    assert not torch.equal(views[:, 1], views[:, 2])


def test_what_comes_before_is_shared_by_all_views(raw_batch):
    raw = raw_batch(9)
    _, views = views_of("crop + augmix-jsd(m=3,policy=none)", raw)

    cropped = raw.encode(load_policy("crop").augment(raw.examples, index=raw.index))
    assert not torch.equal(cropped, raw.encode())
    for view in range(4):
        assert torch.equal(views[:, view], cropped)


def test_what_comes_after_is_drawn_for_each_view(raw_batch):
    _, views = views_of("augmix-jsd(m=2,policy=none) + cutout(4)", raw_batch(9))

    assert not any(torch.equal(views[:, a], views[:, b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_mixing_is_the_same_for_all_views(raw_batch):
    raw = raw_batch(9)
    batch, views = views_of("augmix-jsd(policy=none) + mixup", raw)

    stream = Stream(index=raw.index)
    chain = load_policy("none + mixup")
    mixing = chain.mixing(stream, raw.examples.shape)
    assert torch.equal(batch.labels[::3], torch.from_numpy(mixing.labels(raw.labels)))
    for view in range(3):
        assert torch.equal(views[:, view], raw.encode(mixing.examples(raw.examples)))
        assert torch.equal(batch.labels[view::3], batch.labels[::3])


def test_three_views_cost_three_passes_and_learn(task):
    result = train(task.with_recipe(accumulate=2, label_smoothing=0.1), as_treatment("augmix-jsd"))

    assert result.units == Units(900, 900)
    assert result.curves[-1].loss < result.curves[0].loss


def test_without_weight_and_views_that_differ_it_is_plain_training(task):
    """Repeat labels and inputs three times, apart from batch statistics."""
    arm = as_treatment("augmix-jsd(weight=0,policy=none)")
    a, b = train(task, arm, seed=2), train(task, None, seed=2)

    for x, y in zip(a.model.parameters(), b.model.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=5e-2, atol=5e-3)


@pytest.mark.parametrize("wrong", ["augmix-jsd(m=0)", "augmix-jsd(weight=-1)"])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(PolicyError, match="augmix-jsd got"):
        as_treatment(wrong)
