"""A finished search changes nothing when it is called again; one whose trials all failed fails."""

from __future__ import annotations

import json

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from small_task import small_task

import automorph
from automorph.cli import main
from automorph.errors import AutomorphError
from automorph.operations import SearchSpace
from automorph.searchers import search

SEARCH = ["search", "digits", "--method", "random", "--trials", "2", "--seeds", "1", "--epochs",
          "1", "--limit", "100", "--model", "cnn:4", "--engine", "local"]  # fmt: skip


def files(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_a_second_call_writes_nothing_and_says_so(tmp_path, capsys):
    command = [*SEARCH, "--out", str(tmp_path / "run")]
    main(command)
    assert "already finished" not in capsys.readouterr().err
    before = files(tmp_path)
    main(command)

    assert "already finished: nothing was trained or written" in capsys.readouterr().err
    assert files(tmp_path) == before


def test_a_verdict_of_another_version_is_printed_beside_todays(tmp_path, capsys):
    command = [*SEARCH, "--out", str(tmp_path / "run")]
    main(command)
    stored = tmp_path / "run" / "search.json"
    content = json.loads(stored.read_text())
    today = content["verdict"]["text"]
    content["verdict"]["text"] = "Use what was thought then."
    stored.write_text(json.dumps(content))
    capsys.readouterr()
    main(command)

    printed = " ".join(capsys.readouterr().err.split())
    assert "earlier version of automorph, and says: Use what was thought then." in printed
    assert " ".join(today.split()) in printed


@automorph.operation(range=(0, 40), unit="level", identity=0)
def broken(image, value):
    raise ValueError("cannot")


def test_a_search_of_which_every_trial_failed_fails(tmp_path):
    task, space = small_task(), SearchSpace("mine", (broken,))
    for _ in range(2):  # The stored failures are no result either.
        with pytest.raises(AutomorphError, match=r"all 2 trials of the search failed.*cannot"):
            search(task, "random", trials=2, seeds=1, space=space, folder=tmp_path)
    assert np.isfinite(search(task, "random", trials=2, seeds=1).row.validation.mean)


@pytest.mark.parametrize("where", ["folder", "data base"])
def test_the_study_holds_the_trials_of_the_search_with_their_parameters(where, tmp_path):
    storage = f"sqlite:///{tmp_path}/trials.db" if where == "data base" else None
    options = {"trials": 3, "seeds": 1, "folder": tmp_path / "run", "storage": storage}
    result = search(small_task(), "randaugment(by=tpe)", **options)

    if storage is None:
        backend = JournalFileBackend(str(tmp_path / "run" / "trials.journal"))
        study = optuna.load_study(study_name="search", storage=JournalStorage(backend))
    else:
        names = optuna.get_all_study_names(storage)
        assert len(names) == 2
        study = optuna.load_study(study_name=min(names, key=len), storage=storage)
    assert {trial.user_attrs["kind"] for trial in study.trials} == {"train"}
    assert len(study.trials) == result.trials
    for trial in study.trials:
        assert set(trial.params) == {"length", "low", "high", "probability"}
    again = search(small_task(), "randaugment(by=tpe)", **options)
    assert again.trained == 0
    assert again.rows == result.rows
