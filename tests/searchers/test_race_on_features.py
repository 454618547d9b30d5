"""The race on frozen features."""

from __future__ import annotations

import pytest

from automorph import search
from automorph.training import as_task

METHOD = "race(candidates=none; crop; flip)"


def rungs(found):
    return [
        (heat["epochs"], heat["seeds"], [(one["name"], one["brier"]) for one in heat["arms"]])
        for heat in found.history["heats"]
    ]


def test_frozen_features_race(tmp_path, monkeypatch):
    """Heads on the features of a backbone: each rung fits them to more augmented copies."""
    pytest.importorskip("timm")
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path / "cache"))
    task = as_task(
        "digits", model="features:timm:test_efficientnet:untrained", size=32, limit=60,
        recipe={"epochs": 2},
    )  # fmt: skip
    found = search(task, METHOD, seeds=1, trials=4, engine="local")
    assert found.found.name in ("none", "crop", "flip")
    assert found.cost <= 4
    first, *_ = rungs(found)
    assert first[0] == 1
    assert len(first[2]) == 3
    assert task.regime == "frozen"
