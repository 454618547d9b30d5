"""Threads, processes, memory, and operations without a compiled kernel."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from native_programs import Case, case, pictures
from numpy.typing import NDArray

from automorph import native
from automorph.engine import apply_native, apply_reference
from automorph.errors import AutomorphError
from automorph.operations import SearchSpace, Sequences, Stream, named_space, operation

needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not() or "-")


def _many(n: int = 64, side: int = 20) -> Case:
    """Images and programs of RandAugment."""
    rng = np.random.default_rng(n)
    space = named_space("randaugment")
    return Case(
        pictures(rng, (n, side, side, 3)),
        Sequences.of(rng.integers(0, len(space), (n, 3)), rng.random((n, 3))),
        space,
        Stream(seed=2, index=np.arange(n)),
        {},
    )


@pytest.mark.parametrize("threads", [2, 3, 8, 100])
def test_number_of_threads_changes_nothing(variant: str, threads: int) -> None:
    for drawn in (_many(), _many(1), *map(case, range(10))):
        once = drawn.through(apply_native)
        np.testing.assert_array_equal(drawn.through(apply_native, threads=threads), once)


def test_several_threads_of_the_caller(variant: str) -> None:
    drawn = _many(200)
    expected = drawn.through(apply_native)
    with ThreadPoolExecutor(8) as pool:
        parts = [
            pool.submit(drawn.through, apply_native, threads=1 + number % 3) for number in range(40)
        ]
        for part in parts:
            np.testing.assert_array_equal(part.result(), expected)


def _work(seed: int) -> NDArray[np.uint8]:
    drawn = case(seed)
    return drawn.through(apply_native, threads=2)


@needs_native
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_other_processes(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not know {method}")
    expected = [_work(seed) for seed in range(8)]  # from here on, this process has threads
    with multiprocessing.get_context(method).Pool(2) as pool:
        for here, there in zip(expected, pool.map(_work, range(8)), strict=True):
            np.testing.assert_array_equal(here, there)


class _Augmented:
    def __len__(self) -> int:
        return 24

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        drawn = _many(24)
        one = [row]
        return apply_native(
            drawn.images[one], drawn.sequences.take(one), drawn.space, drawn.stream.take(one)
        )[0]


@needs_native
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_data_loader(workers: int) -> None:
    from torch.utils.data import DataLoader

    loader = DataLoader(_Augmented(), batch_size=8, num_workers=workers)
    together = np.concatenate([batch.numpy() for batch in loader])
    np.testing.assert_array_equal(together, _many(24).through(apply_native))


def test_nothing_is_written_outside(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    margin = 4096
    kept: list[NDArray[np.uint8]] = []

    def framed(program: native.Program) -> NDArray[np.uint8]:
        n, *shape = program.images.shape
        steps = (program.op.shape[1] + 1,) if program.prefixes else ()
        size = int(np.prod((n, *steps, *shape)))
        memory = np.full(size + 2 * margin, 77, np.uint8)
        kept.append(memory)
        return memory[margin : margin + size].reshape(n, *steps, *shape)

    monkeypatch.setattr(native.Program, "new_result", framed)
    for number in range(60):
        drawn = case(500 + number)
        before = drawn.images.copy()
        drawn.images.flags.writeable = False
        drawn.through(apply_native)
        np.testing.assert_array_equal(drawn.images, before)
        memory = kept.pop()
        assert (memory[:margin] == 77).all()
        assert (memory[-margin:] == 77).all()


def test_any_layout_of_the_input(variant: str) -> None:
    drawn = _many()
    expected = drawn.through(apply_native)
    planes = np.ascontiguousarray(drawn.images.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    strided = np.zeros((64, 20, 40, 3), np.uint8)[:, :, ::2]
    strided[...] = drawn.images
    for images in (planes, strided):
        out = apply_native(images, drawn.sequences, drawn.space, drawn.stream)
        np.testing.assert_array_equal(out, expected)


@operation(range=(0, 40), unit="level", identity=0)
def lift(image: NDArray[np.uint8], value: float) -> NDArray[np.uint8]:
    return np.minimum(image.astype(int) + int(value), 255).astype(np.uint8)


@operation(range=(0, 9), batched=True)
def noisy(
    images: NDArray[np.uint8], values: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    return images ^ rng.integers(0, 4, images.shape, dtype=np.uint8)


@operation(range=(0, 1))
def broken(image: NDArray[np.uint8], value: float) -> NDArray[np.uint8]:
    raise ValueError("no")


@pytest.mark.parametrize("seed", range(12))
def test_functions_of_the_user_anywhere(variant: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = SearchSpace("mixed", (*named_space("autoaugment").operations, lift, noisy))
    shape = (20, 5)
    # Half of all operations are user functions.
    op = np.where(rng.random(shape) < 0.5, rng.integers(16, 18, shape), rng.integers(-1, 16, shape))
    drawn = Case(
        pictures(rng, (20, 13, 21, 3)),
        Sequences.of(op, rng.random(shape), rng.random(shape) < 0.9),
        space,
        Stream(seed=seed, index=np.arange(20)),
        {"prefixes": bool(seed % 2), "mode": "fused" if seed % 3 == 0 else "exact"},
    )
    np.testing.assert_array_equal(
        drawn.through(apply_native, threads=2), drawn.through(apply_reference)
    )


def test_failures_of_the_user_are_named(variant: str) -> None:
    space = SearchSpace("one", (broken,))
    images = np.zeros((3, 4, 4, 3), np.uint8)
    stream = Stream(index=[5, 6, 7])
    with pytest.raises(AutomorphError, match=r"'broken' on example 6 raised ValueError: no"):
        apply_native(images, Sequences.of([[-1], [0], [-1]]), space, stream)


def test_empty_batches(variant: str) -> None:
    space = named_space("catalogue")
    for length in (0, 3):
        sequences = Sequences.of(np.empty((0, length), np.int16))
        none = np.empty((0, 5, 6, 3), np.uint8)
        assert apply_native(none, sequences, space, Stream(index=[])).shape == none.shape
    one = np.zeros((1, 5, 6, 3), np.uint8)
    out = apply_native(one, Sequences.empty(1), space, Stream(), prefixes=True)
    assert out.shape == (1, 1, 5, 6, 3)


def test_scratch_memory_is_small(variant: str) -> None:
    """Apart from input and result, applying a sequence needs little more than two images: under
    8 MiB at 1000 px."""
    code = """
import resource
import numpy as np
from automorph import native
from automorph.engine import apply_native
from automorph.space import Sequences, Stream, named_space
space = named_space("autoaugment")
images = np.full((2, 1000, 1000, 3), 9, np.uint8)
images[:, ::3] = 200
sequences = Sequences.of([[0, 11, 4, 13, 7, 14], [1, 2, 3, 4, 5, 12]], 0.9)
warm = apply_native(images[:, :8, :8], sequences, space, Stream(index=[0, 1]))
result = np.ones_like(images)
native.Program.new_result = lambda program: result
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
apply_native(images, sequences, space, Stream(index=[0, 1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    pytest.importorskip("resource")
    environment = {**os.environ, native.ENGINE_VARIABLE: variant}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    kibibytes = int(done.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kibibytes < 8 * 1024


def test_interpreter_runs_on_during_a_walk(variant: str) -> None:
    drawn = _many(64, 400)
    turns = 0
    done = threading.Event()

    def walk() -> None:
        drawn.through(apply_native)
        done.set()

    thread = threading.Thread(target=walk)
    thread.start()
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3
