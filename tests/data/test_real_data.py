"""The public data sets on disk; skipped if AUTOMORPH_DATA is not set."""

from __future__ import annotations

import os

import numpy as np
import pytest

from automorph.data import check_leakage, list_sources, load_data
from automorph.errors import DataError

ROOT = os.environ.get("AUTOMORPH_DATA", "")


def needs(folder: str) -> pytest.MarkDecorator:
    there = bool(ROOT) and os.path.isdir(os.path.join(ROOT, folder))
    return pytest.mark.skipif(not there, reason=f"AUTOMORPH_DATA holds no {folder}")


@needs("MNIST/raw")
def test_mnist() -> None:
    data = load_data("mnist")
    assert [len(part) for part in data.parts.values()] == [60_000, 10_000]
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.train.data.mean() / 255 == pytest.approx(0.1307, abs=1e-4)  # torchvision's number
    assert not check_leakage(data)


@needs("FashionMNIST/raw")
def test_fashion_mnist_limited() -> None:
    data = load_data("fashion-mnist", limit=2000)
    assert np.bincount(data.train.labels).tolist() == [200] * 10
    assert data.classes[data.train.labels[0]] in data.classes
    assert data.test is not None
    assert np.bincount(data.test.labels).tolist() == [1000] * 10


@needs("cifar10/plain_text")
def test_cifar10_limited() -> None:
    data = load_data("cifar10", limit=500)
    assert data.classes[:3] == ("airplane", "automobile", "bird")
    assert data.train.data.shape == (500, 32, 32, 3)
    assert data.test is not None
    assert len(data.test) == 10_000


@pytest.mark.slow
@needs("cifar10/plain_text")
def test_cifar10_has_the_published_mean() -> None:
    data = load_data("cifar10")
    mean = data.train.data.mean((0, 1, 2))
    np.testing.assert_allclose(mean, [125.30691805, 122.95039414, 113.86538318], atol=1e-6)


@needs("isic_artifacts")
def test_subgroups_of_a_real_set() -> None:
    data = load_data("parquet:isic_artifacts", subgroup="patch", size=32, limit=400)
    assert data.subgroup_names == ("0", "1")
    assert data.validation is not None
    assert data.validation.subgroups is not None
    assert data.validation.subgroups.sum() == 19


@needs("text/trec")
def test_a_published_split_that_overlaps() -> None:
    with pytest.raises(DataError, match="also in test: 10"):
        load_data("parquet:text/trec")
    data = load_data("parquet:text/trec", leakage="drop")
    assert data.classes == ("ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM")
    assert [len(part) for part in data.parts.values()] == [5442, 500]


@needs("MNIST/raw")
def test_the_list_says_what_is_there() -> None:
    assert {source.name: source.found for source in list_sources()}["mnist"] is True
