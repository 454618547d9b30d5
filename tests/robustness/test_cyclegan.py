"""The parts of a CycleGAN match their definitions, and its training survives interruption."""

import numpy as np
import pytest
import torch
from marked_images import SKEWED, bars

from automorph.errors import DataError, UsageError
from automorph.robustness.translators.cyclegan import CycleRecipe, Side, published, train_cyclegan
from automorph.robustness.translators.cyclegan.augmentation import CHANGES, augmented
from automorph.robustness.translators.cyclegan.losses import (
    Made,
    adversarial,
    discriminator_loss,
    generator_losses,
)
from automorph.robustness.translators.cyclegan.networks import (
    ImageGenerator,
    PatchDiscriminator,
    depth_for,
)
from automorph.robustness.translators.cyclegan.training import (
    CycleTraining,
    Replay,
    to_images,
    to_pixels,
)
from automorph.training.checkpoint import read_checkpoint, write_checkpoint

TINY = CycleRecipe(steps=6, batch_size=4, width=4, judge_width=4, replay=10)


@pytest.fixture(scope="module")
def sides():
    part, _ = bars(SKEWED)
    marked = part.subgroups == 1
    return tuple(Side(part.data[m], part.labels[m]) for m in (~marked, marked))


@pytest.mark.parametrize("side", [8, 28, 32, 64, 128])
@pytest.mark.parametrize("residual", [True, False])
def test_generator_keeps_shape_and_range(side, residual):
    x = torch.rand(2, 3, side, side) * 2 - 1
    y = ImageGenerator(3, side, width=4, residual=residual)(x)
    assert y.shape == x.shape
    assert y.abs().max() <= 1


def test_residual_generator_begins_as_the_identity_and_needs_no_company():
    x = torch.rand(3, 1, 28, 28) * 2 - 1
    generator = ImageGenerator(1, 28, width=4)
    assert torch.equal(generator(x), x)
    torch.nn.init.normal_(generator.last.weight, std=0.1)
    torch.testing.assert_close(generator(x)[:1], generator(x[:1]))


@pytest.mark.parametrize(("side", "patches"), [(28, 5), (32, 6), (64, 6), (128, 14), (256, 30)])
def test_discriminator_judges_patches(side, patches):
    logits = PatchDiscriminator(1, width=4, depth=depth_for(side))(torch.zeros(1, 1, side, side))
    assert logits.shape == (1, 1, patches, patches)


def test_published_sizes():
    assert CycleRecipe(**published(28)).width == 32
    levels = [layer[0].out_channels for layer in ImageGenerator(3, 128, width=64).down]
    assert levels == [64, 128, 256, 512, 512, 512]


@pytest.mark.parametrize("real", [True, False])
def test_adversarial_losses_equal_their_formulas(real):
    logits = torch.tensor([[-2.0, 0.5], [3.0, 0.0]])
    target = torch.full_like(logits, float(real))
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    assert adversarial(logits, real, "cross-entropy").item() == pytest.approx(entropy.item())
    squares = ((logits - target) ** 2).mean()
    assert adversarial(logits, real, "least-squares").item() == pytest.approx(squares.item())
    half = 0.5 * (adversarial(logits, True) + adversarial(-logits, False))
    assert discriminator_loss(logits, -logits).item() == pytest.approx(half.item())


def test_identity_generators_cost_no_cycle_and_no_identity():
    a, b = torch.rand(4, 1, 8, 8), torch.rand(4, 1, 8, 8)
    made = Made(b_of_a=a, a_of_b=b, a_again=a, b_again=b, a_same=a, b_same=b)
    losses = generator_losses(a, b, made, (torch.ones(4, 1, 2, 2),) * 2)
    assert losses.total.item() == losses.cycle.item() == losses.identity.item() == 0


def test_generator_loss_by_hand():
    a, b, zeros = torch.ones(2, 1, 4, 4), -torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    made = Made(zeros, zeros, a_again=zeros, b_again=zeros, a_same=zeros, b_same=b)
    losses = generator_losses(a, b, made, (zeros, zeros), cycle=10, identity=2)
    parts = [losses.fool.item(), losses.cycle.item(), losses.identity.item()]
    assert parts == [2.0, 10 * (1 + 1), 0.5 * 2 * (1 + 0)]


