"""Train in processes that kill themselves until one finishes, then compare.

A separate program: torch is imported once, and each try is a fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import torch

import automorph.training.checkpoint as checkpoint
from automorph.data import limited, load_data, split
from automorph.training import PolicyAugmenter, Recipe, make_task, train

DATA = limited(split(load_data("digits"), seed=0), 100)
TASK = make_task(
    DATA, model="cnn:4", recipe=Recipe(epochs=4, batch_size=32, lr=0.05, precision="fp32")
)
KILLS = [("step", 0, 0), ("step", 0, 3), ("step", 1, 2), ("write", 2, 0), ("step", 3, 1)]
"""Where a try ends: at a step of an epoch, or while it writes its n-th checkpoint."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(PolicyAugmenter):
    def __init__(self, epoch: int, step: int) -> None:
        super().__init__("trivialaugment")
        self.end = (epoch, step)

    def __call__(self, raw, model=None):
        if (raw.epoch, raw.step) == self.end:
            die()
        return super().__call__(raw, model)


def attempt(folder: Path, kind: str, first: int, second: int) -> None:
    if kind == "write":
        replace, written = Path.replace, []

        def torn(path: Path, target: Path) -> None:
            # The temporary file is truncated and never renamed.
            written.append(target.name)
            if written.count("checkpoint.safetensors") == first:
                os.truncate(path, 100)
                die()
            replace(path, target)

        Path.replace = torn
    end = (first, second) if kind == "step" else (-1, -1)
    train(TASK, Deadly(*end), seed=1, folder=folder)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    killed = 0
    for kill in KILLS:
        child = os.fork()
        if child == 0:
            attempt(folder / "run", *kill)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    train(TASK, Deadly(-1, -1), seed=1, folder=folder / "run")
    train(TASK, Deadly(-1, -1), seed=1, folder=folder / "straight")
    ends = [
        checkpoint.read_checkpoint(folder / n / "model.safetensors")[0] for n in ("run", "straight")
    ]
    same = all(torch.equal(ends[0][name], ends[1][name]) for name in ends[1])
    files = sorted(os.listdir(folder / "run"))
    print(json.dumps({"killed": killed, "same": same, "files": files}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
