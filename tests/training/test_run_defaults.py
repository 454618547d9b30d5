"""Default recipes by version, and the run folders that keep theirs."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from automorph.errors import UsageError
from automorph.training import Recipe, as_task, recipe_for, recipe_table, train
from automorph.training.run_defaults import defaults_of

OLD = recipe_for("cnn:4", 160, epochs=2, defaults="0.1")


@pytest.fixture
def other_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version with other defaults than 0.1."""
    old = recipe_table.TABLES["0.1"]

    def later(family: str, n: int, epochs: int | None) -> dict[str, object]:
        return {**old(family, n, epochs), "lr": 0.01}

    monkeypatch.setitem(recipe_table.TABLES, "later", later)
    monkeypatch.setattr("automorph.training.run_defaults.LATEST", "later")
    monkeypatch.setattr(
        "automorph.training.task_defaults.recipe_for",
        lambda model, n, **changes: recipe_for(model, n, **{"defaults": "later", **changes}),
    )


@pytest.mark.usefixtures("other_defaults")
def test_a_folder_begun_with_earlier_defaults_keeps_them(tmp_path: Path) -> None:
    begun = as_task("digits", model="cnn:4", limit=200, recipe={"epochs": 2, "defaults": "0.1"})
    train(begun, None, folder=tmp_path, stop_epoch=1)
    call = {"model": "cnn:4", "limit": 200, "recipe": {"epochs": 2}}
    with pytest.warns(UserWarning, match="begun with the default recipe of version 0.1"):
        resumed = train("digits", None, folder=tmp_path, **call)
    assert resumed.accuracy == train(begun, None).accuracy
    assert resumed.curves[1].lr < 0.05 < 2 * begun.recipe.lr
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_task("digits", run_folder=tmp_path / "new", **call).recipe.lr == 0.01


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", {"identity": {"recipe": OLD.to_dict()}}),
        ("task.json", {"data": "digits", "recipe": OLD.to_dict()}),
        ("trials.journal", {"user_attr": {"identity": {"task": {"recipe": OLD.to_dict()}}}}),
    ],
)
def test_every_record_of_a_run_is_read(tmp_path: Path, file: str, content: object) -> None:
    (tmp_path / file).write_text(json.dumps(content) + "\n", "utf-8")
    asked = []

    def record_of(version: str) -> dict[str, object]:
        asked.append(version)
        return {"recipe": (OLD if version == "0.1" else Recipe()).to_dict()}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert defaults_of(tmp_path, record_of) == "0.1"
    assert asked


def test_another_recipe_is_left_to_the_check_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"recipe": Recipe(lr=7).to_dict()}), "utf-8")
    record = {"recipe": OLD.to_dict()}
    assert defaults_of(tmp_path, lambda _: record) == recipe_table.LATEST
    (tmp_path / "run.json").write_text("{not json", "utf-8")
    assert defaults_of(tmp_path, lambda _: record) == recipe_table.LATEST


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown version '0\.0'.*0\.1"):
        recipe_for("cnn", 100, defaults="0.0")


def test_auto_ends_by_itself_and_a_number_does_not() -> None:
    auto = recipe_for("cnn", 1000, epochs="auto")
    assert (auto.schedule, auto.stop) == ("stable", "converged")
    assert recipe_for("cnn", 1000, epochs=7).stop == "epochs"
    task = as_task("digits", model="cnn:4", limit=100, recipe={"epochs": "auto"})
    assert task.with_recipe(epochs=3).recipe.stop == "epochs"
    assert task.with_recipe(lr=0.1).recipe.stop == "converged"