def test_no_cycle_weight_no_cycle_gradient():
    again = torch.rand(2, 1, 4, 4, requires_grad=True)
    x = torch.rand(2, 1, 4, 4)
    made = Made(x, x, again, again, x, x)
    losses = generator_losses(x, x, made, (x, x), cycle=0)
    assert torch.autograd.grad(losses.total, again)[0].abs().max() == 0


def test_replay_holds_so_many_and_no_graph():
    draw = torch.Generator().manual_seed(0)
    replay = Replay(10)
    for step in range(5):
        images = torch.full((4, 1, 2, 2), float(step), requires_grad=True)
        replay.push(images * 1, draw)
        assert len(replay) == min(10, 4 * (step + 1))
    drawn = replay.sample(500, draw)
    assert not drawn.requires_grad
    shares = [(drawn[:, 0, 0, 0] == step).float().mean().item() for step in range(5)]
    assert shares[4] == pytest.approx(0.4, abs=0.08)  # the last batch overwrote 4 of 10 slots
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("change", CHANGES)
def test_augmentation_of_the_discriminator_lets_gradients_through(change):
    images = torch.rand(3, 2, 16, 16, requires_grad=True)
    draw = torch.Generator().manual_seed(1)
    changed = augmented(images, (change,), draw)
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    assert torch.autograd.grad(changed.sum(), images)[0].abs().sum() > 0


def test_each_half_of_a_step_moves_its_own_networks(sides, monkeypatch):
    training = CycleTraining(*sides, TINY, seed=0, device=torch.device("cpu"))
    moved = []

    def descend(number):
        models = (training.generators, training.judges)
        moved.append([any(p.grad is not None for p in m.parameters()) for m in models])
        training.optimisers[number].clear()

    monkeypatch.setattr(training, "_descend", descend)
    training.step()
    assert moved == [[True, False], [False, True]]


def test_training_repeats_bit_by_bit_and_goes_on_after_a_stop(sides, tmp_path):
    whole = train_cyclegan(*sides, recipe=TINY, seed=3).state_dict()
    begun = CycleTraining(*sides, TINY, seed=3, device=torch.device("cpu"))
    for _ in range(3):
        begun.step()
    write_checkpoint(tmp_path / "kept.safetensors", *begun.state())
    resumed = CycleTraining(*sides, TINY, seed=99, device=torch.device("cpu"))
    resumed.seed = 3
    resumed.restore(*read_checkpoint(tmp_path / "kept.safetensors"))
    while resumed.steps < TINY.steps:
        resumed.step()
    for name, value in resumed.average.model.state_dict().items():
        assert torch.equal(value, whole[name]), name


def test_a_finished_training_is_not_done_twice(sides, tmp_path):
    told = []
    for _ in range(2):
        train_cyclegan(
            *sides, recipe=TINY, folder=tmp_path, progress=lambda done, *_: told.append(done)
        )
    assert told == list(range(1, TINY.steps + 1))


def test_sides_are_drawn_class_by_class(sides):
    side = sides[0]  # 150 horizontal and 40 vertical bars
    draw = torch.Generator().manual_seed(0)
    images = to_images(side.draw(40, np.array([0, 1]), draw))
    lying = [(image.max(axis=1) > 100).sum() <= 2 for image in images[..., 0]]
    assert sum(lying) == 20


def test_pixels_there_and_back():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(to_images(to_pixels(images)), images)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"loss": "hinge"}, "least-squares"),
        ({"augment": ("shake",)}, "shift"),
        ({"steps": 0}, "steps=0"),
        ({"cycle": -1.0}, "cycle=-1"),
    ],
)
def test_impossible_recipes_are_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        CycleRecipe(**wrong)


def test_sides_without_a_common_class_are_refused(sides):
    a = Side(sides[0].images[sides[0].labels == 0], sides[0].labels[sides[0].labels == 0])
    b = Side(sides[1].images[sides[1].labels == 1], sides[1].labels[sides[1].labels == 1])
    with pytest.raises(DataError, match="no class in common"):
        train_cyclegan(a, b)
    few = Side(sides[1].images[:2], np.zeros(2, np.int64))
    with pytest.raises(DataError, match="second subgroup has 2 images"):
        train_cyclegan(a, few)
