#!/bin/bash
# albumentations 2.0.8: a seed makes all transforms of a pipeline draw the same numbers.
#
# Good guess: Compose([..], seed=0) repeats its draws, which are as independent as without a seed.
# Seen: every transform gets generators of its own, started with that same seed. Transforms with one probability all
# happen or all do not: Transpose, HorizontalFlip and VerticalFlip at 1/2 give 2 of 8 pictures, 8 without a
# seed. set_random_seed does the same, also where it is the remedy for repeated draws in workers.
# set_random_state(numpy.random.default_rng(0), random.Random(0)) shares two generators among all transforms: 8 of 8.
# So seeding an experiment changes the augmentation that it trains with.
# The files that Automorph exports name set_random_state (interop/albumentations.py).
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
import random
import sys

import albumentations as A
import numpy as np

PICTURE = np.arange(16, dtype=np.uint8).reshape(4, 4)


def flips(**options):
    return A.Compose([A.Transpose(p=0.5), A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)], **options)


def pictures(pipeline):
    """Return how many different pictures 400 calls give."""
    return len({pipeline(image=PICTURE)["image"].tobytes() for _ in range(400)})


print("albumentations", A.__version__)
plain = flips()
unseeded, seeded = pictures(plain), pictures(flips(seed=0))
plain.set_random_seed(0)
reseeded = pictures(plain)
plain.set_random_state(np.random.default_rng(0), random.Random(0))
shared = pictures(plain)
print(f"different pictures: {unseeded} without a seed, {seeded} with seed=0, {reseeded} after set_random_seed, "
      f"{shared} after set_random_state")
sys.exit(0 if (unseeded, seeded, reseeded, shared) == (8, 2, 2, 8) else 1)
PYTHON
