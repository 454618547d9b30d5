"""The device path matches the reference path and never synchronises with the device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from automorph import engine
from automorph.engine import apply_reference
from automorph.engine.torch import apply, apply_on_device
from automorph.engine.torch.transfer import send
from automorph.errors import AutomorphError, DataError, UsageError
from automorph.operations import (
    CATALOGUE,
    Operation,
    SearchSpace,
    Sequences,
    Stream,
    find_operation,
    named_space,
    operation,
    philox,
)
from automorph.operations.device import random_words
from automorph.operations.random import stream_key
from strategies import batches

Batch = NDArray[np.uint8]
Drawn = tuple[Batch, Sequences, SearchSpace, Stream]
OPTIONS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(("exact", "fused")),
        "interpolation": st.sampled_from(("nearest", "bilinear")),
        "prefixes": st.booleans(),
        "fill": st.integers(0, 255),
    }
)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
COMMON = (*named_space("autoaugment").names, "Identity", "SolarizeAdd", "HorizontalFlip")
COMMON = (*COMMON, "VerticalFlip", "PadCrop")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def on_device(images: Batch, *rest: object, device: str = "cpu", **options: object) -> Batch:
    """The device path, with channels last as in the others."""
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).to(device)
    out = apply_on_device(batch, *rest, **options)
    assert out.device == batch.device
    assert out.dtype == torch.uint8
    assert out.is_contiguous()
    return np.ascontiguousarray(out.movedim(-3, -1).cpu().numpy())


def assert_equal(out: Batch, expected: Batch, names: tuple[str, ...]) -> None:
    """Every pixel is equal; the sines of Swirl may differ in their last bit."""
    if "Swirl" in names and not np.array_equal(out, expected):
        apart = np.abs(out.astype(int) - expected)
        assert (apart > 0).mean() < 0.01
        return
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=300)
@given(batches(), OPTIONS)
def test_equal_to_the_reference(device: str, drawn: Drawn, options: dict[str, object]) -> None:
    images, sequences, space, stream = drawn
    before = images.copy()
    out = on_device(images, sequences, space, stream, device=device, **options)
    np.testing.assert_array_equal(images, before)
    expected = apply_reference(images, sequences, space, stream, **options)
    assert_equal(out, expected, tuple(operation.kernel for operation in space))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    "space", ["randaugment", "trivialaugment-wide", "autoaugment", "catalogue"]
)
def test_equal_on_real_images(
    colour_images: Batch, space: str, interpolation: str, device: str
) -> None:
    """Two operations per image; 200 images, so that kernels get all, some or parts of them."""
    operations = tuple(op for op in named_space(space) if op.name in COMMON)
    common = SearchSpace(space, operations)
    rng = np.random.default_rng(0)
    op = rng.integers(0, len(common), (200, 2))
    op[:, 1] = np.where(rng.random(200) < 0.5, op[:, 1], common.number("Posterize"))
    sequences = Sequences.of(op, rng.random((200, 2)))
    stream = Stream(seed=1, epoch=3, index=rng.permutation(200))
    given = (colour_images, sequences, common, stream)
    options = {"interpolation": interpolation, "fill": (1, 2, 3)}
    out = on_device(*given, device=device, **options)
    np.testing.assert_array_equal(out, apply_reference(*given, **options))


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
def test_every_operation_of_the_catalogue(colour_images: Batch, operation: Operation) -> None:
    space = SearchSpace("one", (operation,))
    images = colour_images[:40]
    sequences = Sequences.of(np.zeros((40, 2)), np.linspace(0, 1, 80).reshape(40, 2))
    stream = Stream(seed=4, index=np.arange(40))
    for channels in (1, 3, 4):
        batch = np.concatenate([images, images[..., ::-1]], axis=3)[..., :channels]
        given = (np.ascontiguousarray(batch), sequences, space, stream)
        assert_equal(on_device(*given), apply_reference(*given), (operation.name,))


def test_moves_too_wide_for_fixed_point_go_through_the_host() -> None:
    far = SearchSpace("far", (Operation("TranslateX", low=-40000, high=40000, identity=0),))
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 50, 3), dtype=np.uint8)
    sequences = Sequences.of(np.zeros((6, 1)), [[1], [0.9], [0.0005], [0.0001], [0], [0.5]])
    given = (images, sequences, far, Stream(index=np.arange(6)))
    np.testing.assert_array_equal(on_device(*given, fill=9), apply_reference(*given, fill=9))


def test_nothing_waits_for_the_device() -> None:
    """Tensors without storage: reading a value from them fails."""
    everything = SearchSpace("everything", CATALOGUE)
    rows = np.arange(len(everything))
    sequences = Sequences.of(np.stack([rows, rows[::-1]], axis=1), 0.7)
    images = torch.empty((len(rows), 4, 13, 11), dtype=torch.uint8, device="meta")
    for options in (
        {},
        {"interpolation": "bilinear"},
        {"mode": "fused", "prefixes": True},
    ):
        out = apply_on_device(images, sequences, everything, Stream(index=rows), **options)
        assert out.device.type == "meta"
        assert out.shape[-3:] == images.shape[-3:]
    mine = everything.with_operations(Operation("mine", function=lambda image, value: image))
    with pytest.raises(NotImplementedError, match="meta"):
        apply_on_device(
            images, Sequences.of(rows[:, None] * 0 + len(rows)), mine, Stream(index=rows)
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_nothing_synchronises_on_cuda() -> None:
    everything = SearchSpace("everything", CATALOGUE)
    rows = np.arange(len(everything))
    given = (Sequences.of(np.stack([rows, rows[::-1]], axis=1), 0.7), everything)
    images = torch.zeros((len(rows), 3, 33, 31), dtype=torch.uint8, device="cuda")
    apply_on_device(images, *given, Stream(index=rows))  # Fixed tables are transferred once.
    torch.cuda.set_sync_debug_mode("error")
    try:
        for interpolation in ("nearest", "bilinear"):
            apply_on_device(images, *given, Stream(index=rows), interpolation=interpolation)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_users_operations_go_through_the_host(colour_images: Batch) -> None:
    @operation(range=(0, 40), unit="level")
    def lift(image, value, rng):
        noise = rng.integers(0, 5, image.shape)
        return np.minimum(image + noise + int(value), 255).astype(np.uint8)

    @operation(batched=True)
    def swap(images, values):
        return images[..., ::-1]

    space = SearchSpace("mine", (lift, swap, find_operation("Rotate"), find_operation("Equalize")))
    rng = np.random.default_rng(2)
    sequences = Sequences.of(rng.integers(0, 4, (30, 3)), rng.random((30, 3)))
    given = (colour_images[:30], sequences, space, Stream(index=np.arange(30)))
    for mode in ("exact", "fused"):
        np.testing.assert_array_equal(
            on_device(*given, mode=mode), apply_reference(*given, mode=mode)
        )


def test_a_users_operation_that_fails_is_named() -> None:
    broken = SearchSpace("mine", (Operation("broken", function=lambda image, value: 1 / 0),))
    images = torch.zeros((1, 3, 4, 4), dtype=torch.uint8)
    with pytest.raises(AutomorphError, match="'broken' on example 7 raised ZeroDivisionError"):
        apply_on_device(images, Sequences.of([[0]]), broken, Stream(index=[7]))


def test_large_batches_are_cut_into_parts_unseen(
    colour_images: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = named_space("catalogue")
    rng = np.random.default_rng(0)
    sequences = Sequences.of(rng.integers(0, len(space), (200, 1)), rng.random((200, 1)))
    sequences.op[:, 0] = np.where(np.arange(200) < 100, sequences.op[:, 0], space.number("Rotate"))
    given = (colour_images, sequences, space, Stream(index=np.arange(200)))
    whole = on_device(*given)
    monkeypatch.setitem(apply._MOST_VALUES, "cpu", 7 * colour_images[0].size)
    np.testing.assert_array_equal(on_device(*given), whole)


def test_devices_without_double_precision_are_close(
    colour_images: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Apple devices: nearest-neighbour moves, tables and blends are equal; the other
    operations agree in nearly all pixels."""
    monkeypatch.setattr(apply, "wide_type", lambda device: torch.float32)
    stream = Stream(index=np.arange(50))
    for one in CATALOGUE:
        space = SearchSpace("one", (one,))
        sequences = Sequences.of(np.zeros((50, 1)), np.linspace(0, 1, 50)[:, None])
        given = (colour_images[:50], sequences, space, stream)
        for interpolation in ("nearest", "bilinear"):
            out = on_device(*given, interpolation=interpolation)
            expected = apply_reference(*given, interpolation=interpolation)
            if one.name in COMMON and one.name != "AutoContrast" and interpolation == "nearest":
                np.testing.assert_array_equal(out, expected)
            else:
                assert (out != expected).mean() < 0.01, one.name


