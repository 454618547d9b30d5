"""Reading image files, and `explain`: this version against the one before, and ImageFolder.

Expected before the run (ratios of interleaved rounds; the version before is commit dbe96af):
- 2,000 JPEG files of 500 x 375 at 64 px: at least 2.2 times faster than before on one core (the
  decoder's own floor is 2.45 times), at least 3.8 times on two cores;
- never slower than torchvision's ImageFolder in a DataLoader with as many workers (one core: none);
- a second command on the same folder reads them in under a second;
- reading 20,000 JPEG files at 224 px peaks at no more memory than the array and 300 MB;
- `explain` on 1,000 images, two cores: at least twice as fast as before at 32 px, 3 times at 224 px
  (one core draws, one judges; a row has one core at 32 px: 1.5 times in a short run before).

The files are crops of the photographs in $AUTOMORPH_DATA/folders/food, each of another region,
saved by Pillow with its default quality (75). Rows with quality 92 are not judged. Every process
reads in turn, with OMP_NUM_THREADS=1; cores are bound with sched_setaffinity. The claims on speed
are judged without a cache (--cache none), as the version before had none; rows also have the first
command by default, which fills an empty cache. ``differences`` compares pixels decoded in full with
those of reduced decoding, in levels.

n: 9 rounds of reading, 6 of `explain`; medians of ratios with an interval of at least 95 % from
their order; memory once. Hardware: recorded with the result. Needs git, a compiler (the version
before is built), and 4 GB of memory and disk.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/files.py (about 40 minutes of two cores, and
nothing beside it; --try for a quick look, not written). Finished cells are lines of
results/files.jsonl; remove that file to measure again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from versions import BEFORE, ROOT, children, serve, spread, version_before

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

SIDES = 500, 375
ROUNDS, EXPLAIN_ROUNDS = 9, 6
FILES, MANY, EXPLAINED = 2000, 20_000, 1700
"""``explain`` takes the training part, three fifths of its images: 1,700 leave about 1,000."""
SPARE = 300e6


def photographs(count: int, sides: tuple[int, int]) -> Iterator[tuple[str, Any]]:
    """Different crops of the photographs, and their classes."""
    import numpy as np
    from PIL import Image, ImageOps

    home = Path(os.environ["AUTOMORPH_DATA"]) / "folders" / "food"
    files = sorted(file for file in home.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg"))
    known: dict[Path, Any] = {file: Image.open(file).convert("RGB") for file in files}
    rng = np.random.default_rng(0)
    for number in range(count):
        file = files[number % len(files)]
        image = known[file]
        share = rng.uniform(0.6, 1)
        width, height = (int(side * share) for side in image.size)
        left, top = (
            rng.integers(0, a - b + 1) for a, b in ((image.size[0], width), (image.size[1], height))
        )
        crop = image.crop((left, top, left + width, top + height))
        yield file.parent.name, ImageOps.fit(crop, sides, Image.Resampling.BILINEAR)


def make_files(folder: Path, count: int, quality: int = 75) -> Path:
    """Write JPEG files in class folders."""
    for number, (label, image) in enumerate(photographs(count, SIDES)):
        home = folder / label
        home.mkdir(parents=True, exist_ok=True)
        image.save(home / f"{number:06d}.jpg", quality=quality)
    return folder


def make_arrays(file: Path, count: int, size: int) -> Path:
    """Write images and labels for `explain`."""
    import numpy as np

    found = list(photographs(count, (size, size)))
    names = sorted({label for label, _ in found})
    images = np.stack([np.asarray(image) for _, image in found])
    np.savez(file, images=images, labels=np.array([names.index(label) for label, _ in found]))
    return file


# What a child process does, in the version whose sources are on its path.


def read(folder: str, size: int, home: str, **options: Any) -> dict[str, float]:
    """Seconds of reading a folder; ``home`` is the user's cache."""
    from automorph.data import load_data

    os.environ["AUTOMORPH_CACHE"] = home
    began, worked = time.perf_counter(), time.process_time()
    data = load_data(f"folder:{folder}", size=size, **options)
    return {
        "seconds": time.perf_counter() - began, "cpu": time.process_time() - worked,
        "bytes": data.train.data.nbytes, "peak": peak(),
    }  # fmt: skip


