"""Executors by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automorph.errors import UsageError
from automorph.experiments.executor import Executor
from automorph.experiments.local_executors import Local, Processes
from automorph.registry import unknown

EXECUTORS = ("local", "processes", "ray")


def open_executor(
    name: str, task: Any, folder: Path, *, jobs: int = 1, address: str | None = None
) -> Executor:
    """Return the executor of a name: ``local``, ``processes`` or ``ray``.

    ``task`` is what all jobs share, ``folder`` holds their files. ``jobs`` run in parallel, on Ray
    as many as the cluster has processors; ``address`` is that of a Ray cluster.
    """
    check_executor(name, address)
    if name == "ray":
        from automorph.experiments.ray_executor import Ray

        return Ray(task, folder, jobs, address)
    if name == "processes" and jobs > 1:
        return Processes(task, folder, jobs)
    return Local(task, folder)


def check_executor(name: str, address: str | None) -> None:
    """Raise `UsageError` for an unknown executor, or one that takes no address."""
    if name not in EXECUTORS:
        raise UsageError(unknown("engine", name, EXECUTORS))
    if address is not None and name != "ray":
        raise UsageError(
            f"got the address {address!r} with the engine {name}; only ray takes one: "
            "use --engine ray, or leave out --address"
        )
