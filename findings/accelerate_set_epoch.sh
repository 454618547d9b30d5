#!/bin/bash
# accelerate 1.15.0 (torch 2.15.0): who hears of the epoch, the sampler or the data set.
#
# Good guess: a prepared loader tells the epoch to a data set that has set_epoch, in every pass.
# Seen: it does so in one process. It does not where the batch sampler holds another batch sampler whose sampler counts
# epochs itself: with several processes and the seedable sampler (the default of transformers' Trainer), and in a loader
# from skip_first_batches (a run that resumes in the middle of an epoch). The data set then stays in epoch 0, in silence:
# an augmentation that goes by the epoch is frozen, or draws the resumed epoch as the first one.
# Besides, the count rises only at passes that end by themselves: passes that are left by break are all epoch 0.
# Automorph: EpochCallback, automorph.count_repeats and a warning (docs/how-to/epochs.md).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.15.0 accelerate==1.15.0 numpy==2.4.6
cat > "$folder/told.py" <<'PYTHON'
import sys

from accelerate import Accelerator, PartialState, skip_first_batches
from accelerate.utils import DataLoaderConfiguration
from torch.utils.data import DataLoader, Dataset


class Numbers(Dataset):
    def __init__(self):
        self.told = []

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return index

    def set_epoch(self, epoch):
        self.told.append(epoch)


def told(seedable, play):
    configuration = DataLoaderConfiguration(use_seedable_sampler=seedable)
    accelerator = Accelerator(cpu=True, dataloader_config=configuration)
    data = Numbers()
    play(accelerator.prepare(DataLoader(data, batch_size=4, shuffle=True)))
    return data.told


def whole(loader):
    for _ in range(3):
        list(loader)


def broken_off(loader):
    for _ in range(3):
        next(iter(loader))


def resumed(loader):
    rest = skip_first_batches(loader, 2)
    rest.set_epoch(5)
    list(rest)


alone = Accelerator(cpu=True).num_processes == 1
expected = {
    ("whole", True): [0, 1, 2] if alone else [],
    ("whole", False): [0, 1, 2],
    ("broken off", True): [0, 0, 0] if alone else [],
    ("broken off", False): [0, 0, 0],
    ("resumed", True): [],
    ("resumed", False): [5, 5],
}
plays = {"whole": whole, "broken off": broken_off, "resumed": resumed}
found = {(name, seedable): told(seedable, plays[name]) for name, seedable in expected}
for (name, seedable), epochs in found.items():
    print(f"{'one process' if alone else 'two processes'}, {name}, seedable={seedable}: told {epochs}")
if not alone:
    Accelerator(cpu=True).wait_for_everyone()
    PartialState().destroy_process_group()
sys.exit(0 if found == expected else 1)
PYTHON
"$folder/env/bin/python" "$folder/told.py"
"$folder/env/bin/python" -m torch.distributed.run --nproc_per_node 2 "$folder/told.py" 2> "$folder/log" ||
    { cat "$folder/log"; exit 1; }
