"""Shake-Shake and ShakeDrop: different random shares forward and backward, means in evaluation."""

from __future__ import annotations

import pytest
import torch

from automorph.models import build_model
from automorph.models.pyramidnet import PyramidBlock as Bottleneck
from automorph.models.pyramidnet import ShakeDrop
from automorph.models.shake_shake import ShakeBlock, shake

torch.set_num_threads(1)


def test_shake_mixes_forward_and_backward_with_shares_of_their_own():
    torch.manual_seed(0)
    first, second = (torch.full((500, 1, 2, 2), v, requires_grad=True) for v in (1.0, 0.0))
    mixed = shake(first, second)
    mixed.sum().backward()

    forward, backward = mixed[:, 0, 0, 0].detach(), first.grad[:, 0, 0, 0]
    torch.testing.assert_close(mixed.detach(), forward.view(-1, 1, 1, 1).expand_as(mixed))
    torch.testing.assert_close(second.grad, 1 - first.grad)
    for share in (forward, backward):
        assert 0 <= share.min() < 0.05
        assert 0.95 < share.max() <= 1
        assert share.mean() == pytest.approx(0.5, abs=0.05)
    assert abs(torch.corrcoef(torch.stack([forward, backward]))[0, 1]) < 0.15


def test_a_block_averages_its_branches_in_evaluation_mode():
    block = ShakeBlock(4, 4, 1).eval()
    x = torch.randn(2, 4, 6, 6)

    expected = x + 0.5 * (block.first(x) + block.second(x))
    torch.testing.assert_close(block(x), expected)


def test_shakedrop_keeps_or_shakes_the_whole_batch():
    torch.manual_seed(0)
    layer = ShakeDrop(0.5)
    kept, forward, backward = [], [], []
    for _ in range(200):
        x = torch.ones(8, 1, 2, 2, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        kept.append(bool((y == 1).all()))
        if not kept[-1]:
            forward.append(y[:, 0, 0, 0].detach())
            backward.append(x.grad[:, 0, 0, 0])
    forward, backward = torch.cat(forward), torch.cat(backward)

    assert sum(kept) / len(kept) == pytest.approx(0.5, abs=0.1)
    assert (forward.min(), forward.max()) == (
        pytest.approx(-1, abs=0.05),
        pytest.approx(1, abs=0.05),
    )
    assert (backward.min(), backward.max()) == (
        pytest.approx(0, abs=0.05),
        pytest.approx(1, abs=0.05),
    )


def test_shakedrop_is_its_own_mean_in_evaluation_mode():
    torch.manual_seed(0)
    layer, x = ShakeDrop(0.7), torch.ones(4, 1, 1, 1)

    mean = torch.stack([layer(x) for _ in range(4000)]).mean()
    assert layer.eval()(x).mean() == pytest.approx(0.7)
    assert mean == pytest.approx(0.7, abs=0.03)


def test_survival_falls_evenly_to_one_half():
    model = build_model("pyramidnet-20-8", channels=3, classes=2, size=32)

    keeps = [m.keep for m in model.modules() if isinstance(m, ShakeDrop)]
    assert keeps == pytest.approx([1 - i / 6 * 0.5 for i in range(1, 7)])


def test_widths_grow_in_every_block():
    model = build_model("pyramidnet-29-18", channels=3, classes=2, size=32)

    widths = [m.after // 4 for m in model.modules() if isinstance(m, Bottleneck)]
    assert widths == [16 + 2 * i for i in range(1, 10)]
