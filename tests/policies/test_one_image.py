"""One image by the shortest way: the pixels of the same image in a batch, at the same index."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from automorph import load_policy, native
from automorph.errors import DataError, UsageError
from automorph.integrations import Augmented
from automorph.operations import Sequences, Stream
from automorph.policies import Uniform, as_uint8, augment_one, one_image

needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not() or "-")

COMPILED = (
    "randaugment(n=2,m=9)",
    "trivialaugment-wide",
    "autoaugment:cifar10",
    "uniformaugment",
    "fast-autoaugment",
    "turns",
    "random(seed=3)",
    "flip-crop + randaugment(n=5,m=9) + cutout(4)",
    "none + flip + trivialaugment",
    "rand-m9-n2-p0.5-mstd101",
    "composition(n=3,p=0.3,low=0.2,levels=7)",
    "composition(n=2,levels=1)",
)
GENERAL = ("none", "augmix", "rand-m9-mstd0.5-inc1", "randaugment + crop(mode=reflect)")


def forms(image):
    """An image (H, W, C) in every form, with different memory."""
    planes = torch.from_numpy(image).permute(2, 0, 1)
    shown = [image, np.asfortranarray(image), planes.contiguous(), planes]
    shown += [planes.contiguous().flip(1).contiguous().flip(1), planes.contiguous()[..., ::1]]
    if image.shape[2] > 1:
        return [*shown, Image.fromarray(image)]
    return [*shown, image[..., 0], planes[0], Image.fromarray(image[..., 0])]


@needs_native
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_one_image_equals_the_same_image_in_a_batch(name, interpolation):
    rng = np.random.default_rng(len(name))
    policy = load_policy(name).rendered(interpolation=interpolation)
    for _ in range(12):
        shape = (*rng.integers(1, 50, 2), rng.choice([1, 3, 4]))
        # Equal images, since SamplePairing takes another one of the batch.
        batch = rng.integers(0, 256, (1, *shape), np.uint8).repeat(3, 0)
        index = rng.integers(0, 2**40, 3)
        where = {"seed": int(rng.integers(9)), "epoch": int(rng.integers(2**32))}
        copy = int(rng.integers(4))
        whole = policy.augment(batch, index=index, copy=copy, **where)
        for image in forms(batch[1]):
            alone = augment_one(policy, image, index=int(index[1]), copy=copy, **where)
            assert type(alone) is type(image)
            assert not isinstance(image, Image.Image) or alone.mode == image.mode
            np.testing.assert_array_equal(as_uint8(alone), whole[1])
        np.testing.assert_array_equal(
            policy.augment(batch[1:2], index=index[1:2], copy=copy, **where)[0], whole[1]
        )


@pytest.mark.parametrize("name", GENERAL)
def test_what_is_not_compiled_takes_the_general_path(name):
    policy = load_policy(name)
    batch = np.random.default_rng(0).integers(0, 256, (3, 9, 8, 3), np.uint8)
    assert augment_one(policy, batch[1], seed=1, epoch=2, index=1, copy=0) is None
    whole = policy.augment(batch, seed=1, epoch=2)
    np.testing.assert_array_equal(
        policy.augment(batch[1:2], seed=1, epoch=2, index=[1])[0], whole[1]
    )
    data = Augmented(list(batch), policy, seed=1)
    data.set_epoch(2)
    np.testing.assert_array_equal(data[1], whole[1])


def test_the_reference_path_gives_the_same():
    policy = load_policy("flip-crop + randaugment(n=2,m=9)")
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)
    compiled = policy.augment(image[None], seed=4, index=[7])
    one_image._shares_memory.cache_clear()
    with native.using("reference"):
        for shown in forms(image):
            assert augment_one(policy, shown, seed=4, epoch=0, index=7, copy=0) is None
            assert type(policy(shown)) is type(shown)
        np.testing.assert_array_equal(policy.augment(image[None], seed=4, index=[7]), compiled)


@needs_native
def test_samples_of_a_data_set_equal_those_of_a_loader():
    images = np.random.default_rng(1).integers(0, 256, (40, 12, 11, 3), np.uint8)
    samples = [(image, label) for label, image in enumerate(images)]
    for policy in (COMPILED[0], GENERAL[1]):
        data = Augmented(samples, policy, seed=5, copies=2)
        together = data.__getitems__(range(80))
        for number in (0, 3, 41, 79, -1):
            image, label = data[number]
            np.testing.assert_array_equal(image, together[number][0])
            assert label == together[number][1]
        with pytest.raises(IndexError, match="got index 80 for a data set of 80 samples"):
            data[80]


@needs_native
def test_large_images_of_a_batch_go_one_by_one():
    images = np.random.default_rng(1).integers(0, 256, (4, 90, 80, 3), np.uint8)
    data = Augmented(list(images), COMPILED[0], seed=5)
    expected = data.policy.augment(images, seed=5)
    np.testing.assert_array_equal(np.stack(data.__getitems__([0, 1, 2, 3])), expected)


@needs_native
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGBA", 4)])
def test_images_of_pillow_in_any_memory(mode, channels):
    policy = load_policy(COMPILED[0])
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, channels), np.uint8)
    mapped = Image.frombuffer(mode, (40, 30), pixels.tobytes(), "raw", mode, 0, 1)
    for image in (mapped, mapped.crop((3, 2, 33, 22)), mapped.rotate(90, expand=True)):
        before = image.tobytes()
        alone = augment_one(policy, image, seed=0, epoch=0, index=3, copy=0)
        whole = policy.augment(as_uint8(image)[None].repeat(2, 0), index=[3, 4])
        assert image.tobytes() == before
        assert alone is None or (as_uint8(alone) == whole[0]).all()


BAD = {
    "floats": np.zeros((4, 4, 3)),
    "two channels": np.zeros((4, 4, 2), np.uint8),
    "no pixels": np.zeros((0, 4, 3), np.uint8),
    "a row": np.zeros(4, np.uint8),
    "palette": Image.fromarray(np.zeros((4, 4), np.uint8)).convert("P"),
    "a number": 3,
}


@pytest.mark.parametrize("image", BAD.values(), ids=BAD)
def test_bad_images_are_refused_as_in_batches(image):
    policy = load_policy(COMPILED[0])
    messages = []
    for ask in (lambda: Augmented([image], policy)[0], lambda: policy(image)):
        with pytest.raises((DataError, UsageError)) as refused:
            ask()
        messages.append(str(refused.value))
    with native.using("reference"), pytest.raises((DataError, UsageError)) as refused:
        policy(image)
    assert messages == [str(refused.value)] * 2
    assert "expected" in messages[0]


def test_colours_for_other_channels_are_refused():
    policy = load_policy("cutout(4)").rendered(fill=(1, 2, 3))
    grey = np.zeros((8, 8, 1), np.uint8)
    for ask in (lambda: policy(grey), lambda: policy.augment(grey[None])):
        with pytest.raises(UsageError, match="3"):
            ask()
    assert policy(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("option", "value"), [("epoch", -1), ("epoch", 2**32), ("copy", 1 << 16), ("seed", "a")]
)
def test_bad_numbers_are_refused_for_one_image(option, value):
    with pytest.raises(UsageError, match=f"got {option}="):
        load_policy(COMPILED[0]).augment(np.zeros((1, 8, 8, 3), np.uint8), **{option: value})


@needs_native
def test_several_threads_and_seeds():
    policy, image = load_policy(COMPILED[3]), np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)

    def draw(number):
        return augment_one(policy, image, seed=number % 100, epoch=0, index=number, copy=0)

    expected = [draw(number) for number in range(400)]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(draw, range(400)), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_policies_travel_after_a_call():
    policy, image = load_policy(COMPILED[0]), np.zeros((8, 9, 3), np.uint8)
    policy(image)
    assert pickle.loads(pickle.dumps(policy)) == policy


class Still(Uniform):
    """A policy of the user that draws otherwise."""

    def sample(self, stream: Stream) -> Sequences:
        return Sequences.empty(len(stream))


def test_policies_of_the_user_draw_by_themselves():
    known = load_policy(COMPILED[0])
    still = Still(operations=known.operations, length=2, low=0.3, high=0.3)
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), np.uint8)
    for index in range(20):
        np.testing.assert_array_equal(still.augment(image[None], index=[index])[0], image)
    assert (replace(known).augment(image[None], index=[1]) != image).any()
