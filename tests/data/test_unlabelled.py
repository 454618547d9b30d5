"""Unlabelled examples: read from every source without labels, and never held-out ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from automorph.data import Dataset, Split, from_arrays, load_data, split, with_unlabelled
from automorph.errors import DataError, UsageError
from automorph.training import make_task


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return split(load_data("digits", limit=300), seed=0)


def pictures(n, *, seed=0, side=8, channels=1):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)


def notes_of(dataset) -> str:
    return "\n".join(note for note in dataset.notes if note.startswith("unlabelled"))


def test_held_out_examples_are_dropped_and_counted(digits):
    parts = digits.parts
    pool = np.concatenate([pictures(5), *(part.data[:7] for part in parts.values())])
    found = with_unlabelled(digits, pool)
    assert len(found.unlabelled) == 12
    assert (found.unlabelled.labels == -1).all()
    held_out = np.concatenate([parts["validation"].digests, parts["test"].digests])
    assert not np.isin(found.unlabelled.digests, held_out).any()
    for note in (
        "unlabelled examples: 26 from memory, used without labels",
        "dropped because they are also in the validation part: 7",
        "dropped because they are also in the test part: 7",
        "also in the training part: 7",
    ):
        assert note in notes_of(found)
    assert found.hash == digits.hash


def test_a_task_guards_a_pool_that_was_put_in_by_hand(digits):
    pool = Split(digits.parts["test"].data[:4], np.full(4, -1))
    more = Split(np.concatenate([pool.data, pictures(3)]), np.full(7, -1))
    task = make_task(digits.replace(unlabelled=more))
    assert len(task.data.unlabelled) == 3
    assert "also in the test part: 4" in notes_of(task.data)
    with pytest.raises(DataError, match="all 4 unlabelled examples"):
        make_task(digits.replace(unlabelled=pool))


def test_a_split_made_later_is_guarded_too():
    whole = load_data("digits", limit=None)
    pool = whole.train.data[:300]
    task = make_task(split(with_unlabelled(whole, pool), seed=0))
    test = task.data.parts["test"].digests
    assert not np.isin(task.data.unlabelled.digests, test).any()
    assert 0 < len(task.data.unlabelled) < 300


def test_only_the_train_part_of_a_source_is_taken(digits):
    other = split(from_arrays(pictures(90), np.arange(90) % 2), seed=0)
    found = with_unlabelled(digits, other)
    assert len(found.unlabelled) == len(other.train)
    assert "the train part; left out: validation, test" in notes_of(found)


def test_folders_with_and_without_classes(digits, tmp_path):
    for number, image in enumerate(pictures(20)):
        folder = tmp_path / ("flat" if number < 10 else "flat/deeper")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    (tmp_path / "flat" / "readme.txt").write_text("no image")
    found = with_unlabelled(digits, f"folder:{tmp_path / 'flat'}")
    assert len(found.unlabelled) == 20
    assert "ignored the names of sub-folders, which are no labels here: deeper" in notes_of(found)
    assert "1 .txt" in notes_of(found)
    for part in ("train", "test"):
        for one in ("a", "b"):
            (tmp_path / "parts" / part / one).mkdir(parents=True)
            image = pictures(1, seed=hash((part, one)) % 99)[0, ..., 0]
            Image.fromarray(image).save(tmp_path / "parts" / part / one / "1.png")
    found = with_unlabelled(digits, f"folder:{tmp_path / 'parts'}")
    assert len(found.unlabelled) == 2
    assert "left out: test" in notes_of(found)


def test_tables_need_no_labels_and_say_which_are_ignored(tmp_path):
    data = split(from_arrays([f"text {i}" for i in range(60)], np.arange(60) % 2), seed=0)
    plain, labelled = tmp_path / "plain.csv", tmp_path / "labelled.csv"
    plain.write_text("text\n" + "\n".join(f"new {i}" for i in range(9)))
    labelled.write_text("text,label\n" + "\n".join(f"new {i},x" for i in range(9)))
    for file in (plain, labelled):
        found = with_unlabelled(data, f"csv:{file}")
        assert found.unlabelled.data.tolist() == [f"new {i}" for i in range(9)]
        assert ("ignored the label column: label" in notes_of(found)) == (file == labelled)
    table = tmp_path / "named.csv"
    table.write_text("words,stars\n" + "\n".join(f"new {i},5" for i in range(9)))
    found = with_unlabelled(data, f"csv:{table}", text="words", label="stars")
    assert "ignored the label column: stars" in notes_of(found)
    # A pool from the file of the labelled examples: those of the held-out parts are dropped.
    same = with_unlabelled(data, [f"text {i}" for i in range(60)])
    assert len(same.unlabelled) == len(data.train)


def test_arrays_and_known_sets(digits, tmp_path):
    np.savez(tmp_path / "some.npz", images=pictures(6), labels=np.zeros(6, int))
    np.savez(tmp_path / "bare.npz", x_train=pictures(6))
    for name in ("some", "bare"):
        assert len(with_unlabelled(digits, f"numpy:{tmp_path / name}.npz").unlabelled) == 6
    found = with_unlabelled(digits, "digits")
    assert "from digits, used without labels" in notes_of(found)


def test_groups_that_stay_together_are_dropped_together(tmp_path):
    rows = [f"text {i},{'ab'[i % 2]},{i // 3}" for i in range(90)]
    (tmp_path / "all.csv").write_text("text,label,person\n" + "\n".join(rows))
    data = split(load_data(f"csv:{tmp_path / 'all.csv'}", keep_together="person"), seed=0)
    test = {int(v) for v in data.parts["test"].metadata["person"]}
    validation = {int(v) for v in data.parts["validation"].metadata["person"]}
    pool = tmp_path / "pool.csv"
    pool.write_text("text,person\n" + "\n".join(f"new {i},{i}" for i in range(30)))
    found = with_unlabelled(data, f"csv:{pool}")
    left = {int(v) for v in found.unlabelled.metadata["person"]}
    assert left == set(range(30)) - test - validation
    assert f"share their person with the test part: {len(test)}" in notes_of(found)
    pool.write_text("text\n" + "\n".join(f"new {i}" for i in range(30)))
    assert "have no column 'person'" in notes_of(with_unlabelled(data, f"csv:{pool}"))


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (pictures(4, side=9), "9x9x1, but those of digits are 8x8x1.*size=8"),
        (["a text"], "are texts, but digits contains images"),
        ("digitss", "Did you mean"),
        ("folder:/nowhere", "not found"),
        ((pictures(4), np.zeros(4)), "without labels"),
        (7, "of type int"),
    ],
)
def test_what_does_not_fit_is_refused(digits, pool, message):
    with pytest.raises((DataError, UsageError), match=message):
        with_unlabelled(digits, pool)


def test_sizes_and_channels_follow_the_labelled_images(tmp_path):
    data = split(from_arrays(pictures(60, channels=3), np.arange(60) % 2, size=(6, 6)), seed=0)
    for number, image in enumerate(pictures(5, side=20)):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
    found = with_unlabelled(data, f"folder:{tmp_path}", size=6)
    assert found.unlabelled.data.shape == (5, 6, 6, 3)
    with pytest.raises(DataError, match="--size 6"):
        with_unlabelled(data, f"folder:{tmp_path}")


def test_images_of_more_than_8_bits_need_the_window_of_the_labelled_ones(tmp_path):
    deep = np.random.default_rng(0).integers(0, 4000, (30, 8, 8)).astype(np.uint16)
    for number, image in enumerate(deep):
        folder = tmp_path / ("deep/a" if number % 2 else "deep/b")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    labelled = split(load_data(f"folder:{tmp_path / 'deep'}", window=(0, 4000)), seed=0)
    (tmp_path / "pool").mkdir()
    Image.fromarray(deep[0] // 2).save(tmp_path / "pool" / "one.png")
    found = with_unlabelled(labelled, f"folder:{tmp_path / 'pool'}")
    expected = np.floor((deep[0] // 2).astype(float) * 255 / 4000 + 0.5)
    assert np.array_equal(found.unlabelled.data[0, ..., 0], expected.astype(np.uint8))
    shallow = split(load_data("digits", limit=300), seed=0)
    with pytest.raises(DataError, match="more than 8 bits"):
        with_unlabelled(shallow, f"folder:{tmp_path / 'pool'}")


def test_bad_files_are_refused_or_skipped_with_a_note(digits, tmp_path):
    for number, image in enumerate(pictures(4)):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="1 of 5 rows cannot be used"):
        with_unlabelled(digits, f"folder:{tmp_path}")
    found = with_unlabelled(digits, f"folder:{tmp_path}", skip_bad=True)
    assert len(found.unlabelled) == 4
    assert "1 example cannot be used" in notes_of(found)


def test_images_on_demand_are_refused(tmp_path):
    for number, image in enumerate(pictures(40)):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    data = split(load_data(f"folder:{tmp_path}", on_demand=True, size=8), seed=0)
    with pytest.raises(UsageError, match="on demand"):
        with_unlabelled(data, pictures(4))
