"""Jobs on a Ray cluster, which replaces workers and nodes that die."""

from __future__ import annotations

import logging
import math
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from automorph.errors import AutomorphError, MissingExtraError, UsageError
from automorph.experiments.executor import Done, Executor, OnShare, attempt, failure, one_thread
from automorph.experiments.job import Job, JobResult
from automorph.files import atomic_write, inside, make_folder

TRIES = 5
"""How often Ray repeats a job whose worker or node died."""

Files = dict[str, bytes]
"""The files of a job that ran on a machine which does not share the folder, by relative path."""


class Ray(Executor):
    """Runs jobs as tasks of a Ray cluster: the one at ``address``, or a new one on this machine.

    Ray repeats a job whose worker or node died. A machine that does not share the folder of the run
    uses a folder of its own; files of a job that has ``files`` are then sent back.
    """

    def __init__(self, task: Any, folder: Path, jobs: int, address: str | None) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError(
                "the engine ray needs Ray, which is not installed; "
                "install it: pip install 'automorph[ray]'"
            ) from None
        if address is not None:
            check_address(address)
        self.ray: Any = ray
        # Disable Ray's usage reports: no data may leave a machine unasked.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self.mine = not ray.is_initialized()
        if self.mine:
            try:
                ray.init(
                    address=address or "local", num_cpus=None if address else jobs,
                    include_dashboard=None if address else False, log_to_driver=False,
                    logging_level=logging.ERROR,
                )  # fmt: skip
            except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
                raise UsageError(
                    f"cannot reach a Ray cluster at {address!r}: {error}; expected an address such "
                    "as 10.0.0.1:6379, or auto on a machine in the cluster"
                ) from error
        cluster = self.ray.cluster_resources()
        self.jobs = max(1, int(cluster.get("CPU", 1)))
        self.folder = folder
        self.task = ray.put(task)
        gpus = min(1.0, cluster.get("GPU", 0) / self.jobs)
        self.remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=TRIES)(_on_ray)

    def run(
        self,
        jobs: Sequence[Job],
        *,
        deadline: float = math.inf,
        test: bool = False,
        progress: OnShare | None = None,
    ) -> Done:
        """Submit all jobs; Ray distributes them."""
        waiting = {
            # In a list: a worker then fetches the task once, not for every job.
            self.remote.remote([self.task], job, str(self.folder), test): index
            for index, job in enumerate(jobs)
        }
        lost = 0
        while waiting:
            left = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
            done, _ = self.ray.wait(list(waiting), num_returns=1, timeout=left)
            if not done:
                for reference in waiting:
                    self.ray.cancel(reference, force=True)
                return
            for reference in done:
                gone = self.ray.exceptions
                try:
                    outcome, files = self.ray.get(reference)
                    _keep(self.folder, files)
                    lost = 0
                except (gone.WorkerCrashedError, gone.OutOfMemoryError) as error:
                    lost += 1
                    if lost > 1:
                        raise AutomorphError(
                            f"two consecutive jobs each crashed {TRIES + 1} Ray workers "
                            f"({error}); expected workers that survive a job: check their memory, "
                            "or reduce the batch size"
                        ) from error
                    outcome = failure(f"its Ray worker died: {error}")
                yield waiting.pop(reference), outcome

    def __exit__(self, *error: Any) -> None:
        """Leave the cluster, if this executor joined it."""
        if self.mine:
            self.ray.shutdown()


def check_address(address: str) -> None:
    """Raise `UsageError` if nothing listens at the address: Ray itself retries for minutes."""
    if address in ("auto", "local") or "://" in address:
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot reach a Ray cluster at {address!r}: {error}; expected an address such as "
            "10.0.0.1:6379, or auto on a machine of the cluster"
        ) from None


def _keep(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = inside(folder, name)
        make_folder(path.parent)
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)


_shared: dict[str, Any] = {}


def _own_folder() -> Path:
    """Return a folder of this user's on this machine, which no other user can have made."""
    who = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"automorph-{who}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != who):
        raise UsageError(f"{folder} belongs to another user; expected one that you own: set TMPDIR")
    return folder


def _on_ray(reference: list[Any], job: Job, folder: str, test: bool) -> tuple[JobResult, Files]:
    import ray

    if _shared.get("reference") != reference:
        _shared.update(reference=reference, task=ray.get(reference[0]))
    work = Path(folder)
    shared = work.is_dir()
    if not shared:
        work = _own_folder() / work.name
        work.mkdir(exist_ok=True)
    with one_thread():
        outcome = attempt(job, _shared["task"], work, test)
    return outcome, {} if shared else dict(_files(job, work))


def _files(job: Any, work: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a job leaves for the rest of the run."""
    for path in job.files(work) if hasattr(job, "files") else ():
        if path.is_file():
            yield path.relative_to(work).as_posix(), path.read_bytes()