def image_folder(folder: str, size: int, workers: int) -> dict[str, float]:
    """Seconds of reading a folder with torchvision and a DataLoader."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    began = time.perf_counter()
    steps = v2.Compose([v2.Resize(size), v2.CenterCrop(size), v2.PILToTensor()])
    loader = DataLoader(ImageFolder(folder, steps), batch_size=64, num_workers=workers)
    images = torch.cat([images for images, _ in loader])
    return {"seconds": time.perf_counter() - began, "bytes": images.nbytes}


def explained(file: str) -> dict[str, float]:
    """Seconds of explaining all operations of the catalogue on a file of images."""
    import numpy as np
    import torch

    from automorph.data import from_arrays
    from automorph.diagnostics import explain

    torch.set_num_threads(1)
    with np.load(file) as arrays:
        data = from_arrays(arrays["images"], arrays["labels"])
    began = time.perf_counter()
    found = explain(data)
    return {"seconds": time.perf_counter() - began, "examples": found.examples}


def peak() -> float:
    """The largest memory of this process so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * float(line.split()[1]) for line in lines if line.startswith("VmHWM"))


DOES: dict[str, Callable[..., dict[str, float]]] = {
    "read": read, "image_folder": image_folder, "explained": explained,
}  # fmt: skip


def reading(trees: Mapping[str, Path], folder: Path, size: int, cores: int, rounds: int) -> Any:
    """Read a folder by turns: now, before, ImageFolder, filling the cache, and from the cache."""
    workers = 0 if cores == 1 else cores
    arms = ("now", "before", "ImageFolder", "first", "again")
    found: dict[str, list[float]] = {arm: [] for arm in arms}
    with children(__file__, trees, cores) as child, tempfile.TemporaryDirectory() as caches:
        for number in range(-1, rounds):  # The first round imports, and is not counted.
            cache = str(Path(caches) / str(number))
            how = {"folder": str(folder), "size": size}
            took = {
                "now": child["now"]("read", **how, home=cache, cache="none"),
                "before": child["before"]("read", **how, home=cache),
                "ImageFolder": child["before"]("image_folder", **how, workers=workers),
                "first": child["now"]("read", **how, home=cache),
                "again": child["now"]("read", **how, home=cache),
            }
            shutil.rmtree(cache, ignore_errors=True)
            if number >= 0:
                for name, one in took.items():
                    found[name].append(one["seconds"])
    ratios = {
        name: spread([b / a for a, b in zip(found["now"], found[name], strict=True)])
        for name in ("before", "ImageFolder", "first")
    }
    seconds = {name: spread(values) for name, values in found.items()}
    return {"cores": cores, "size": size, "seconds": seconds, "ratio": ratios}


def explaining(trees: Mapping[str, Path], file: Path, size: int, cores: int, rounds: int) -> Any:
    """Explain by turns."""
    found: dict[str, list[float]] = {"now": [], "before": []}
    with children(__file__, trees, cores) as child:
        for _ in range(rounds):
            for name in found:
                took = child[name]("explained", file=str(file))
                found[name].append(took["seconds"])
    ratios = [b / a for a, b in zip(found["now"], found["before"], strict=True)]
    seconds = {name: spread(values) for name, values in found.items()}
    return {
        "size": size, "cores": cores, "examples": took["examples"], "seconds": seconds,
        "ratio": {"before": spread(ratios)},
    }  # fmt: skip


def memory(trees: Mapping[str, Path], folder: Path) -> Any:
    """The peak memory of reading many files at 224 px."""
    with (
        children(__file__, {"now": trees["now"]}, 2) as child,
        tempfile.TemporaryDirectory() as cache,
    ):
        took = child["now"]("read", folder=str(folder), size=224, home=cache)
    return {**took, "spare": took["peak"] - took["bytes"]}


