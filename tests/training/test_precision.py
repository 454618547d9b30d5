"""The meaning of `auto`, the operation count it uses, and changes of precision."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from automorph.models import build_model
from automorph.training import precision as precisions
from automorph.training import train
from automorph.training.precision import choose_precision, multiply_adds

CPU = torch.device("cpu")


def test_multiply_adds_are_those_of_the_formula():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),  # 16 x 16 places x 8 channels x 3 x 3 x 3
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),  # 8 x 8 x 8 x 3 x 3
        nn.Flatten(),
        nn.Linear(512, 10),
    )
    expected = 16 * 16 * 8 * 27 + 8 * 8 * 8 * 9 + 5120

    assert multiply_adds(model, torch.zeros(1, 3, 16, 16)) == expected
    assert model.training


def test_wide_resnets_cost_what_is_published():
    example = torch.zeros(1, 3, 32, 32)
    model = build_model("wrn-40-2", channels=3, classes=10, size=32)

    assert multiply_adds(model, example) / 1e6 == pytest.approx(328, abs=2)


@pytest.mark.parametrize("has_bf16", [True, False])
def test_auto_is_bf16_for_work_that_pays_on_cpus_that_have_it(monkeypatch, has_bf16):
    monkeypatch.setattr(precisions, "_cpu_has_bf16", lambda: has_bf16)
    chosen = {
        size: choose_precision(
            build_model("cnn", channels=1, classes=10, size=size),
            torch.zeros(1, 1, size, size),
            CPU,
        )
        for size in (4, 28)
    }

    assert chosen == {4: "fp32", 28: "bf16" if has_bf16 else "fp32"}


def test_precisions_follow_each_other_in_one_process(task, same):
    found = {
        name: train(task.with_recipe(precision=name)) for name in ("fp32", "bf16", "fp16", "auto")
    }

    assert same(found["fp32"], train(task))
    assert same(found["auto"], found["fp32"])
    for name in ("bf16", "fp16"):
        assert found[name].precision == name
        assert not same(found[name], found["fp32"])
        loss = found["fp32"].curves[-1].loss
        assert found[name].curves[-1].loss == pytest.approx(loss, rel=0.2)


def test_a_resumed_run_keeps_the_precision_it_began_with(task, tmp_path, monkeypatch):
    monkeypatch.setattr(precisions, "_cpu_has_bf16", lambda: True)
    monkeypatch.setattr(precisions, "WORTH_IT", 0)
    auto = task.with_recipe(precision="auto")
    began = train(auto, folder=tmp_path, stop_epoch=1)
    monkeypatch.setattr(precisions, "_cpu_has_bf16", lambda: False)
    resumed = train(replace(auto), folder=tmp_path)

    assert began.precision == resumed.precision == "bf16"
