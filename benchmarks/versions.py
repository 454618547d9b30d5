"""Two versions of this project side by side: the one of this checkout, and one before.

A benchmark asks a process of each version in turn, so that other work on the machine meets both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BEFORE = "dbe96af"
"""The commit before single images, large ones and files were made faster."""


@contextmanager
def version_before(given: str | None) -> Iterator[Path]:
    """Check out and build the version before, in a temporary folder; ``given`` is one that is."""
    if given is not None:
        yield Path(given)
        return
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), BEFORE], check=True)
        try:
            build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
            subprocess.run(build, cwd=tree, check=True)
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def serve(cores: int, does: Mapping[str, Callable[..., Any]]) -> None:
    """Answer calls of the functions ``does``, one JSON object a line, on some cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    answers = os.dup(1)
    os.dup2(2, 1)  # Whatever libraries print.
    for line in sys.stdin:
        name, arguments = json.loads(line)
        os.write(answers, (json.dumps(does[name](**arguments)) + "\n").encode())


class Child:
    """A process of one version that runs ``script --serve CORES``."""

    def __init__(self, script: str, tree: Path, cores: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, script, "--serve", str(cores)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(tree / "src")},
        )  # fmt: skip

    def __call__(self, name: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def children(script: str, trees: Mapping[str, Path], cores: int) -> Iterator[dict[str, Child]]:
    """Open a process of a script for each version."""
    found = {name: Child(script, tree, cores) for name, tree in trees.items()}
    try:
        yield found
    finally:
        for child in found.values():
            child.close()


def spread(values: list[float]) -> dict[str, float]:
    """The median, and its interval of at least 95 % from 6 values or more.

    Of n independent values, the median lies outside the smallest and largest with probability
    2 / 2^n, and outside the second smallest and largest with 2 (n + 1) / 2^n.
    """
    ranked = sorted(values)
    skipped = 1 if 2 * (len(ranked) + 1) <= 0.05 * 2 ** len(ranked) else 0
    return {
        "median": statistics.median(ranked), "low": ranked[skipped], "high": ranked[-1 - skipped],
    }  # fmt: skip
