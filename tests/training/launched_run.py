"""Train on the digits and save the weights: alone, or in each of several launched processes."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from automorph.data import limited, load_data, split
from automorph.training import Recipe, make_task, train


def main(
    folder: Path, policy: str, accumulate: str = "1", optimizer: str = "sgd", balance: str = "none"
) -> None:
    torch.set_num_threads(1)
    digits = limited(split(load_data("digits"), seed=0), 90)
    recipe = Recipe(
        epochs=3, batch_size=32, lr=0.05, precision="fp32", clip_norm=1.0, ema_decay=0.9,
        accumulate=int(accumulate), optimizer=optimizer, balance=balance,
    )  # fmt: skip
    task = make_task(digits, model="resnet9:2", recipe=recipe)
    train(task, policy, seed=1, folder=folder, device="cpu", stop_epoch=2)
    train(task, policy, seed=1, folder=folder, device="cpu")
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *sys.argv[3:])
