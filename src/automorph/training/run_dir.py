"""The folder of a run: its identity, metrics, checkpoint and result."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from automorph.errors import DamagedError, UsageError
from automorph.files import atomic_write, make_folder, read_json, write_checked, write_json
from automorph.training.checkpoint import read_checkpoint, write_checkpoint
from automorph.training.precision import DTYPES
from automorph.training.result import Epoch, RunResult, result_from_dict
from automorph.training.same_run import check_same_run

SCHEMA = 1


class RunFolder:
    """A run on disk. Its files are written atomically, so a killed run can be resumed.

    - ``run.json``: the run's identity (``identity``: data, network, recipe, policy, seed) and the
      environment in which it began (``facts``: versions, precision), and ``notes`` on the ``data``
      (not in runs of version 0.1);
    - ``metrics.jsonl``: one line per epoch;
    - ``checkpoint.safetensors``: everything the next epoch needs; deleted when the run is finished;
    - ``model.safetensors`` and ``result.json``: the result.
    """

    def __init__(self, path: str | os.PathLike[str], *, writes: bool = True) -> None:
        self.path = Path(path)
        self.writes = writes

    @property
    def model_path(self) -> Path:
        """The file with the final weights."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The file with everything the next epoch needs."""
        return self.path / "checkpoint.safetensors"

    @property
    def begun(self) -> bool:
        """Whether the folder holds a checkpoint or a result."""
        return self.checkpoint.exists() or (self.path / "result.json").exists()

    def branch(self, epoch: int) -> RunFolder:
        """Return the folder of a cool-down of this run that begins after an epoch."""
        return RunFolder(self.path / "cooled" / f"{epoch:04d}", writes=self.writes)

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def open(
        self,
        identity: dict[str, Any],
        facts: dict[str, Any],
        *,
        notes: Sequence[str] = (),
        accept_versions: bool = False,
    ) -> dict[str, Any]:
        """Begin the run, or resume it; return the facts of its beginning.

        ``notes`` are those on the data (``Dataset.notes``), for readers of ``run.json``.

        Raises `UsageError` if the folder contains a different run, and lists the differences;
        unless ``accept_versions`` is set, also for one that was made with other libraries.
        """
        file = self.path / "run.json"
        # What JSON does not distinguish (tuples and lists) must not look like another run.
        wanted = json.loads(json.dumps(identity))
        if not file.exists():
            if self.writes:
                make_folder(self.path)
                about = {"data": {"notes": list(notes)}}
                write_json(file, {"schema": SCHEMA, "identity": wanted, "facts": facts, **about})
            return facts
        found = read_json(file)
        if found.get("schema") != SCHEMA:
            raise UsageError(
                f"{file} has schema {found.get('schema')!r}; expected {SCHEMA}. "
                "It was not written by this version: choose another folder"
            )
        started = found.get("facts")
        precision = started.get("precision") if isinstance(started, dict) else None
        if not isinstance(started, dict) or precision not in list(DTYPES):
            raise _damaged(file, f"it does not record where the run started ({started!r:.80})")
        known = found.get("identity")
        accepted = started.get("accepted versions", [])
        same = check_same_run(
            known if isinstance(known, dict) else {}, wanted, place=str(self.path), verb="run",
            accepted=None if accept_versions else accepted,
        )  # fmt: skip
        if same.remarks and same.versions not in accepted and self.writes:
            started["accepted versions"] = [*accepted, same.versions]
            write_json(file, found)
        for remark in same.remarks:
            warnings.warn(remark, stacklevel=4)
        return started

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the last checkpoint, if there is one."""
        return read_checkpoint(self.checkpoint) if self.checkpoint.exists() else None

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Save a checkpoint and bring the metrics up to it."""
        if not self.writes:
            return
        write_checkpoint(self.checkpoint, tensors, facts)
        lines = "".join(json.dumps(record) + "\n" for record in facts["curves"])
        # Rewritten whole: after a kill, lines beyond the checkpoint are dropped.
        with atomic_write(self._metrics) as temporary:
            temporary.write_text(lines, "utf-8")

    def result(self) -> RunResult | None:
        """Return the result, if the run is finished."""
        file = self.path / "result.json"
        if not file.exists():
            return None
        try:
            lines = self._metrics.read_text("utf-8").splitlines()
            curves = tuple(Epoch(**json.loads(line)) for line in lines)
            return result_from_dict(read_json(file), curves)
        except (OSError, TypeError, KeyError, ValueError, RecursionError) as error:
            raise _damaged(file, f"with {self._metrics.name}: {error}") from error

    def finish(self, result: RunResult, model: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Save the result and delete the checkpoint."""
        if not self.writes:
            return
        write_checkpoint(self.model_path, model, facts)
        self._metrics.touch()  # An ensemble has no epochs of its own.
        self.rewrite(result)
        self.checkpoint.unlink(missing_ok=True)

    def rewrite(self, result: RunResult) -> None:
        """Save a result with more parts evaluated."""
        if self.writes:
            write_checked(self.path / "result.json", result.to_dict())


def _damaged(file: Path, why: str) -> DamagedError:
    return DamagedError(
        f"{file} is damaged or not written by automorph ({why:.200}). "
        "Choose another folder, or delete this one"
    )