def test_random_words_are_those_of_the_stream() -> None:
    rng = np.random.default_rng(0)
    counters = rng.integers(0, 2**32, (20, 4))
    keys = rng.integers(0, 2**32, (20, 2))
    counters[:, 2] = np.arange(20) << 22
    words = random_words(torch.from_numpy(counters), torch.from_numpy(keys), count=11, draw=5)
    for row, (counter, key) in enumerate(zip(counters, keys, strict=True)):
        blocks = [philox(counter + np.array([0, 0, block, 0]), key) for block in range(4)]
        assert words[row].tolist() == np.concatenate(blocks)[5:16].tolist()
    stream = Stream(seed=3, epoch=4, index=[5], copy=6)
    key = torch.tensor([stream_key(3, "op")])
    own = random_words(torch.tensor([[5, 4, 0, 6]]), key, count=9, draw=0)
    assert own.tolist() == stream.bits("op", 9).tolist()


def test_parcels_arrive_as_they_were_sent() -> None:
    rng = np.random.default_rng(0)
    arrays = [
        rng.random((3, 2)) < 0.5, rng.integers(0, 256, 5, dtype=np.uint8), rng.random((2, 3)),
        np.arange(7)[::-2], rng.random(3).astype(np.float32), np.empty((2, 0)),
    ]  # fmt: skip
    groups = [tuple(arrays[:2]), (), tuple(arrays[2:])]
    sent = send(groups, torch.device("cpu"))
    assert [len(group) for group in sent] == [2, 0, 4]
    for array, tensor in zip(arrays, [*sent[0], *sent[2]], strict=True):
        np.testing.assert_array_equal(tensor.numpy(), array)
        assert tensor.numpy().dtype == array.dtype
    assert send(groups, torch.device("cpu"), wide=torch.float32)[2][0].dtype == torch.float32


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_door_takes_tensors(device: str) -> None:
    space = named_space("randaugment")
    sequences = Sequences.of(np.random.default_rng(0).integers(0, 14, (20, 2)), 0.6)
    stream = Stream(index=np.arange(20))
    arrays = np.random.default_rng(1).integers(0, 256, (20, 9, 8, 3), dtype=np.uint8)
    images = torch.from_numpy(arrays).permute(0, 3, 1, 2).to(device)
    kept = images.clone()
    out = engine.apply(images, sequences, space, stream)
    steps = engine.apply(images, sequences, space, stream, prefixes=True)
    floats = engine.apply(images.float() / 255, sequences, space, stream)
    assert (out.shape, steps.shape) == (images.shape, (20, 3, *images.shape[1:]))
    assert (out.dtype, floats.dtype) == (torch.uint8, torch.float32)
    if device == "meta":
        return
    assert torch.equal(images, kept)
    expected = apply_reference(arrays, sequences, space, stream, prefixes=True)
    np.testing.assert_array_equal(steps.movedim(2, -1), expected)
    np.testing.assert_array_equal(out.permute(0, 2, 3, 1), expected[:, -1])
    np.testing.assert_array_equal(floats, out.float() / 255)
    halves = engine.apply(images.half() / 255, sequences, space, stream)
    assert halves.dtype == torch.float16
    np.testing.assert_array_equal(halves, out.half() / 255)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(2, 5, 6, 3, dtype=torch.uint8), "channels last"),
        (torch.zeros(3, 5, 6, dtype=torch.uint8), "add an axis"),
        (torch.zeros(2, 3, 5, 6, dtype=torch.int64), "uint8 or floats"),
        (torch.zeros(2, 3, 0, 6, dtype=torch.uint8), "at least one pixel"),
    ],
)
def test_tensors_that_are_no_images(images: torch.Tensor, says: str) -> None:
    with pytest.raises(DataError, match=says):
        engine.apply(images, Sequences.of([[1], [2]]), named_space("randaugment"), Stream())


