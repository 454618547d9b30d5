"""A policy as the transform of a Hugging Face data set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from loader_data import image_as, pixels
from torch.utils.data import DataLoader

from automorph.errors import DataError, UsageError
from automorph.integrations import huggingface
from automorph.policies import load_policy

datasets = pytest.importorskip("datasets")
POLICY = "flip-crop + randaugment(n=2,m=9)"


@pytest.fixture
def data() -> object:
    """Twelve PIL images, decoded from PNG as they are read."""
    columns = {
        "img": [image_as("pil", image) for image in pixels(12)],
        "label": [number % 3 for number in range(12)],
        "id": list(range(12)),
    }
    return datasets.Dataset.from_dict(columns).cast_column("img", datasets.Image())


def stacked(rows: list[dict[str, object]]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(np.array(row["img"])) for row in rows])


def test_rows_are_what_the_policy_makes_of_them(data: object) -> None:
    augment = huggingface.transform(POLICY, "img", index="id", seed=3)
    data.set_transform(augment)
    for epoch in (0, 1):
        augment.set_epoch(epoch)
        expected = load_policy(POLICY).augment(pixels(12), seed=3, epoch=epoch)
        np.testing.assert_array_equal(np.asarray(data[5]["img"]), expected[5])
        batch = data[3:9]
        assert batch["id"] == list(range(3, 9))
        for image, one in zip(batch["img"], expected[3:9], strict=True):
            assert type(image).__module__ == "PIL.Image"
            np.testing.assert_array_equal(np.asarray(image), one)


def test_pixels_stand_for_numbers(data: object) -> None:
    augment = huggingface.transform(POLICY, "img")
    shown = stacked(list(data.with_transform(augment)))
    order = [7, 2, 11, 0]
    again = stacked(list(data.select(order).with_transform(augment)))
    assert torch.equal(again, shown[order])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_show_the_epoch_that_is_set(data: object) -> None:
    augment = huggingface.transform(POLICY, "img", index="id", seed=3)
    shown = data.with_transform(augment)
    for workers in (0, 2):
        loader = DataLoader(
            shown, batch_size=4, collate_fn=stacked, num_workers=workers,
            multiprocessing_context="fork" if workers else None, persistent_workers=workers > 0,
        )  # fmt: skip
        for epoch in (0, 1):
            augment.set_epoch(epoch)
            expected = load_policy(POLICY).augment(pixels(12), seed=3, epoch=epoch)
            np.testing.assert_array_equal(torch.cat(list(loader)), expected)


def test_sizes_may_differ() -> None:
    images = [pixels(1, height=height)[0] for height in (8, 11, 8)]
    batch = huggingface.transform(POLICY)({"image": images, "text": ["a", "b", "c"]})
    assert [image.shape for image in batch["image"]] == [image.shape for image in images]
    assert batch["text"] == ["a", "b", "c"]


def test_what_does_not_fit_is_refused(data: object) -> None:
    with pytest.raises(UsageError, match="mixes labels"):
        huggingface.transform("mixup")
    with pytest.raises(UsageError, match=r"'img', 'label', 'id'.*image=COLUMN"):
        data.with_transform(huggingface.transform("flip"))[0]
    with pytest.raises(UsageError, match=r"none of which is 'number'.*index=COLUMN"):
        data.with_transform(huggingface.transform("flip", "img", index="number"))[0]


@pytest.mark.parametrize("options", [{}, {"batched": True}, {"remove_columns": ["label"]}])
def test_a_map_that_would_store_one_draw_is_refused(data: object, options: object) -> None:
    with pytest.raises(UsageError, match=r"runs once and stores the result.*set_transform"):
        data.map(huggingface.transform("flip", "img"), **options)


def test_a_map_of_a_stream_draws_in_every_pass(data: object) -> None:
    augment = huggingface.transform("crop", "img", index="id")
    stream = data.to_iterable_dataset().map(augment, batched=True, batch_size=4)
    passes = []
    for epoch in range(2):
        augment.set_epoch(epoch)
        passes.append([np.asarray(row["img"]).tobytes() for row in stream])
    assert passes[0] != passes[1]


def test_missing_texts_are_refused_with_their_rows() -> None:
    data = datasets.Dataset.from_dict({"text": ["a fine film", None, None, "a dull one"]})
    data.set_transform(huggingface.transform("typos", "text"))
    with pytest.raises(DataError, match=r"2 of 4 texts are missing .*rows 1, 2, such as None"):
        data[:]
    with pytest.raises(DataError, match="1 of 2 texts are missing"):
        data[2:]


def test_texts_are_a_column_like_any_other() -> None:
    texts = ["a fine film that nobody saw", "a dull film that everybody saw"]
    data = datasets.Dataset.from_dict({"text": texts, "number": [4, 9]})
    augment = huggingface.transform("typos", "text", index="number", seed=3)
    data.set_transform(augment)
    expected = load_policy("typos").augment(texts, seed=3, index=[4, 9])
    assert data[:2]["text"] == [str(text) for text in expected] != texts
