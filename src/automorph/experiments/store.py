"""The store of a run: its finished jobs, each kept at once under the hash of its description.

A store belongs to one run, whose identity it records: the task, the versions of libraries that
decide pixels, and what the verb adds. Only finished jobs are stored, one record each: a killed
process loses the jobs it was running, and no result is ever half written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from automorph.captured import captured_values, code_of
from automorph.errors import DamagedError, UsageError
from automorph.experiments.job import Job, JobResult, digest, key_of
from automorph.experiments.json_lines import JsonLines
from automorph.operations import Operation
from automorph.training import Units, alike, check_same_run

JOBS = "jobs.jsonl"
"""The file of the finished jobs in a run folder."""
_FLOAT = "(a float)"
"""Stands in for a float where the rest of a job is compared; None would equal a value not set."""


@dataclass(frozen=True)
class FinishedJob:
    """A finished job: its key and kind, its result, and the clock of its run at its end."""

    key: str
    kind: str
    outcome: JobResult
    clock: float

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> FinishedJob | None:
        """Return the job of a record, or None if it is not one."""
        try:
            score, error = record["score"], record["error"]
            nothing = -math.inf if error else math.nan
            outcome = JobResult(
                nothing if score is None else float(score),
                Units(*record["units"]), record["seconds"], record["facts"], error,
            )  # fmt: skip
            return cls(record["key"], record["kind"], outcome, float(record["clock"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


class Log(Protocol):
    """Where a store keeps its records."""

    place: str
    """Its name in messages to the user."""

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all notes by name, and the records of all jobs in their order."""

    def add(self, record: dict[str, Any]) -> None:
        """Keep the record of a job."""

    def note(self, name: str, content: Any) -> None:
        """Keep a note, in place of an earlier one of that name."""


class FileLog:
    """The log of a run folder: `JOBS`."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._lines = JsonLines(folder / JOBS)

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all notes by name, and the records of all jobs in their order."""
        notes: dict[str, Any] = {}
        jobs = []
        for record in self._lines.read():
            if isinstance(name := record.get("note"), str):
                notes[name] = record.get("content")
            else:
                jobs.append(record)
        return notes, jobs

    def add(self, record: dict[str, Any]) -> None:
        """Keep the record of a job."""
        self._lines.append(record)

    def note(self, name: str, content: Any) -> None:
        """Keep a note, in place of an earlier one of that name."""
        self._lines.append({"note": name, "content": content})


