"""Train on the digits with a training method: alone, or in each of several launched processes."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from automorph.augmenters import as_treatment
from automorph.data import limited, load_data, split, with_unlabelled
from automorph.training import Recipe, make_task, train


def main(folder: Path, method: str) -> None:
    torch.set_num_threads(1)
    whole = split(load_data("digits"), seed=0)
    digits = with_unlabelled(limited(whole, 90), whole.train)
    recipe = Recipe(epochs=3, batch_size=32, lr=0.05, precision="fp32", accumulate=2)
    task = make_task(digits, model="resnet9:2", recipe=recipe)
    train(task, as_treatment(method), seed=1, folder=folder, device="cpu", stop_epoch=2)
    train(task, as_treatment(method), seed=1, folder=folder, device="cpu")
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
