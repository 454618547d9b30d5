#!/bin/bash
# label-studio-sdk 2.1.2 (Pillow 13.0.0): pictures that were annotated twice, in the exports of one project.
#
# Good guess: an export lists each picture once; with the newest annotation of it, since an older one was corrected, or
# with the boxes of all annotators, the same in each format.
# Seen, for one picture that is a car in the annotation of January and a bus in that of February:
# - COCO lists the picture twice, under two ids, one with the car and one with the bus.
# - YOLO and VOC keep one, that of January: annotations are taken from the newest to the oldest, each writes the file
#   of the picture anew, and the oldest is the last.
# So in a split by COCO's image ids the same picture is trained on and tested on, with other labels, and a correction is
# undone in YOLO and VOC. Split by file_name, and export one annotation for each task (ground truth, or the newest).
# Automorph reads no Label Studio projects.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check label-studio-sdk==2.1.2 pillow==13.0.0
cd "$folder"
cat >exports.py <<'PYTHON'
import json
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

from label_studio_sdk.converter import Converter
from PIL import Image

CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels></View>'
)


def annotation(number, month, label):
    value = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": [label]}
    region = {"id": label, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": value}
    region |= {"original_width": 100, "original_height": 100, "image_rotation": 0}
    times = {key: f"2026-{month}-10T08:00:00.000000Z" for key in ("created_at", "updated_at")}
    return {"id": number, "completed_by": number, "was_cancelled": False, "result": [region]} | times


def exports(name, annotations):
    Image.new("RGB", (100, 100)).save(f"{name}.png")
    task = {"id": 1, "data": {"image": str(Path(f"{name}.png").resolve())}, "annotations": annotations}
    Path(f"{name}.json").write_text(json.dumps([task]))
    converter = Converter(CONFIG, ".", download_resources=False)
    for kind in ("COCO", "YOLO", "VOC"):
        converter.convert(f"{name}.json", f"{name}-{kind}", kind, is_dir=False)
    coco = json.loads(Path(f"{name}-COCO/result.json").read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    files = {image["id"]: Path(image["file_name"]).name for image in coco["images"]}
    classes = Path(f"{name}-YOLO/classes.txt").read_text().split()
    lines = Path(f"{name}-YOLO/labels/{name}.txt").read_text().splitlines()
    objects = ElementTree.parse(f"{name}-VOC/Annotations/{name}.xml").findall("object/name")
    return {
        "COCO": [(box["image_id"], files[box["image_id"]], names[box["category_id"]]) for box in coco["annotations"]],
        "YOLO": [classes[int(line.split()[0])] for line in lines],
        "VOC": [node.text for node in objects],
    }


january, february = annotation(1, "01", "car"), annotation(2, "02", "bus")
found = {name: exports(name, rows) for name, rows in (("a", [january, february]), ("b", [february, january]))}
print("RESULT label-studio-sdk", version("label-studio-sdk"))
for name, kinds in found.items():
    for kind, rows in kinds.items():
        print(f"RESULT {name}.png {kind:4} {rows}")
expected = {
    name: {"COCO": [(0, f"{name}.png", "bus"), (1, f"{name}.png", "car")], "YOLO": ["car"], "VOC": ["car"]}
    for name in "ab"
}
sys.exit(0 if found == expected else 1)
PYTHON
env/bin/python exports.py >log 2>&1 && code=0 || code=$?
grep RESULT log || cat log
exit "$code"
