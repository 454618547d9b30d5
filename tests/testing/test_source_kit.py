"""The kit for data sources accepts every kind of source, and catches a data set with one fault."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest
from kits import failing, states_three_parts

from automorph.data import BadRow, Dataset, Split, from_arrays, load_data, strings
from automorph.testing import check_data_source, data_source_checks, example_texts

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)
LABELS = np.arange(40) % 2
CLASSES = ("cat", "dog")


def good(**changes):
    """A small data set with a test part, and with some fields changed."""
    train, test = Split(IMAGES[:30], LABELS[:30]), Split(IMAGES[30:], LABELS[30:])
    return Dataset(**{"name": "own", "classes": CLASSES, "train": train, "test": test, **changes})


class OnDemand:
    """Images that are read on demand."""

    dtype, shape = IMAGES.dtype, (30, 6, 6, 1)

    def __len__(self):
        return 30

    def __getitem__(self, rows):
        return IMAGES[:30][rows]


class Drifting(OnDemand):
    """Images that differ at every reading."""

    def __init__(self):
        self.reads = count()

    def __getitem__(self, rows):
        return IMAGES[:30][rows] ^ np.uint8(next(self.reads) % 2)


class Unpacked(OnDemand):
    """Images that arrive as floats."""

    def __getitem__(self, rows):
        return IMAGES[:30][rows] / 255


class Opened(OnDemand):
    """Images behind a handle that cannot be pickled."""

    def __init__(self):
        self.handle = open(__file__, "rb")  # noqa: SIM115
        self.handle.close()


class Unsealed(Dataset):
    """A data set that does not hide its test part."""

    def without_test(self):
        return self


class Dependent(Dataset):
    """A data set whose training part depends on its test part."""

    def without_test(self):
        return Dataset(self.name, self.classes, self.train.take(np.arange(20)))


def loading(data):
    return lambda: data


def shuffled():
    order = np.random.permutation(30)
    return good(train=Split(IMAGES[:30][order], LABELS[:30][order]))


def noisy():
    noise = np.random.randint(0, 2, (30, 6, 6, 1), np.uint8)
    return good(train=Split(IMAGES[:30] ^ noise, LABELS[:30]))


def fields(**changes):
    known = good()
    return {"name": "own", "classes": CLASSES, "train": known.train, "test": known.test, **changes}


TRAIN = good().train
BROKEN = {
    "classes_are_numbered": (
        loading(good(classes=("cat", "dog", "bird"))),
        loading(good(classes=("cat", "cat"))),
        loading(good(subgroup_names=("day", "night"))),
    ),
    "examples_have_names": (loading(good(train=replace(TRAIN, ids=strings(["same"] * 30)))),),
    "examples_can_be_read_in_any_order": (
        lambda: good(train=Split(Drifting(), LABELS[:30])),
        lambda: good(train=Split(Unpacked(), LABELS[:30])),
    ),
    "loading_again_gives_the_same": (shuffled, noisy),
    "losses_are_noted": (
        loading(good(notes=("",))),
        loading(good(notes=("one file ignored",) * 2)),
        loading(good(skipped=(BadRow("cats/1.png", "zero bytes"),))),
        loading(good(skipped=(BadRow("cats/1.png", ""),), notes=("left out: cats/1.png",))),
    ),
    "parts_share_no_example": (loading(good(test=TRAIN.take(np.arange(4)))),),
    "the_test_part_is_sealed": (
        loading(Unsealed(**fields())),
        loading(Dependent(**fields())),
    ),
    "worker_processes_get_it": (lambda: good(train=Split(Opened(), LABELS[:30])),),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{number}")
    for name, subjects in BROKEN.items()
    for number, subject in enumerate(subjects)
]


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in data_source_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    found = failing(data_source_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]


def test_images_on_demand_pass():
    check_data_source(lambda: good(train=Split(OnDemand(), LABELS[:30])))


@pytest.fixture
def sources(tmp_path):
    """Files of several kinds of sources, and what loads them."""
    from PIL import Image

    for number, image in enumerate(IMAGES):
        folder = tmp_path / "folder" / CLASSES[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    np.savez(tmp_path / "arrays.npz", images=IMAGES, labels=LABELS)
    rows = [f'"{text}",{label}' for text, label in zip(example_texts(), "ababbaba", strict=True)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    return {
        "digits": partial(load_data, "digits", limit=100),
        "arrays": partial(from_arrays, IMAGES, LABELS),
        "subgroups": partial(from_arrays, IMAGES, LABELS, subgroups=np.arange(40) // 2 % 2),
        "folder": partial(load_data, f"folder:{tmp_path / 'folder'}"),
        "on demand": partial(load_data, f"folder:{tmp_path / 'folder'}", on_demand=True, size=6),
        "numpy": partial(load_data, f"numpy:{tmp_path / 'arrays.npz'}"),
        "csv": partial(load_data, f"csv:{tmp_path / 'texts.csv'}"),
    }


@pytest.mark.parametrize(
    "name", ["digits", "arrays", "subgroups", "folder", "on demand", "numpy", "csv"]
)
def test_sources_pass(name, sources):
    check_data_source(sources[name])
