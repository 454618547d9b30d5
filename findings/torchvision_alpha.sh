#!/bin/bash
# torchvision 0.29.2 (Pillow 13.0.0, torch 2.15.0): colour functions and the alpha of RGBA images.
#
# Good guess: functions that change colours leave alpha alone, on Pillow images and on tensors alike.
# Seen: it depends on the function and on the form of the image.
# - Pillow: adjust_gamma and adjust_hue make every pixel opaque (alpha becomes 255), without a word;
#   adjust_brightness, adjust_contrast, adjust_saturation and adjust_sharpness keep alpha;
#   posterize, solarize, invert, autocontrast and equalize raise OSError.
# - Tensors of four channels: adjust_gamma, posterize, solarize and invert treat alpha as a colour;
#   adjust_brightness, adjust_hue and their like raise TypeError.
# So a cut-out object on a transparent background loses its outline under a hue or gamma jitter.
# Exports of Automorph split alpha off before they call these functions (interop/torchvision_runtime.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.15.0 torchvision==0.29.2 pillow==13.0.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as F

pixels = np.full((1, 4, 4), 100, np.uint8)
pixels[0, :, 3] = alpha = [0, 50, 128, 255]
picture = Image.fromarray(pixels, "RGBA")
tensor = torch.from_numpy(pixels).permute(2, 0, 1)
functions = {
    "adjust_gamma": lambda x: F.adjust_gamma(x, 2.0),
    "adjust_hue": lambda x: F.adjust_hue(x, 0.1),
    "adjust_brightness": lambda x: F.adjust_brightness(x, 1.2),
    "adjust_contrast": lambda x: F.adjust_contrast(x, 1.2),
    "posterize": lambda x: F.posterize(x, 3),
    "invert": F.invert,
}


def seen(function, image):
    try:
        out = function(image)
    except (OSError, TypeError) as error:
        return type(error).__name__
    out = out.permute(1, 2, 0) if isinstance(out, torch.Tensor) else out
    return np.asarray(out)[0, :, 3].tolist()


found = {name: (seen(f, picture), seen(f, tensor)) for name, f in functions.items()}
for name, (of_picture, of_tensor) in found.items():
    print(f"{name:20} Pillow {of_picture!s:22} tensor {of_tensor}")
opaque = [255] * 4
expected = {
    "adjust_gamma": (opaque, [0, 9, 64, 255]),
    "adjust_hue": (opaque, "TypeError"),
    "adjust_brightness": (alpha, "TypeError"),
    "adjust_contrast": (alpha, "TypeError"),
    "posterize": ("OSError", [0, 32, 128, 224]),
    "invert": ("OSError", [255, 205, 127, 0]),
}
sys.exit(0 if found == expected else 1)
PYTHON
