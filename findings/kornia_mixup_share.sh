#!/bin/bash
# kornia 0.9.0, timm 1.0.31 and torchvision 0.29.2 (torch 2.15.0): which label the share of a mixture belongs to.
#
# Good guess: lam is the weight of the picture in its own place (Zhang et al. 2018), drawn from a Beta distribution,
# so lam * loss(first) + (1 - lam) * loss(second); and MixUp and CutMix of one library give labels of one shape.
# Seen: timm and torchvision give soft labels in which the picture's own class has its own share. kornia's
# RandomMixUpV2 and RandomCutMixV2 give (first, second, lam) with lam the share of the SECOND picture; it is drawn
# uniformly (RandomMixUpV2), and rows come as (B, 3) from MixUp, as (1, B, 3) from CutMix.
# CutMix warns of it once (DeprecationWarning: use_correct_lambda=True turns it round); MixUp has neither warning nor
# switch.
# So the paper's loss, put behind kornia's MixUp, gives each label the share of the other picture: a mixture that is
# nine tenths a cat is nine tenths "dog".
# Automorph mixes by its own operations, whose labels carry the share that was drawn.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    kornia==0.9.0 timm==1.0.31 torchvision==0.29.2 torch==2.15.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import kornia
import timm
import torch
import torchvision
from kornia.augmentation import RandomCutMixV2, RandomMixUpV2
from timm.data import Mixup
from torchvision.transforms import v2

print("kornia", kornia.__version__, "timm", timm.__version__, "torchvision", torchvision.__version__)
torch.manual_seed(0)
# Pictures 0 and 1 are black, 2 and 3 white: the mean of a picture that was black is its partner's share.
labels = torch.tensor([0, 0, 1, 1])
images = labels[:, None, None, None].expand(4, 3, 64, 64).float()


def kept(mixed):
    """The share that each picture has of itself where its partner has the other label."""
    white = mixed.mean((1, 2, 3))
    return torch.where(labels == 1, white, 1 - white)


errors = {"soft labels": 0.0, "kornia, lam of the first": 0.0, "kornia, lam of the second": 0.0}
shapes, shares = {}, []
for _ in range(200):
    for soft in (Mixup(mixup_alpha=1.0, num_classes=2, label_smoothing=0.0), v2.MixUp(num_classes=2), v2.CutMix(num_classes=2)):
        mixed, target = soft(images.clone(), labels.clone())
        own = target[torch.arange(4), labels]
        errors["soft labels"] = max(errors["soft labels"], float((own - kept(mixed)).abs().max()))
    for both in (RandomMixUpV2(data_keys=["input", "class"]), RandomCutMixV2(data_keys=["input", "class"])):
        mixed, rows = both(images.clone(), labels.clone())
        shapes[type(both).__name__] = tuple(rows.shape)
        first, second, lam = rows.reshape(4, 3).unbind(1)
        other = first != second
        if type(both) is RandomMixUpV2:
            shares += lam.tolist()
        for name, share in (("first", lam), ("second", 1 - lam)):
            far = (share - kept(mixed)).abs()[other].max() if other.any() else torch.tensor(0.0)
            key = f"kornia, lam of the {name}"
            errors[key] = max(errors[key], float(far))
quarters = [sum(low <= share < low + 0.25 for share in shares) / len(shares) for low in (0, 0.25, 0.5, 0.75)]
print("largest error of a label's share:", {name: round(error, 4) for name, error in errors.items()})
print("shapes:", shapes, "kornia's shares by quarter:", [round(share, 2) for share in quarters])
wrong = errors["kornia, lam of the first"]
right = max(errors["soft labels"], errors["kornia, lam of the second"])
even = all(0.2 < share < 0.3 for share in quarters)
sys.exit(0 if wrong > 0.9 and right < 0.01 and even and shapes == {"RandomMixUpV2": (4, 3), "RandomCutMixV2": (1, 4, 3)} else 1)
PYTHON
