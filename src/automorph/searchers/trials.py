"""The finished trials of a search, each stored at once: an Optuna study.

By default the study is a journal file in the folder of the search; any Optuna URL works. Only
finished trials are stored, one line each: a killed process loses the trials it was running, and
no trial is ever half written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError, PolicyError, UsageError
from automorph.files import disk_errors
from automorph.operations import Operation
from automorph.policies import Policy, identity_form, policy_from_dict, policy_to_dict
from automorph.searchers.base import Job, JobResult
from automorph.searchers.journal_repair import STUDY, cut, mend
from automorph.training import Units, alike

JOURNAL = "trials.journal"
_FLOAT = "(a float)"
"""Stands in for a float where the rest of a job is compared; None would equal a value not set."""
ROUNDED = 1e-3
"""Relative gap of numbers that were rounded to four digits on two processors."""


def key_of(job: Job) -> str:
    """Return the hash of the content of a job: equal for equal jobs."""
    return digest(job.describe())


def digest(content: Any) -> str:
    """Return sixteen hexadecimal digits of plain data."""
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Trial:
    """A finished job: its key and kind, its result, and the search's clock at its end."""

    key: str
    kind: str
    outcome: JobResult
    clock: float


class Trials:
    """The finished trials of one search, on disk and in memory.

    ``identity`` describes the search as plain data. ``storage`` is None (a journal in ``folder``)
    or an Optuna URL; without either, the trials stay in memory. Raises `UsageError` for a folder or
    a study of another search, `DamagedError` for an unreadable one.
    """

    def __init__(
        self, identity: dict[str, Any], *, folder: Path | None = None, storage: str | None = None
    ) -> None:
        self._folder = folder if storage is None else None
        self._path = Path(storage or "memory") if folder is None else folder / JOURNAL
        self._base = None if storage is None else _data_base(storage)
        self._study = _study(identity, folder, self._base)
        known = self._study.user_attrs.get("identity")
        wanted = json.loads(json.dumps(identity))
        kept = self._study.get_trials(deepcopy=False)
        if known is None and self.noted("identity check") == digest(wanted):
            known = wanted  # The line was damaged, but its digest matches.
        if known is None and kept:
            raise DamagedError(
                f"{self._path} has {len(kept)} trials but does not identify their search; choose "
                "another folder with --out"
            )
        if known is None:
            self.note("identity", wanted)
            self.note("identity check", digest(wanted))
        elif not alike(known, wanted):
            raise UsageError(_another(known, wanted, storage or folder))
        # A trial whose check sum does not match is run again.
        self.finished = [trial for frozen in kept if (trial := _trial(frozen)) is not None]
        self.by_key = {trial.key: trial for trial in self.finished}
        self._kept = kept
        self._own_keys: dict[str, str] = {}

    def key(self, job: Job) -> str:
        """Return the key of a job; that of a stored one if they differ in last digits only.

        Proposals computed from floats may differ so on another processor.
        """
        own = key_of(job)
        if self._kept and own not in self.by_key and own not in self._own_keys:
            form, floats = self._parted(json.loads(json.dumps(job.describe())))
            for key, others in self._by_form.get(digest(form), ()):
                if alike(others, floats):
                    self._own_keys[own] = key
                    break
        return self._own_keys.get(own, own)

    @cached_property
    def _jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs of the trials of earlier calls as plain data, by key."""
        jobs = [frozen.user_attrs.get("job") for frozen in self._kept]
        return {key: job for job in jobs if (key := digest(job)) in self.by_key}

    @cached_property
    def _by_form(self) -> dict[str, list[tuple[str, list[float]]]]:
        """Keys and floats of the jobs of earlier calls, by the rest of their content."""
        found: dict[str, list[tuple[str, list[float]]]] = {}
        for key, job in self._jobs.items():
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

    def policy(
        self, name: str, make: Callable[[], Policy], operations: Iterable[Operation] = ()
    ) -> Policy:
        """Return a policy that a search computes by itself: the stored one, or a new one.

        Its numbers come from floats and may round otherwise on another processor, where its
        finished trainings would not be recognised. ``operations``: the space that it is made of.
        """
        own = [operation for operation in operations if operation.function is not None]
        note = self.noted(name)
        if isinstance(note, dict) and note.get("check") == digest(note.get("policy")):
            with suppress(PolicyError):
                return policy_from_dict(note["policy"], own)
        made = make()
        # Version 0.1 did not store it, but its trials name the policies that they trained with.
        wanted = identity_form(made)
        for form in self._policies():
            if alike(form, wanted, ROUNDED):
                content = {**policy_to_dict(made), "version": 1, "policy": form}
                with suppress(PolicyError):
                    return policy_from_dict(content, own)
        plain = policy_to_dict(made)
        self.note(name, {"policy": plain, "check": digest(plain)})
        return made

    def _policies(self) -> Iterator[Any]:
        """Yield the policies of the jobs of earlier calls, with and without what follows them."""
        for job in self._jobs.values():
            form = job.get("policy")
            yield form
            stages = form.get("stages", []) if isinstance(form, dict) else []
            for count in range(1, len(stages)):
                kept = stages[:count]
                yield kept[0] if count == 1 else {"kind": "chain", "stages": kept}

    def add(self, job: Job, outcome: JobResult, *, clock: float) -> Trial:
        """Store a finished job, before anything uses its result."""
        import optuna

        plain = json.loads(json.dumps(dict(outcome.facts)))
        described = job.describe()
        failed = not math.isfinite(outcome.score)
        value = None if failed else float(outcome.score)
        content = {
            "key": key_of(job),
            "kind": str(described.get("job", "")),
            "units": [outcome.units.forward, outcome.units.backward],
            "seconds": outcome.seconds,
            "facts": plain,
            "error": outcome.error,
            "clock": clock,
        }
        states = optuna.trial.TrialState
        trial = optuna.trial.create_trial(
            state=states.FAIL if failed else states.COMPLETE, value=value,
            user_attrs={**content, "job": described, "check": digest([value, content])},
        )  # fmt: skip
        with disk_errors(self._path):
            self._study.add_trial(trial)
        # In the form that is read back, so that a resumed search gets the same result.
        stored = JobResult(
            float(outcome.score) if not failed else -math.inf,
            outcome.units, outcome.seconds, plain, outcome.error,
        )  # fmt: skip
        done = Trial(content["key"], content["kind"], stored, clock)
        self.finished.append(done)
        self.by_key[done.key] = done
        return done

    def forget(self) -> None:
        """Remove the record of a search that never began."""
        if self._folder is not None and not self.finished:
            (self._folder / JOURNAL).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the data base, if there is one."""
        if self._base is not None:
            self._base.remove_session()
            self._base.engine.dispose()

    @property
    def clock(self) -> float:
        """Seconds that the search had taken when its last trial was stored."""
        return max((trial.clock for trial in self.finished), default=0.0)

    def note(self, name: str, content: Any) -> None:
        """Store a decision of the search beside its trials: plain data by name."""
        with disk_errors(self._path):
            self._study.set_user_attr(name, content)

    def noted(self, name: str) -> Any:
        """Return a stored decision, or None."""
        return self._study.user_attrs.get(name)


