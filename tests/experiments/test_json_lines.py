"""The log of finished jobs: appended records are read back, whatever a kill did to the file."""

import os

import pytest

from automorph.errors import DiskError
from automorph.experiments import JsonLines

RECORDS = [{"seed": number, "facts": {"curve": [0.1 * number, "é\n"]}} for number in range(3)]


@pytest.fixture
def log(tmp_path):
    log = JsonLines(tmp_path / "new" / "jobs.jsonl")
    for record in RECORDS:
        log.append(record)
    return log


def test_records_are_read_as_they_were_appended(log):
    assert log.read() == RECORDS
    assert JsonLines(log.path.with_name("none")).read() == []
    assert len(log.path.read_bytes().splitlines()) == 3


def test_a_file_cut_anywhere_keeps_its_whole_lines_and_grows_again(log):
    content = log.path.read_bytes()
    for end in range(len(content)):
        log.path.write_bytes(content[:end])
        whole = content[:end].count(b"\n")
        assert log.read() == RECORDS[:whole]
        log.append({"seed": "new"})
        assert log.read() == [*RECORDS[:whole], {"seed": "new"}]


def test_a_damaged_line_costs_only_itself_and_is_reported(log):
    lines = log.path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b'"seed": 1', b'"seed": 7')
    for bad in (changed, b"\xff\n", b"[]\n", b"{}\n", lines[1][:20] + b"\n"):
        log.path.write_bytes(lines[0] + bad + lines[2])
        with pytest.warns(UserWarning, match=r"1 of 3 lines are damaged.*is done again"):
            assert log.read() == [RECORDS[0], RECORDS[2]]


def test_a_record_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was(log, monkeypatch):
    before = log.path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="free some space"):
        log.append({"seed": 9})
    assert log.path.read_bytes() == before
