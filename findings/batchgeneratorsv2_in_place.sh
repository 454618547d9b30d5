#!/bin/bash
# batchgeneratorsv2 0.3.6 (torch 2.15.0), the augmentations of nnU-Net: what happens to the image that is handed in, and
# what noise_variance is.
#
# Good guess: as in torchvision, a transform returns another tensor, so that images kept in memory can be augmented anew
# in every epoch; and noise of noise_variance 0.1 has a variance of 0.1.
# Seen:
# - Noise, contrast, brightness, gamma, blur and low resolution are written into the tensor that was handed in, and the
#   result is that tensor. Through torch.from_numpy the array behind it changes, too. The spatial transform leaves it
#   as it was.
# - A data set that keeps its images in memory and hands them to a transform adds noise to noise: after 100 epochs its
#   standard deviation is ten times that of one.
# - noise_variance is used as the standard deviation: with 0.1 the variance is 0.01.
# So the training images drift away from the data, more with every epoch; no error or warning. Hand in image.clone(), and give a standard deviation.
# Automorph's policies never write into the arrays that they are given.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    batchgeneratorsv2==0.3.6 torch==2.15.0 numpy==2.4.6
cd "$folder"
env/bin/python - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import torch
from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from batchgeneratorsv2.transforms.intensity.contrast import BGContrast, ContrastTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform

torch.set_num_threads(1)
torch.manual_seed(0)
np.random.seed(0)
noise = GaussianNoiseTransform(noise_variance=(0.1, 0.1))
TRANSFORMS = {
    "noise": noise,
    "contrast": ContrastTransform(BGContrast((1.5, 1.5)), True, True),
    "brightness": MultiplicativeBrightnessTransform((1.25, 1.25), True),
    "gamma": GammaTransform((1.5, 1.5), 0, True, 1, 1),
    "blur": GaussianBlurTransform((1, 1)),
    "low resolution": SimulateLowResolutionTransform((0.5, 0.5), True, True, ()),
    "spatial": SpatialTransform((32, 32), 0, False, p_rotation=1, rotation=(0.5, 0.5)),
}
print("batchgeneratorsv2", version("batchgeneratorsv2"), "torch", torch.__version__)
written = []
for name, transform in TRANSFORMS.items():
    image = torch.rand(1, 32, 32)
    before = image.clone()
    made = transform(image=image)["image"]
    if not torch.equal(image, before):
        written.append(name)
        assert made.data_ptr() == image.data_ptr()
print("written into the image:", written)

array = np.zeros((1, 100, 100), np.float32)
once = noise(image=torch.from_numpy(array.copy()))["image"]
for _ in range(100):
    noise(image=torch.from_numpy(array))
print(f"noise_variance 0.1: variance {once.var():.4f}; the array after 100 epochs: deviation {array.std():.3f}")
holds = written == list(TRANSFORMS)[:-1] and 0.009 < once.var() < 0.011 and 0.9 < array.std() < 1.1
sys.exit(0 if holds else 1)
PYTHON