class Store:
    """The finished jobs of one run, in its log and in memory.

    ``identity`` describes the run as plain data; its entry ``task`` is a `task_identity`. ``log``
    is None for a run that is kept in memory. ``older`` is the identity in another file of version
    0.1, and ``upgrade`` brings a recorded identity up to date. ``verb`` names the run in messages.
    Raises `UsageError` for the log of another run, or, unless
    ``accept_versions`` is set, for one that was made with other versions of the libraries that
    decide pixels; `DamagedError` for an unreadable one.
    """

    def __init__(
        self,
        identity: Mapping[str, Any],
        log: Log | None = None,
        *,
        verb: str = "run",
        older: Mapping[str, Any] | None = None,
        upgrade: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
        accept_versions: bool = False,
    ) -> None:
        self._log, self._verb = log, verb
        self._notes, records = ({}, []) if log is None else log.read()
        self.remarks: tuple[str, ...] = ()
        """What a reader of the result must know, such as mixed versions."""
        wanted = json.loads(json.dumps(identity))
        known = self._known(wanted, bool(records)) or older
        if known is None:
            self.note("identity", wanted)
            self.note("identity check", digest(wanted))
        else:
            self._check(upgrade(known), wanted, accept_versions)
        # A record whose check sum does not match was left out: its job runs again.
        read = [(record, FinishedJob.read(record)) for record in records]
        self._read = [record for record, job in read if job is not None]
        self.finished = [job for _, job in read if job is not None]
        self.by_key = {job.key: job for job in self.finished}
        self._own_keys: dict[str, str] = {}

    def key(self, job: Job) -> str:
        """Return the key of a job; that of a stored one if they differ in last digits only.

        Numbers that were computed from floats may differ so on another processor.
        """
        own = key_of(job)
        if self._read and own not in self.by_key and own not in self._own_keys:
            form, floats = self._parted(json.loads(json.dumps(job.describe())))
            for key, others in self._by_form.get(digest(form), ()):
                if alike(others, floats):
                    self._own_keys[own] = key
                    break
        return self._own_keys.get(own, own)

    def get(self, job: Job) -> JobResult | None:
        """Return the result of a job if it is finished."""
        found = self.by_key.get(self.key(job))
        return None if found is None else found.outcome

    def add(self, job: Job, outcome: JobResult, *, clock: float = 0.0) -> FinishedJob:
        """Store a finished job, before anything uses its result."""
        described = json.loads(json.dumps(job.describe()))
        record = {
            "key": key_of(job),
            "kind": str(described.get("job", "")),
            "score": float(outcome.score) if math.isfinite(outcome.score) else None,
            "units": [outcome.units.forward, outcome.units.backward],
            "seconds": outcome.seconds,
            "facts": json.loads(json.dumps(dict(outcome.facts))),
            "error": outcome.error,
            "clock": clock,
            "job": described,
        }
        if self._log is not None:
            self._log.add(record)
        # In the form that is read back, so that a resumed run gets the same result.
        done = FinishedJob.read(record)
        assert done is not None
        self.finished.append(done)
        self.by_key[done.key] = done
        return done

    @cached_property
    def read_jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs that earlier calls finished, as plain data by key."""
        jobs = [record.get("job") for record in self._read]
        return {key: job for job in jobs if (key := digest(job)) in self.by_key and job}

    @property
    def clock(self) -> float:
        """Seconds that the run had taken when its last job was stored."""
        return max((job.clock for job in self.finished), default=0.0)

    def note(self, name: str, content: Any) -> None:
        """Store a decision of the run beside its jobs: plain data by name."""
        if self._log is not None:
            self._log.note(name, content)
        self._notes[name] = json.loads(json.dumps(content))

    def check_operations(self, operations: Iterable[Operation]) -> None:
        """Raise `UsageError` if the function of an operation has changed since it was used here.

        Jobs name such a function by its import path only. Operations of the catalogue have none.
        """
        own = {
            f"{one.function.__module__}:{one.function.__qualname__}": digest(
                [code_of(one.function), captured_values(one.function)]
            )
            for one in operations
            if one.function is not None and hasattr(one.function, "__qualname__")
        }
        known = self.noted("operations") or {}
        for name in own:
            if known.get(name, own[name]) != own[name]:
                raise UsageError(
                    f"{self._place} has results of another version of the operation function "
                    f"{name}; expected the same code and values: restore them, or choose another "
                    "folder with --out (folder=...)"
                )
        if own.keys() - known.keys():
            self.note("operations", {**known, **own})

    def noted(self, name: str) -> Any:
        """Return a stored decision, or None."""
        return self._notes.get(name)

    def _known(self, wanted: dict[str, Any], has_jobs: bool) -> Mapping[str, Any] | None:
        """Return the recorded identity, or None in a new log."""
        known = self.noted("identity")
        if isinstance(known, dict):
            return known
        if self.noted("identity check") == digest(wanted):
            return wanted  # The line was damaged, but its digest matches.
        if has_jobs:
            raise DamagedError(
                f"{self._place} has finished jobs but does not identify their {self._verb}; choose "
                "another folder with --out"
            )
        return None

    def _check(self, known: Mapping[str, Any], wanted: dict[str, Any], accept: bool) -> None:
        """Raise unless the recorded run is the wanted one; note versions that were accepted."""
        accepted = self.noted("accepted versions") or []
        same = check_same_run(
            known, wanted, place=self._place, verb=self._verb,
            accepted=None if accept else accepted,
        )  # fmt: skip
        self.remarks = same.remarks
        if same.remarks and same.versions not in accepted:
            self.note("accepted versions", [*accepted, same.versions])

    @property
    def _place(self) -> str:
        return "this run" if self._log is None else self._log.place

    @cached_property
    def _by_form(self) -> dict[str, list[tuple[str, list[float]]]]:
        """Keys and floats of the jobs of earlier calls, by the rest of their content."""
        found: dict[str, list[tuple[str, list[float]]]] = {}
        for key, job in self.read_jobs.items():
            form, floats = self._parted(job)
            found.setdefault(digest(form), []).append((key, floats))
        return found

    def _parted(self, plain: Any) -> tuple[Any, list[float]]:
        """Part plain data from its floats; keys of other jobs are replaced by the stored ones."""
        floats: list[float] = []

        def part(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: part(value[name]) for name in sorted(value)}
            if isinstance(value, list):
                return [part(item) for item in value]
            if isinstance(value, float):
                floats.append(value)
                return _FLOAT
            return self._own_keys.get(value, value) if isinstance(value, str) else value

        return part(plain), floats
