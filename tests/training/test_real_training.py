"""Defaults on real data: the result without any settings."""

from __future__ import annotations

import pytest

from automorph.training import as_task, train


@pytest.mark.slow
@pytest.mark.usefixtures("data_root")
@pytest.mark.parametrize(
    ("data", "model", "policy", "least"),
    [("fashion-mnist", "cnn", None, 0.84), ("cifar10", "resnet9:16", "flip-crop", 0.64)],
)
def test_defaults_learn_from_2000_examples(data, model, policy, least):
    task = as_task(data, model=model, limit=2000)
    result = train(task, policy, validate_every=0, parts=("test",))

    assert result.accuracy["test"] > least
