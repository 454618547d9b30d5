#!/bin/bash
# timm 1.0.31 and torchvision 0.29.2 (torch 2.15.0): the classes of one folder of pictures.
#
# Good guess: timm's create_dataset and torchvision's ImageFolder read a folder of pictures alike: the folders at its
# top are the classes, numbered in the order of their names.
# Seen:
# - Numbers: timm sorts "2" before "10" and ignores upper case, torchvision sorts by characters. Of class1 to class12,
#   eleven have another number, of Ant, bee and Cat two.
# - Classes: where the pictures lie one folder deeper, timm takes that folder for the class: cat/indoor, cat/outdoor,
#   dog/indoor, dog/outdoor are the classes indoor and outdoor, and cats and dogs share a label.
# So a network trained with one and scored or deployed with the other is right on other classes, and a tree with
# sub-folders is trained on the wrong question; no error or warning. Save class_to_idx with the weights, and hand it to
# timm as class_map.
# Automorph keeps the names of classes with the network.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    timm==1.0.31 torchvision==0.29.2 torch==2.15.0 pillow==13.0.0 numpy==2.4.6
cd "$folder"
env/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import timm
import torchvision
from PIL import Image
from timm.data import create_dataset
from torchvision.datasets import ImageFolder

TREES = {
    "numbers": [f"class{number}" for number in range(1, 13)],
    "cases": ["Ant", "bee", "Cat"],
    "deeper": ["cat/indoor", "cat/outdoor", "dog/indoor", "dog/outdoor"],
}


def labels(data, root):
    """The number of the class, by picture."""
    if hasattr(data, "samples"):
        return {Path(path).stem: label for path, label in data.samples}
    return {Path(data.filename(index)).stem: data[index][1] for index in range(len(data))}


found = {}
print("timm", timm.__version__, "torchvision", torchvision.__version__)
for root, folders in TREES.items():
    for name in folders:
        Path(root, name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(Path(root, name, name.replace("/", "-") + ".png"))
    ours, theirs = labels(create_dataset("", root), root), labels(ImageFolder(root), root)
    found[root] = ours, theirs
    print(f"{root}: timm {ours}")
    print(f"{root}: torchvision {theirs}")
differ = {root: sum(ours[name] != theirs[name] for name in ours) for root, (ours, theirs) in found.items()}
print("pictures with another number:", differ)
deep = [list(labels.values()) for labels in map(lambda pair: dict(sorted(pair.items())), found["deeper"])]
sys.exit(0 if differ == {"numbers": 11, "cases": 2, "deeper": 2} and deep == [[0, 1, 0, 1], [0, 0, 1, 1]] else 1)
PYTHON
