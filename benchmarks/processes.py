"""One training on two processes, each on its own core, against one process on one core.

Expected before the run: where decoding is most of the work, two processes are at least 1.7 times as
fast, and their test accuracy is within two standard errors of that of one process (the batches are
the same; sums are added in a different order).

n: 6,000 JPEG files of 256 px in 20 classes that differ in colour, random crops of 32 px, ``cnn:4``,
six epochs, batches of 256, three paired seeds, TrivialAugment; each training process has one
decoding process, on the same core.

The first run, on files of 64 px, was not faster on two processes (0.7 times as fast): decoding was
less than half of the work there, and batch statistics took 37 messages per step. They now take 14,
and the files are as large as downsized photographs.

Run: .venv/bin/python benchmarks/processes.py (about 10 minutes of two cores)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from record import claim, write_result

IMAGES, CLASSES, HELD_OUT, SEEDS = 6_000, 20, 1000, 3


def make_images(folder: Path) -> None:
    """Write JPEG files whose colour, with noise, determines the class."""
    from PIL import Image

    rng = np.random.default_rng(0)
    colours = rng.integers(40, 216, (CLASSES, 3))
    for part, count in (("train", IMAGES), ("validation", HELD_OUT), ("test", HELD_OUT)):
        for label in range(CLASSES):
            place = folder / part / f"c{label:03d}"
            place.mkdir(parents=True)
            for number in range(count // CLASSES):
                noise = rng.normal(0, 40, (8, 8, 3)) + rng.normal(0, 10, 3)
                small = np.clip(colours[label] + noise, 0, 255).astype(np.uint8)
                Image.fromarray(small).resize((256, 256)).save(place / f"{number}.jpg", quality=80)


def train_here(folder: Path, seed: int, run: Path) -> None:
    """Run one of the processes, pinned to the core of its rank."""
    import torch
    import torch.distributed as dist

    from automorph.data import load_data
    from automorph.training import Recipe, make_task, train

    os.sched_setaffinity(0, {int(os.environ.get("LOCAL_RANK", "0"))})
    torch.set_num_threads(1)
    data = load_data(f"folder:{folder}", size=32, on_demand=True, crop=0.5, decoders=1)
    recipe = Recipe(epochs=6, batch_size=256, lr=0.05, precision="fp32")
    task = make_task(data, model="cnn:4", recipe=recipe)
    train(task, "trivialaugment", seed=seed, folder=run, progress=False, device="cpu")
    if dist.is_initialized():
        dist.destroy_process_group()


def launched(folder: Path, seed: int, run: Path, processes: int) -> dict[str, float]:
    """Accuracy and duration of a training on the given number of processes, by torchrun."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words = [sys.executable, *launcher, __file__, str(folder), str(seed), str(run)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(words, check=True, env=environment)
    found = json.loads((run / "result.json").read_text("utf-8"))
    return {"accuracy": found["accuracy"]["test"], "seconds": found["seconds"]}


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "images")
        for seed in range(SEEDS):
            for processes in (1, 2):
                run = folder / f"{processes}-{seed}"
                found = launched(folder / "images", seed, run, processes)
                rows.append({"processes": processes, "seed": seed, **found})
                print(rows[-1])
    one, two = ([row for row in rows if row["processes"] == n] for n in (1, 2))
    speed = [a["seconds"] / b["seconds"] for a, b in zip(one, two, strict=True)]
    apart = [b["accuracy"] - a["accuracy"] for a, b in zip(one, two, strict=True)]
    noise = 2 * np.std([row["accuracy"] for row in one], ddof=1)
    largest = max(map(abs, apart))
    claims = [
        claim("speed of two processes, in times of one (the slowest seed)", min(speed), None,
              min(speed) >= 1.7),
        claim("largest difference of accuracy", largest, None, bool(largest <= noise)),
    ]  # fmt: skip
    write_result("processes", rows=rows, claims=claims, noise=noise)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        train_here(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
