#!/bin/bash
# ultralytics 8.4.190 (torch 2.15.0, torchvision 0.29.2): resuming, and where results lie.
#
# Good guesses: train(resume=True, epochs=5) after a finished training of 3 epochs trains 2 more, or raises;
# project="mine", name="run" writes to mine/run.
# Seen:
# - It warns, and trains all 5 epochs anew: from epoch 0, with a new optimizer, in another folder
#   (runs/classify/train). The finished weights are only the start, because last.pt was stripped of
#   epoch and optimizer. Where data= is not repeated, it takes its default, imagenet10, and
#   tries to download it.
# - A relative project lies below runs/TASK: runs/classify/mine/run.
# So a search that lengthens trainings from checkpoints would compare other things than it says.
# examples/training_scripts/ultralytics_train.py has no checkpoint, and passes an absolute project.
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
YOLO_CONFIG_DIR="$folder/settings" "$folder/env/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from ultralytics import YOLO, __version__
from ultralytics.models.yolo.classify import ClassificationTrainer

rng = np.random.default_rng(0)
for part, count in (("train", 12), ("val", 6)):
    for label in range(2):
        place = Path("photos", part, str(label))
        place.mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(128 * label, 128 * label + 128, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.png")

options = {
    "data": str(Path("photos").resolve()), "imgsz": 32, "batch": 8, "workers": 0, "device": "cpu",
    "plots": False, "verbose": False,
}  # fmt: skip
first = ClassificationTrainer(
    overrides={**options, "model": "yolo11n-cls.yaml", "pretrained": False, "epochs": 3,
               "project": "mine", "name": "run"}
)  # fmt: skip
first.train()
home = first.save_dir.resolve().relative_to(Path.cwd().resolve())
again = YOLO(first.last)
again.train(resume=True, epochs=5, **options)
second = again.trainer
new_home = second.save_dir.resolve().relative_to(Path.cwd().resolve())
epochs = len(Path(second.csv).read_text().splitlines()) - 1


class Probe(ClassificationTrainer):
    """Stops where a data set would be looked for."""

    def get_dataset(self):
        raise RuntimeError(self.args.data)


try:
    YOLO(first.last).train(trainer=Probe, resume=True, epochs=5, device="cpu")
    default = "nothing"
except RuntimeError as error:
    default = str(error)
print(f"ultralytics {__version__}")
print(f"first training: {home}; resumed to 5 epochs: {new_home}, {epochs} epochs trained")
print(f"resumed without data=: looks for {default}")
seen = (
    str(home) == "runs/classify/mine/run",
    str(new_home).startswith("runs/classify/train"),
    second.start_epoch == 0,
    epochs == 5,
    default == "imagenet10",
)
print(seen)
sys.exit(0 if all(seen) else 1)
PYTHON
