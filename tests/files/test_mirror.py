"""Run folders at fsspec addresses, on file systems that need no network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from automorph.errors import DiskError, MissingExtraError, UsageError
from automorph.remote import mirrored

AUTOMORPH = [sys.executable, "-c", "from automorph.cli import main; main()"]
COMPARE = (
    "compare digits --limit 60 --model cnn:4 --epochs 2 --policy none --policy flip --seeds 4 "
    "--quiet --json --jobs 1"
)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"file://{tmp_path}/there/run"


def content(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def test_what_is_written_here_is_there_at_the_end_and_comes_back(address, tmp_path):
    with mirrored(address, home=tmp_path / "one") as folder:
        (folder / "cells").mkdir()
        (folder / "cells" / "a.json").write_text("1")
        (folder / "b.json").write_text("2")
        (folder / ".c.json.7.tmp").write_text("half")
        (folder / ".lock").write_text("")
    assert content(tmp_path / "there" / "run") == {"cells/a.json": "1", "b.json": "2"}

    with mirrored(address, home=tmp_path / "another") as folder:
        assert content(folder) == {"cells/a.json": "1", "b.json": "2"}
        (folder / "b.json").unlink()
        (folder / "cells" / "a.json").write_text("changed")
    assert content(tmp_path / "there" / "run") == {"cells/a.json": "changed"}
    with mirrored(address, home=tmp_path / "one") as folder:
        assert content(folder) == {"cells/a.json": "changed"}


def test_it_is_copied_while_the_work_goes_on_and_after_an_error(address, tmp_path):
    there = tmp_path / "there" / "run" / "a.json"

    def work():
        with mirrored(address, every=0.05, home=tmp_path / "one") as folder:
            (folder / "a.json").write_text("1")
            deadline = time.monotonic() + 20
            while not there.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert there.read_text() == "1"
            (folder / "a.json").write_text("22")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert there.read_text() == "22"


def test_what_was_not_copied_before_a_kill_is_not_lost(address, tmp_path):
    with mirrored(address, home=tmp_path / "one") as folder:
        (folder / "a.json").write_text("old")
    (folder / "a.json").write_text("newer")  # By a process that was killed before its upload.
    with mirrored(address, home=tmp_path / "one") as again:
        assert (again / "a.json").read_text() == "newer"
    assert content(tmp_path / "there" / "run") == {"a.json": "newer"}


def test_a_run_taken_away_there_begins_anew(address, tmp_path):
    with mirrored(address, home=tmp_path / "one") as folder:
        (folder / "a.json").write_text("old")
    (tmp_path / "there" / "run" / "a.json").unlink()
    with mirrored(address, home=tmp_path / "one") as folder:
        assert content(folder) == {}


def test_addresses_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match="nosuch"), mirrored("nosuch://x", home=tmp_path):
        pass
    if not find_spec("s3fs"):
        with pytest.raises(MissingExtraError, match="s3fs"), mirrored("s3://x/y", home=tmp_path):
            pass
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(DiskError, match="check the address and your permissions"),
        mirrored(f"file://{tmp_path}/file/run", home=tmp_path / "one") as folder,
    ):
        (folder / "a.json").write_text("1")
    assert (folder / "a.json").read_text() == "1"


@pytest.mark.slow
def test_a_comparison_that_was_killed_goes_on_on_another_machine(address, tmp_path):
    def begin(home: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*AUTOMORPH, *COMPARE.split(), "--out", address], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "AUTOMORPH_CACHE": str(tmp_path / home),
                 "AUTOMORPH_COPY_SECONDS": "0.2"},
        )  # fmt: skip

    there = tmp_path / "there" / "run"
    first = begin("one")
    while len(finished(there)) < 2 and first.poll() is None:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    cells = finished(there)
    second = begin("another")
    out, err = second.communicate(timeout=300)
    assert second.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["winner"]
    assert (there / "report.html").exists()
    assert len(finished(there)) == 8
    if first.returncode == -signal.SIGKILL:
        assert len(cells) >= 2
    assert finished(there)[: len(cells)] == cells


def finished(folder):
    """The whole lines of finished trainings."""
    jobs = folder / "jobs.jsonl"
    lines = jobs.read_bytes().splitlines(keepends=True) if jobs.exists() else []
    return [line for line in lines if b'"key"' in line and line.endswith(b"\n")]
