"""Which folders are parts and which are classes; what is followed, counted or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from picture_files import encoded, noise

from automorph.data import Dataset, load_data
from automorph.errors import DataError


def tree(root: Path, **folders: int) -> Path:
    """Make folders with so many different images; ``__`` is a slash."""
    for number, (folder, n) in enumerate(folders.items()):
        path = root / folder.replace("__", "/")
        path.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            (path / f"{i}.png").write_bytes(encoded(noise(100 * number + i, 4, 4)))
    return root


def load(root: Path, *, on_demand: bool = False) -> Dataset:
    return load_data(f"folder:{root}", on_demand=on_demand, size=4)


def sizes(data: Dataset) -> dict[str, int]:
    return {name: len(part) for name, part in data.parts.items()}


THREE = {"train": 6, "validation": 2, "test": 2}


@pytest.mark.parametrize("on_demand", [False, True])
@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("train", "val", "test"), ""),
        (("Training", "Validation", "Testing"), ""),
        (("training_set", "dev_set", "test_set"), "training_set is the train part"),
        (("train2017", "val2017", "test2017"), "train2017 is the train part"),
        (("train-images", "val-images", "test-images"), "test-images is the test part"),
        (("seg_train", "seg_val", "seg_test"), "seg_test is the test part"),
    ],
)
def test_parts_above_the_classes(
    tmp_path: Path, names: tuple[str, str, str], note: str, on_demand: bool
) -> None:
    train, validation, test = names
    folders = {f"{train}__a": 3, f"{train}__b": 3, f"{validation}__a": 1, f"{validation}__b": 1,
               f"{test}__a": 1, f"{test}__b": 1}  # fmt: skip
    data = load(tree(tmp_path, **folders), on_demand=on_demand)
    assert sizes(data) == THREE
    assert data.classes == ("a", "b")
    assert note in "; ".join(data.notes)
    assert bool(data.notes) == bool(note)


@pytest.mark.parametrize("on_demand", [False, True])
def test_parts_inside_the_classes(tmp_path: Path, on_demand: bool) -> None:
    tree(tmp_path, cats__train=3, cats__test=1, dogs__train=3, dogs__test=1)
    data = load(tmp_path, on_demand=on_demand)
    assert sizes(data) == {"train": 6, "test": 2}
    assert data.classes == ("cats", "dogs")
    assert data.train.names[0] == "cats/train/0.png"
    assert data.notes == ("parts read inside the classes: cats/test, cats/train, dogs/test and "
                          "1 more",)  # fmt: skip


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"cats": 3, "dogs": 3, "test": 2}, "test are classes, like cats, dogs"),
        ({"train": 3, "test": 3}, "without the class folders that parts need"),
        ({"cats__train": 3, "cats__test": 1, "dogs": 3}, "is the test part of the class 'cats'"),
        ({"cats__train": 3, "cats": 1, "dogs__train": 3}, "the train part of the class 'cats'"),
        ({"cats": 3, "cats__site__test": 3, "dogs": 3}, "is the test part of the class 'cats'"),
        ({"train__cats": 3, "train__cats__val": 1, "train__dogs": 3}, "is the validation part"),
        ({"cats_train": 3, "cats_test": 1, "dogs_train": 3, "dogs_test": 1},
         "are parts of the classes cats, dogs; or cats_test, cats_train"),
    ],
)  # fmt: skip
def test_two_readings_are_refused(tmp_path: Path, folders: dict[str, int], words: str) -> None:
    tree(tmp_path, **folders)
    for on_demand in (False, True):
        with pytest.raises(DataError, match="can be read in two ways: either") as error:
            load(tmp_path, on_demand=on_demand)
        assert words in str(error.value)


def test_classes_that_only_sound_like_parts(tmp_path: Path) -> None:
    data = load(tree(tmp_path, boats=3, trains=3, test_tubes=3))
    assert data.classes == ("boats", "test_tubes", "trains")
    assert data.notes == ("folders named like parts are classes: 'test_tubes'",)


def test_classes_beside_a_part(tmp_path: Path) -> None:
    tree(tmp_path, cats=3, dogs=3, test__cats=1, test__dogs=1)
    with pytest.raises(DataError, match="move the classes cats, dogs to a folder train"):
        load(tmp_path)


def test_an_unlabelled_test_folder_is_noted(tmp_path: Path) -> None:
    data = load(tree(tmp_path, train__a=3, train__b=3, test1=4))
    assert sizes(data) == {"train": 6}
    assert data.notes == ("ignored folders of parts without class folders: test1",)


def test_folders_around_everything_are_passed_through(tmp_path: Path) -> None:
    inside = tmp_path / "x" / "y"
    tree(inside, seg_train__seg_train__a=3, seg_train__seg_train__b=3,
         seg_test__seg_test__a=1, seg_test__seg_test__b=1, seg_pred=2)  # fmt: skip
    data = load(tmp_path)
    assert sizes(data) == {"train": 6, "test": 2}
    assert data.classes == ("a", "b")
    assert "read from the only folder inside: x/y" in data.notes
    assert "classes read from the only folder inside: seg_test/seg_test" in data.notes
    assert "ignored folders that are not parts: seg_pred" in data.notes


def test_a_test_part_of_one_class_keeps_it(tmp_path: Path) -> None:
    data = load(tree(tmp_path, train__a=3, train__b=3, test__b__x=1, test__b__y=1))
    assert data.classes == ("a", "b")
    assert sizes(data) == {"train": 6, "test": 2}


@pytest.mark.parametrize("on_demand", [False, True])
def test_links_are_followed_once(tmp_path: Path, on_demand: bool) -> None:
    root = tree(tmp_path / "pets", cats=3, dogs=3, dogs__more=1)
    away = tree(tmp_path / "away", cats=2, cats__old=1, birds=3)
    (away / "cats" / "up").symlink_to(away)
    (root / "cats" / "linked").symlink_to(away / "cats")
    (root / "cats" / "loop").symlink_to(root)
    (root / "dogs" / "again").symlink_to(root / "dogs" / "more")
    (root / "dogs" / "one.png").symlink_to(away / "birds" / "0.png")
    (root / "birds").symlink_to(away / "birds")
    (root / "birds2").symlink_to(tmp_path / "nowhere")
    data = load(root, on_demand=on_demand)
    names = [name.partition("/")[0] for name in data.train.names]
    assert [names.count(one) for one in ("birds", "cats", "dogs")] == [3, 6, 5]
    text = "; ".join(data.notes)
    assert "ignored links that lead nowhere: birds2" in text
    assert "ignored links to folders that are read elsewhere: cats/linked/up, cats/loop, " in text
    assert "sub-folders read with their class: cats/linked" in text


def test_images_outside_the_classes_are_counted(tmp_path: Path) -> None:
    root = tree(tmp_path, train=2, train__a=3, train__b=3, test__a=1, test__b=1)
    (root / "cover.JPG").write_bytes(b"")
    assert load(root).notes == (
        "ignored images outside the class folders (1): cover.JPG",
        "ignored images outside the class folders (2): 0.png, 1.png",
    )


def test_classes_with_the_same_sub_folders_are_noted(tmp_path: Path) -> None:
    tree(tmp_path, fold1__cats=3, fold1__dogs=3, fold2__cats=3, fold2__dogs=3)
    data = load(tmp_path)
    assert data.classes == ("fold1", "fold2")
    assert data.notes[0].startswith(
        "classes are fold1, fold2, each with the sub-folders cats, dogs; if these are the classes"
    )


@pytest.mark.parametrize("on_demand", [False, True])
def test_masks_beside_images_are_noted(tmp_path: Path, on_demand: bool) -> None:
    root = tree(tmp_path, cats=3, dogs=3)
    (root / "cats" / "0_mask.png").write_bytes(encoded(noise(901, 4, 4)))
    (root / "cats" / "lone_mask.png").write_bytes(encoded(noise(902, 4, 4)))
    data = load(root, on_demand=on_demand)
    assert data.notes == (
        "1 images are named like masks of others, but were read as examples: cats/0_mask.png",
    )


def test_thumbnails_of_storage_systems_are_passed_over(tmp_path: Path) -> None:
    data = load(tree(tmp_path, cats=3, dogs=3, **{"cats__@eaDir__0.png": 2}))
    assert sizes(data) == {"train": 6}
