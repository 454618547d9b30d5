#!/bin/bash
# torchdata 0.11.0 (torch 2.15.0): what a training that was interrupted in its second epoch sees of this epoch.
#
# Good guess: torchdata exists so that data loading resumes, and a sampler with a seeded generator is safe: a program
# with the same seeds that loads state_dict() goes on with the examples that the epoch still lacks, as it does when it
# is interrupted in the first epoch, which is what one tries.
# Seen, with 12 examples and an interruption after 5 of them:
# - In the first epoch all are right.
# - From the second epoch on, torchdata.nodes.SamplerWrapper with torch's RandomSampler (with a generator or without) or
#   with torchdata's own goes on in the order of the *first* epoch: of the 12 examples 8 or 9 are seen, some twice, and
#   the others never. So does StatefulDataLoader(sampler=RandomSampler(..)) with the sampler of torch.
# - StatefulDataLoader(shuffle=True), or with torchdata's sampler, is right. So is SamplerWrapper with a sampler that
#   has set_epoch, such as DistributedSampler (num_replicas=1).
# No error; the state is the number of examples given, and the sampler, which is new, counts its epochs from one. An
# augmentation that draws per example and epoch is replayed for the wrong examples, too.
# Automorph draws the order of an epoch from the seed and the epoch alone.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" torchdata==0.11.0 torch==2.15.0 numpy==2.4.6
cd "$folder"
env/bin/python - <<'PYTHON'
import sys
import warnings

import torch
import torchdata
from torch.utils.data import DistributedSampler, RandomSampler
from torchdata.nodes import Loader, SamplerWrapper
from torchdata.stateful_dataloader import StatefulDataLoader
from torchdata.stateful_dataloader.sampler import RandomSampler as OwnSampler

DATA = list(range(12))


def seeded():
    return torch.Generator().manual_seed(3)


def nodes(sampler):
    return Loader(SamplerWrapper(sampler))


def loader(**options):
    return StatefulDataLoader(DATA, batch_size=None if "sampler" in options else 1, **options)


WAYS = {
    "nodes, RandomSampler(generator)": lambda: nodes(RandomSampler(DATA, generator=seeded())),
    "nodes, RandomSampler()": lambda: nodes(RandomSampler(DATA)),
    "nodes, torchdata's sampler": lambda: nodes(OwnSampler(DATA, generator=seeded())),
    "StatefulDataLoader, RandomSampler": lambda: loader(sampler=RandomSampler(DATA, generator=seeded())),
    "StatefulDataLoader, shuffle": lambda: loader(shuffle=True),
    "StatefulDataLoader, torchdata's": lambda: loader(sampler=OwnSampler(DATA, generator=seeded())),
    "nodes, DistributedSampler": lambda: nodes(DistributedSampler(DATA, num_replicas=1, rank=0)),
}
print("torchdata", torchdata.__version__, "torch", torch.__version__)
found, told = {}, []
for name, make in WAYS.items():
    for epoch in (1, 2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.manual_seed(0)
            begun = make()
            for _ in range(epoch - 1):
                list(begun)
            examples = iter(begun)
            seen = [int(next(examples)) for _ in range(5)]
            state = begun.state_dict()
            rest = [int(one) for one in examples]
            torch.manual_seed(0)
            resumed = make()
            resumed.load_state_dict(state)
            again = [int(one) for one in resumed]
        told += [str(one.message) for one in caught if "set_vital" not in str(one.message)]
        found[name, epoch] = again == rest
        print(f"{name:34} epoch {epoch}: {'right' if again == rest else f'{len({*seen, *again})} of 12 examples seen'}")
print("warnings:", told)
wrong = {name for (name, epoch), right in found.items() if not right and epoch == 2}
holds = all(right for (_, epoch), right in found.items() if epoch == 1) and wrong == set(list(WAYS)[:4])
sys.exit(0 if holds and not told else 1)
PYTHON
