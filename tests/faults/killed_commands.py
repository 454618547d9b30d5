"""Run an automorph command in processes that are killed at random moments, until one finishes.

A separate program: the packages are imported once, and each try is a fork that runs the command
as the command line does. Prints what was lost, repeated, or different from an uninterrupted run.

Usage: killed_commands.py VERB FOLDER KILLS SEED [JOBS]
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import automorph.cli
import automorph.experiments
import automorph.report
import automorph.robustness
import automorph.searchers.run_search
import automorph.training  # noqa: F401 - imported once, for all forks
from automorph.cli import main
from automorph.files import read_json

SMALL = [
    *("--model", "cnn:4", "--batch-size", "32", "--lr", "0.05"),
    *("--precision", "fp32", "--quiet", "--json"),
]
COMMANDS = {
    "search": "search digits --limit 60 --epochs 4 --trials 24 --seeds 2 --method",
    "compare": "compare digits --limit 60 --epochs 4 --seeds 6 --policy none --policy flip "
    "--policy trivialaugment --policy",
    "train": "train digits --limit 200 --epochs 60 --policy",
    "patch": "patch digits-correlation --epochs 4 --seeds 4 --no-saliency --translator",
}
LAST = {
    "search": "heats(searches=random;randaugment)",
    "compare": "randaugment(n=1,m=5)",
    "train": "trivialaugment",
    "patch": "statistics",
}
_TIMES = ("seconds", "report", "policy", "checkpoint", "card", "folder", "clock", "trained", "data")


def arguments(verb: str, folder: Path, jobs: int) -> list[str]:
    """The arguments of the command."""
    words = [*COMMANDS[verb].split(), LAST[verb], *SMALL, "--out", str(folder)]
    if verb == "search":
        words += ["--engine", "local"] if jobs == 1 else ["--engine", "processes"]
    return words if verb == "train" else [*words, "--jobs", str(jobs)]


def program(verb: str, folder: Path, jobs: int = 1) -> list[str]:
    """Run the command as a separate program."""
    entry = "from automorph.cli import main; main()"
    return [sys.executable, "-c", entry, *arguments(verb, folder, jobs)]


def finished(verb: str, folder: Path) -> dict[str, str]:
    """Finished, stored work: content by name, without times."""
    found: dict[str, str] = {}
    if verb == "search":
        path = folder / "trials.journal"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        for line in map(json.loads, lines):
            if "key" in (said := line.get("user_attrs", {})):
                found[said["key"]] = json.dumps([line.get("value"), line.get("state")])
    jobs = folder / "jobs.jsonl"
    for line in jobs.read_text().split("\n")[:-1] if jobs.exists() else []:
        if "key" in (record := json.loads(line)):
            # The seconds show whether it was trained again.
            found[record["key"]] = json.dumps([record["score"], record["seconds"]])
    metrics = [folder / "metrics.jsonl"] if verb == "train" else []
    for path in metrics:
        for line in path.read_text().splitlines() if path.exists() else []:
            epoch = json.loads(line)
            # The seconds show whether an epoch was trained again.
            found[f"epoch {epoch['epoch']}"] = json.dumps([epoch["loss"], epoch["seconds"]])
    return found


def attempt(verb: str, folder: Path, jobs: int, log: Path) -> int:
    """Fork a process that runs the command, and return its process id."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        status = 0
        try:
            main(arguments(verb, folder, jobs))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        os._exit(status)
    return child


def result(log: Path) -> Any:
    """The last line of a successful command, without times and paths, which may differ."""
    return timeless(json.loads(log.read_text().splitlines()[-1]))


def timeless(content: Any) -> Any:
    """Plain data without times and paths."""
    if isinstance(content, dict):
        return {k: timeless(v) for k, v in content.items() if k not in _TIMES}
    return [timeless(item) for item in content] if isinstance(content, list) else content


def waited(child: int, until: Callable[[], bool]) -> bool:
    """Whether the child is still running when ``until`` becomes true."""
    while not until():
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        time.sleep(0.01)
    return True


def run(verb: str, folder: Path, kills: int, seed: int, jobs: int = 1) -> dict[str, Any]:
    """Kill the command the given number of times, then let it finish, and return the outcome."""
    torch.set_num_threads(1)
    rng, log = random.Random(seed), folder / "log"
    began = time.monotonic()
    status = os.waitpid(attempt(verb, folder / "straight", jobs, log), 0)[1]
    if status:
        raise RuntimeError(log.read_text()[-3000:])
    took = time.monotonic() - began
    straight, total = result(log), len(finished(verb, folder / "straight"))
    kept: dict[str, str] = {}
    killed = lost = moments = 0
    for _ in range(kills):
        child = attempt(verb, folder / "run", jobs, log)
        # Kill after some progress, at a random moment; occasionally at once, while the command
        # reads its own files.
        wanted = len(kept) + rng.randint(0, max(1, 2 * total // kills))
        delay = rng.uniform(0.0, 1.5 * took / total)
        end = time.monotonic() + (rng.uniform(0, took / 4) if rng.random() < 0.2 else 600)
        alive = waited(
            child,
            lambda wanted=wanted, end=end: (
                len(finished(verb, folder / "run")) >= wanted or time.monotonic() > end
            ),
        )
        time.sleep(delay if alive else 0)
        os.killpg(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        now = finished(verb, folder / "run")
        lost += sum(now.get(name) != content for name, content in kept.items())
        moments += len(now) > len(kept)
        kept = now
    status = os.waitpid(attempt(verb, folder / "run", jobs, log), 0)[1]
    if status:
        raise RuntimeError(log.read_text()[-3000:])
    end_state = finished(verb, folder / "run")
    lost += sum(end_state.get(name) != content for name, content in kept.items())
    names = {"train": "result.json", "search": "search.json"}
    file = folder / "run" / names.get(verb, f"{verb}.json")
    files = [path.name for path in (folder / "run").rglob("*")]
    return {
        "verb": verb,
        "killed": killed,
        "finished": total,
        "finished at the last kill": len(kept),
        "kills that cost nothing finished": kills - lost if lost < kills else 0,
        "lost or done again": lost,
        "same result": result(log) == straight,
        "whole": bool(read_json(file)),
        "left behind": [name for name in files if name.endswith((".tmp", ".lock"))],
    }


if __name__ == "__main__":
    verb, place, kills, seed, *rest = sys.argv[1:]
    print(json.dumps(run(verb, Path(place), int(kills), int(seed), *map(int, rest))))
