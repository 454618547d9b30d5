#!/bin/bash
# datasets 5.2.0, litdata 0.2.76 and webdataset 1.0.2 (Pillow 13.0.0, torch 2.15.0): pictures that were opened from a
# file and edited in place.
#
# Good guess: what is in memory is written: a picture opened by Pillow, made smaller by thumbnail and blackened in one
# half by ImageDraw, arrives in the data set small and half black.
# Seen: WebDataset writes it so. Pillow keeps `filename` on an opened picture, and the others take it as a promise that
# the picture is still the file:
# - litdata copies the file's bytes where the picture is a JPEG; a PNG is written as edited;
# - datasets stores the file's path, for JPEG and PNG: in from_dict, from_generator and in a map over files that
#   returns the edited picture. The same map over pictures whose bytes are embedded keeps the edit.
# So blackened faces, removed marks and thumbnails are silently undone, and to_parquet or push_to_hub publishes the
# originals. Methods that return a new picture (resize, crop, rotate, convert, copy) are safe: end with image.copy().
# Automorph writes pictures of its own from arrays.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" datasets==5.2.0 litdata==0.2.76 \
    webdataset==1.0.2 pillow==13.0.0 torch==2.15.0 numpy==2.4.6
cd "$folder"
cat >edited.py <<'PYTHON'
import io
import sys
import tarfile

import datasets
import litdata
import webdataset
from PIL import Image, ImageDraw

FILES = {"JPEG": "photo.jpg", "PNG": "photo.png"}
EDITED, ORIGINAL = ((64, 64), 0), ((256, 256), 200)


def edit(image):
    image.thumbnail((64, 64))
    ImageDraw.Draw(image).rectangle((0, 0, 63, 31), fill="black")
    return image


def opened(kind):
    return edit(Image.open(FILES[kind]))


def row(kind):
    return {"image": opened(kind)}


def rows(kind):
    yield row(kind)


def edit_row(row):
    edit(row["image"])
    return row


def seen(image):
    return image.size, image.convert("L").getpixel((5, 5))


def from_bytes(data):
    return Image.open(io.BytesIO(data))


def table(value):
    return datasets.Dataset.from_dict({"image": [value]}, features=datasets.Features(image=datasets.Image()))


def by_from_dict(kind):
    return table(opened(kind))[0]["image"]


def by_from_generator(kind):
    return datasets.Dataset.from_generator(rows, gen_kwargs={"kind": kind}, cache_dir="cache")[0]["image"]


def by_map_of_files(kind):
    return table(FILES[kind]).map(edit_row)[0]["image"]


def by_map_and_parquet(kind):
    table(FILES[kind]).map(edit_row).to_parquet(f"{kind}.parquet")
    return datasets.Dataset.from_parquet(f"{kind}.parquet", cache_dir="cache")[0]["image"]


def by_map_of_bytes(kind):
    with open(FILES[kind], "rb") as file:
        return table({"bytes": file.read(), "path": None}).map(edit_row)[0]["image"]


def by_litdata(kind):
    litdata.optimize(row, [kind], f"litdata-{kind}", num_workers=1, chunk_size=1, verbose=False)
    pixels = litdata.StreamingDataset(f"litdata-{kind}")[0]["image"]
    if isinstance(pixels, Image.Image):
        return pixels
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def by_webdataset(kind):
    with webdataset.TarWriter(f"{kind}.tar") as writer:
        writer.write({"__key__": "0", "jpg": opened(kind)})
    with tarfile.open(f"{kind}.tar") as shard:
        return from_bytes(shard.extractfile("0.jpg").read())


if __name__ == "__main__":
    datasets.disable_progress_bars()
    for file in FILES.values():
        Image.new("RGB", (256, 256), (200, 200, 200)).save(file)
    print("RESULT datasets", datasets.__version__, "litdata", litdata.__version__)
    found = {"in memory": [seen(opened(kind)) for kind in FILES]}
    for name, function in list(globals().items()):
        if name.startswith("by_"):
            found[name[3:].replace("_", " ")] = [seen(function(kind)) for kind in FILES]
    for name, values in found.items():
        print(f"RESULT {name:16} {dict(zip(FILES, values, strict=True))}")
    expected = {
        "in memory": [EDITED, EDITED],
        "from dict": [ORIGINAL, ORIGINAL],
        "from generator": [ORIGINAL, ORIGINAL],
        "map of files": [ORIGINAL, ORIGINAL],
        "map and parquet": [ORIGINAL, ORIGINAL],
        "map of bytes": [EDITED, EDITED],
        "litdata": [ORIGINAL, EDITED],
        "webdataset": [EDITED, EDITED],
    }
    sys.exit(0 if found == expected else 1)
PYTHON
HF_HOME="$folder" HF_HUB_OFFLINE=1 env/bin/python edited.py >log 2>&1 && code=0 || code=$?
grep RESULT log || cat log
exit "$code"
