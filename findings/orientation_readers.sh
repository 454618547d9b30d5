#!/bin/bash
# OpenCV 5.0.0.93, imagecodecs 2026.3.6, Pillow 13.0.0, pillow-jxl-plugin 1.3.8: photographs that are marked as
# turned.
#
# Good guess: a reader turns all formats upright or none; OpenCV all of them, imagecodecs and Pillow none.
# Seen, for one picture with orientation 6, saved by Pillow in five formats:
# - OpenCV turns JPEG, PNG and WebP, but not AVIF (where Pillow writes the turn as a property of the picture).
# - imagecodecs turns JPEG XL only.
# - Pillow turns none, and exif_transpose turns each of them once; so does it for a JPEG XL that another reader
#   turned.
# So a folder of photographs that is converted from JPEG to AVIF, or to JPEG XL, is turned otherwise than before, with
# width and height exchanged: boxes and masks made on the JPEG do not fit. Read all formats with one reader that is
# known to turn them. Automorph reads with Pillow, and turns what Pillow leaves (data/images.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 imagecodecs==2026.3.6 pillow==13.0.0 pillow-jxl-plugin==1.3.8 numpy==2.4.6
cd "$folder"
env/bin/python - 2>/dev/null <<'PYTHON'
import sys

import cv2
import imagecodecs
import numpy as np
import PIL
import pillow_jxl  # noqa: F401 - Pillow reads and writes JPEG XL through it.
from PIL import Image, ImageOps

pixels = np.zeros((40, 60, 3), np.uint8)
pixels[:20, :30] = 250  # White at the upper left as stored, at the upper right when turned.
FORMATS = ("jpg", "png", "webp", "avif", "jxl")
for kind in FORMATS:
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind == "jxl":  # From the JPEG, with its Exif data.
        Image.open("picture.jpg").save("picture.jxl")
    else:
        Image.fromarray(pixels).save(f"picture.{kind}", exif=exif)


def turned(picture):
    picture = np.asarray(picture)
    height, width = picture.shape[:2]
    right = picture[: height // 2, width // 2 :].mean() > 128
    return {(40, 60, False): False, (60, 40, True): True}[height, width, bool(right)]


readers = {
    "OpenCV": cv2.imread,
    "imagecodecs": imagecodecs.imread,
    "Pillow": Image.open,
    "Pillow, exif_transpose": lambda name: ImageOps.exif_transpose(Image.open(name)),
}
print("OpenCV", cv2.__version__, "imagecodecs", imagecodecs.__version__, "Pillow", PIL.__version__)
found = {}
for name, read in readers.items():
    kinds = [kind for kind in FORMATS if name != "OpenCV" or kind != "jxl"]  # It reads no JPEG XL.
    found[name] = [kind for kind in kinds if turned(read(f"picture.{kind}"))]
    print(f"{name:23} turns {', '.join(found[name]) or 'none'} of {', '.join(kinds)}")
expected = [["jpg", "png", "webp"], ["jxl"], [], list(FORMATS)]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
