"""Executors: jobs see no test part, dead workers are replaced, and the result is the same."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
import torch
from plain_jobs import Dies, Sees

from automorph.data import limited, load_data, split
from automorph.errors import UsageError
from automorph.experiments import open_executor
from automorph.experiments.local_executors import Processes
from automorph.searchers import search
from automorph.testing import check_executor
from automorph.training import Recipe, make_task
from ray_nodes import node

torch.set_num_threads(1)
SEARCH = {"method": "random(count=2)", "trials": 4, "seeds": 1, "seed": 3}


@pytest.fixture(scope="module")
def task():
    digits = limited(split(load_data("digits")), 60)
    recipe = Recipe(epochs=2, batch_size=32, lr=0.05, precision="fp32")
    return make_task(digits, model="cnn:4", recipe=recipe)


@pytest.fixture(scope="module")
def alone(task):
    """The result of a search on the executor `local`."""
    return search(task, engine="local", **SEARCH)


def test_jobs_in_this_process_meet_the_contract():
    check_executor(partial(open_executor, "local"))


@pytest.mark.slow
def test_jobs_in_other_processes_meet_the_contract():
    check_executor(partial(Processes, jobs=2))


def test_processes_find_the_same_and_replace_a_dead_worker(task, alone, tmp_path):
    with Processes(task, tmp_path, jobs=1) as engine:
        outcomes = dict(engine.run([Sees(0), Dies(str(tmp_path / "died")), Sees(2)]))
        workers = [process.pid for process in engine.workers.pool._processes.values()]
    together = search(task, engine="processes", jobs=2, **SEARCH)

    assert {place: outcome.score for place, outcome in outcomes.items()} == {0: 0, 1: 1, 2: 2}
    assert outcomes[0].facts == {"parts": ["train", "validation"], "threads": 1}
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert together.policy == alone.policy
    assert [row.accuracy for row in together.rows] == [row.accuracy for row in alone.rows]
    # Which of two parallel trials ends first is random; the trace does not show it.
    traces = [[{**step, "clock": 0} for step in found.trace] for found in (together, alone)]
    assert traces[0] == traces[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_finds_the_same_when_a_node_dies(task, alone, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    here = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, here)))
    cluster = Cluster(initialize_head=True, head_node_args=node())
    second = cluster.add_node(**node())
    cluster.wait_for_nodes()
    seen = []

    def kill_the_second_node(standing) -> None:
        seen.append(standing)
        if standing.phase == "search" and second in cluster.worker_nodes:
            cluster.remove_node(second, allow_graceful=False)

    try:
        with open_executor("ray", task, tmp_path, address=cluster.address) as engine:
            assert engine.jobs == 2
            outcomes = dict(engine.run([Dies(str(tmp_path / "died")), Sees(1)]))
        spread = search(
            task, engine="ray", address=cluster.address, progress=kill_the_second_node, **SEARCH
        )
    finally:
        cluster.shutdown()

    assert {place: outcome.score for place, outcome in outcomes.items()} == {0: 1, 1: 1}
    assert second not in cluster.worker_nodes
    assert spread.policy == alone.policy
    assert [row.accuracy for row in spread.rows] == [row.accuracy for row in alone.rows]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_race_on_ray_finds_the_same(task, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    options = {"method": "race", "seeds": 1, "seed": 3}
    alone = search(task, engine="local", folder=tmp_path / "alone", **options)
    cluster = Cluster(initialize_head=True, head_node_args=node())
    cluster.add_node(**node())
    cluster.wait_for_nodes()
    try:
        spread = search(
            task, engine="ray", address=cluster.address, folder=tmp_path / "spread", **options
        )
    finally:
        cluster.shutdown()

    assert spread.policy == alone.policy
    assert [row.accuracy for row in spread.rows] == [row.accuracy for row in alone.rows]
    assert spread.cost == pytest.approx(alone.cost)


@pytest.mark.parametrize(
    ("name", "address", "words"),
    [
        ("slurm", None, "unknown engine"),
        ("local", "x:1", "only ray"),
        ("ray", "127.0.0.1:9", "reach"),
    ],
)
def test_bad_engines(task, tmp_path, name, address, words):
    with pytest.raises(UsageError, match=words):
        open_executor(name, task, tmp_path, address=address)
