"""Full and read-only disks: the message says what to do; with space, the command continues.

The disks are real: small file systems in memory, which only root can make.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager

import pytest
from killed_commands import program, timeless


@contextmanager
def disk(folder, options):
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no file system can be made here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def command(verb, folder):
    return subprocess.run(
        program(verb, folder),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def told(done):
    return timeless(json.loads(done.stdout.splitlines()[-1]))


# The disk size in KiB: too small for the whole run, large enough to start it.
ROOM = {"train": 60, "compare": 60, "search": 60, "patch": 300}


@pytest.mark.slow
@pytest.mark.parametrize("verb", ROOM)
def test_a_full_disk(verb, tmp_path):
    with disk(tmp_path / "disk", f"size={ROOM[verb]}k") as folder:
        full = command(verb, folder / "run")
        assert full.returncode == 1, full.stderr[-2000:]
        assert "No space left on device; free some space" in full.stderr
        assert "continues from there" in full.stderr
        assert "Traceback" not in full.stderr
        jobs = folder / "run" / "jobs.jsonl"
        kept = jobs.read_bytes() if jobs.exists() else b""
        assert kept.endswith(b"\n") or not kept
        remount(folder, "size=64m")
        on = command(verb, folder / "run")
        assert on.returncode == 0, on.stderr[-2000:]
        assert not kept or jobs.read_bytes().startswith(kept)
        again = command(verb, tmp_path / "elsewhere")
        assert told(on) == told(again)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ROOM)
def test_a_read_only_disk(verb, tmp_path):
    with disk(tmp_path / "disk", "size=1m") as folder:
        remount(folder, "ro")
        refused = command(verb, folder / "run")
        assert refused.returncode == 1
        assert "Read-only file system; make it writable, or choose another folder" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_cached_array_takes_its_room_at_once(tmp_path):
    from automorph.data.memory_map import allocate
    from automorph.errors import DiskError

    with disk(tmp_path / "disk", "size=100k") as folder:
        with pytest.raises(DiskError, match="No space left on device; free some space"):
            allocate(folder / "images.npy", (100, 64, 64, 3))
        assert list(folder.iterdir()) == []
