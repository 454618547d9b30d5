"""One comparison, and one patch, killed ten times on every engine: the same table to the bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ray_nodes import node

ENTRY = [sys.executable, "-c", "from automorph.cli import main; main()"]
COMMANDS = {
    "compare": "compare digits --policy none --policy crop --policy randaugment(n=1,m=5) --seeds 5 "
    "--epochs 6 --limit 300 --model cnn:4",
    "patch": "patch digits-correlation --translator statistics --objective gdro --seeds 3 "
    "--epochs 3 --limit 300 --model cnn:4 --no-saliency",
}
KILLS = 10


def finished(folder: Path) -> int:
    jobs = folder / "jobs.jsonl"
    return jobs.read_bytes().count(b'"key"') if jobs.exists() else 0


def table(verb: str, engine: str, folder: Path, kills: int, more: tuple[str, ...] = ()):
    """The result of the command, killed so often at random moments, and how often it was."""
    rng = random.Random(kills)
    words = [*COMMANDS[verb].split(), "--engine", engine, "--out", str(folder), "--json", *more]
    if engine == "processes":
        words += ["--jobs", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed, begun = 0, finished(folder)
    while True:
        run = subprocess.Popen(
            [*ENTRY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, start_new_session=True,
        )  # fmt: skip
        if killed < kills:
            wanted = begun + rng.randint(1, 2)
            while finished(folder) < wanted and run.poll() is None:
                time.sleep(0.01)
            time.sleep(rng.random() / 2)
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.communicate()
                assert finished(folder) >= begun, "nothing that was finished is lost"
                killed, begun = killed + 1, finished(folder)
                continue
        out, err = run.communicate(timeout=600)
        assert run.returncode == 0, err[-3000:]
        return timeless(json.loads(out.splitlines()[-1])), killed


def timeless(value):
    names = ("seconds", "report", "policy", "checkpoint", "card", "folder")
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in names or (k == "policy" and
                not str(v).endswith(".json"))}  # fmt: skip
    return [timeless(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", params=COMMANDS)
def plain(request, tmp_path_factory):
    """A command, and its table without kills."""
    verb = request.param
    return verb, table(verb, "local", tmp_path_factory.mktemp(verb) / "plain", 0)[0]


@pytest.fixture(scope="module")
def address():
    """The address of a Ray cluster of two nodes on this machine."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=node())
    cluster.add_node(**node())
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "processes", "ray"])
def test_the_table_is_the_same_on_every_engine_and_after_kills(engine, plain, tmp_path, request):
    verb, expected = plain
    more = ("--address", request.getfixturevalue("address")) if engine == "ray" else ()
    result, killed = table(verb, engine, tmp_path / "run", KILLS, more)
    assert result == expected
    assert killed >= 3
