#!/bin/bash
# label-studio-sdk 2.1.2 (Pillow 13.0.0): rectangles that were turned, in the exports of one project.
#
# Good guess: formats without an angle (COCO, YOLO, VOC) get the upright box around the turned rectangle, all three the
# same one, or the rectangle is refused.
# Seen, for 100 x 40 pixels turned by a right angle in a picture of 1000 x 500:
# - YOLO_OBB, which has room for the corners, is right: 40 wide and 100 high, from (460, 200).
# - COCO turns in per cent of width and height instead of pixels: a box of 80 x 50 from (420, 200). Only in square
#   pictures it is right.
# - YOLO and VOC leave the angle out: 100 x 40 from (500, 200), beside the object, with an overlap of 0.
# So the same project trains a detector on three different boxes, in silence. Export YOLO_OBB (or the JSON) and take
# the smallest and largest corners.
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
    '<Label value="car"/></RectangleLabels></View>'
)


def task(name, width, height, angle):
    Image.new("RGB", (width, height)).save(f"{name}.png")
    value = {"x": 50000 / width, "y": 20000 / height, "width": 10000 / width, "height": 4000 / height}
    value |= {"rotation": angle, "rectanglelabels": ["car"]}
    region = {"id": name, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": value}
    region |= {"original_width": width, "original_height": height, "image_rotation": 0}
    result = {"id": 1, "completed_by": 1, "result": [region]}
    return {"id": 1, "data": {"image": str(Path(f"{name}.png").resolve())}, "annotations": [result]}


def boxes(name, width, height, angle):
    Path(f"{name}.json").write_text(json.dumps([task(name, width, height, angle)]))
    converter = Converter(CONFIG, ".", download_resources=False)
    for kind in ("COCO", "YOLO", "YOLO_OBB", "VOC"):
        converter.convert(f"{name}.json", f"{name}-{kind}", kind, is_dir=False)
    coco = json.loads(Path(f"{name}-COCO/result.json").read_text())["annotations"][0]["bbox"]
    x, y, w, h = map(float, Path(f"{name}-YOLO/labels/{name}.txt").read_text().split()[1:])
    corners = list(map(float, Path(f"{name}-YOLO_OBB/labels/{name}.txt").read_text().split()[1:]))
    xs, ys = [width * x for x in corners[::2]], [height * y for y in corners[1::2]]
    edges = ElementTree.parse(f"{name}-VOC/Annotations/{name}.xml").find("object/bndbox")
    left, top, right, bottom = (int(edges.find(edge).text) for edge in ("xmin", "ymin", "xmax", "ymax"))
    found = {
        "YOLO_OBB": [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)],
        "COCO": coco,
        "YOLO": [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height],
        "VOC": [left, top, right - left, bottom - top],
    }
    return {kind: [round(float(number), 3) for number in box] for kind, box in found.items()}


true, flat = [460.0, 200.0, 40.0, 100.0], [500.0, 200.0, 100.0, 40.0]
found = [boxes("upright", 1000, 500, 0), boxes("turned", 1000, 500, 90), boxes("square", 1000, 1000, 90)]
print("RESULT label-studio-sdk", version("label-studio-sdk"))
for name, kinds in zip(("not turned", "turned by 90 degrees", "turned, square picture"), found, strict=True):
    for kind, box in kinds.items():
        print(f"RESULT {name:22} {kind:8} x, y, width, height {box}")
expected = [
    {"YOLO_OBB": flat, "COCO": flat, "YOLO": flat, "VOC": flat},
    {"YOLO_OBB": true, "COCO": [420.0, 200.0, 80.0, 50.0], "YOLO": flat, "VOC": flat},
    {"YOLO_OBB": true, "COCO": true, "YOLO": flat, "VOC": flat},
]
sys.exit(0 if found == expected else 1)
PYTHON
env/bin/python exports.py >log 2>&1 && code=0 || code=$?
grep RESULT log || cat log
exit "$code"
