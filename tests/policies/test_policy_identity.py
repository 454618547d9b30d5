"""Finished work is always identified by the format of policy files of version 1."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from automorph.experiments import FullTraining
from automorph.experiments.version_1 import cell_path
from automorph.policies import former, identity_form, load_policy

RECORDED = Path(__file__).parent.parent / "golden"
NAMES = {
    name: case["form"]
    for name, case in json.loads((RECORDED / "names.json").read_text("utf-8"))["cases"].items()
    if "form" in case
}


def test_the_recording_has_names():
    assert len(NAMES) > 80


@pytest.mark.parametrize("name", NAMES)
def test_the_identity_of_a_name_is_the_recorded_form(name, monkeypatch):
    monkeypatch.chdir(RECORDED)
    # Some names mean something else today; run folders begun before keep what they meant.
    text = json.dumps(identity_form(former(load_policy(name))), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == NAMES[name]


@pytest.mark.parametrize("run", ["compare", "compare-texts"])
def test_finished_cells_are_recognised(run):
    folder = RECORDED / "runs" / run
    asked = json.loads((folder / "compare.json").read_text("utf-8"))["asked"]
    # Texts are read by another definition today; a folder begun before keeps the former one.
    policies = [former(load_policy(name)) for name in asked["policies"]]
    wanted = {
        cell_path(folder, FullTraining(policy=policy, seed=seed))
        for policy in policies
        for seed in range(asked["seeds"])
    }
    assert wanted == set((folder / "cells").iterdir())
