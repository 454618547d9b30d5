#!/bin/bash
# albumentations 2.0.8: a recorded augmentation replayed on the same picture at another size.
#
# Good guess: ReplayCompose records what was drawn, so that it can be applied again, to a larger version of the picture
# for instance (a teacher at 128 px, a student at 64 px). What cannot be applied again at another size would
# raise an error.
# Seen, for a picture of 64 px replayed on the same picture at 128 px:
# - HorizontalFlip and RandomRotate90 give the augmented picture at 128 px.
# - Rotate, Affine, ShiftScaleRotate, ElasticTransform, GridDistortion and OpticalDistortion return 64 px: the matrix or
#   map is that of the first picture, in its pixels. Rotate turns the second about the middle of its upper left quarter,
#   and what lies in the other three is gone.
# - Perspective returns 128 px, warped by the matrix of 64 px; CoarseDropout fills the same pixels, so another place.
# - RandomCrop cuts the pixels of the first picture's crop out of the second.
# No error and no warning, except that GaussNoise, whose noise is recorded, refuses.
# Automorph records draws, and computes matrices and places from them for the size of each picture.
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

import albumentations as A
import cv2
import numpy as np

small = np.zeros((64, 64), np.uint8)
small[20:30, 20:40] = 255
large = cv2.resize(small, (128, 128), interpolation=cv2.INTER_NEAREST)
transforms = {
    "HorizontalFlip": A.HorizontalFlip(p=1),
    "RandomRotate90": A.RandomRotate90(p=1),
    "CoarseDropout": A.CoarseDropout(fill=255, p=1),
    "Rotate": A.Rotate((45, 45), p=1),
    "Affine": A.Affine(rotate=(45, 45), p=1),
    "ShiftScaleRotate": A.ShiftScaleRotate(p=1),
    "ElasticTransform": A.ElasticTransform(p=1),
    "GridDistortion": A.GridDistortion(p=1),
    "OpticalDistortion": A.OpticalDistortion(p=1),
    "Perspective": A.Perspective(p=1),
    "RandomCrop": A.RandomCrop(32, 32, p=1),
}
print("albumentations", A.__version__)
seen = {}
for name, transform in transforms.items():
    composed = A.ReplayCompose([transform])
    composed.set_random_seed(1)
    first = composed(image=small)
    again = A.ReplayCompose.replay(first["replay"], image=large)["image"]
    height, width = first["image"].shape
    gap = np.abs(cv2.resize(again, (width, height), interpolation=cv2.INTER_AREA).astype(int) - first["image"]).mean()
    seen[name] = again.shape[0], float(gap)
    print(f"{name}: {first['image'].shape} first, {again.shape} again; levels apart at the same size {gap:.1f}")

quarter = A.ReplayCompose([A.Rotate((45, 45), p=1)])
recorded = quarter(image=small)["replay"]
corner = A.ReplayCompose.replay(recorded, image=large[:64, :64].copy())["image"]
y, x = np.mgrid[:64, :64] - 31.5
middle = np.hypot(y, x) < 30  # A turn by 45 degrees does not read this from outside the quarter.
cut = np.array_equal(A.ReplayCompose.replay(recorded, image=large)["image"][middle], corner[middle])
print("Rotate of 128 px equals Rotate of its upper left quarter, in a circle:", cut)

right = all(seen[name] == (128, 0.0) for name in ("HorizontalFlip", "RandomRotate90"))
warps = ("Rotate", "Affine", "ShiftScaleRotate", "ElasticTransform", "GridDistortion", "OpticalDistortion")
wrong = all(seen[name][0] == 64 and seen[name][1] > 10 for name in warps)
rest = all(seen[name][0] == 128 and seen[name][1] > 5 for name in ("Perspective", "CoarseDropout"))
rest = rest and seen["RandomCrop"][1] > 10
sys.exit(0 if right and wrong and rest and cut else 1)
PYTHON
