#!/bin/bash
# OpenCV 5.0.0: inpainting by Telea's method paints values that the image does not have, even into one colour.
#
# Good guess: filling a hole in an image of one grey gives that grey: every known pixel around it has the value 100.
# Seen: cv2.inpaint(.., INPAINT_TELEA) fills it with values from 99 to 102; about half of the pixels differ, in a
# pattern that depends on the shape of the hole. INPAINT_NS gives 100 everywhere. So an image from which a mark was
# removed by Telea's method carries a trace of the mark's place and shape, which a classifier can read.
# Automorph's inpainting translator uses INPAINT_NS, and checks what it removes with a classifier.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

image = np.full((32, 32, 3), 100, np.uint8)
hole = np.zeros((32, 32), np.uint8)
hole[12:20, 12:20] = 1
print("OpenCV", cv2.__version__)
found = {}
for name in ("INPAINT_TELEA", "INPAINT_NS"):
    out = cv2.inpaint(image, hole, 3, getattr(cv2, name))
    found[name] = int(out.min()), int(out.max())
    print(f"{name}: {out.min()} to {out.max()}, {(out != 100).any(-1).sum()} of 64 pixels are not 100")
sys.exit(0 if found == {"INPAINT_TELEA": (99, 102), "INPAINT_NS": (100, 100)} else 1)
PYTHON
