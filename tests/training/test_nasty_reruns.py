"""A training called again after something changed: it continues where nothing did, or says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from automorph.errors import AutomorphError
from automorph.training import train

ROWS = [(f"a text of number {i} that is {'fine' if i % 2 else 'dull'}", i % 2) for i in range(60)]


def table(root: Path, rows: list[tuple[str, Any]], header: str = "text,label") -> str:
    lines = "\n".join(",".join(map(str, row)) for row in rows)
    (root / "a.csv").write_text(f"{header}\n{lines}\n", "utf-8")
    return f"csv:{root / 'a.csv'}"


def photos(root: Path, **options: Any) -> str:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = root / "photos" / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(20):
            pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png", **options)
    return f"folder:{root / 'photos'}"


def on_table(root: Path, source: str, **options: Any) -> Any:
    recipe = {"epochs": 1, "precision": "fp32"}
    return train(
        source, "aeda", model="bag-of-words", recipe=recipe, folder=root / "run", progress=False,
        **options,
    )  # fmt: skip


def on_photos(root: Path, source: str, **options: Any) -> Any:
    recipe = {"epochs": 1, "precision": "fp32"}
    return train(
        source, "crop", model="cnn:2", recipe=recipe, folder=root / "run", progress=False, **options
    )


Change = Callable[[Path], Any]


def renamed_class(root: Path) -> Any:
    (root / "photos" / "dog").rename(root / "photos" / "hound")
    return on_photos(root, f"folder:{root / 'photos'}")


def more_images(root: Path) -> Any:
    pixels = np.random.default_rng(9).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(root / "photos" / "cat" / "99.png")
    return on_photos(root, f"folder:{root / 'photos'}")


def swapped_files(root: Path) -> Any:
    one, two = (root / "photos" / name / "3.png" for name in ("cat", "dog"))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    return on_photos(root, f"folder:{root / 'photos'}")


def half_record(root: Path) -> Any:
    file = root / "run" / "run.json"
    file.write_bytes(file.read_bytes()[:200])
    return on_table(root, table(root, ROWS))


def lost_weights(root: Path) -> Any:
    (root / "run" / "model.safetensors").unlink()
    return on_table(root, table(root, ROWS))


def edited_result(root: Path) -> Any:
    file = root / "run" / "result.json"
    record = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(record).replace('"seed": 0', '"seed": 7'), "utf-8")
    return on_table(root, table(root, ROWS))


ON_TABLE: dict[str, tuple[Change, str | None]] = {
    "nothing": (lambda root: on_table(root, table(root, ROWS)), None),
    "a label": (lambda root: on_table(root, table(root, [(ROWS[0][0], 1), *ROWS[1:]])), "hash"),
    "the order of rows": (lambda root: on_table(root, table(root, ROWS[::-1])), "order"),
    "labels written as floats": (
        lambda root: on_table(root, table(root, [(t, f"{y}.0") for t, y in ROWS])), None),
    "an unused column": (
        lambda root: on_table(root, table(root, [(*row, "x") for row in ROWS], "text,label,z")),
        None),
    "the column of texts": (
        lambda root: on_table(
            root, table(root, [(*row, row[0][::-1]) for row in ROWS], "text,label,other"),
            text="other"),
        "hash"),
    "rows that stay together": (
        lambda root: on_table(
            root, table(root, [(*row, i // 2) for i, row in enumerate(ROWS)], "text,label,person"),
            keep_together="person"),
        "data"),
    "a limit": (lambda root: on_table(root, table(root, ROWS), limit=20), "data"),
    "protected words": (
        lambda root: on_table(root, table(root, ROWS), protect=["fine"]), "protect"),
    "half of the record": (half_record, "damaged|not .*JSON|cannot be read"),
    "the weights are lost": (lost_weights, "model.safetensors"),
    "an edited result": (edited_result, "changed after it was written"),
}  # fmt: skip
ON_PHOTOS: dict[str, tuple[Change, str | None]] = {
    "the files are written anew": (
        lambda root: on_photos(root, photos(root, compress_level=1)), None),
    "the name of a class": (renamed_class, "classes"),
    "one more image": (more_images, "hash"),
    "two files change places": (swapped_files, "hash"),
    "another size": (lambda root: on_photos(root, photos(root), size=6), "data"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*ON_TABLE, *ON_PHOTOS])
def test_training_again_after_a_change(name: str, tmp_path: Path) -> None:
    if name in ON_TABLE:
        first = on_table(tmp_path, table(tmp_path, ROWS))
    else:
        first = on_photos(tmp_path, photos(tmp_path))
    change, refusal = {**ON_TABLE, **ON_PHOTOS}[name]
    if refusal is not None:
        with pytest.raises(AutomorphError, match=refusal):
            change(tmp_path)
        return
    before = (tmp_path / "run" / "result.json").stat().st_mtime_ns
    assert change(tmp_path).loss == first.loss
    assert (tmp_path / "run" / "result.json").stat().st_mtime_ns == before
