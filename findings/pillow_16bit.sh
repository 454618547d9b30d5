#!/bin/bash
# Pillow 13.0.0: 16-bit grey images (mode I;16) in rotate, transform and convert.
#
# Good guess: what resize does rightly for 16 bits (it interpolates the values), rotate and transform
# do too; and converting 16 bits to 8 scales, as it does for files of 16-bit colours.
# Seen:
# - rotate and transform with BILINEAR or BICUBIC return numbers of one byte in a 16-bit image, without
#   an error: a picture of 30,000 everywhere comes back with at most 255; NEAREST is right.
# - convert("L") clips at 255: 256 and 65,535 are both white. Files of 16-bit colours are cut to the
#   high byte instead, so 300 is white as grey and 1 as a colour.
# So a bilinear rotation (of torchvision, too, on Pillow images) turns a 16-bit scan to noise near black.
# Automorph maps 16 bits to 8 before it transforms anything (data/deep_pixels.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    pillow==13.0.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import struct
import sys
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

flat = Image.fromarray(np.full((16, 16), 30_000, np.uint16))
shift = (1, 0, 0.5, 0, 1, 0)
Resampling, Affine = Image.Resampling, Image.Transform.AFFINE


def middle(image):
    return int(np.asarray(image)[8, 8])


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


colour = zlib.compress(b"\0" + np.full(3, 300, ">u2").tobytes())
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
png += chunk(b"IDAT", colour) + chunk(b"IEND", b"")
grey = Image.fromarray(np.array([[256, 300, 65_535]], np.uint16)).convert("L")
found = {
    "resize, bilinear": middle(flat.resize((20, 20), Resampling.BILINEAR)) == 30_000,
    "rotate, nearest": middle(flat.rotate(30, Resampling.NEAREST)) == 30_000,
    "rotate, bilinear": middle(flat.rotate(30, Resampling.BILINEAR)) == 30_000,
    "rotate, bicubic": middle(flat.rotate(30, Resampling.BICUBIC)) == 30_000,
    "transform, bilinear": middle(flat.transform((16, 16), Affine, shift, Resampling.BILINEAR))
    == 30_000,
    "grey 256, 300, 65535 as 8 bits": np.asarray(grey)[0].tolist(),
    "colour 300 as 8 bits": np.asarray(Image.open(BytesIO(png)))[0, 0].tolist(),
}
for name, value in found.items():
    print(f"{name:32} {value}")
print("bilinear rotation of 30,000:", middle(flat.rotate(30, Resampling.BILINEAR)))
expected = [True, True, False, False, False, [255, 255, 255], [1, 1, 1]]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
