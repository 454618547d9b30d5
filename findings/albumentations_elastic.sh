#!/bin/bash
# albumentations 2.0.8: the two fields of ElasticTransform, and how far they move.
#
# Good guess: as in Simard et al. (2003), the shifts along x and y are two independent smooth random fields, alpha sets
# how far they move, and the defaults deform a picture visibly.
# Seen: both fields lie on top of each other in one array when they are smoothed, so that the last rows of the shift
# along x and the first rows of that along y are the same smooth noise: correlation .98 to 1. Within a picture, its
# bottom edge moves sideways as its top edge moves up and down.
# The noise is divided by its largest value first, so alpha moves pictures of 32 pixels 2.3 times as far (in pixels) as
# those of 512. With the defaults (alpha 1, sigma 50) no pixel of a picture of 224 pixels moves by a fifth of a pixel.
# Automorph's Elastic draws its fields apart, and is therefore not exported to albumentations.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    albumentations==2.0.8 opencv-python-headless==4.12.0.88 numpy==2.2.6
NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" - <<'PYTHON'
import sys

import albumentations
import numpy as np


def shifts(transform, size, seed):
    """Return how far the transform moves every pixel of a picture: along x, along y."""
    transform.set_random_seed(seed)
    maps = transform.get_params_dependent_on_data({"shape": (size, size, 3)}, {})
    grid = np.arange(size, dtype=np.float32)
    return maps["map_x"] - grid, maps["map_y"] - grid[:, None]


print("albumentations", albumentations.__version__)
as_seen = True
for sigma in (4, 10, 20):
    transform = albumentations.ElasticTransform(alpha=100, sigma=sigma, p=1)
    drawn = [shifts(transform, 64, seed) for seed in range(300)]
    bottom = [x[-1, 32] for x, _ in drawn]
    touching, other = (np.corrcoef(bottom, [y[row, 32] for _, y in drawn])[0, 1] for row in (0, -1))
    print(f"sigma {sigma}: shift along x at the bottom against shift along y at the top {touching:.3f}, "
          f"at the bottom {other:.3f}")
    as_seen &= touching > 0.9 and abs(other) < 0.2

transform = albumentations.ElasticTransform(alpha=100, sigma=6, p=1)
spread = {size: np.mean([shifts(transform, size, seed)[0].std() for seed in range(20)]) for size in (32, 512)}
print("spread of the shifts in pixels, by size of the picture:", {size: round(float(s), 2) for size, s in spread.items()})
as_seen &= spread[32] > 1.8 * spread[512]

default = albumentations.ElasticTransform(p=1)
furthest = max(float(np.abs(shifts(default, 224, seed)).max()) for seed in range(50))
print(f"defaults: alpha {default.alpha:g}, sigma {default.sigma:g}; furthest of 50 draws at 224: {furthest:.2f} px")
as_seen &= furthest < 0.2
sys.exit(0 if as_seen else 1)
PYTHON