def differences(folder: Path, sizes: tuple[int, ...] = (32, 64, 96, 128)) -> Any:
    """How far pixels of reduced decoding are from those decoded in full."""
    import numpy as np

    from automorph.data import load_data

    found = []
    for size in sizes:
        how = {"size": size, "cache": "none"}
        whole, reduced = (
            load_data(f"folder:{folder}", **how, decode=decode).train.data.astype(np.int16)
            for decode in ("exact", "reduced")
        )
        apart = np.abs(whole - reduced)
        found.append({
            "size": size, "mean": float(apart.mean()),
            "99 %": float(np.percentile(apart, 99)), "most": int(apart.max()),
        })  # fmt: skip
    return {"levels": found}


def claims_of(cells: Any) -> list[Any]:
    """The claims made before the run, and their outcomes."""
    from record import claim

    def at_least(text: str, ratio: Mapping[str, float], least: float) -> Any:
        return claim(text, ratio["median"], [ratio["low"], ratio["high"]], ratio["median"] >= least)

    one, two = cells["read 1"], cells["read 2"]
    again = max(cell["seconds"]["again"]["median"] for cell in (one, two))
    spare = cells["memory"]["spare"]
    return [
        at_least("reading 2,000 JPEG files at 64 px, times faster than before, one core (2.2)",
                 one["ratio"]["before"], 2.2),
        at_least("the same, two cores (3.8)", two["ratio"]["before"], 3.8),
        at_least("times faster than ImageFolder, one core (1)", one["ratio"]["ImageFolder"], 1),
        at_least("times faster than ImageFolder, two workers (1)", two["ratio"]["ImageFolder"], 1),
        claim("seconds of a second command on the same folder (below 1)", again, None, again < 1),
        claim("MB of memory beside the array, 20,000 files at 224 px (300)", spare / 1e6, None,
              spare <= SPARE),
        at_least("explain, 1,000 images of 32 px, two cores, times faster than before (2)",
                 cells["explain 32"]["ratio"]["before"], 2),
        at_least("explain, 1,000 images of 224 px, two cores, times faster than before (3)",
                 cells["explain 224"]["ratio"]["before"], 3),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--try", dest="tiny", action="store_true")
    parser.add_argument("--before", help="a built checkout of the version before")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, DOES)
        return
    from cells import Cells
    from record import RESULTS, write_result

    rounds, slow = (3, 1) if options.tiny else (ROUNDS, EXPLAIN_ROUNDS)
    files, many, shown = (600, 1000, 500) if options.tiny else (FILES, MANY, EXPLAINED)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = stack.enter_context(version_before(options.before))
        trees = {"now": ROOT, "before": before}
        cells = Cells("files", place if options.tiny else RESULTS)
        usual = make_files(place / "75", files)
        for cores in (1, 2):
            cells.kept(f"read {cores}", reading, trees, usual, 64, cores, rounds)
            print(cells[f"read {cores}"], flush=True)
        if "read 1, quality 92" not in cells:
            fine = make_files(place / "92", files, quality=92)
            cells.kept("read 1, quality 92", reading, trees, fine, 64, 1, rounds)
        cells.kept("differences", differences, usual)
        for size, cores in ((32, 2), (32, 1), (224, 2)):
            name = f"explain {size}" + (", one core" if cores == 1 else "")
            if name not in cells:
                arrays = make_arrays(place / f"{size}.npz", shown, size)
                cells.kept(name, explaining, trees, arrays, size, cores, slow)
            print(cells[name], flush=True)
        if "memory" not in cells:
            cells.kept("memory", memory, trees, make_files(place / "many", many))
        claims = claims_of(cells)
        rows = [{"name": name, **cells[name]} for name in cells.results]
    if options.tiny:
        print(json.dumps(rows, indent=1), json.dumps(claims, indent=1), sep="\n")
        return
    write_result("files", rows=rows, claims=claims, rounds=ROUNDS, before=BEFORE, quality=75)


if __name__ == "__main__":
    main()