def _data_base(address: str) -> Any:
    from optuna.storages import RDBStorage

    try:
        return RDBStorage(address)
    except Exception as error:
        raise UsageError(
            f"cannot use the storage {address!r} ({error}); expected an Optuna URL such as "
            "sqlite:///trials.db or mysql://user:password@host/name"
        ) from error


def _study(identity: dict[str, Any], folder: Path | None, base: Any) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # In a shared data base each search has its own study; a folder holds one.
    name = STUDY if base is None else f"automorph-{digest(identity)}"
    backend = base
    if base is None and folder is not None:
        journal = folder / JOURNAL
        cut(journal)
        # A lock left by a killed process: `folder_lock` already keeps others out.
        Path(f"{journal}.lock").unlink(missing_ok=True)
    try:
        if base is None and folder is not None:
            try:
                backend = JournalStorage(JournalFileBackend(str(journal)))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                mend(journal)
                backend = JournalStorage(JournalFileBackend(str(journal)))
        # Not `load_if_exists`, which writes to an existing study.
        if backend is not None and name in optuna.get_all_study_names(backend):
            return optuna.load_study(storage=backend, study_name=name)
        return optuna.create_study(storage=backend, study_name=name, direction="maximize")
    except Exception as error:
        if base is None and folder is not None:
            with disk_errors(folder / JOURNAL):
                if isinstance(error, OSError):
                    raise
            raise DamagedError(
                f"{folder / JOURNAL} cannot be read ({type(error).__name__}: {str(error)[:200]}); "
                "expected a file written by automorph: choose another folder with --out"
            ) from error
        raise


def _trial(frozen: Any) -> Trial | None:
    """Return the trial as it was stored, or None if its content was changed since."""
    content = dict(frozen.user_attrs)
    job = content.pop("job", None)  # For readers; the key identifies it.
    check = content.pop("check", None)  # The first versions stored neither check nor kind.
    if check is not None and check != digest([frozen.value, content]):
        return None
    try:
        outcome = JobResult(
            -math.inf if frozen.value is None else frozen.value,
            Units(*content["units"]), content["seconds"], content["facts"], content["error"],
        )  # fmt: skip
        kind = content["kind"] if "kind" in content else job["job"]
        return Trial(content["key"], kind, outcome, float(content["clock"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _another(known: dict[str, Any], wanted: dict[str, Any], place: Any) -> str:
    differing = [name for name in wanted if not alike(known.get(name), wanted[name])]
    changes = "; ".join(
        f"{name} was {str(known.get(name))[:80]} and is now {str(wanted[name])[:80]}"
        for name in differing[:3]
    )
    return (
        f"{place} contains a different search ({changes or 'from another version'}); choose "
        "another folder with --out, or remove this one"
    )
