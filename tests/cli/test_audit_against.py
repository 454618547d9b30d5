"""`automorph audit --against`: a network on new data, its exit status, and audits over time."""

import json

import numpy as np
import pytest
import torch

from automorph.cli import main
from automorph.data import load_data
from automorph.training import as_task, train

torch.set_num_threads(1)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(name, part, images):
    np.savez(name, images=images, labels=np.array(["even", "odd"])[part.labels],
             subgroups=np.array(["clean", "corner"])[part.subgroups])  # fmt: skip


def test_a_group_that_got_worse_is_caught(place, capsys):
    digits = load_data("digits-correlation")
    task = as_task(digits, model="cnn:8", recipe={"epochs": 6})
    train(task, folder=place / "run")
    part = task.data.test
    main(["audit", "digits-correlation", "--checkpoint", "run", "--out", "before", "--json"])
    before = json.loads(capsys.readouterr().out)

    saved("same.npz", part, part.data)
    words = ["--checkpoint", "run", "--against", "before", "--json"]
    main(["audit", "numpy:same.npz", *words, "--out", "same"])
    same = json.loads(capsys.readouterr().out)
    assert same["n"] == len(part)
    assert [g["accuracy"] for g in same["groups"]] == [g["accuracy"] for g in before["groups"]]
    assert same["against"]["alarms"] == []

    # Images of even digits, labelled odd: as if a camera had been mounted differently.
    swapped = part.data.copy()
    odd = np.flatnonzero((part.labels == 1) & (part.subgroups == 1))
    swapped[odd] = np.resize(
        part.data[(part.labels == 0) & (part.subgroups == 0)], swapped[odd].shape
    )
    saved("worse.npz", part, swapped)
    with pytest.raises(SystemExit) as stop:
        main(["audit", "numpy:worse.npz", *words, "--out", "worse", "--fail-under", "0.6"])
    assert stop.value.code == 3
    worse = json.loads(capsys.readouterr().out)
    assert worse["against"]["alarms"][0].startswith("(odd, corner) is right less often than before")
    assert any("(odd, corner)" in line and "below the limit" in line for line in worse["failures"])
    assert "Since before" in (place / "worse" / "report.html").read_text()

    main(["report", "before", "same", "worse", "--out", "time.html"])
    assert "Audits over time" in (place / "time.html").read_text()


def test_the_folder_of_another_command_is_refused(place, capsys):
    (place / "empty").mkdir()
    with pytest.raises(SystemExit) as stop:
        main(["audit", "digits-correlation", "--checkpoint", "empty", "--against", "empty"])
    assert stop.value.code == 2
    assert "has no finished audit" in capsys.readouterr().err
