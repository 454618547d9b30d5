"""Size, network and regime of photographs: chosen by a table of costs, noted, and overruled."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import automorph
from automorph.cli import app
from automorph.data import Photographs
from automorph.robustness.run_audit import _data
from automorph.searchers.budget import plan_by_time
from automorph.training import (
    as_task,
    choose_setting,
    photographs,
    recipe_for,
    sizing_for,
    train,
)
from automorph.training.photographs import BUDGET, SETTINGS

PHOTOS = Photographs(n_train=300, side=375, alike=False)


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    monkeypatch.setattr(photographs, "weights_for", lambda name: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    top = tmp_path_factory.mktemp("photos")
    for number in range(60):
        home = top / "ab"[number % 2]
        home.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 120, (50, 40 + number, 3))
        pixels += 100 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(home / f"{number}.png")
    return f"folder:{top}"


def test_searches_on_five_hundred_photographs_fit_into_ten_minutes():
    chosen = choose_setting(PHOTOS)
    plan = plan_by_time(BUDGET, seconds_per_run=chosen.seconds, jobs=2, clock=0.0, seeds=5)

    assert plan.trainings > 5
    assert chosen.size[0] >= 64
    assert "10 minutes" in chosen.note
    assert "--size" in chosen.note
    assert "--model" in chosen.note


@pytest.mark.parametrize("n", [50, 300, 2000, 20_000])
@pytest.mark.parametrize("budget", [120.0, 600.0, 7200.0])
def test_a_choice_said_to_fit_is_one_that_a_search_accepts(n, budget):
    chosen = choose_setting(replace(PHOTOS, n_train=n), budget=budget)
    fits = "so that" in chosen.note

    if fits:
        plan_by_time(budget, seconds_per_run=chosen.seconds, jobs=2, clock=0.0, seeds=5)
    else:
        assert chosen.seconds == min(one.seconds(n) for one in SETTINGS if one.regime == "scratch")
        assert "--limit" in chosen.note


def test_more_time_buys_a_better_setting():
    order = [one.model for one in SETTINGS]
    places = [
        order.index(choose_setting(replace(PHOTOS, n_train=3000), budget=seconds).model)
        for seconds in (600, 3600, 36_000)
    ]

    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1]


def test_small_photographs_are_hardly_enlarged():
    assert choose_setting(replace(PHOTOS, side=30)).size == (32, 32)


def test_a_backbone_is_used_if_its_weights_are_at_hand(monkeypatch):
    few = replace(PHOTOS, n_train=60)
    assert choose_setting(few).resizing is None

    monkeypatch.setattr(photographs, "weights_for", lambda name: object())
    chosen = choose_setting(few)

    assert chosen.model == "features:timm:tf_efficientnet_lite0"
    assert chosen.resizing.interpolation == "bicubic"
    assert "linear head" in chosen.note
    assert not choose_setting(few, frozen=False).model.startswith("features:")
    longer = choose_setting(few, budget=3600)
    assert longer.model == "timm:tf_efficientnet_lite0:pretrained"
    assert "fine-tuned" in longer.note


def test_five_seeds_are_worth_more_than_a_larger_setting(monkeypatch):
    monkeypatch.setattr(photographs, "weights_for", lambda name: object())
    for n in (70, 300):
        chosen = choose_setting(replace(PHOTOS, n_train=n))
        plan = plan_by_time(BUDGET, seconds_per_run=chosen.seconds, jobs=2, clock=0.0, seeds=5)
        assert plan.seeds == 5


def test_tasks_of_photographs_get_the_choice(folder):
    task = as_task(folder)

    assert task.data.chosen is not None
    assert task.model == task.data.chosen.model == "resnet9:16/2"
    assert task.data.train.data.shape[1:] == (64, 64, 3)
    assert task.recipe == recipe_for(task.model, len(task.data.train))
    assert task.data.chosen.note in task.data.notes
    named = as_task(folder, size=48, model="cnn:4")
    assert named.data.chosen is None
    assert (named.model, named.data.train.data.shape[1]) == ("cnn:4", 48)


def test_defaults_of_version_0_1_choose_nothing(folder, tmp_path):
    assert sizing_for(version="0.1")(PHOTOS) is None
    record = {"identity": {"model": "timm:resnet18", "recipe": {"batch_size": 64}}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert sizing_for(run_folder=tmp_path)(PHOTOS) is None
    assert sizing_for(run_folder=tmp_path / "new")(PHOTOS) is not None


def test_a_search_plans_by_the_table_and_reads_no_clock(folder, monkeypatch, tmp_path):
    tiny = photographs.Setting("scratch", "cnn:4", 32, 17.0)
    monkeypatch.setattr(photographs, "SETTINGS", (tiny,))
    recipe = {"epochs": 1}

    result = automorph.search(folder, "random", recipe=recipe, folder=tmp_path / "run")

    seconds = tiny.seconds(36)
    options = {"seconds_per_run": seconds, "jobs": 2, "clock": 0.0, "seeds": 5, "at_once": 8}
    plan = plan_by_time(BUDGET, controls="usual", **options)
    assert result.plan.seconds_per_run is None
    assert result.looks.cap == plan.seeds
    assert result.trials == int(plan.trainings)
    assert plan_by_time(BUDGET, **options).seeds < 5  # All controls leave time for fewer seeds.


def test_the_command_line_prints_the_choice(folder, tmp_path):
    words = ["train", folder, "--epochs", "1", "--policy", "none", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, words)

    assert found.exit_code == 0, found.output
    assert "64 px and resnet9:16/2 (trained from scratch)" in " ".join(found.output.split())
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "photographs" in json.dumps(record)


def test_audits_read_photographs_as_the_network_did(folder, tmp_path):
    task = as_task(folder, model="cnn:4", size=40, recipe={"epochs": 1})
    train(task, "none", folder=tmp_path / "run", progress=False)

    none = {"folds": None, "repeats": None, "options": {}}
    data, doubt = _data(folder, 0, tmp_path / "run", None, whole=False, **none)

    assert doubt is None
    assert data.hash == task.data.hash
    assert any("40x40, as in the training" in note for note in data.notes)


def test_a_preview_shows_what_is_trained(folder, tmp_path):
    words = ["preview", folder, "--policy", "flip-crop", "--out", str(tmp_path / "seen.png")]
    found = CliRunner().invoke(app, words)

    assert found.exit_code == 0, found.output
    assert "64 px and resnet9:16/2" in " ".join(found.output.split())
