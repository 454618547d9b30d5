#!/bin/bash
# ultralytics 8.4.190 with albumentations 2.0.8 (torch 2.15.0): every augmentation switched off.
#
# Good guess: with mosaic, hsv_*, fliplr, translate, scale and the other strengths at 0, training pictures are as read;
# installing another package does not change a training.
# Seen: where albumentations can be imported, pictures also pass through its Blur, MedianBlur, ToGray and CLAHE, each
# with probability 0.01; no strength sets them to 0, and all that tells is a log line that lists them. About 3 % of
# pictures change, others at every epoch; without albumentations none does. augmentations=[] switches them off.
# So two environments train different models under the same arguments and seed.
# A baseline "without augmentation" needs augmentations=[] (docs/how-to/boxes.md).
#
# Ultralytics is AGPL-3.0 and no dependency of Automorph.
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    ultralytics==8.4.190 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
cd "$folder"
cat > pictures.py <<'PYTHON'
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from ultralytics import __version__
from ultralytics.cfg import get_cfg
from ultralytics.data.dataset import YOLODataset

OFF = ("mosaic", "mixup", "cutmix", "copy_paste", "degrees", "translate", "scale", "shear", "perspective",
       "flipud", "fliplr", "bgr", "hsv_h", "hsv_s", "hsv_v")
for folder in ("data/images", "data/labels"):
    Path(folder).mkdir(parents=True, exist_ok=True)
picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
Image.fromarray(picture).save("data/images/0.png")
Path("data/labels/0.txt").write_text("0 0.5 0.5 0.25 0.25\n")


def changed(**options):
    """Return how many of 1,000 readings of a training picture differ from the file."""
    hyper = get_cfg(overrides={**dict.fromkeys(OFF, 0.0), **options})
    data = {"names": {0: "thing"}, "nc": 1, "channels": 3}
    dataset = YOLODataset(img_path="data/images", data=data, augment=True, imgsz=64, hyp=hyper)
    random.seed(0)
    np.random.seed(0)
    readings = (dataset[0]["img"].numpy().transpose(1, 2, 0) for _ in range(1000))
    return sum(not np.array_equal(one, picture) for one in readings)


counts = [changed(), changed(augmentations=[])]
print("ultralytics", __version__, sys.argv[1], "changed of 1,000 by default, with augmentations=[]:", counts)
low, high = map(int, sys.argv[2:])
sys.exit(0 if low <= counts[0] <= high and counts[1] == 0 else 1)
PYTHON
export YOLO_CONFIG_DIR="$folder/settings" YOLO_AUTOINSTALL=false NO_ALBUMENTATIONS_UPDATE=1
"$folder/env/bin/python" pictures.py "without albumentations" 0 0
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check albumentations==2.0.8
"$folder/env/bin/python" pictures.py "with albumentations" 20 70
