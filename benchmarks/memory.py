"""Memory of training on a data set that is decoded on demand, and on one ten times as large.

Expected before the run: the peak memory of all processes grows by less than 10 % from 100,000 to
1,000,000 images (only the names, labels and hashes of the files grow, by about 60 bytes each, and
by as much again briefly while they are sorted), and the decoding process is busy at least 0.9 of
the time if training is faster than decoding.

The first run counted the time to read the files at the start as decoding, and its images of 64 px
are decoded faster than ``cnn:4`` trains on them. A third data set of 256 px images was therefore
added, to which the second claim refers. The start of a decoding process counts as its work.

n: 100,000 and 1,000,000 random JPEG files of 64 px in 100 classes (temporarily 4 GiB of disk), and
40,000 of 256 px; one epoch on random crops of 32 px with ``cnn:4``, batches of 256, one decoding
process, one thread.

Run: .venv/bin/python benchmarks/memory.py (about 30 minutes of two cores; --images 2000 for a quick
look)
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from record import RESULTS, claim, write_result

CLASSES, HELD_OUT, LARGE = 100, 1000, 40_000


def make_images(folder: Path, n: int, pixels: int = 64) -> None:
    """Write ``n`` different JPEG files below ``folder``, in class folders of three parts."""
    from PIL import Image

    counts = (n, HELD_OUT, HELD_OUT)
    for place, (part, count) in enumerate(
        zip(("train", "validation", "test"), counts, strict=True)
    ):
        for label in range(CLASSES):
            home = folder / part / f"c{label:03d}"
            home.mkdir(parents=True, exist_ok=True)
            for number in range(count // CLASSES):
                file = home / f"{number:07d}.jpg"
                if file.exists():
                    continue
                rng = np.random.default_rng([place, label, number])  # No two images are equal.
                small = rng.integers(0, 256, (8, 8, 3), np.uint8)
                out = io.BytesIO()
                Image.fromarray(small).resize((pixels, pixels)).save(out, "JPEG", quality=80)
                file.write_bytes(out.getvalue())


def measure(folder: Path, n: int) -> dict[str, float]:
    """Load and train in this process; return the peak memory and the work of the decoders."""
    import torch

    from automorph.data import load_data
    from automorph.training import Recipe, make_task, train

    torch.set_num_threads(1)
    began = time.monotonic()
    data = load_data(f"folder:{folder}", size=32, on_demand=True, crop=0.08, decoders=1)
    read = time.monotonic() - began
    before = {str(c.pid): worked(str(c.pid)) for c in multiprocessing.active_children()}
    recipe = Recipe(epochs=1, batch_size=256, lr=0.05, precision="fp32")
    task = make_task(data, model="cnn:4", recipe=recipe)
    with tempfile.TemporaryDirectory() as run:
        result = train(task, "flip", folder=run, progress=False)
    pids = ["self", *(str(child.pid) for child in multiprocessing.active_children())]
    seconds = result.seconds
    return {
        "images": n,
        "peak_mib": sum(peak(pid) for pid in pids),
        "processes": len(pids),
        "read_seconds": read,
        "train_seconds": seconds,
        "images_per_second": n / seconds,
        "decoding_cores": sum(worked(pid) - before.get(pid, 0.0) for pid in pids[1:]) / seconds,
    }


def peak(pid: str) -> float:
    """The peak memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def worked(pid: str) -> float:
    """The CPU time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000, help="in the smaller set")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure[0]), int(options.measure[1]))))
        return
    rows = []
    for sets in (((options.images, 64), (10 * options.images, 64)), ((LARGE, 256),)):
        place = Path(tempfile.mkdtemp(prefix="automorph-memory-"))
        try:
            for n, pixels in sets:
                make_images(place, n, pixels)
                words = [sys.executable, __file__, "--measure", str(place), str(n)]
                done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
                rows.append({"pixels": pixels, **json.loads(done.stdout.splitlines()[-1])})
                print(rows[-1], flush=True)
        finally:
            shutil.rmtree(place)
    growth = rows[1]["peak_mib"] / rows[0]["peak_mib"] - 1
    busy = rows[2]["decoding_cores"]
    claims = [
        claim("growth of peak memory on ten times the images", growth, None, growth < 0.1),
        claim(
            "share of the time that the decoding process is busy (256 px)", busy, None, busy >= 0.9
        ),
    ]
    if options.images < 100_000:
        print(claims, f"not written to {RESULTS}: a look only")
    else:
        write_result("memory", rows=rows, claims=claims)


if __name__ == "__main__":
    main()
