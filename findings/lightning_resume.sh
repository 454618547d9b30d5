#!/bin/bash
# Lightning 2.6.6 (torch 2.15.0): the epoch of a training that resumes from a checkpoint.
#
# Good guess: whatever counts epochs has the right number before the first batch of a resumed training is drawn.
# Seen:
# - With workers, the loader draws its first indices before Lightning calls set_epoch of the sampler: the resumed epoch
#   is drawn in the order of epoch 0 (of the state in which the sampler was made). Without workers it is right.
# - In the middle of an epoch, on_train_epoch_start is not called; what a callback sets there keeps its first value.
# - The rest of that epoch begins with the loader's first batch again: of six batches, after a checkpoint at the second
#   one, batches 0 to 3 are trained on (the first two a second time) and 4 and 5 never.
# Automorph: AugmentCallback sets the epoch in on_train_start and lets the loader begin again.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.15.0 lightning==2.6.6 numpy==2.4.6
cd "$folder"
cat > resume.py <<'PYTHON'
import logging
import sys
import warnings

import lightning.pytorch as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, Sampler

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class ByEpoch(Sampler):
    """Begins with 100 times the epoch."""

    epoch = 0

    def __len__(self):
        return 12

    def __iter__(self):
        return iter([100 * self.epoch + i for i in range(12)])

    def set_epoch(self, epoch):
        self.epoch = epoch


class Numbers:
    def __len__(self):
        return 1000

    def __getitem__(self, index):
        return torch.tensor(float(index))


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.seen = nn.Linear(1, 1), []

    def training_step(self, batch, number):
        self.seen.append((self.current_epoch, int(batch[0])))
        return self.layer(batch[:, None]).mean() * 0

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Starts(Callback):
    def __init__(self):
        self.started = []

    def on_train_epoch_start(self, trainer, pl_module):
        self.started.append(trainer.current_epoch)


def fit(workers, resume=None, *callbacks, **options):
    model, starts = Model(), Starts()
    L.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[starts, *callbacks], **options,
    ).fit(
        model, DataLoader(Numbers(), 2, sampler=ByEpoch(), num_workers=workers), ckpt_path=resume
    )
    return model.seen, starts.started


def main():
    fit(0, None, ModelCheckpoint(".", "kept", every_n_train_steps=8), max_steps=8, max_epochs=-1)
    found = {
        workers: fit(workers, "kept.ckpt", max_epochs=3, enable_checkpointing=False)
        for workers in (0, 2)
    }
    for workers, (seen, started) in found.items():
        print(f"workers {workers}: epoch and first example of each step {seen}, started {started}")
    last = [(2, 200 + i) for i in range(0, 12, 2)]
    expected = {
        0: ([(1, 100 + i) for i in range(0, 8, 2)] + last, [2]),
        2: ([(1, i) for i in range(0, 8, 2)] + last, [2]),
    }
    return 0 if found == expected else 1


if __name__ == "__main__":
    sys.exit(main())
PYTHON
env/bin/python resume.py 2> log || { cat log; exit 1; }
