"""A folder of an earlier version keeps its verdicts; a new one has those of today."""

from __future__ import annotations

import json

import pytest

from automorph.cli import main

RUN = ["explain", "digits", "--limit", "120", "--space", "randaugment"]


def test_recorded_verdicts_stay(tmp_path, capsys):
    file = tmp_path / "explain.json"

    def again(*words):
        main([*RUN, "--out", str(tmp_path), *words])
        return capsys.readouterr()

    now = json.loads(again("--json").out)
    record = json.loads(file.read_text("utf-8"))
    assert record.pop("verdicts") == 3
    verdicts = {row["name"]: row["verdict"] for row in now["operations"]}
    assert "cannot tell" in verdicts.values()
    for row in record["operations"]:
        row.update(verdict="keep", reason="no harm, no sure gain")
    file.write_text(json.dumps(record), "utf-8")
    shown = again()
    assert "recorded by an earlier version" in " ".join(shown.err.split())
    kept = json.loads(again("--json").out)
    assert {row["verdict"] for row in kept["operations"]} == {"keep"}
    assert kept.keys() == now.keys()
    record["operations"][0]["sweep"][0]["change"] += 0.5
    file.write_text(json.dumps(record), "utf-8")
    other = json.loads(again("--json").out)
    assert {row["name"]: row["verdict"] for row in other["operations"]} == verdicts
    assert json.loads(file.read_text("utf-8"))["verdicts"] == 3


def test_recorded_verdicts_of_the_second_version_stay_with_their_version(tmp_path, capsys):
    file = tmp_path / "explain.json"
    main([*RUN, "--out", str(tmp_path)])
    record = json.loads(file.read_text("utf-8")) | {"verdicts": 2}
    for row in record["operations"]:
        row.update(verdict="cannot tell", reason="no harm, no sure gain")
    file.write_text(json.dumps(record), "utf-8")
    capsys.readouterr()
    main([*RUN, "--out", str(tmp_path)])
    assert "'cannot tell' also meant" in " ".join(capsys.readouterr().err.split())
    again = json.loads(file.read_text("utf-8"))
    assert again["verdicts"] == 2
    assert {row["verdict"] for row in again["operations"]} == {"cannot tell"}


@pytest.mark.slow
def test_another_explanation_is_not_overwritten(tmp_path, capsys):
    report = tmp_path / "report.json"
    main([*RUN, "--out", str(tmp_path), "--quiet"])
    before = report.read_bytes()
    for words, message in (
        (["--seed", "1"], "seed was 0 and is now 1"),
        (["--space", "autoaugment"], "space was 'randaugment' and is now 'autoaugment'"),
        (["--limit", "90"], "data was"),
        (["--model", "cnn:4"], "features was 'random' and is now 'cnn:4'"),
        (["--model", "cnn:4", "--deep"], "features was 'random' and is now 'cnn:4, trained'"),
    ):
        with pytest.raises(SystemExit):
            main([*RUN, "--out", str(tmp_path), "--quiet", *words])
        assert message in " ".join(capsys.readouterr().err.split())
        assert report.read_bytes() == before
    main([*RUN, "--out", str(tmp_path), "--quiet"])


@pytest.mark.slow
def test_an_explanation_with_other_weights_is_not_overwritten(tmp_path, capsys):
    timm, torch = pytest.importorskip("timm"), pytest.importorskip("torch")
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = timm.create_model("test_efficientnet", num_classes=3)
        torch.save(network.state_dict(), tmp_path / f"{seed}.pth")
    model = ["--size", "32", "--model", "features:timm:test_efficientnet"]

    def again(weights):
        words = ["--weights", str(tmp_path / weights), "--out", str(tmp_path / "out"), "--quiet"]
        main([*RUN, *model, *words])

    again("0.pth")
    before = (tmp_path / "out" / "report.json").read_bytes()
    with pytest.raises(SystemExit):
        again("1.pth")
    assert "weights was" in capsys.readouterr().err
    assert (tmp_path / "out" / "report.json").read_bytes() == before
    again("0.pth")
