"""Provoke faults on purpose and count the outcomes, for docs/reliability.md.

Expected before the run: finished work is never lost or repeated, every run ends like one without
the fault, every damaged file is either rejected by name, rebuilt, or still read correctly, and no
content of a file or name is ever executed.

Each row runs tests of tests/faults with higher counts. A row is written when it is done, and
running the script again does only the missing rows. Full disks need root (small file systems are
mounted), and names in reports need Chromium; without them the row says "skipped".

Run: .venv/bin/python benchmarks/faults.py (about 15 minutes of one core; --rows NAME for some)
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cells import Cells
from record import claim, write_result

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Fault:
    """A row of the table: the fault, the tests that provoke it, and the expected outcome."""

    fault: str
    file: str
    only: str
    count: str
    outcome: str
    many: int = 0


FAULTS = {
    **{
        f"kill-{verb}": Fault(
            f"`kill -9` of `{verb}` at random moments",
            "test_killed_commands.py", f"{verb}-20", "20 kills",
            "nothing finished is lost or repeated; the same result as without kills",
        )
        for verb in ("search", "compare", "train", "patch")
    },
    "kill-processes": Fault(
        "`kill -9` of a search with two worker processes",
        "test_killed_commands.py", "in_processes", "4 kills",
        "as above; the workers end with their parent",
    ),
    "full-disk": Fault(
        "full disk (a small tmpfs), then space again",
        "test_disks.py", "full or room", "4 commands and a cache",
        "exit 1, “free some space on this disk”; with space, the same command continues to the "
        "same result",
    ),
    "read-only": Fault(
        "read-only disk", "test_disks.py", "read_only", "4 commands",
        "exit 1, “make it writable, or choose another folder”; no traceback",
    ),
    "clock": Fault(
        "a clock that jumps by 400 days back and forth",
        "test_clocks_and_locks.py", "jump", "4 commands, twice",
        "the same results; durations stay correct",
    ),
    "two-processes": Fault(
        "two processes on one run folder",
        "test_clocks_and_locks.py", "held or at_once", "8 pairs",
        "one continues; the other exits with 2, “another process is using ..”",
    ),
    "policies": Fault(
        "mutated policy files (bytes, values, any JSON)",
        "test_mutated_policies.py", "", "9,000 files",
        "read or rejected with a `PolicyError`; nothing is executed or downloaded", 3_000,
    ),
    "runs": Fault(
        "mutated run files: checkpoint, weights, run, result, cell, journal, cached array",
        "test_mutated_runs.py", "", "5,937 files",
        "rejected by name, rebuilt, or read as written", 1_250,
    ),
    "images": Fault(
        "corrupted images, bombs among them", "test_corrupted_images.py", "", "2,000 images",
        "read, or rejected with one reason; no program starts, no memory is exhausted", 2_000,
    ),
    "names": Fault(
        "hostile class, group, policy and file names in reports, in Chromium",
        "test_hostile_names.py", "", "500 names, with and without the page's own policy",
        "shown letter by letter; no script runs, no request is sent",
    ),
    "work": Fault(
        "lost worker, exhausted memory in a trial, NaN loss, an operation that raises, hangs or "
        "returns a wrong shape",
        "test_work_that_fails.py", "", "8 cases",
        "that trial or row fails with its reason; the others continue; once fixed, only it is "
        "repeated",
    ),
}  # fmt: skip


def provoke(name: str) -> dict[str, object]:
    """Run the tests of a row and return their outcome."""
    fault = FAULTS[name]
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if fault.many:
        environment["AUTOMORPH_FUZZ"] = str(fault.many)
    began = time.monotonic()
    only = ["-k", fault.only] if fault.only else []
    done = subprocess.run(
        [*command, str(ROOT / "tests" / "faults" / fault.file), *only],
        capture_output=True, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    counts = {
        word: int(found[1]) if (found := re.search(rf"(\d+) {word}", done.stdout)) else 0
        for word in ("passed", "failed", "skipped", "error")
    }
    return {
        "name": name,
        "count": fault.count,
        **counts,
        "seconds": time.monotonic() - began,
        "tail": done.stdout[-2000:] if done.returncode else "",
    }


def row(name: str, found: dict[str, object]) -> dict[str, object]:
    """A row of the table: the fault in current wording, and how its tests ended."""
    fault = FAULTS[name]
    return {
        **found,
        "fault": fault.fault,
        "tests": f"tests/faults/{fault.file}",
        "outcome": fault.outcome,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="*", choices=FAULTS, default=list(FAULTS))
    rows = parser.parse_args().rows
    cells = Cells("faults")
    for name in rows:
        found = cells.kept(name, provoke, name)
        print(name, {k: found[k] for k in ("passed", "failed", "skipped", "seconds")}, flush=True)
    content = [row(name, cells[name]) for name in FAULTS if name in cells]
    failed = sum(cells[one]["failed"] + cells[one]["error"] for one in FAULTS if one in cells)
    text = "faults after which something was lost, done again, run, or not explained"
    write_result("faults", rows=content, claims=[claim(text, failed, None, failed == 0)])


if __name__ == "__main__":
    main()
