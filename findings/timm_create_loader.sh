#!/bin/bash
# timm 1.0.31 (torch 2.15.0): create_loader and the transform of a data set.
#
# Good guess: create_loader(dataset, ..) takes pictures as the data set gives them, or refuses a data set that already
# has a transform; auto_augment= reaches the pictures of any data set, or there is an error.
# Seen: it assigns dataset.transform. The user's own transform is replaced without a message, on the user's object, also
# outside the loader. On a Subset (what random_split returns) the assignment has no effect, without a message: pictures
# keep the data set's own transform and their size, are not normalised, and no augmentation reaches them,
# though auto_augment="rand-m9" and an input size were given.
# Automorph's Augmented takes the transform after its own policy, and refuses a second one (docs/how-to/timm.md).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    timm==1.0.31 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 pillow==12.3.0
"$folder/env/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_loader
from torch.utils.data import Dataset, random_split


class Pictures(Dataset):
    """Eight plain pictures of 64 pixels."""

    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return self.transform(Image.new("RGB", (64, 64), (20 * index, 100, 50))), index


def own(picture):
    own.calls += 1
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()


def loader_of(dataset):
    return create_loader(
        dataset, (3, 32, 32), 4, is_training=True, auto_augment="rand-m9", num_workers=0,
        use_prefetcher=False, persistent_workers=False,
    )


print("timm", timm.__version__, "torch", torch.__version__)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    whole = Pictures(own)
    own.calls = 0
    next(iter(loader_of(whole)))
    replaced = own.calls == 0 and whole.transform is not own
    print("calls of the data set's own transform:", own.calls)

    half, _ = random_split(Pictures(own), [8, 0])
    pictures, numbers = next(iter(loader_of(half)))
    untouched = torch.equal(pictures[:, 0, 0, 0], 20.0 * numbers) and pictures.flatten(2).std(2).max() == 0
    print("Subset:", tuple(pictures.shape), "as the data set gave them:", bool(untouched))
named = any("transform" in str(one.message) for one in said)
print("a warning that names the transform:", named)
sys.exit(0 if replaced and pictures.shape[-1] == 64 and untouched and not named else 1)
PYTHON
