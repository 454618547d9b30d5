"""What does a whole `automorph search` cost now, against what it did before the present race?

The command as a user types it (``--jobs 2``, defaults) on two sets at 32 px, by the code in this
checkout and by that of commit OLD in a temporary work tree, with the same default recipe. Both run
in turn, in slices of one minute, so that other work on the machine meets both alike: a process
that is not at work is stopped. Wall time is that of its own slices.

Expected before the run:
- the whole command takes at most a fifth of the time of the former one, on each set (ratio of wall
  times), and of its processor time;
- the search itself, before the final table, costs at most 8 plain trainings (40 before).

n: 2 sets x 2 commands, one round. Hardware: 2 CPU cores; about three hours, nearly all of them for
the former command.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/search_cost.py [SET ..] [--rounds 1] [--try]
Finished rounds are lines of results/search-cost.jsonl and are not repeated. ``--try`` runs a tiny
search and keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cells import Cells, Content
from record import claim, write_result

ROOT = Path(__file__).parents[1]
OLD = "ebfbfa4"
"""The last commit before the race of a portfolio and the sequential final table."""
SETS = ("fashion-mnist", "traffic_signs")
SLICE = 60.0
FIFTH, TRAININGS = 0.2, 8.0


def words_of(source: str) -> list[str]:
    """Return DATA and its options."""
    if source == "digits":
        return ["digits", "--limit", "100", "--model", "cnn:4", "--epochs", "2", "--trials", "4"]
    if source == "fashion-mnist":
        return [source, "--limit", "2000"]
    folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / source
    return [f"parquet:{folder}", "--label", "label", "--size", "32", "--limit", "2000"]


@contextmanager
def checkout(commit: str, place: Path) -> Iterator[Path]:
    """Make a work tree of a commit, with the compiled core of this checkout."""
    core = Path("src/automorph/native")
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "diff", "--quiet", commit, "--", str(core)], check=False).returncode:
        raise SystemExit(f"{core} has changed since {commit}: its compiled core cannot be shared")
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(place), commit], check=True)
    try:
        for library in (ROOT / core).glob("*.so"):
            shutil.copy(library, place / core)
        yield place
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(place)], check=True)


@dataclass
class Run:
    """One command, which works in slices of time."""

    source: str
    code: Path
    out: Path
    jobs: int
    seconds: float = 0.0
    processor: float = 0.0
    status: int | None = None
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        program = "from automorph.cli import main; main()"
        words = ["search", *words_of(self.source), "--jobs", str(self.jobs), "--quiet", "--json",
                 "--out", str(self.out)]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(self.code / "src")}
        # A group of its own: its worker processes are stopped with it.
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *words], env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.killpg(self.process.pid, signal.SIGSTOP)

    def work(self, seconds: float) -> None:
        """Let it run for so long, or to its end."""
        os.killpg(self.process.pid, signal.SIGCONT)
        began = time.monotonic()
        while self.status is None and time.monotonic() - began < seconds:
            time.sleep(min(0.1, seconds / 20))
            found, status, used = os.wait4(self.process.pid, os.WNOHANG)
            if found:
                self.status = os.waitstatus_to_exitcode(status)
                self.process.returncode = self.status
                self.processor = used.ru_utime + used.ru_stime
        self.seconds += time.monotonic() - began
        if self.status is None:
            os.killpg(self.process.pid, signal.SIGSTOP)

    def end(self) -> None:
        """Kill what is still there."""
        if self.status is None:
            os.killpg(self.process.pid, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def result(self) -> Content:
        """What it took, and what the search itself cost."""
        if self.status:
            raise SystemExit(f"the search in {self.code} failed with status {self.status}")
        found = json.loads((self.out / "search.json").read_text("utf-8"))
        return {
            "seconds": self.seconds, "processor": self.processor, "trainings": found["trainings"],
            "seeds": len(found["seeds"]), "rows": 1 + len(found["baselines"]),
        }  # fmt: skip


def measured(source: str, slice_: float, jobs: int) -> Content:
    """Run both commands in turn, slice by slice."""
    with TemporaryDirectory() as folder, checkout(OLD, Path(folder) / "old") as old:
        runs = {
            name: Run(source, code, Path(folder) / f"{name}-run", jobs)
            for name, code in (("former", old), ("current", ROOT))
        }
        try:
            while any(run.status is None for run in runs.values()):
                for run in runs.values():
                    if run.status is None:
                        run.work(slice_)
        finally:
            for run in runs.values():
                run.end()
        return {name: run.result for name, run in runs.items()}


def ratios(rounds: Sequence[Content], what: str) -> list[float]:
    """Return the current cost over the former one, round by round."""
    return [one["current"][what] / one["former"][what] for one in rounds]


def claims_of(source: str, rounds: Sequence[Content]) -> list[Content]:
    """Judge what was expected of a set."""
    found = []
    for what, words in (("seconds", "wall time"), ("processor", "processor time")):
        ratio = round(median(ratios(rounds, what)), 3)
        text = f"{source}: the whole search takes at most a fifth of the former {words} (ratio)"
        found.append(claim(text, ratio, None, ratio <= FIFTH))
    cost = round(max(one["current"]["trainings"] for one in rounds), 2)
    text = f"{source}: the search costs at most 8 plain trainings before its final table"
    return [*found, claim(text, cost, None, cost <= TRAININGS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    if given.tiny:
        found = measured("digits", 1.0, 1)
        print(json.dumps(found, indent=1))
        print(claims_of("digits", [found]))
        return
    cells = Cells("search-cost")
    for number in range(given.rounds):
        for source in given.sets or SETS:
            cells.kept(f"{source}/{number}", measured, source, SLICE, given.jobs)
    by_set = {
        source: [one for name, one in cells.results.items() if name.startswith(f"{source}/")]
        for source in SETS
    }
    rows = [
        {"data": source, "round": number, **one}
        for source, rounds in by_set.items()
        for number, one in enumerate(rounds)
    ]
    claims = [
        one for source, rounds in by_set.items() if rounds for one in claims_of(source, rounds)
    ]
    write_result("search-cost", rows=rows, claims=claims, former=OLD)


if __name__ == "__main__":
    main()
