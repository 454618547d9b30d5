"""Ray Data: on batches in its format, and in a real data set."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from loader_data import pixels
from PIL import Image

from automorph.errors import UsageError
from automorph.integrations import RayMap
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9)"


def test_a_batch_of_columns():
    batch = {"image": pixels(6), "number": np.arange(10, 16), "label": np.arange(6)}
    out = RayMap(POLICY, index="number", seed=2, epoch=3)(batch)
    expected = load_policy(POLICY).augment(pixels(6), seed=2, epoch=3, index=np.arange(10, 16))
    np.testing.assert_array_equal(out["image"], expected)
    assert out["label"] is batch["label"]
    halves = [RayMap(POLICY, seed=2)({"image": pixels(6)[rows]})["image"]
              for rows in (slice(0, 2), slice(2, 6))]  # fmt: skip
    whole = RayMap(POLICY, seed=2)({"image": pixels(6)})["image"]
    np.testing.assert_array_equal(np.concatenate(halves), whole)


@pytest.mark.parametrize("other", [{}, {"label": 4}, {"name": "a.png", "place": np.zeros(2)}])
@pytest.mark.parametrize("grey", [False, True])
def test_a_single_row_is_drawn_as_in_a_batch(other, grey):
    images = pixels(3)[..., 0] if grey else pixels(3)
    batch = {"image": images, "number": np.arange(3)}
    whole = RayMap(POLICY, seed=2)(batch)["image"]
    for image, expected in zip(images, whole.reshape(images.shape), strict=True):
        out = RayMap(POLICY, seed=2)({"image": image, **other})
        np.testing.assert_array_equal(out["image"], expected)
        assert {name: out[name] for name in other} == other
    out = RayMap(POLICY, index="number")({"image": images[1], "number": 1, **other})
    expected = RayMap(POLICY, index="number")(batch)["image"][1]
    np.testing.assert_array_equal(out["image"], expected.reshape(images[1].shape))


def test_a_single_row_of_another_kind():
    text = {"text": "a fine film that nobody saw", "label": 1}
    batch = {"text": np.array([text["text"]], object)}
    expected = RayMap("typos", image="text")(batch)["text"][0]
    assert RayMap("typos", image="text")(text)["text"] == expected != text["text"]
    image = Image.fromarray(pixels(1)[0])
    assert RayMap(POLICY)({"image": image, "label": 1})["image"].size == image.size


def test_grey_images_of_a_batch_are_no_row():
    """Three axes, the last of them as long as there are channels."""
    batch = {"image": np.ascontiguousarray(pixels(5)[:, :, :3, 0]), "label": np.arange(5)}
    out = RayMap("flip(p=1)")(batch)["image"]
    np.testing.assert_array_equal(out, batch["image"][:, :, ::-1])


def test_images_of_several_sizes():
    images = np.empty(3, object)
    images[:] = [np.full((h, 9, 3), level, np.uint8) for level, h in enumerate((8, 9, 8))]
    out = RayMap("randaugment")({"image": images})["image"]
    assert [image.shape for image in out] == [image.shape for image in images]


def test_texts():
    texts = np.array(["a fine film that nobody saw", "a dull film that everybody saw"], object)
    out = RayMap("typos", image="text", epoch=1)({"text": texts, "label": np.arange(2)})
    again = RayMap("typos", image="text", epoch=1)({"text": texts[1:]})
    assert out["text"][1] == again["text"][0] != texts[1]


def test_other_columns_are_named():
    with pytest.raises(UsageError, match="none of which is 'image'"):
        RayMap(POLICY)({"img": pixels(2)})
    with pytest.raises(UsageError, match=r"mixes labels.* mix in the training loop"):
        RayMap("mixup")


def test_a_map_that_is_used_for_several_passes_warns():
    augment = RayMap(POLICY, index="number")
    batches = [{"image": pixels(24)[rows], "number": rows} for rows in np.arange(24).reshape(6, 4)]
    list(map(augment, batches))
    copied = pickle.loads(pickle.dumps(augment))  # Ray's workers get copies.
    with pytest.warns(
        UserWarning, match=r"2 times in epoch 0.*RayMap\(policy, epoch=epoch\)"
    ) as told:
        list(map(copied, batches))
    assert len(told) == 1
    for epoch in range(3):
        list(map(RayMap(POLICY, index="number", epoch=epoch), batches))


def test_repeats_in_a_batch_are_named():
    batch = {"image": pixels(1).repeat(2, axis=0)}
    with pytest.warns(UserWarning, match=r"twice in one batch.*number the rows.*index=COLUMN"):
        out = RayMap(POLICY)(batch)["image"]
    np.testing.assert_array_equal(out[0], out[1])
    out = RayMap(POLICY, index="row")({**batch, "row": np.arange(2)})["image"]
    assert (out[0] != out[1]).any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_data_set():
    ray = pytest.importorskip("ray")
    data = pytest.importorskip("ray.data")
    ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR")
    try:
        rows = [{"image": image, "number": i} for i, image in enumerate(pixels(8))]
        dataset = data.from_items(rows).map_batches(RayMap(POLICY, index="number"), batch_size=3)
        found = {row["number"]: row["image"] for row in dataset.take_all()}
        mapped = data.from_items(rows).map(RayMap(POLICY, index="number"))
        single = {row["number"]: row["image"] for row in mapped.take_all()}
    finally:
        ray.shutdown()
    expected = load_policy(POLICY).augment(pixels(8))
    for number, image in (*found.items(), *single.items()):
        np.testing.assert_array_equal(image, expected[number])
    assert len(found) == len(single) == 8
