"""The parts of a CycleGAN match their definitions, and its training survives interruption."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from marked_images import SKEWED, bars

from automorph.data import Split
from automorph.errors import DataError, UsageError
from automorph.robustness.translators.cyclegan import CycleRecipe, Side, published, train_cyclegan
from automorph.robustness.translators.cyclegan.augmentation import CHANGES, augmented
from automorph.robustness.translators.cyclegan.losses import (
    Made,
    adversarial,
    discriminator_loss,
    generator_losses,
)
from automorph.robustness.translators.cyclegan.masked import MaskedGenerator, roughness
from automorph.robustness.translators.cyclegan.networks import (
    ImageGenerator,
    PatchDiscriminator,
    depth_for,
)
from automorph.robustness.translators.cyclegan.released import (
    ReleasedDiscriminator,
    ReleasedGenerator,
)
from automorph.robustness.translators.cyclegan.replay import Replay
from automorph.robustness.translators.cyclegan.sides import to_images, to_pixels
from automorph.robustness.translators.cyclegan.training import CycleTraining, _identity
from automorph.robustness.translators.cyclegan_translator import steps_for
from automorph.training.checkpoint import read_checkpoint, write_checkpoint

TINY = CycleRecipe(steps=6, batch_size=4, width=4, judge_width=4, replay=10)
RELEASED = replace(
    CycleRecipe(**published(28)), steps=6, batch_size=4, width=4, judge_width=4, replay=10
)


@pytest.fixture(scope="module")
def sides():
    part, _ = bars(SKEWED)
    marked = part.subgroups == 1
    return tuple(Side(part.data[m], part.labels[m]) for m in (~marked, marked))


def enlarged(sides, times):
    return [Side(side.images.repeat(times, 1).repeat(times, 2), side.labels) for side in sides]


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


def test_compact_sizes():
    levels = [layer[0].out_channels for layer in ImageGenerator(3, 128, width=64).down]
    assert levels == [64, 128, 256, 512, 512, 512]


@pytest.mark.parametrize(
    ("setting", "small", "celeba", "waterbirds"),
    [
        ("networks", "released", "released", "released"),
        ("residual", False, False, False),
        ("hide", 0, 0, 0),
        ("augment", (), (), ()),
        ("average", 0, 0, 0),
        ("loss", "cross-entropy", "cross-entropy", "cross-entropy"),
        ("cycle", 10, 10, 10),
        ("identity", 1, 1, 1),
        ("replay", 50, 50, 50),
        ("batch_size", 25, 16, 4),
        ("generator_lr", 1e-3, 2e-4, 2e-4),
        ("discriminator_lr", 5e-5, 2e-4, 2e-4),
        ("width", 32, 64, 64),
        ("judge_width", 64, 64, 64),
    ],
)
def test_published_settings(setting, small, celeba, waterbirds):
    """Residual, noise, shift and running mean were ours, and the networks had no batch norm."""
    recipes = [CycleRecipe(**published(side)) for side in (28, 128, 224)]
    assert [getattr(recipe, setting) for recipe in recipes] == [small, celeba, waterbirds]


@pytest.mark.parametrize(
    ("side", "widths", "dropout"),
    [
        (28, [32, 64, 128, 256, 512], 0),
        (128, [64, 128, 256, 512, 512, 512, 512], 2),
        (224, [64, 128, 256, 512, 512, 512, 512, 512], 3),
    ],
)
def test_released_generator(side, widths, dropout):
    network = ReleasedGenerator(1, side, width=widths[0])
    assert [layer[0].out_channels for layer in network.down] == widths
    assert [layer[0].out_channels for layer in network.up] == widths[-2::-1]
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(torch.nn.Dropout) == dropout
    assert kinds.count(torch.nn.GroupNorm) == 0
    assert kinds.count(torch.nn.BatchNorm2d) == 2 * (len(widths) - 1)
    norm = next(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)
    assert {m.negative_slope for m in network.modules() if hasattr(m, "negative_slope")} == {0.3}


def test_released_generator_makes_whole_images_by_the_statistics_of_the_batch():
    x = torch.rand(4, 1, 28, 28) * 2 - 1
    network = ReleasedGenerator(1, 28, width=4)
    y = network(x)
    assert y.shape == x.shape
    assert 0 < y.abs().max() < 0.5  # Far from the identity at first.
    assert not torch.allclose(y[:2], network(x[:2]), atol=1e-4)
    torch.testing.assert_close(network.eval()(x)[:2], network(x[:2]))


@pytest.mark.parametrize(("side", "patches"), [(28, 2), (128, 14), (256, 30)])
def test_released_discriminator_judges_patches(side, patches):
    network = ReleasedDiscriminator(1, side, width=2)
    assert network(torch.zeros(2, 1, side, side)).shape == (2, 1, patches, patches)


def test_released_networks_refuse_tiny_images():
    with pytest.raises(UsageError, match="8 pixels"):
        ReleasedGenerator(1, 8, width=4)


def test_released_discriminator_sees_real_and_generated_images_apart(sides, monkeypatch):
    """Batch statistics of both together would tell each what the other is."""
    training = CycleTraining(*enlarged(sides, 2), RELEASED, seed=0, device=torch.device("cpu"))
    sizes = []
    for network in (*training.judges.values(), *training.generators.values()):
        network.register_forward_hook(lambda module, inputs, _: sizes.append(len(inputs[0])))
    training.step()
    assert set(sizes) == {RELEASED.batch_size}


def test_trained_files_of_earlier_versions_keep_their_names(sides):
    assert _identity(*sides, TINY, 3) == "cyclegan-cf76b66427483b62"
    assert _identity(*sides, RELEASED, 3) != _identity(*sides, TINY, 3)


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


@pytest.mark.parametrize("kind", ["compact", "released", "dropout"])
def test_training_repeats_bit_by_bit_and_goes_on_after_a_stop(kind, sides, tmp_path):
    recipe = TINY if kind == "compact" else RELEASED
    sides = enlarged(sides, {"compact": 1, "released": 2, "dropout": 4}[kind])
    whole = train_cyclegan(*sides, recipe=recipe, seed=3).state_dict()
    begun = CycleTraining(*sides, recipe, seed=3, device=torch.device("cpu"))
    for _ in range(3):
        begun.step()
    write_checkpoint(tmp_path / "kept.safetensors", *begun.state())
    resumed = CycleTraining(*sides, recipe, seed=99, device=torch.device("cpu"))
    resumed.seed = 3
    resumed.restore(*read_checkpoint(tmp_path / "kept.safetensors"))
    while resumed.steps < recipe.steps:
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
        ({"networks": "small"}, "released"),
        ({"networks": "released"}, "residual=False"),
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


def test_outside_of_its_mask_an_image_stays_the_same():
    generator = MaskedGenerator(3, 16, width=4).eval()
    x = torch.rand(4, 3, 16, 16) * 2 - 1
    assert torch.equal(generator(x), x)  # It begins as the identity, with a mask of one half.
    torch.nn.init.normal_(generator.last.weight, std=1.0)
    y, mask = generator.with_mask(x)
    outside = (mask == 0).expand_as(x)
    assert 0 < outside.float().mean() < 1
    assert torch.equal(y[outside], x[outside])
    assert not torch.equal(y[~outside], x[~outside])
    # Noise that only the network sees does not reach the image.
    y, mask = generator.with_mask(x, x + 0.1)
    assert torch.equal(y[(mask == 0).expand_as(x)], x[(mask == 0).expand_as(x)])


def test_masks_are_penalised_late_and_their_training_resumes(sides, tmp_path):
    recipe = replace(TINY, steps=10, networks="masked")
    training = CycleTraining(*sides, recipe, seed=0, device=torch.device("cpu"))
    training.step()
    assert training.losses["mask"] == 0
    whole = train_cyclegan(*sides, recipe=recipe)
    for _ in range(5):
        training.step()
    assert training.losses["mask"] > 0
    again = CycleTraining(*sides, recipe, seed=0, device=torch.device("cpu"))
    again.restore(*training.state())
    while again.steps < recipe.steps:
        again.step()
    x = torch.rand(2, 1, 16, 16)
    made = again.average.model["b"].eval()(x)
    assert torch.equal(made, whole["b"](x))
    assert roughness(torch.ones(1, 1, 4, 4)) == 0


def test_masks_have_files_of_their_own(sides):
    names = [_identity(*sides, replace(TINY, networks="masked", sparse=s), 0) for s in (0.5, 1)]
    assert len({*names, _identity(*sides, TINY, 0)}) == 3


@pytest.mark.parametrize(
    ("side", "steps"), [(8, 6000), (16, 6000), (20, 3920), (28, 2000), (32, 2000), (224, 2000)]
)
def test_small_images_get_more_steps(side, steps):
    part = Split(np.zeros((2, side, side, 3), np.uint8), np.zeros(2, np.int64))
    assert steps_for(part) == steps
