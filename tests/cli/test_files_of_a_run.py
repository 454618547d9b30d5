"""The files that a finished run names are there, and no other verb overwrites them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph.cli import main

QUICK = ["digits", "--model", "cnn:4", "--epochs", "1", "--limit", "100"]
LOCAL = ["--seeds", "1", "--engine", "local"]
RUNS = {
    "compare": ["compare", *QUICK, *LOCAL, "--policy", "none"],
    "search": ["search", *QUICK, *LOCAL, "--method", "random", "--trials", "2"],
    "train": ["train", *QUICK, "--policy", "none"],
}


@pytest.mark.parametrize("verb", RUNS)
def test_files_that_were_deleted_are_written_again(verb: str, tmp_path: Path) -> None:
    command = [*RUNS[verb], "--out", str(tmp_path / "run")]
    main(command)
    for name in ("policy.json", "report.html"):
        content = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).unlink()
        main(command)
        again = (tmp_path / "run" / name).read_bytes()
        # The page states when the command ran.
        assert again == content if name == "policy.json" else len(again) > len(content) / 2


@pytest.mark.parametrize("verb", [verb for verb in RUNS if verb != "train"])
def test_the_report_of_another_verb_is_not_overwritten(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "run")]
    main(["explain", "digits", "--limit", "100", *out])
    before = (tmp_path / "run" / "report.html").read_bytes()
    with pytest.raises(SystemExit) as stopped:
        main([*RUNS[verb], *out])
    assert stopped.value.code == 2
    assert "holds the report of automorph explain" in capsys.readouterr().err
    assert (tmp_path / "run" / "report.html").read_bytes() == before
