"""The recordings of this folder: what they are of, and the script that made them.

Recorded from commit 3efc091, the last one before the rename of modules, classes and functions.
They say what the package did on that day: pixels, draws, mixed labels, edited texts, names, the
files of policies, and finished runs of every verb. A later commit that moves or renames things must
give the same, so **do not record anew to make a test pass**: a difference is a finding. Where a
change of behaviour is wanted, take the cases it touches out of the file by hand, and say so in the
changelog.

To record (into an empty folder beside the cases; from the repository's root, with the compiled
engine built)::

    PYTHONPATH=src OMP_NUM_THREADS=1 python tests/golden/golden_record.py write
    PYTHONPATH=src OMP_NUM_THREADS=1 python tests/golden/record_runs.py

To see what the package gives today for some groups, as one JSON object::

    export PYTHONPATH=src AUTOMORPH_ENGINE=reference
    python tests/golden/golden_record.py measure small texts

Only public names of ``automorph``, its command line and policy files of version 1 are used, and of
a policy its ``name``, ``mixes_labels``, ``augment``, ``preview`` and ``fitted``. What can only be
reached through a module of the package is in ``drawn`` below, and nowhere else.

A case is exact (whole numbers and IEEE arithmetic alone: the same digest on every machine) or float
(it goes through sin, exp, log or sums of many terms, or may: the last bit can depend on processor
and library). For float cases ``blocks`` keeps the means of 4 x 4 blocks of every image, one byte
each, for machines other than the one of the recording.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import automorph

HERE = Path(__file__).parent
COMMIT = "3efc091"


def drawn(policy: Any, *, seed: int, epoch: int, n: int) -> tuple[Any, Any, Any, tuple[str, ...]]:
    """Operation numbers, magnitudes, coins, each ``(n, L)``, and the operations' names.

    No public name gives them, so this is the one place that looks into the package: point it at
    the new names after the rename.
    """
    from automorph.operations import Stream

    sequences = policy.sample(Stream(seed=seed, epoch=epoch, index=np.arange(n)))
    return sequences.op, sequences.magnitude, sequences.fire, policy.space.names


# What the cases are made of: images and texts from nothing but this file.


def noise(shape: tuple[int, ...], key: str) -> Any:
    """Bytes that look random, from a hash: the same in every version of NumPy."""
    stream = hashlib.shake_128(key.encode()).digest(int(np.prod(shape)))
    return np.frombuffer(stream, np.uint8).reshape(shape).astype(np.int64)


def images(n: int, height: int, width: int, channels: int) -> Any:
    """Waves, a disc and noise; the last image is flat, the one before has three levels."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.empty((n, height, width, channels), np.int64)
    grain = noise(out.shape, f"{n} {height} {width} {channels}")
    for i in range(n):
        cy, cx = height * (2 + i % 3) // 6, width * (1 + i % 4) // 5
        disc = (y - cy) ** 2 + (x - cx) ** 2 < (min(height, width) * (2 + i % 3) // 10) ** 2
        for c in range(channels):
            wave = (x * 256 * (1 + i) // width + y * 256 * (1 + c) // height + 40 * i) % 512
            level = 20 + np.abs(wave - 256) * (3 + c) // 8
            out[i, ..., c] = np.where(disc, 235 - 30 * c, level) + grain[i, ..., c] // 12
    out[-1] = 90
    if n > 1:
        out[-2] = 60 + 70 * (grain[-2] // 86)
    return np.clip(out, 0, 255).astype(np.uint8)


BATCHES = {
    "grey32": (8, 32, 32, 1),
    "colour32": (8, 32, 32, 3),
    "rgba32": (8, 32, 32, 4),
    "odd": (8, 17, 23, 3),
    "tiny": (8, 2, 3, 3),
    "grey224": (4, 224, 224, 1),
    "colour224": (4, 224, 224, 3),
}

TEXTS = (
    "the movie was funny and the movie was long , a funny long movie indeed",
    "I do not know why they didn't like it . It is the best film of the year !",
    "a clever story with one surprising turn after another",
    "The actors are good , the script is not . We can't recommend it .",
    "what a dull evening : nothing happens , nobody speaks , and it never ends",
    "She runs quickly through the old house and finds a small dog .",
    "One came first . Two was late ! Three never came ? All four were lost .",
    "NASA says that the rocket will fly on Monday , weather permitting",
    "the dog chased the cat , the cat chased the mouse",
    "word",
    "",
    "It's hard to say , but I'm sure you'll love this picture .",
)
ENTITIES = (
    "The funny <e1>dog</e1> quickly chased the old <e2>cat</e2> through a small house .",
    "A good <e1>story</e1> surprises the <e2>actors</e2> and they speak of it .",
    "In the evening the <e1>rocket</e1> never flies to the big <e2>house</e2> quickly .",
)
PARAPHRASES = "paraphrases.jsonl"


def declarations(file: str) -> dict[str, dict[str, Any]]:
    """The operations of a kept policy file, by name."""
    content = json.loads((HERE / "policies" / file).read_text("utf-8"))
    return {entry["name"]: entry for entry in content["policy"]["operations"]["operations"]}


def loaded(node: dict[str, Any], **options: Any) -> Any:
    """A policy of a node of a policy file of version 1."""
    content = {"format": "automorph-policy", "version": 1, "policy": node}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.json"
        path.write_text(json.dumps(content), "utf-8")
        return automorph.load_policy(path, **options)


def single(entry: dict[str, Any], magnitude: float, **rendering: Any) -> dict[str, Any]:
    """A policy of one operation that is always used."""
    step = {"operation": entry["name"], "probability": 1.0, "magnitude": magnitude}
    return {
        "kind": "mixture",
        "label": "one",
        "operations": {"name": "one", "operations": [entry]},
        "subpolicies": [[step]],
        "weights": None,
        **rendering,
    }


EXACT = {
    "Identity", "TranslateX", "TranslateY", "AutoContrast", "Equalize", "Invert", "Solarize",
    "SolarizeAdd", "Posterize", "Contrast", "Color", "Brightness", "Sharpness", "Cutout",
    "SamplePairing", "HorizontalFlip", "VerticalFlip", "PadCrop", "Erosion", "Dilation",
}  # fmt: skip
"""Operations of whole numbers and plain IEEE arithmetic."""

NAMES = (
    "none", "flip", "flip(p=0.3)", "flip(1)", "horizontal-flip", "crop", "crop(pad=0.2)",
    "flip-crop", "FLIP_CROP", "flip-crop(pad=0.1)", "resized-crop", "resized-crop(area=0.3)",
    "cutout", "cutout(16)", "cutout(0.25)", "cutout(8,p=0.7)", "random-erasing",
    "random-erasing(p=1,area=0.123456789)", "randaugment", "randaugment(n=0)",
    "randaugment(n=2,m=9)", "RandAugment(2, 9)", "randaugment(n=3,m=5)",
    "randaugment(n=1,m=9.123456789,space=augmix)", "randaugment(n=2,m=9,space=tanda-mnist)",
    "randaugment(n=2,m=30,space=catalogue)", "trivialaugment", "trivial", "trivialaugment-wide",
    "trivialaugment(space=augmix)", "uniformaugment", "uniformaugment(n=3,space=randaugment)",
    "uniformaugment(n=4,space=catalogue)", "composition",
    "composition(n=3,p=0.7,low=0.1,high=0.2,levels=5,spread=0.05,space=catalogue)", "augmix",
    "augmix(severity=1,width=1,depth=1,weakest=0,alpha=0.5,share=1,space=randaugment)",
    "augmix(severity=10)", "autoaugment", "autoaugment:cifar10", "autoaugment:svhn",
    "autoaugment:imagenet", "autoaugment(imagenet)", "random", "random(seed=5)",
    "random(count=3,length=4,seed=-7,space=tanda-cifar10)", "mixup", "mixup(alpha=0.2,p=0.5)",
    "cutmix", "cutmix(alpha=0.3,p=1)", "rand-m9-mstd0.5-inc1", "rand-m0", "rand-m10-n3-p0.7",
    "rand-m7-mstd101-inc1", "rand-m9-n2-mmax15", "original", "originalr", "v0", "v0r", "3a",
    "augmix-m3-w3-d2", "augmix-m5-w4-a0.5", "randaugment(n=2,m=9,fill=128)",
    "randaugment(n=2,m=9,fill=(1,2,3),interpolation=bilinear)", "flip-crop(fill=7)",
    "trivialaugment(interpolation=bilinear)", "autoaugment:svhn(interpolation=bilinear,fill=128)",
    "rand-m9(fill=0,interpolation=nearest)", "flip-crop + randaugment(n=2,m=9) + cutout(16)",
    "flip-crop+trivialaugment-wide+random-erasing(p=1)", "crop + flip + crop",
    "flip-crop + autoaugment:cifar10 + random-erasing(p=0.5,area=0.4) + mixup(alpha=1,p=1)",
    "flip-crop + randaugment(n=1,m=5) + cutmix", "augmix + rand-m9-inc1 + augmix",
    "randaugment(n=1,m=9,interpolation=bilinear) + randaugment(n=1,m=9)", "schedule(1:flip)",
    "schedule(20:none,10:randaugment(n=2,m=9),3:augmix-m3-w3-d2)",
    "schedule(2:none,2:trivialaugment)", "flip-crop + schedule(1:none,3:trivialaugment-wide)",
    "crop + schedule(1:cutout(8,p=0.7),2:mixup(alpha=1,p=1))", "random(space=disc-axes)",
    "composition(n=5,space=disc-small-and-large)", "eda", "eda(alpha=0.05)", "synonyms",
    "aeda(p=0.2)", "aeda", "tf-idf", "tf-idf(p=0.9)", "uniform-words", "switchout",
    "language(p=0.3)", "language", "typos", "composition(n=2,space=texts-plain)",
    "composition(n=3,p=1,space=texts)", "random(space=texts-wordnet)", "random(space=texts-corpus)",
    "random(space=entities)", "randaugment(n=2,m=9,space=eda)", "typos + aeda(p=0.2)",
    "eda + mixup(alpha=0.4)", f"paraphrases({PARAPHRASES},p=1)", "autoaugment:mnist", "flip(p=2)",
    "randaugmnet", "rand-m9-q3", "mixup + flip", "flip + eda", "cutout(16",
)  # fmt: skip
"""What users type; the last few are refused."""


MEANT = {
    "augmix": "augmix(space=augmix-0.1,interpolation=nearest)",
    "augmix(severity=10)": "augmix(severity=10,space=augmix-0.1,interpolation=nearest)",
    "augmix(severity=1,width=1,depth=1,weakest=0,alpha=0.5,share=1,space=randaugment)":
        "augmix(severity=1,width=1,depth=1,weakest=0,alpha=0.5,share=1,space=randaugment,"
        "interpolation=nearest)",
    "augmix + rand-m9-inc1 + augmix":
        "augmix(space=augmix-0.1,interpolation=nearest) + rand-m9-inc1 + "
        "augmix(space=augmix-0.1,interpolation=nearest)",
    "trivialaugment(space=augmix)": "trivialaugment(space=augmix-0.1)",
    "randaugment(n=1,m=9.123456789,space=augmix)":
        "randaugment(n=1,m=9.123456789,space=augmix-0.1)",
    "randaugment(n=2,m=9,space=tanda-mnist)":
        "randaugment(n=2,m=9,space=tanda-mnist,fill=0,interpolation=nearest)",
    "random(count=3,length=4,seed=-7,space=tanda-cifar10)":
        "random(count=3,length=4,seed=-7,space=tanda-cifar10,fill=0,interpolation=nearest)",
}  # fmt: skip
"""Names that meant something else than their papers when this was recorded, and what draws that
today: AugMix was nearest, with another Posterize, and TANDA's operations were nearest, on black."""


def typed(name: str) -> Any:
    """The policy that a name meant at the recording."""
    return automorph.load_policy(MEANT.get(name, name))


def policies_of(domain: str) -> list[str]:
    """The names that can be loaded, of one domain."""
    kept = recorded("names.json")["cases"] if (HERE / "names.json").is_file() else names()
    return [name for name, case in kept.items() if case.get("domain") == domain]


# Digests.


def sha(*parts: Any) -> str:
    """The first 16 digits of SHA-256 of arrays and texts, with their shapes and types."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(part.encode())
            continue
        array = np.ascontiguousarray(part)
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]


def blocks(batch: Any) -> str:
    """Means of 4 x 4 blocks of every image, one byte each, in base 64."""
    height, width = batch.shape[1:3]
    rows, columns = (np.arange(4) * side // 4 for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(batch.astype(np.float64), rows, 1), columns, 2)
    counts = np.multiply.outer(*(np.diff([*at, side]) for at, side in
                                 ((rows, height), (columns, width))))  # fmt: skip
    means = sums.mean(3) / counts
    return base64.b64encode(np.rint(means).astype(np.uint8).tobytes()).decode()


def levels(text: str) -> Any:
    """The bytes of ``blocks`` as numbers."""
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(np.int64)


def case(batch: Any, *, exact: bool, more: tuple[Any, ...] = ()) -> dict[str, Any]:
    """What is kept of a result."""
    found: dict[str, Any] = {"sha": sha(batch, *more), "exact": exact}
    if not exact and batch.ndim == 4 and min(batch.shape[1:3]) >= 4:
        found["blocks"] = blocks(batch)
    return found


def machine() -> dict[str, str]:
    """What a float may depend on; the processor only as a digest."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    model = [line for line in lines if line.startswith(("model name", "flags"))][:2]
    versions = {}
    for name in ("numpy", "scipy", "opencv-python-headless", "torch"):
        try:
            from importlib.metadata import version

            versions[name] = version(name)
        except ImportError:
            versions[name] = ""
    return {
        "processor": sha(" ".join(model) or platform.processor()),
        "machine": platform.machine(),
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()),
        "python": ".".join(platform.python_version_tuple()[:2]),
        **versions,
    }


# The groups of cases: each yields keys and what is kept of them.

Cases = Iterator[tuple[str, dict[str, Any]]]


def _operation_cases(batch: str, settings: list[tuple[Any, dict[str, Any]]]) -> Cases:
    examples = images(*BATCHES[batch])
    for name, entry in declarations("v1-catalogue.json").items():
        signed = entry["identity"] is not None and entry["low"] < entry["identity"] < entry["high"]
        for value, rendering in settings:
            declared, magnitude, words = entry, value, f"m={value}"
            if isinstance(value, str):
                # Held at one end: what the coin of a signed operation leaves to chance otherwise.
                if not signed:
                    continue
                declared = entry | {"low": entry[value], "high": entry[value]}
                magnitude, words = 1.0, f"at its {value} end"
            out = loaded(single(declared, magnitude, **rendering)).augment(examples, seed=3)
            said = " ".join(f"{key}={value}" for key, value in rendering.items())
            exact = name in EXACT and rendering.get("interpolation") != "bilinear"
            yield f"{name} {words} {said} {batch}".replace("  ", " "), case(out, exact=exact)


_BILINEAR = {"interpolation": "bilinear"}


def small() -> Cases:
    """Every image operation and named policy at 32 pixels."""
    both = [(m, r) for m in (0.0, 0.1, 0.5, 1.0) for r in ({}, _BILINEAR)]
    ends = [(end, r) for end in ("low", "high") for r in ({}, _BILINEAR)]
    yield from _operation_cases("grey32", [*both, *ends, (1.0, {"fill": 128})])
    coloured = {"fill": [10, 200, 60]}
    filled = [(1.0, coloured), (0.5, coloured | _BILINEAR)]
    yield from _operation_cases("colour32", [*both, *ends, *filled])
    yield from _operation_cases("rgba32", [(0.5, {}), (1.0, _BILINEAR),
                                           (1.0, {"fill": [1, 2, 3, 255]})])  # fmt: skip
    yield from _operation_cases("odd", [(0.3, {}), (1.0, _BILINEAR)])
    yield from _operation_cases("tiny", [(1.0, {}), (1.0, _BILINEAR)])
    yield from units()
    for batch in ("grey32", "colour32"):
        for epoch in (0, 3):
            yield from _policy_cases(batch, epoch)
    examples = images(*BATCHES["colour32"])
    for name in ("flip-crop + randaugment(n=2,m=9) + cutout(16)", "augmix", "random"):
        policy = typed(name)
        views = policy.preview(examples, draws=3, seed=1)
        yield f"preview {name}", case(views.reshape(-1, *views.shape[2:]), exact=False)
        numbered = policy.augment(examples, seed=2**40 + 1, index=np.arange(8) * 10**9, copy=5)
        yield f"numbered {name}", case(numbered, exact=False)
        threaded = policy.augment(examples, threads=2)
        yield f"threads {name}", case(threaded, exact=False)


def units() -> Cases:
    """Operations held at values of other units than the catalogue's, and beyond its ranges."""
    known, examples = declarations("v1-catalogue.json"), images(*BATCHES["colour32"])
    for name, change in {
        "TranslateX": {"low": -10.0, "high": 10.0, "unit": "px"},
        "TranslateY": {"low": -2.6, "high": 2.6, "unit": "px"},
        "Cutout": {"low": 0.0, "high": 9.0, "unit": "px"},
        "Posterize": {"low": 0.0, "high": 4.0, "identity": 4.0},
        "Solarize": {"low": 0.0, "high": 255.0},
        "Rotate": {"low": -1000.0, "high": 360.0},
        "PadCrop": {"low": 0.0, "high": 1.0},
        "ShearX": {"low": -3.0, "high": 3.0, "identity": None},
    }.items():
        for m in (0.37, 1.0):
            policy = loaded(single(known[name] | change, m))
            out = policy.augment(examples, seed=4)
            yield f"{name} {change} m={m}", case(out, exact=name in EXACT)


def _policy_cases(batch: str, epoch: int) -> Cases:
    examples = images(*BATCHES[batch])
    for name in policies_of("image"):
        if "fill=(" in name and batch.startswith("grey"):
            continue
        policy, words = typed(name), f"{name} | epoch={epoch} {batch}"
        plain = (
            name.startswith(("none", "flip(", "flip-crop", "crop", "cutout")) and "+" not in name
        )
        if policy.mixes_labels:
            labels = np.eye(len(examples), 10, dtype=np.float32)
            out, soft = policy.augment(examples, labels=labels, seed=7, epoch=epoch)
            # The labels are in mixing.json, to be compared as numbers.
            assert soft.shape == labels.shape
        else:
            out = policy.augment(examples, seed=7, epoch=epoch)
        yield words, case(out, exact=plain)


def large() -> Cases:
    """Every image operation and named policy at 224 pixels."""
    yield from _operation_cases("colour224", [(0.5, {}), (1.0, _BILINEAR)])
    yield from _operation_cases("grey224", [(1.0, {})])
    yield from _policy_cases("colour224", 0)


def draws() -> Cases:
    """What is drawn, before any pixel: numbers of operations, magnitudes, coins."""
    every = [*policies_of("image"), *policies_of("text"), *policies_of("vector")]
    for name in every:
        for seed, epoch in ((0, 0), (12345, 3)):
            op, magnitude, fire, names = drawn(typed(name), seed=seed, epoch=epoch, n=64)
            used = np.where(fire, op, -1)
            first = [[names[number] for number in row if number >= 0] for row in used[:3].tolist()]
            exact = {"op": sha(op.astype("<i2")), "fire": sha(fire.astype(bool))}
            yield (
                f"{name} | seed={seed} epoch={epoch}",
                {
                    **exact,
                    "magnitude": sha(magnitude.astype("<f4")),
                    "mean": round(float(magnitude.mean()) if magnitude.size else 0.0, 5),
                    "first": first,
                },
            )


def mixing() -> Cases:
    """Partners and weights of policies that mix labels, read off one-hot labels."""
    for batch in ("colour32", "odd"):
        examples = images(*BATCHES[batch])
        n = len(examples)
        for name in policies_of("image"):
            policy = typed(name)
            if not policy.mixes_labels:
                continue
            for seed in (0, 11):
                labels = np.eye(n, dtype=np.float32)
                out, soft = policy.augment(examples, labels=labels, seed=seed, epoch=2)
                yield (
                    f"{name} | seed={seed} {batch}",
                    case(out, exact=False)
                    | {
                        "partner": [
                            int((row * (1 - labels[i])).argmax()) for i, row in enumerate(soft)
                        ],
                        "weight": [round(float(soft[i, i]), 6) for i in range(n)],
                        "labels": sha(soft),
                    },
                )
    vectors = (noise((8, 2), "vectors") / 64 - 2).astype(np.float64)
    for name in ("mixup", "mixup(alpha=0.2,p=0.5)"):
        out, soft = typed(name).augment(vectors, labels=np.eye(8), seed=1)
        yield f"{name} | vectors", {"rows": np.round(out, 6).tolist(), "labels": sha(soft)}


def vectors() -> Cases:
    """Operations on vectors."""
    points = (noise((8, 2), "points") / 128 - 1).astype(np.float64)
    for name in policies_of("vector"):
        out = typed(name).augment(points, seed=2)
        yield name, {"rows": np.round(np.asarray(out, np.float64), 6).tolist()}


def following() -> Cases:
    """Boxes, masks and key points that follow their images."""
    boxes = [[[2.0, 3.0, 20.0, 30.0], [25.0, 1.0, 31.0, 9.5]]] * 8
    points = [[[5.0, 6.5], [16.0, 16.0], [31.0, 0.5]]] * 8
    examples = images(*BATCHES["colour32"])
    masks = (noise((8, 32, 32), "masks") // 64).astype(np.int32)
    made = {
        f"{name} m=0.7": loaded(single(entry, 0.7))
        for name, entry in declarations("v1-catalogue.json").items()
        if name != "SamplePairing"
    }
    names = ("flip-crop + randaugment(n=2,m=9) + cutout(16)", "trivialaugment-wide", "resized-crop",
             "schedule(2:none,2:trivialaugment)", "crop + flip + crop")  # fmt: skip
    for name, policy in (made | dict.fromkeys(names)).items():
        found = automorph.follow(
            policy or name, examples, boxes=boxes, points=points, masks=masks, seed=1, epoch=2
        )
        yield (
            name,
            {
                "images": sha(found.images),
                "masks": sha(found.masks),
                "boxes": [np.round(part, 4).tolist() for part in found.boxes[:3]],
                "visible": [np.round(part, 4).tolist() for part in found.visible[:3]],
                "points": [np.round(part, 4).tolist() for part in found.points[:3]],
            },
        )


def texts() -> Cases:
    """Every operation on texts, and every named policy for them, fitted on the texts above."""
    corpus = [*TEXTS, *ENTITIES]
    for file, batch in (("v1-texts.json", TEXTS), ("v1-entities.json", ENTITIES)):
        for name, entry in declarations(file).items():
            for m in (0.3, 1.0):
                policy = loaded(single(entry, m)).fitted(corpus)
                yield f"{name} m={m}", {"texts": _said(policy.augment(list(batch), seed=5))}
    for name in policies_of("text"):
        policy = typed(name).fitted(corpus)
        if policy.mixes_labels:
            continue
        batch = ENTITIES if "entities" in name else TEXTS
        for epoch in (0, 3):
            out = policy.augment(list(batch), seed=6, epoch=epoch)
            yield f"{name} | epoch={epoch}", {"texts": _said(out)}
    kept = automorph.load_policy("typos(p=1) + switchout(p=0.5)").fitted(
        corpus, protect=(r"[A-Z]{2,}", r"mov\w+")
    )
    yield "protected", {"texts": _said(kept.augment(list(TEXTS), seed=6))}


def _said(batch: Any) -> list[str]:
    return [str(text) for text in batch]


def adapters() -> Cases:
    """The doors for torch: a data set, a collate function, a layer; the engine's torch path."""
    import torch

    torch.set_num_threads(1)
    examples = images(*BATCHES["colour32"])
    planes = torch.from_numpy(examples).permute(0, 3, 1, 2).contiguous()
    samples = [(planes[i], i % 3) for i in range(8)]
    for name in ("flip-crop + randaugment(n=2,m=9) + cutout(16)", "augmix", "trivialaugment-wide",
                 "randaugment(n=2,m=30,space=catalogue)"):  # fmt: skip
        policy = typed(name)
        arrays = policy.augment(examples, seed=1, epoch=2)
        tensors = policy.augment(planes, seed=1, epoch=2)
        floats = policy.augment(planes.float() / 255, seed=1, epoch=2)
        layer = automorph.OnDevice(policy, seed=1)
        layer.set_epoch(2)
        alone = "catalogue" not in name  # SamplePairing needs whole batches.
        data = automorph.Augmented(samples, policy if alone else "none", seed=1, copies=2)
        data.set_epoch(2)
        collate = automorph.Collate(policy, seed=1)
        collate.set_epoch(2)
        yield name, {
            "tensor as array": sha(tensors.permute(0, 2, 3, 1).numpy()) == sha(arrays),
            "floats as array": sha(np.rint(floats.permute(0, 2, 3, 1).numpy() * 255)
                                   .astype(np.uint8)) == sha(arrays),
            "layer as tensor": sha(layer(planes, index=np.arange(8)).numpy()) == sha(tensors),
            "layer, counted": sha(layer(planes).numpy(), layer(planes).numpy()),
            "array": sha(arrays),
            "data set": sha(*(data[i][0].numpy() for i in range(16))),
            "collate": sha(collate(samples)[0].numpy()),
        }  # fmt: skip
    for name in ("flip-crop + randaugment(n=1,m=5) + cutmix", "mixup(alpha=0.2,p=0.5)"):
        collate = automorph.Collate(name, seed=1, classes=3)
        batch, labels = collate(samples)
        layer = automorph.OnDevice(name, seed=1, classes=3)
        mixed, soft = layer(planes, torch.arange(8) % 3)
        yield name, {
            "collate": sha(batch.numpy()), "labels": np.round(labels.numpy(), 6).tolist(),
            "layer": sha(mixed.numpy()), "soft": np.round(soft.numpy(), 6).tolist(),
        }  # fmt: skip


def own() -> Cases:
    """Operations of a user, in a policy file that refers to them."""

    @automorph.operation(range=(-40, 40), unit="level", identity=0)
    def lift(image: Any, value: float) -> Any:
        return np.clip(image.astype(int) + int(value), 0, 255).astype(np.uint8)

    @automorph.operation(range=(0, 1), batched=True, name="speckle")
    def speckle(batch: Any, values: Any, rng: Any) -> Any:
        out = batch.copy()
        out[:, ::2] = (batch[:, ::2] * (1 - values[:, None, None, None] / 2)).astype(np.uint8)
        return out

    @automorph.operation(range=(1, 3), whole=True)
    def refuses(image: Any, value: float) -> Any:
        return None if image.max() < 100 else image[::-1].copy()

    examples = images(*BATCHES["colour32"])
    declared: dict[str, dict[str, Any]] = {
        "lift": {"low": -40.0, "high": 40.0, "identity": 0.0, "unit": "level"},
        "speckle": {"low": 0.0, "high": 1.0},
        "refuses": {"low": 1.0, "high": 3.0, "whole": True},
    }
    entries = [{"name": name, "kernel": "user", **said} for name, said in declared.items()]
    node = {
        "kind": "uniform", "operations": {"name": "mine", "operations": entries}, "length": 2,
        "low": 0.2, "high": 0.9,
    }  # fmt: skip
    policy = loaded(node, operations=[lift, speckle, refuses])
    yield "own operations", case(policy.augment(examples, seed=1), exact=True)
    yield "called", {"sha": sha(lift(examples[0], 12.0)), "exact": True}


def files() -> Cases:
    """Every kept policy file of version 1: its name, its draws, and what it makes."""
    for path in sorted((HERE / "policies").glob("v1-*.json")):
        policy = automorph.load_policy(path)
        found: dict[str, Any] = {"name": policy.name, "exact": False}
        domain = _domain(_written(policy))
        for epoch in (0, 2):
            if domain == "text":
                fitted = policy.fitted([*TEXTS, *ENTITIES])
                batch = list(ENTITIES if "entities" in path.name else TEXTS)
                found[f"texts {epoch}"] = sha("\n".join(_said(fitted.augment(batch, epoch=epoch))))
                continue
            for name in ("grey32", "colour32", "odd"):
                if "fill=(" in policy.name and name == "grey32":
                    continue
                examples = images(*BATCHES[name])
                labels = np.eye(len(examples), dtype=np.float32) if policy.mixes_labels else None
                out = policy.augment(examples, labels=labels, epoch=epoch)
                parts = out if labels is not None else (out,)
                found[f"{name} {epoch}"] = sha(*parts)
                found[f"blocks {name} {epoch}"] = blocks(parts[0])
        if domain == "image":
            views = policy.preview(images(*BATCHES["colour32"]), draws=12, seed=1)
            found |= {"preview": sha(views), "blocks preview": blocks(views[:, -1])}
        yield path.name, found


def _written(policy: Any) -> dict[str, Any]:
    """The file of a policy."""
    with tempfile.TemporaryDirectory() as folder:
        path = automorph.save_policy(policy, Path(folder) / "policy.json")
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _domain(content: dict[str, Any]) -> str:
    """What the operations of a policy file are for; images if there are none."""
    found = re.search(r'"domain": "(\w+)"', json.dumps(content))
    return found[1] if found else "image"


def names() -> dict[str, dict[str, Any]]:
    """What users type: the name that comes back, and the digest of the file that is written."""
    found: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        try:
            policy = automorph.load_policy(name)
        except Exception:
            found[name] = {"refused": True}
            continue
        content = _written(policy)
        found[name] = {
            "name": policy.name,
            "domain": _domain(content),
            "mixes": policy.mixes_labels,
            "version": content["version"],
            "form": sha(json.dumps(content["policy"], sort_keys=True)),
            "again": automorph.load_policy(policy.name) == policy,
        }
    return found


def spelling() -> Cases:
    """`names`, as cases."""
    yield from names().items()


def exports() -> Cases:
    """Policies as code of other libraries.

    Code for Python is run; of the others the numbers are kept, and what they name of the library:
    names and words of our own may change.
    """
    examples = images(*BATCHES["colour32"])
    names = ("flip-crop + randaugment(n=2,m=9)", "autoaugment:cifar10", "cutout(16)")
    for name in names:
        place: dict[str, Any] = {}
        exec(automorph.export_policy(name, "python"), place)
        out = np.stack([place["augment"](image, index=i) for i, image in enumerate(examples)])
        same = typed(name).augment(examples)
        yield f"{name} to python", case(out, exact=False) | {"same": bool((out == same).all())}
    for to in ("torchvision", "albumentations", "kornia"):
        for name in names:
            numbers, named = _of_code(automorph.export_policy(name, to, size=32))
            yield f"{name} to {to}", {"numbers": sha(" ".join(numbers)), "names": named}
    for name in ("rand-m9-inc1", "augmix-m3-w3-d2"):
        yield f"{name} to timm", {"code": automorph.export_policy(name, "timm")}


_SPELLED_OUT = {
    "A.Affine": (
        "scale translate_percent translate_px rotate shear mask_interpolation fit_output "
        "keep_ratio rotate_method balanced_scale border_mode fill_mask"
    ),
    "A.AutoContrast": "cutoff ignore",
    "A.CoarseDropout": "fill_mask",
    "A.Compose": "p",
    "A.Equalize": "by_channels mask mask_params",
    "A.Sharpen": "method kernel_size sigma",
}
"""Arguments that exports have written out since, also where they are the library's defaults."""


def _as_recorded(tree: ast.Module) -> ast.Module:
    """The module without arguments that the recorded exports left to the library's defaults."""
    from automorph.interop.albumentations_arguments import ARGUMENTS
    from automorph.interop.call_ast import source

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            left = {"p": 1.0, **ARGUMENTS.get(name, {})}
            left = {key: left[key] for key in _SPELLED_OUT.get(name, "").split()}
            node.keywords = [
                one for one in node.keywords
                if one.arg not in left
                or ast.dump(one.value) != ast.dump(ast.parse(source(left[one.arg])).body[0].value)
            ]  # fmt: skip
    return tree


def _of_code(code: str) -> tuple[list[str], list[str]]:
    """The numbers of a module, and what it names of the modules that it imports, both sorted."""
    numbers, modules, named = [], set(), set()
    tree = _as_recorded(ast.parse(code))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            numbers.append(repr(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            named |= {f"{node.value.id}.{node.attr}"} if node.value.id in modules else set()
    return sorted(numbers), sorted(named)


def pictures() -> dict[str, Any]:
    """A few results as arrays, so that a difference can be looked at."""
    found = {"grey32": images(*BATCHES["grey32"]), "colour32": images(*BATCHES["colour32"])}
    known = declarations("v1-catalogue.json")
    for name, entry in known.items():
        out = loaded(single(entry, 1.0)).augment(images(*BATCHES["colour32"]), seed=3)
        found[f"{name} m=1.0 colour32"] = out[:2]
    for name in ("randaugment(n=2,m=9)", "augmix", "autoaugment:cifar10"):
        out = typed(name).augment(images(*BATCHES["colour32"]), seed=7)
        found[f"{name} | epoch=0 colour32"] = out[:4]
    return found


GROUPS = {
    "small": small, "large": large, "draws": draws, "mixing": mixing, "vectors": vectors,
    "following": following, "texts": texts, "adapters": adapters, "own": own, "files": files,
    "names": spelling, "exports": exports,
}  # fmt: skip
"""Each is recorded in a file of its name."""


def recorded(file: str) -> Any:
    """A file of this folder."""
    return json.loads((HERE / file).read_text("utf-8"))


def measured(groups: list[str], engine: str) -> dict[str, Any]:
    """What the package gives today, in a process of its own with one engine."""
    environment = os.environ | {
        "AUTOMORPH_ENGINE": engine, "AUTOMORPH_WORDNET": "wordnet", "OMP_NUM_THREADS": "1",
        "NO_ALBUMENTATIONS_UPDATE": "1",
        # The very package that this process has imported, from wherever it is called.
        "PYTHONPATH": str(Path(automorph.__file__).resolve().parents[1]),
    }  # fmt: skip
    # Relative places (the paraphrases, WordNet's files) are of this folder.
    done = subprocess.run(
        [sys.executable, "golden_record.py", "measure", *groups],
        cwd=HERE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"measuring {groups} by {engine} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(groups: list[str]) -> dict[str, Any]:
    """What the package gives today, here."""
    return {group: dict(GROUPS[group]()) for group in groups}


def written(file: str, cases: dict[str, Any]) -> None:
    """Keep cases, one a line."""
    head = {"recorded from": COMMIT, "machine": machine()}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in cases.items()]
    body = ",\n".join(lines)
    text = f'{{\n"about": {json.dumps(head)},\n"cases": {{\n{body}\n}}\n}}\n'
    json.loads(text)
    (HERE / file).write_text(text, "utf-8")


def keep_files() -> None:
    """The policy files: spaces, from which single operations are built, and what goes unsaid.

    A file of version 1 may leave out much, and what it leaves out means what it meant on that day:
    defaults of the kinds, and what no field says at all (Cutout's grey of 128, Posterize down to
    0 bits, the shapes of RandomErasing and ResizedCrop, the edges of Zoom and Elastic).
    """
    for name in ("catalogue", "texts", "entities"):
        automorph.save_policy(f"composition(space={name})", HERE / f"policies/v1-{name}.json")
    for name, node in unsaid().items():
        content = {"format": "automorph-policy", "version": 1, "policy": node}
        text = json.dumps(content, indent=1) + "\n"
        (HERE / "policies" / f"v1-unsaid-{name}.json").write_text(text, "utf-8")


def unsaid() -> dict[str, dict[str, Any]]:
    """Policies of every kind that say as little as a file of version 1 may say."""
    full = declarations("v1-catalogue.json")
    least = {name: _least(entry) for name, entry in full.items()}
    space = {"name": "mine", "operations": list(least.values())}
    few = {"name": "few", "operations": [least[n] for n in ("Rotate", "Cutout", "Color", "Noise")]}
    each = [[{"operation": name, "probability": 1, "magnitude": 1}] for name in least]
    steps = [{"operation": n, "probability": 0.6, "magnitude": 0.5} for n in ("Rotate", "Cutout")]
    bits = least["Posterize"] | {"low": 0, "high": 8}
    moves = [least[name] for name in ("Rotate", "TranslateX", "ShearY", "PadCrop", "Zoom")]
    told = {name: _least(entry) for name, entry in declarations("v1-texts.json").items()}
    lstm = [round((number % 29 - 14) / 10, 1) for number in range(164)]
    policies: dict[str, dict[str, Any]] = {
        "mixture": {"kind": "mixture", "label": "each", "operations": space, "subpolicies": each},
        "weights": {"kind": "mixture", "label": "weighted", "operations": few,
                    "subpolicies": [steps, [], steps[::-1]], "weights": [1, 0, 2.5]},
        "nothing": {"kind": "mixture", "label": "nothing",
                    "operations": {"name": "none", "operations": []}},
        "uniform": {"kind": "uniform", "operations": space},
        "levels": {"kind": "uniform", "operations": few, "length": 3, "levels": 4, "spread": 0.2},
        "bits": {"kind": "uniform", "operations": {"name": "bits", "operations": [bits]},
                 "length": 1, "low": 0, "high": 1},
        "drawn": {"kind": "drawn", "operations": space},
        "augmix": {"kind": "augmix", "operations": few},
        "mixup": {"kind": "mixed", "mix": "mixup"},
        "cutmix": {"kind": "mixed", "mix": "cutmix"},
        "shuffled": {"kind": "shuffled", "label": "some", "operations": few, "steps": steps},
        "generated": {"kind": "generated", "label": "learned", "operations": few,
                      "parameters": [0.5, -1, 0.25, 0]},
        "recurrent": {"kind": "generated", "label": "read", "operations": few, "network": "lstm",
                      "length": 3, "bound": 2, "parameters": lstm},
        "fill-grey": {"kind": "uniform", "operations": {"name": "moves", "operations": moves},
                      "fill": [77], "length": 2},
        "fill-colour": {"kind": "uniform", "operations": {"name": "moves", "operations": moves},
                        "fill": [9, 99, 199], "interpolation": "bilinear", "length": 2},
        "texts": {"kind": "mixture", "label": "texts",
                  "operations": {"name": "told", "operations": list(told.values())},
                  "subpolicies": [[{"operation": name, "probability": 1, "magnitude": 1}]
                                  for name in told]},
    }  # fmt: skip
    policies["schedule"] = {
        "kind": "schedule",
        "pieces": [{"epochs": 1, "policy": policies["uniform"]},
                   {"epochs": 2, "policy": policies["weights"]}],
    }  # fmt: skip
    policies["chain"] = {
        "kind": "chain",
        "stages": [policies[n] for n in ("shuffled", "fill-grey", "schedule", "augmix", "cutmix")],
    }
    return policies


def _least(entry: dict[str, Any]) -> dict[str, Any]:
    """A declaration without what may be left out; an identity of null may."""
    needed = ("name", "kernel", "low", "high", "identity")
    return {key: entry[key] for key in needed if entry[key] is not None}


def write() -> None:
    """Record everything but the runs."""
    keep_files()
    written("names.json", measured(["names"], "native")["names"])
    groups = [group for group in GROUPS if group != "names"]
    plain, compiled = (measured(groups, engine) for engine in ("reference", "native"))
    for group in groups:
        cases = plain[group]
        # Today both engines give the same, to the bit.
        assert compiled[group] == cases, f"{group} differs between the engines"
        written(f"{group}.json", cases)
    np.savez_compressed(HERE / "pictures.npz", **pictures())


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2:])))
    elif sys.argv[1:] == ["write"]:
        write()
    else:
        sys.exit("golden_record.py write, or golden_record.py measure GROUP...")
