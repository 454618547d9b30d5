#!/bin/bash
# kornia 0.9.0: RandomSolarize brightens or darkens every pixel, not only those above the threshold.
#
# Good guess: RandomSolarize(0.1, p=0.2) is the solarisation of BYOL and DINO: pixels above a threshold are inverted,
# the others stay as they are, as in torchvision's RandomSolarize(threshold).
# Seen: the argument `additions` is 0.1 by default. A number drawn from -0.1 to 0.1 is added to the whole image before
# the inversion, so an image of 0.25, far below any threshold, comes back between 0.15 and 0.35; no pixel stays.
# And 0.1 is no threshold, but half the width of a range around 0.5. With additions=0, pixels below stay as they are.
# So pipelines carried over from torchvision also train with random brightness.
# Automorph's import_policy refuses the default additions, and names the value that can be read.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    kornia==0.9.0 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import kornia
import kornia.augmentation as K
import torch
from torchvision.transforms import v2

DARK = torch.full((1000, 1, 4, 4), 0.25)


def seen(transform):
    torch.manual_seed(0)
    out = transform(DARK)
    changed = float((out != DARK).float().mean())
    return round(changed, 3), round(float(out.min()), 2), round(float(out.max()), 2)


print("kornia", kornia.__version__)
usual = seen(K.RandomSolarize(0.1, p=1.0))
plain = seen(K.RandomSolarize(0.1, additions=0.0, p=1.0))
other = seen(v2.RandomSolarize(0.5, p=1.0))
for name, one in {"usual": usual, "additions=0": plain, "torchvision": other}.items():
    print(f"{name}: {one[0]:.0%} of dark pixels changed, now {one[1]} to {one[2]}")
sys.exit(0 if usual == (1.0, 0.15, 0.35) and plain[0] == other[0] == 0 else 1)
PYTHON
