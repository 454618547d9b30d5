"""How fast is each operation? All of them on images of 224 px, against the OpenCV calls for each.

Both sides get a batch of arrays in memory, one operation and a fixed magnitude, and write uint8
arrays; Automorph draws its random numbers inside (`engine.apply`), OpenCV's numbers are drawn
beforehand (`opencv_calls.py`). One thread each (`cv2.setNumThreads(1)`). Noise is compared with
drawing as many normal numbers with NumPy; ElasticTransform and Elastic with the blur of two fields
and remap.

Expected before the run: every operation takes at most 1.5 times as long as the OpenCV calls for it,
nearest and bilinear; Noise at most 1.3 times as long as drawing the normal numbers.

n: 9 interleaved rounds per operation, each call repeated for 20 ms; medians of ratios, with the
smallest and largest. The hardware and the other load on the processor are recorded with the result.
Rerun: .venv/bin/python benchmarks/operations.py (about a minute; ``--only Blur,Hue`` prints some)
Finished cells are lines of results/operations.jsonl, those of processors with AVX-512 and of others
beside one another; remove the lines of one to measure it again.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import statistics  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from automorph import engine, native  # noqa: E402
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream  # noqa: E402
from cells import Cells  # noqa: E402
from opencv_calls import calls  # noqa: E402
from record import claim, machine, write_result  # noqa: E402
from repeated import seconds_per_call  # noqa: E402

cv2.setNumThreads(1)

ROUNDS, SIDE, BATCH = 9, 224, 32
MOST, MOST_NOISE = 1.5, 1.3
ENGINES = ("avx2", "avx512")
FLAGS = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}
INTERPOLATED = (
    "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop", "Affine", "Perspective",
    "GridDistortion", "OpticalDistortion", "ElasticTransform",
)  # fmt: skip
"""Operations that the interpolation applies to; the others are measured once."""


def photographs() -> np.ndarray:
    """Crops of scikit-learn's two photographs, uint8 ``(BATCH, SIDE, SIDE, 3)``."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    found = []
    for k in range(BATCH):
        photo = load_sample_images().images[k % 2]
        top, left = (int(rng.integers(0, side - SIDE)) for side in photo.shape[:2])
        found.append(photo[top : top + SIDE, left : left + SIDE])
    return np.ascontiguousarray(found)


def ours(name: str, batch: np.ndarray, interpolation: str) -> Callable[[], Any]:
    """One operation at half its magnitude, on every image."""
    space = SearchSpace("one", (OPERATIONS[name],))
    sequences = Sequences.of(np.zeros((len(batch), 1), np.int16), 0.5)
    stream = Stream(index=np.arange(len(batch)))
    return lambda: engine.apply(batch, sequences, space, stream, interpolation=interpolation)


def theirs(name: str, batch: np.ndarray, interpolation: str) -> Callable[[], Any]:
    """The OpenCV calls, image by image."""
    call = calls(SIDE, FLAGS[interpolation])[name]

    def run() -> None:
        out = np.empty_like(batch)
        for image, target in zip(batch, out, strict=True):
            call(image, target)

    return run


def compare(name: str, interpolation: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Time both sides in turn, round by round."""
    batch = photographs()
    mine, other = ours(name, batch, interpolation), theirs(name, batch, interpolation)
    before = machine()
    mine(), other()
    taken = [(seconds_per_call(mine), seconds_per_call(other)) for _ in range(rounds)]
    ratios = [a / b for a, b in taken]
    return {
        "operation": name,
        "interpolation": interpolation if name in INTERPOLATED else "",
        "microseconds": 1e6 * statistics.median(a for a, _ in taken) / len(batch),
        "microseconds_opencv": 1e6 * statistics.median(b for _, b in taken) / len(batch),
        "ratio": {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)},
        "engine": native.variant(),
        "processor": before["processor"],
        "load": [before["load"], os.getloadavg()],
    }


def claim_of(row: dict[str, Any]) -> Any:
    """Judge one operation."""
    most = MOST_NOISE if row["operation"] == "Noise" else MOST
    what = "drawing as many normal numbers" if row["operation"] == "Noise" else "OpenCV"
    kind = f", {row['interpolation']}" if row["interpolation"] else ""
    ratio = row["ratio"]
    side = f"{SIDE} px ({row['engine']})"
    text = f"{row['operation']}{kind}, {side}: at most {most} times as long as {what}"
    return claim(text, ratio["median"], [ratio["low"], ratio["high"]], ratio["median"] <= most)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="print these operations, and store nothing")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    names = given.only.split(",") if given.only else list(calls(SIDE, cv2.INTER_NEAREST))
    wanted = [
        (name, interpolation)
        for name in names
        for interpolation in FLAGS
        if interpolation == "nearest" or name in INTERPOLATED
    ]
    if given.only:
        for name, interpolation in wanted:
            row = compare(name, interpolation, given.rounds)
            print(f"{name + '-' + interpolation:28} {row['microseconds']:8.0f}"
                  f" {row['microseconds_opencv']:8.0f} us {row['ratio']['median']:7.2f}",
                  flush=True)  # fmt: skip
        return
    cells, engine_name = Cells("operations"), native.variant()
    for name, interpolation in wanted:
        print(f"measuring {name}, {interpolation} ..", flush=True)
        cells.kept(f"{engine_name}-{name}-{interpolation}", compare, name, interpolation)
    rows = [
        cells[cell]
        for name, interpolation in wanted
        for other in ENGINES
        if (cell := f"{other}-{name}-{interpolation}") in cells
    ]
    claims = [claim_of(row) for row in rows]
    for one in claims:
        print("holds " if one["holds"] else "FAILS ", one["text"], one["value"], one["interval"])
    write_result("operations", rows=rows, claims=claims, rounds=ROUNDS)


if __name__ == "__main__":
    main()
