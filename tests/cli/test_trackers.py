"""`--track`: experiment trackers through accelerate, offline."""

from __future__ import annotations

import json
import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from automorph.cli import main
from automorph.cli.trackers import TRACKERS

QUICK = ["--limit", "60", "--model", "cnn:4", "--epochs", "2", "--quiet", "--out", "run"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_tracker_of_accelerate_has_a_name() -> None:
    assert set(LOGGER_TYPE_TO_CLASS) <= set(TRACKERS)


def test_a_training_is_tracked(place: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    main(["train", "digits", "--policy", "crop", "--track", "tensorboard", *QUICK])
    events = EventAccumulator(str(place / "run" / "automorph")).Reload()
    scalars = {name: len(events.Scalars(name)) for name in events.Tags()["scalars"]}
    assert scalars["loss/train"] == scalars["accuracy/validation"] == 2
    assert scalars["accuracy/test"] == 1
    (options,) = (place / "run" / "automorph").glob("*/hparams.yml")
    assert "policy: crop" in options.read_text()
    assert "track" not in (place / "run" / "run.toml").read_text()


def test_a_comparison_is_tracked(place: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    policies = ["--policy", "none", "--policy", "trivialaugment(fill=128)", "--seeds", "2"]
    main(["compare", "digits", *policies, "--track", "tensorboard", *QUICK])
    events = EventAccumulator(str(place / "run" / "automorph")).Reload()
    scalars = {name: events.Scalars(name) for name in events.Tags()["scalars"]}
    by_seed = scalars["accuracy/test/none"]
    assert [one.step for one in by_seed] == [0, 1]
    (mean,) = scalars["mean/test/none"]
    assert mean.value == pytest.approx(sum(one.value for one in by_seed) / 2)
    assert "difference/test/none" not in scalars
    assert sum(name.startswith("difference/test/") for name in scalars) == 1


def test_a_tracker_that_is_not_installed_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelerate.tracking.get_available_trackers", list)
    with pytest.raises(SystemExit):
        main(["train", "digits", "--policy", "crop", "--track", "comet_ml", *QUICK])
    assert "pip install comet-ml" in capsys.readouterr().err


def installed(name: str) -> pytest.MarkDecorator:
    missing = find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed")


@installed("wandb")
@pytest.mark.filterwarnings("ignore")
def test_weights_and_biases_offline(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    main(["train", "digits", "--policy", "crop", "--track", "wandb", *QUICK])
    assert list((place / "wandb").glob("offline-run-*/run-*.wandb"))


@installed("mlflow")
@pytest.mark.filterwarnings("ignore")
def test_mlflow_offline(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlflow.db'}")
    main(["train", "digits", "--policy", "crop", "--track", "mlflow", *QUICK])
    mlflow = sys.modules["mlflow"]
    (run,) = mlflow.MlflowClient().search_runs(
        [mlflow.get_experiment_by_name("automorph").experiment_id]
    )
    assert run.data.params["policy"] == "crop"
    assert {"loss/train", "accuracy/validation", "accuracy/test"} <= set(run.data.metrics)
    assert run.info.status == "FINISHED"


@installed("trackio")
@pytest.mark.filterwarnings("ignore")
def test_a_comparison_in_trackio(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("trackio.utils.TRACKIO_DIR", place)
    monkeypatch.setattr("trackio.sqlite_storage.TRACKIO_DIR", place, raising=False)
    policies = ["--policy", "none", "--policy", "crop", "--seeds", "1"]
    main(["compare", "digits", *policies, "--track", "trackio", "--json", *QUICK])
    # Nothing that the tracker prints is on standard output.
    assert json.loads(capsys.readouterr().out)["seeds"] == [0]
    (file,) = place.glob("*.db")
    with sqlite3.connect(file) as store:
        logged = [json.loads(row[0]) for row in store.execute("select metrics from metrics")]
    assert {"accuracy/test/none", "mean/test/crop"} <= {name for one in logged for name in one}