def test_arguments_are_checked() -> None:
    images, space = torch.zeros(2, 3, 5, 6, dtype=torch.uint8), named_space("randaugment")
    sequences, stream = Sequences.of([[1], [2]]), Stream(index=[0, 1])
    for apply_path in (engine.apply, apply_on_device):
        with pytest.raises(UsageError, match="to the stream as `index=`"):
            apply_path(images, sequences, space, Stream())
        with pytest.raises(UsageError, match="got fill=256"):
            apply_path(images, sequences, space, stream, fill=256)
        with pytest.raises(UsageError, match="'nearest' or 'bilinear'"):
            apply_path(images, sequences, space, stream, interpolation="cubic")
    with pytest.raises(DataError, match="NumPy"):
        engine.apply(torch.zeros(2, 2), sequences, named_space("disc-axes"), stream)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_no_images(device: str) -> None:
    images = torch.zeros(0, 3, 5, 6, dtype=torch.uint8, device=device)
    nobody = (Sequences.of(np.empty((0, 2), int)), named_space("randaugment"), Stream(index=[]))
    assert engine.apply(images, *nobody).shape == (0, 3, 5, 6)
    assert engine.apply(images, *nobody, prefixes=True).shape == (0, 3, 3, 5, 6)


def test_arrays_do_not_need_torch() -> None:
    program = (
        "import sys, numpy as np\n"
        "from automorph import load_policy\n"
        "load_policy('randaugment').augment(np.zeros((2, 8, 8, 3), np.uint8))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
