"""Data sets larger than memory give the same rows as in memory, however they are read."""

from __future__ import annotations

import json
import pickle
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from automorph.data import image_files, load_data, split, split_hashes
from automorph.data.image_files import RandomCrop, crop_draws
from automorph.data.images import read_image
from automorph.errors import DataError, UsageError
from automorph.operations import Stream
from automorph.training import Recipe, make_task, task_record, train
from automorph.training.task_record import versions_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for part, n in (("train", 24), ("validation", 6), ("test", 6)):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for number in range(n):
                sides = (int(rng.integers(20, 60)), int(rng.integers(20, 60)), 3)
                pixels = rng.integers(0, 256, sides, np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number}.png")
    return root


def large(folder, **options):
    return load_data(f"folder:{folder}", size=16, on_demand=True, **options)


def test_rows_are_those_of_the_set_in_memory(folder):
    memory = load_data(f"folder:{folder}", size=16)
    demand = large(folder)

    assert demand.classes == memory.classes
    assert split_hashes(demand) == split_hashes(memory)
    for name, part in memory.parts.items():
        other = demand.parts[name]
        assert other.data.shape == part.data.shape
        np.testing.assert_array_equal(other.labels, part.labels)
        np.testing.assert_array_equal(other.data[:], part.data)
        np.testing.assert_array_equal(other.data[[5, 2, 2]], part.data[[5, 2, 2]])
        np.testing.assert_array_equal(other.take([3, 1]).data[:], part.data[[3, 1]])
        np.testing.assert_array_equal(np.asarray(other.data), part.data)


def test_decoders_change_nothing(folder):
    here, there = large(folder, crop=0.08), large(folder, crop=0.08, decoders=2)
    rows = np.arange(30)
    drawn = [d.train.drawn(rows, seed=3, epoch=1) for d in (here, there)]

    np.testing.assert_array_equal(*drawn)
    assert (here.train.drawn(rows, seed=3, epoch=2) != drawn[0]).any()
    # The crop of a row does not depend on the batch.
    np.testing.assert_array_equal(here.train.drawn(rows[7:9], seed=3, epoch=1), drawn[0][7:9])
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(there)).train.data[:2], here.train.data[:2]
    )


def test_crops_lie_inside_and_have_the_shapes_that_were_asked_for():
    draws = crop_draws(Stream(seed=1, index=np.arange(4000)))
    areas, ratios = [], []
    for row in draws:
        top, left, height, width = RandomCrop(0.25, tuple(row.tolist()))((300, 400))
        assert top >= 0
        assert left >= 0
        assert top + height <= 300
        assert left + width <= 400
        areas.append(height * width / 120_000)
        ratios.append(np.log(width / height))

    assert min(areas) > 0.24
    # A crop that does not fit is drawn again, so large areas are slightly rarer.
    assert 0.5 < np.mean(areas) < 0.63
    assert np.abs(ratios).max() <= np.log(4 / 3) + 0.02
    assert abs(np.mean(ratios)) < 0.06  # Wide crops fit a wide image more often.
    assert RandomCrop(1.0, (0.99,) * 40)((10, 100)) == (0, 43, 10, 13)


def test_training_on_demand_is_training(folder):
    recipe = Recipe(epochs=2, batch_size=16, lr=0.05, precision="fp32")
    memory, demand, decoded = (
        train(make_task(data, model="cnn:2", recipe=recipe), "trivialaugment", seed=1)
        for data in (
            load_data(f"folder:{folder}", size=16), large(folder), large(folder, decoders=1),
        )
    )  # fmt: skip

    assert demand.loss == memory.loss
    assert decoded.loss == memory.loss


def test_crops_are_part_of_what_a_run_is(folder, tmp_path):
    recipe = Recipe(epochs=1, batch_size=16, lr=0.05, precision="fp32")
    tasks = [make_task(large(folder, crop=c), model="cnn:2", recipe=recipe) for c in (0.1, 0.5)]
    train(tasks[0], folder=tmp_path)
    with pytest.raises(UsageError, match=r"data\.seen\.crop|seen\.crop"):
        train(tasks[1], folder=tmp_path)


