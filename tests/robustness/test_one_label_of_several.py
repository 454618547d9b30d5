"""A network of several labels, audited and patched for one of them."""

import numpy as np
import pytest
import torch

from automorph.data import load_data, split
from automorph.errors import UsageError
from automorph.robustness import audit, patch
from automorph.training import as_task, as_two_classes, load_trained, train, trained_from

torch.set_num_threads(1)
FILE = "model.safetensors"


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The source of data of three labels, and the folder of a network for all of them."""
    place, random = tmp_path_factory.mktemp("labels"), np.random.default_rng(0)
    labels = random.integers(0, 2, (240, 3))
    images = random.integers(0, 120, (240, 8, 8), np.uint8)
    images[labels[:, 1] == 1, -2:] += 60
    np.savez(place / "a.npz", images=images, labels=labels, subgroups=np.arange(240) % 2)
    source = f"numpy:{place / 'a.npz'}"
    task = as_task(source, target="labels", model="cnn:4", recipe={"epochs": 1})
    train(task, folder=place / "run", progress=False)
    return source, place / "run"


def test_decisions_about_the_label_stay_the_same(several):
    source, run = several
    data = split(load_data(source, target="labels"))
    trained = load_trained(run)
    two = as_two_classes(run / FILE, ("no 1", "1"))
    assert two is not None
    one = trained_from(*two, run / FILE)
    assert one.classes == ("no 1", "1")
    inputs = trained.encoder(data.validation.data, torch.device("cpu"))
    with torch.no_grad():
        logit, pair = trained.model(inputs)[:, 1], one.model(inputs)
    at = two_thresholds(run)[1]
    gap = (pair[:, 1] - pair[:, 0]).numpy()
    np.testing.assert_allclose(gap, logit.numpy() - np.log(at / (1 - at)), atol=1e-4)


def two_thresholds(run):
    from automorph.training import thresholds_in

    return thresholds_in(run / FILE)


def test_an_audit_of_one_label_has_the_recall_of_the_audit_of_all(several):
    source, run = several
    every = audit(source, target="labels", checkpoint=run, whole=True, progress=False)
    one = audit(source, label_of="1", checkpoint=run, whole=True, progress=False)
    figures = next(g for g in every.groups if g.output == "1" and not g.subgroup).figures
    recall = next(figure.value for figure in figures if figure.title == "recall")
    found = [g for g in one.groups if g.class_name == "1"]
    assert sum(g.accuracy * g.n for g in found) / sum(g.n for g in found) == pytest.approx(recall)


def test_a_patch_starts_from_it(several, tmp_path):
    source, run = several
    found = patch(
        split(load_data(source, label_of="1")), checkpoint=run, recipe={"epochs": 1}, seeds=1,
        translator="none", objective="gdro", baselines=("erm",), engine="local", maps=False,
        folder=tmp_path / "patched",
    )  # fmt: skip
    assert {group.class_name for group in found.after.groups} == {"no 1", "1"}
    assert load_trained(tmp_path / "patched" / "mended.safetensors").classes == ("no 1", "1")


def test_other_classes_and_networks_are_left_alone(several):
    _, run = several
    assert as_two_classes(run / FILE, ("no 7", "7")) is None
    assert as_two_classes(run / FILE, ("0", "1", "2")) is None


def test_a_network_of_the_users_code_is_refused(tmp_path):
    random = np.random.default_rng(0)
    images, labels = (
        random.integers(0, 255, (40, 8, 8), np.uint8),
        np.eye(2, dtype=int)[np.arange(40) % 2],
    )

    def network():
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))

    train(
        (images, labels), target="labels", model=network, recipe={"epochs": 1}, progress=False,
        folder=tmp_path,
    )  # fmt: skip
    with pytest.raises(UsageError, match="that your own code built, and '1' is one of them"):
        as_two_classes(tmp_path / FILE, ("no 1", "1"))
