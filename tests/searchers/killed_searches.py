"""Run searches in processes that are killed at random moments until one finishes, then compare.

A separate program: torch is imported once, and each try is a fork.
Usage: killed_searches.py FOLDER KILLS SEED
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from automorph.data import limited, load_data, split
from automorph.experiments import key_of, local_executors
from automorph.policies import policy_to_dict
from automorph.searchers import search
from automorph.searchers.study_log import JOURNAL
from automorph.training import Recipe, make_task

DATA = limited(split(load_data("digits"), seed=0), 60)
TASK = make_task(
    DATA, model="cnn:4", recipe=Recipe(epochs=4, batch_size=32, lr=0.05, precision="fp32")
)
METHOD = "heats(searches=random;randaugment)"


def run(folder: Path) -> str:
    """Run the whole search and return its policy as text."""
    result = search(TASK, METHOD, trials=24, seeds=2, folder=folder)
    return json.dumps(policy_to_dict(result.policy))


def finished(folder: Path) -> list[str]:
    """The keys in the journal, from complete lines only."""
    path = folder / JOURNAL
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [
        line["user_attrs"]["key"]
        for line in map(json.loads, lines)
        if "key" in line.get("user_attrs", ())
    ]


def watch(log: Path) -> None:
    """Record every job that starts."""
    attempt = local_executors.attempt

    def noted(job, task, folder, test=False, listener=None):
        with log.open("a") as file:
            file.write(key_of(job) + "\n")
        return attempt(job, task, folder, test, listener)

    local_executors.attempt = noted


def main(folder: Path, kills: int, seed: int) -> None:
    torch.set_num_threads(1)
    rng = random.Random(seed)
    straight = run(folder / "straight")
    again, lost, killed = 0, 0, 0
    kept: list[str] = []
    for number in range(kills):
        log = folder / f"begun-{number}"
        child = os.fork()
        if child == 0:
            watch(log)
            run(folder / "run")
            os._exit(0)
        # Kill at a random moment after a few more trials, so that each try makes progress.
        wanted = len(kept) + rng.randint(0, 50 // kills)
        while len(finished(folder / "run")) < wanted and not os.waitid(
            os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.2))
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        begun = log.read_text().split() if log.exists() else []
        again += len(set(begun) & set(kept))
        now = finished(folder / "run")
        lost += now[: len(kept)] != kept
        kept = now
    resumed = run(folder / "run")
    keys = finished(folder / "run")
    print(
        json.dumps(
            {
                "killed": killed,
                "lost": lost,
                "again": again,
                "twice": sum(count > 1 for count in Counter(keys).values()),
                "same": resumed == straight,
                "same trials": keys == finished(folder / "straight"),
                "trials": len(keys),
                "kept at the last kill": len(kept),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
