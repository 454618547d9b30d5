"""Searches on masks: by trainings alone, with operations that can move a mask."""

import numpy as np
import pytest
import torch

from automorph.data import from_arrays, split
from automorph.errors import UsageError
from automorph.operations import named_space
from automorph.searchers import search
from automorph.searchers.portfolio import portfolio_of
from automorph.targets import check_target
from automorph.training import as_task

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def task():
    random = np.random.default_rng(0)
    masks = random.integers(0, 2, (40, 2, 2), np.uint8).repeat(8, 1).repeat(8, 2)
    images = (masks * 100 + random.integers(0, 60, masks.shape)).astype(np.uint8)
    data = split(from_arrays(images, masks, target="masks"))
    return as_task(data, model="unet:4/2", recipe={"epochs": 1, "batch_size": 16})


def test_a_random_search_finds_a_policy(task, tmp_path):
    found = search(task, method="random", trials=1, seeds=1, folder=tmp_path, engine="local")
    assert found.metric.name == "mean IoU"
    assert found.failed == 0


def test_a_race_leaves_out_what_cannot_move_a_mask(task):
    found = portfolio_of(named_space("randaugment"), task)
    names = " ".join(one.name for one in found.treatments)
    assert "mixup" not in names
    assert "cutmix" not in names
    assert "augmix" not in names
    assert any("cannot be blended" in why for why in found.left_out)


@pytest.mark.parametrize("method", ["fast-autoaugment", "dada", "tanda", "instant"])
def test_methods_that_need_classes_are_refused(method, task):
    with pytest.raises(UsageError, match=r"needs one class for each example.*one of .*random,"):
        search(task, method=method, trials=1)


def test_operations_that_cannot_move_a_mask_are_refused_by_name(task):
    with pytest.raises(UsageError, match="masks or key points with the operation 'SamplePairing'"):
        search(task, method="random", space=named_space("autoaugment"), trials=1)


@pytest.mark.parametrize("verb", ["explain", "audit", "patch"])
def test_other_verbs_refuse_masks_with_a_reason_and_what_to_do(verb):
    with pytest.raises(UsageError, match=rf"{verb} does not take --target masks.*: .*;.*\. The "):
        check_target("masks", verb)


def test_a_race_compares_candidates_by_their_losses(task):
    found = search(task, "race(candidates=none;crop;flip)", trials=4, seeds=1)
    assert found.history["heats"][0]["arms"][0]["brier"] > 0
    assert found.cost <= 4