@pytest.mark.parametrize("other_pixels", [True, False])
def test_a_run_names_the_library_that_decodes_otherwise(
    folder, tmp_path, monkeypatch, other_pixels
):
    def task():
        recipe = Recipe(epochs=2, batch_size=16, lr=0.05, precision="fp32")
        return make_task(large(folder), model="cnn:2", recipe=recipe)

    train(task(), folder=tmp_path, stop_epoch=1, progress=False)
    mine = versions_of(task())
    monkeypatch.setattr(task_record, "installed", lambda *names: {**mine, "pillow": "99.0"})
    if other_pixels:
        monkeypatch.setattr(image_files, "read_image", lambda *a, **k: read_image(*a, **k) // 2)
    does = "gives other pixels for these files" if other_pixels else "may give other results"
    with pytest.raises(UsageError, match=rf"installed: pillow 99\.0, which {does}"):
        train(task(), folder=tmp_path, progress=False)
    with pytest.warns(UserWarning, match=r"others with pillow 99\.0"):
        assert train(task(), folder=tmp_path, progress=False, accept_versions=True).finished


def test_other_pixels_of_the_same_files_and_library_are_another_run(folder, tmp_path, monkeypatch):
    def begin():
        task = make_task(large(folder), model="cnn:2", recipe=Recipe(epochs=1, batch_size=16))
        train(task, folder=tmp_path, progress=False)

    begin()
    with monkeypatch.context() as changed:
        changed.setattr(image_files, "read_image", lambda *a, **k: read_image(*a, **k) // 2)
        with pytest.raises(UsageError, match=r"a different run .*data\.pixels"):
            begin()
    # Runs that began before pixels were recorded continue.
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    del record["identity"]["data"]["pixels"]
    (tmp_path / "run.json").write_text(json.dumps(record), "utf-8")
    begin()


def test_bad_files_are_named(folder, tmp_path):
    bad = tmp_path / "photos"
    for name in ("cat", "dog"):
        (bad / name).mkdir(parents=True)
        for number in range(12):
            source = folder / "train" / name / f"{number}.png"
            (bad / name / f"{number}.png").write_bytes(source.read_bytes())
    (bad / "cat" / "0.png").write_bytes(b"not an image")
    Image.open(bad / "dog" / "3.png").save(bad / "dog" / "3.jpg")
    (bad / "dog" / "3.png").unlink()
    whole = (bad / "dog" / "3.jpg").read_bytes()
    (bad / "dog" / "3.jpg").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(DataError, match=r"1 files cannot be used:\n  cat/0.png"):
        large(bad)
    left = large(bad, skip_bad=True)
    assert [row.id for row in left.skipped] == ["cat/0.png"]
    assert len(left.train) == 23
    with pytest.raises(DataError, match=r"dog/3\.jpg.*truncated.*Repair or remove that file"):
        left.train.data[:]


def test_splits_and_limits_copy_nothing(folder):
    alone = load_data(f"folder:{folder}/train", size=16, on_demand=True)
    parts = split(alone, seed=0)
    memory = split(load_data(f"folder:{folder}/train", size=16), seed=0)

    assert all(part.on_demand for part in parts.parts.values())
    assert split_hashes(parts) == split_hashes(memory)
    small = load_data(f"folder:{folder}/train", size=16, on_demand=True, limit=8)
    assert Counter(small.train.labels.tolist()) == {0: 4, 1: 4}


def test_what_cannot_be_read_on_demand_is_said(folder, tmp_path):
    with pytest.raises(UsageError, match="need a size"):
        load_data(f"folder:{folder}", on_demand=True)
    with pytest.raises(UsageError, match="only from folder:PATH"):
        load_data("digits", on_demand=True)
    with pytest.raises(UsageError, match="decoded on demand"):
        load_data("digits", crop=0.5)
    file = tmp_path / "x.csv"
    file.write_text("text,label\n" + "".join(f"word {i},{i % 2}\n" for i in range(20)))
    with pytest.raises(UsageError, match="cache=FOLDER"):
        load_data(f"csv:{file}", on_demand=True)


def test_texts_in_an_arrow_file_are_the_texts(tmp_path):
    file = tmp_path / "x.csv"
    words = ["good film", "bad film", "the plot is thin", "a joy to see", "", "naïve – 好"]
    lines = [f"{words[i % 4]} {words[5]} {i},{i % 2}\n" for i in range(90)]
    file.write_text("text,label\n" + "".join(lines), "utf-8")
    memory = split(load_data(f"csv:{file}"), seed=0)
    mapped = split(load_data(f"csv:{file}", on_demand=True, cache=tmp_path / "kept"), seed=0)

    assert mapped.hash == memory.hash
    assert split_hashes(mapped) == split_hashes(memory)
    assert mapped.train.data[[4, 1]].tolist() == memory.train.data[[4, 1]].tolist()
    assert mapped.train.data.tolist() == memory.train.data.tolist()
    assert mapped.train.data[3] == memory.train.data[3]
    recipe = Recipe(epochs=1, batch_size=16, lr=0.01, precision="fp32")
    both = [
        train(make_task(data, model="bag-of-words", recipe=recipe), "aeda")
        for data in (memory, mapped)
    ]
    assert both[0].loss == both[1].loss
