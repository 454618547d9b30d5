"""Properties of every batch, space, sequence and stream."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from automorph import engine
from automorph.operations import (
    CATALOGUE,
    NOTHING,
    SearchSpace,
    Sequences,
    Stream,
    find_operation,
    named_space,
)
from strategies import batches

Batch = NDArray[np.uint8]
Engine = Callable[..., Batch]
Drawn = tuple[Batch, Sequences, SearchSpace, Stream]
MODES = st.sampled_from(("exact", "fused"))
INTERPOLATIONS = st.sampled_from(("nearest", "bilinear"))
EVERYTHING = SearchSpace("everything", CATALOGUE)
ALONE = SearchSpace("no partners", tuple(op for op in CATALOGUE if not op.partner))


@given(batches(), MODES, INTERPOLATIONS)
def test_shape_type_and_input_are_kept(
    apply: Engine, drawn: Drawn, mode: str, interpolation: str
) -> None:
    images, *rest = drawn
    before = images.copy()
    images.flags.writeable = False
    out = apply(images, *rest, mode=mode, interpolation=interpolation)
    assert out.shape == images.shape
    assert out.dtype == np.uint8
    assert out.flags.c_contiguous
    assert out.flags.writeable
    assert not np.shares_memory(out, images)
    np.testing.assert_array_equal(images, before)


@given(batches(partners=False), MODES, INTERPOLATIONS)
def test_batch_is_a_loop_of_singles(
    apply: Engine, drawn: Drawn, mode: str, interpolation: str
) -> None:
    images, sequences, space, stream = drawn
    options = {"mode": mode, "interpolation": interpolation}
    together = apply(images, sequences, space, stream, **options)
    for row in range(len(images)):
        one = [row]
        alone = apply(images[one], sequences.take(one), space, stream.take(one), **options)
        np.testing.assert_array_equal(together[one], alone)


@given(batches(partners=False, most=8), st.randoms(use_true_random=False))
def test_order_and_split_change_nothing(apply: Engine, drawn: Drawn, random: object) -> None:
    images, sequences, space, stream = drawn
    whole = apply(images, sequences, space, stream)
    order = list(range(len(images)))
    random.shuffle(order)
    cut = random.randint(0, len(order))
    for part in (order[:cut], order[cut:]):
        rows = np.array(part, int)
        out = apply(images[rows], sequences.take(rows), space, stream.take(rows))
        np.testing.assert_array_equal(out, whole[rows])


@given(batches(), MODES, INTERPOLATIONS)
def test_prefixes_are_the_shorter_sequences(
    apply: Engine, drawn: Drawn, mode: str, interpolation: str
) -> None:
    images, sequences, space, stream = drawn
    options = {"mode": mode, "interpolation": interpolation}
    steps = apply(images, sequences, space, stream, prefixes=True, **options)
    assert steps.shape == (len(images), sequences.length + 1, *images.shape[1:])
    for length in range(sequences.length + 1):
        shorter = Sequences.of(
            sequences.op[:, :length], sequences.magnitude[:, :length], sequences.fire[:, :length]
        )
        expected = apply(images, shorter, space, stream, **options)
        np.testing.assert_array_equal(steps[:, length], expected)


@given(batches(), MODES)
def test_empty_and_unfired_positions_do_nothing(apply: Engine, drawn: Drawn, mode: str) -> None:
    images, sequences, space, stream = drawn
    silent = Sequences.of(sequences.op, sequences.magnitude, False)
    nothing = Sequences.of(np.full_like(sequences.op, NOTHING), sequences.magnitude)
    for nobody in (silent, nothing, Sequences.empty(len(images))):
        np.testing.assert_array_equal(apply(images, nobody, space, stream, mode=mode), images)
    unfired = Sequences.of(np.where(sequences.fire, sequences.op, NOTHING), sequences.magnitude)
    np.testing.assert_array_equal(
        apply(images, unfired, space, stream, mode=mode),
        apply(images, sequences, space, stream, mode=mode),
    )


@given(batches(), MODES, INTERPOLATIONS)
def test_magnitude_zero_is_the_identity(
    apply: Engine, drawn: Drawn, mode: str, interpolation: str
) -> None:
    images, sequences, space, stream = drawn
    still = np.array([operation.identity_at_zero for operation in space])
    op = np.where(still[sequences.op], sequences.op, NOTHING)
    out = apply(
        images, Sequences.of(op, 0.0), space, stream, mode=mode, interpolation=interpolation
    )
    np.testing.assert_array_equal(out, images)


@given(batches())
def test_one_more_operation_changes_nothing(apply: Engine, drawn: Drawn) -> None:
    images, sequences, space, stream = drawn
    larger = SearchSpace("larger", (*space.operations, find_operation("Invert").at(7)))
    np.testing.assert_array_equal(
        apply(images, sequences, larger, stream), apply(images, sequences, space, stream)
    )


@given(batches())
def test_stage_of_the_stream_changes_nothing(apply: Engine, drawn: Drawn) -> None:
    images, sequences, space, stream = drawn
    np.testing.assert_array_equal(
        apply(images, sequences, space, stream.at_stage(5)),
        apply(images, sequences, space, stream),
    )


@given(batches(), INTERPOLATIONS)
def test_fused_is_exact_where_nothing_is_to_fuse(
    apply: Engine, drawn: Drawn, interpolation: str
) -> None:
    images, sequences, space, stream = drawn
    once = Sequences.of(sequences.op[:, :1], sequences.magnitude[:, :1], sequences.fire[:, :1])
    np.testing.assert_array_equal(
        apply(images, once, space, stream, mode="fused", interpolation=interpolation),
        apply(images, once, space, stream, mode="exact", interpolation=interpolation),
    )


def test_fused_moves_stay_near_the_exact_ones(apply: Engine) -> None:
    """Smooth images, bilinear: a mean difference of 2 levels away from the border."""
    side = 64
    y, x = np.mgrid[:side, :side]
    smooth = 127 + 100 * np.sin(x / 9.0) * np.cos(y / 7.0)
    images = np.tile(smooth.astype(np.uint8)[None, :, :, None], (40, 1, 1, 1))
    moves = [find_operation(name) for name in ("ShearX", "ShearY", "Rotate", "TranslateX")]
    space = SearchSpace("moves", (*moves, find_operation("HorizontalFlip")))
    rng = np.random.default_rng(0)
    sequences = Sequences.of(rng.integers(0, 5, (40, 4)), rng.uniform(0, 0.2, (40, 4)))
    stream = Stream(index=np.arange(40))
    exact, fused = (
        apply(images, sequences, space, stream, mode=mode, interpolation="bilinear")
        for mode in ("exact", "fused")
    )
    apart = np.abs(exact[:, 24:40, 24:40].astype(int) - fused[:, 24:40, 24:40])
    assert apart.mean() < 2
    assert (fused != exact).any()


def test_fused_moves_keep_what_moves_forth_and_back(apply: Engine, colour_images: Batch) -> None:
    right = find_operation("TranslateX")
    space = SearchSpace("both", (right.at(0.25), right.at(-0.25)))
    sequences = Sequences.of(np.tile([[0, 1]], (200, 1)))
    stream = Stream(index=np.arange(200))
    fused = apply(colour_images, sequences, space, stream, mode="fused")
    np.testing.assert_array_equal(fused, colour_images)
    exact = apply(colour_images, sequences, space, stream)
    np.testing.assert_array_equal(exact[:, :, :24], colour_images[:, :, :24])
    assert not exact[:, :, 24:].any()


def _strength(
    apply: Engine, images: Batch, space: SearchSpace, number: int, magnitude: float
) -> float:
    sequences = Sequences.of(np.full((len(images), 1), number), magnitude)
    out = apply(images, sequences, space, Stream(index=np.arange(len(images))))
    return float(np.abs(out.astype(int) - images).mean())


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
def test_strength_grows_with_magnitude(
    apply: Engine, colour_images: Batch, operation: object
) -> None:
    if operation.name == "Rotate":
        # Beyond 60 degrees, the overlap of a square with itself grows again.
        operation = operation.between(-60, 60)
    space = SearchSpace("one", (operation,))
    strengths = [_strength(apply, colour_images, space, 0, m) for m in np.linspace(0, 1, 7)]
    if operation.magnitude_free:
        assert len(set(strengths)) == 1
        assert (strengths[0] > 0) == (operation.name != "Identity")
    else:
        assert strengths == sorted(strengths)
        assert strengths[0] == 0
        assert strengths[0] < strengths[3] < strengths[6]


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
def test_random_operations_differ_by_place_in_time(
    apply: Engine, colour_images: Batch, operation: object
) -> None:
    """A different seed, epoch, copy, example or position changes the numbers; nothing else does."""
    images = np.repeat(colour_images[:1], 24, axis=0)
    space = SearchSpace("one", (operation,))

    def run(position: int = 0, **place: int) -> Batch:
        op = np.full((24, position + 1), NOTHING)
        op[:, position] = 0
        stream = Stream(**{"index": np.arange(24), **place})
        return apply(images, Sequences.of(op, 0.8), space, stream)

    first = run()
    np.testing.assert_array_equal(first, run())
    free = (operation.random or operation.signed) and not operation.partner
    for other in (run(seed=1), run(epoch=1), run(copy=1), run(position=1)):
        assert (first != other).any() == free
    assert (first[0] != first).any() == free


def _work(rows: list[int]) -> Batch:
    images = np.random.default_rng(0).integers(0, 256, (24, 9, 11, 3), dtype=np.uint8)
    rng = np.random.default_rng(1)
    sequences = Sequences.of(rng.integers(0, len(ALONE), (24, 3)), rng.random((24, 3)))
    stream = Stream(seed=5, epoch=2, index=np.arange(24) + 100)
    return engine.apply(images[rows], sequences.take(rows), ALONE, stream.take(rows))


@pytest.mark.parametrize("workers", [1, 4])
def test_numbers_do_not_depend_on_workers(workers: int) -> None:
    here = _work(list(range(24)))
    parts = [list(range(start, 24, 5)) for start in range(5)]
    with get_context("spawn").Pool(workers) as pool:
        for rows, there in zip(parts, pool.map(_work, parts), strict=True):
            np.testing.assert_array_equal(there, here[rows])


def test_large_batches_are_cut_into_parts_unseen(apply: Engine, colour_images: Batch) -> None:
    images = np.tile(colour_images, (3, 1, 1, 1))
    rng = np.random.default_rng(0)
    sequences = Sequences.of(rng.integers(0, 2, (600, 1)), rng.random((600, 1)))
    space = SearchSpace("two", (find_operation("Noise"), find_operation("Rotate")))
    stream = Stream(index=np.arange(600))
    whole = apply(images, sequences, space, stream)
    some = np.arange(0, 600, 7)
    np.testing.assert_array_equal(
        whole[some], apply(images[some], sequences.take(some), space, stream.take(some))
    )


def test_partner_is_an_untransformed_image_of_the_batch(
    apply: Engine, colour_images: Batch
) -> None:
    images = colour_images[:16]
    space = SearchSpace("two", (find_operation("Invert"), find_operation("SamplePairing").at(1.0)))
    stream = Stream(seed=2, index=np.arange(16))
    out = apply(images, Sequences.of(np.tile([[0, 1]], (16, 1))), space, stream)
    words = stream.bits("op", 1, start=(1 << 24) + 1)[:, 0].astype(np.int64)
    np.testing.assert_array_equal(out, images[((words >> 8) * 16) >> 24])


def test_named_spaces_run_on_every_kind_of_image(apply: Engine, colour_images: Batch) -> None:
    for name in ("autoaugment", "augmix", "tanda-mnist", "tanda-cifar10"):
        space = named_space(name)
        rows = np.arange(len(space))
        for channels in (1, 3, 4):
            images = np.tile(colour_images[:1, :19, :, :1], (len(space), 1, 1, channels))
            sequences = Sequences.of(rows[:, None], 1.0)
            out = apply(images, sequences, space, Stream(index=rows))
            assert out.shape == images.shape
