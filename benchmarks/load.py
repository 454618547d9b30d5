"""Load tests: many trials through Ray, a study of 10,000 trials, its report, and 256 workers.

Expected before the run: 64 simultaneous trials through Ray on one machine give the same results as
sequential ones; a study of 10,000 trials opens in under 2 s; the report of such a search is smaller
than 5 MB and is written in under 2 s. The last part is a simulation, not a measurement: the jobs of
a search are scheduled on a given number of workers, with normally distributed durations (mean 1,
deviation 0.1 of a trial).

Run: .venv/bin/python benchmarks/load.py (about 12 minutes of two cores, and 16 GiB of memory for
the 64 workers; --skip-ray leaves that part out, and its row then says so)
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from record import claim, write_result

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "report"))

TRIALS = 10_000
WORKERS = (1, 4, 16, 64, 256)
GPU = 2500
"""Images of 224 px per second at which a large accelerator trains a ResNet-50 (assumed, not
measured)."""
PASSES = 1_200_000
"""Images processed by one trial of a search: a tenth of ImageNet for ten epochs."""
TRIAL_HOURS = PASSES / GPU / 3600


def study(folder: Path) -> tuple[float, int]:
    """Time to open a study of 10,000 trials in seconds, and its size in bytes."""
    from automorph.experiments import JobResult, Store
    from automorph.policies import load_policy
    from automorph.searchers.child_training import TrainJob
    from automorph.searchers.study_log import JOURNAL, StudyLog

    policy, post_policy = load_policy("randaugment(n=2,m=9)"), load_policy("flip-crop")

    def opened_study() -> Store:
        return Store({"seed": 0}, StudyLog("search", folder=folder))

    trials = opened_study()
    first = TrainJob(policy=policy, post_policy=post_policy, seed=0)
    trials.add(first, JobResult(0.5, facts={"loss": 1.0, "curve": [0.1] * 30}), clock=0.0)
    journal = folder / JOURNAL
    # Each trial is a line. They are written in one go: 10,000 flushes would measure the disk.
    head = journal.read_bytes().splitlines(keepends=True)[:-1]
    jobs = [
        TrainJob(policy=policy, post_policy=post_policy, seed=number) for number in range(TRIALS)
    ]
    rest = [line_of(job, number) for number, job in enumerate(jobs)]
    journal.write_bytes(b"".join(head) + b"".join(rest))
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        opened = opened_study()
        best = min(best, time.perf_counter() - began)
        assert len(opened.by_key) == TRIALS, len(opened.by_key)
    return best, journal.stat().st_size


def line_of(job: Any, number: int) -> bytes:
    """The line that the study writes for a job."""
    from automorph.experiments import digest, key_of

    value = 0.5 + number / 1e6
    said = {
        "key": key_of(job), "kind": "train", "units": [100, 100], "seconds": 1.0,
        "facts": {"loss": 1.0, "curve": [0.1] * 30}, "error": "", "clock": float(number),
    }  # fmt: skip
    when = "2026-01-01T00:00:00+00:00"
    said = {**said, "job": job.describe(), "check": digest([value, said])}
    line = {
        "op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": when, "state": 1,
        "value": value, "values": None, "datetime_complete": when, "distributions": {},
        "params": {}, "user_attrs": said, "system_attrs": {},
        "intermediate_values": {},
    }  # fmt: skip
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def report(folder: Path) -> tuple[float, int]:
    """Time to write the report of a search of 10,000 trials in seconds, and its size in bytes."""
    from comparisons import search

    from automorph.report import search_page, write_report

    rng = np.random.default_rng(0)
    scores = 0.8 + 0.1 * (1 - np.exp(-np.arange(TRIALS) / 3000)) + rng.normal(0, 0.02, TRIALS)
    best = np.maximum.accumulate(scores)
    result = search()
    result["search"] |= {
        "tried": TRIALS,
        "trace": [
            {
                "clock": 1.0 * n, "trainings": 1.0 * n, "score": float(scores[n]),
                "best": float(best[n]), "kind": "train",
            }
            for n in range(TRIALS)
        ],
    }  # fmt: skip
    write_report(folder / "once.html", search_page(result))  # Warm up: reads the templates.
    began = time.perf_counter()
    path = write_report(folder / "report.html", search_page(result))
    return time.perf_counter() - began, path.stat().st_size


def through_ray(folder: Path, count: int) -> tuple[bool, float]:
    """Whether parallel trials give the results of sequential ones, and how long they took."""
    from automorph.data import limited, load_data, split
    from automorph.experiments import open_executor
    from automorph.policies import load_policy
    from automorph.searchers.child_training import TrainJob
    from automorph.training import Recipe, make_task

    data = limited(split(load_data("digits"), seed=0), 60)
    recipe = Recipe(epochs=2, batch_size=32, lr=0.05, precision="fp32")
    task = make_task(data, model="cnn:2", recipe=recipe)
    jobs = [TrainJob(policy=load_policy("trivialaugment"), seed=seed) for seed in range(count)]
    with open_executor("local", task, folder) as executor:
        alone = {place: outcome.score for place, outcome in executor.run(jobs)}
    began = time.perf_counter()
    with open_executor("ray", task, folder, jobs=count) as executor:
        assert executor.jobs == count
        spread = {place: outcome.score for place, outcome in executor.run(jobs)}
    return spread == alone, time.perf_counter() - began


def costs() -> dict[str, float]:
    """ImageNet-sized images per second on one core: decoding, augmentation, training."""
    import io

    import torch
    from PIL import Image

    from automorph.data.image_files import RandomCrop
    from automorph.data.images import read_image
    from automorph.models import build_model
    from automorph.policies import load_policy

    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
    out = io.BytesIO()
    coarse.resize((500, 375), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    crops = [RandomCrop(0.08, tuple(row)) for row in rng.random((64, 40)).tolist()]
    images = np.stack(
        [read_image(out.getvalue(), mode="rgb", size=(224, 224), box=box) for box in crops]
    )
    policy = load_policy("randaugment(n=2,m=9)")
    network = build_model("timm:resnet50", channels=3, classes=1000, size=224)
    inputs, labels = torch.rand(4, 3, 224, 224), torch.zeros(4, dtype=torch.int64)

    def decode() -> int:
        for box in crops:
            read_image(out.getvalue(), mode="rgb", size=(224, 224), box=box)
        return len(crops)

    def augment() -> int:
        policy.augment(images, seed=0)
        return len(images)

    def train() -> int:
        loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        torch.autograd.backward(loss)
        return len(inputs)

    torch.set_num_threads(1)
    return {name: rate(work) for name, work in
            (("decode", decode), ("augment", augment), ("train", train))}  # fmt: skip


def rate(work: Callable[[], int]) -> float:
    """Examples per second: the best of five rounds after a warm-up."""
    work()
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        n = work()
        best = min(best, (time.perf_counter() - began) / n)
    return 1 / best


def simulated(workers: int, width: int, trials: int, seed: int = 0) -> float:
    """Duration, in trials, of a search that asks for ``width`` jobs at a time."""
    times = np.random.default_rng(seed).normal(1.0, 0.1, trials).clip(0.5)
    clock = 0.0
    for start in range(0, trials, width):
        free = [clock] * workers
        for took in times[start : start + width].tolist():
            heapq.heappush(free, heapq.heappop(free) + took)
        clock = max(free)  # The search receives the outcomes of a generation all at once.
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skip-ray", action="store_true")
    parser.add_argument("--concurrent", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opened, size = study(folder)
        written, page = report(folder)
        rows = [
            row(f"a study of {TRIALS:,} trials opens", "2 s", f"{opened:.2f} s", opened < 2),
            row("its journal", "", f"{size / 1e6:.0f} MB", None),
            row(f"report of a search of {TRIALS:,} trials", "2 s", f"{written:.2f} s", written < 2),
            row("its size", "5 MB", f"{page / 1e6:.1f} MB", page < 5e6),
        ]
        what = f"{options.concurrent} trials at once through Ray on this machine"
        if options.skip_ray:
            rows.append(row(what, "the same scores as one by one", "not run", None))
        else:
            same, took = through_ray(folder, options.concurrent)
            said = f"{'the same' if same else 'others'}, {took:.0f} s"
            rows.append(row(what, "the same scores as one by one", said, same))
    trials = 1024
    scaling = [
        {
            "workers": workers,
            **{
                str(width): {
                    "hours": TRIAL_HOURS * simulated(workers, width, trials),
                    "speed_up": simulated(1, width, trials) / simulated(workers, width, trials),
                }
                for width in (8, 64, 256)
            },
        }
        for workers in WORKERS
    ]
    claims = [claim(r["load"], None, None, r["holds"]) for r in rows if r["holds"] is not None]
    found = costs()
    write_result("load", rows=rows, claims=claims, scaling=scaling, trials=trials, costs=found)
    print(found)
    for one in rows:
        print(one)


def row(load: str, limit: str, measured: str, holds: bool | None) -> dict[str, Any]:
    return {"load": load, "limit": limit, "measured": measured, "holds": holds}


if __name__ == "__main__":
    main()
