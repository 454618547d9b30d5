"""The finished trials of a search, each written down at once: an Optuna study.

By default the study is a journal file in the folder of the search; any Optuna URL will do. Only
finished trials are written, each in one line: a process that is killed loses those it was running,
and none is ever half there.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from automorph.errors import UsageError
from automorph.offline.method import Job, Outcome
from automorph.training import Units

JOURNAL = "trials.journal"


def key_of(job: Job) -> str:
    """A name made of a job's content: equal for equal jobs."""
    return digest(job.describe())


def digest(content: Any) -> str:
    """Sixteen hexadecimal digits of plain data."""
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Trial:
    """A finished job: its key and kind, what came of it, and the search's clock at its end."""

    key: str
    kind: str
    outcome: Outcome
    clock: float


class Trials:
    """The finished trials of one search, on disk and in memory.

    ``identity`` is what the search is, as plain data: a folder or a study of another one is
    refused with a `UsageError`. ``storage`` is None (a journal in ``folder``) or an Optuna URL;
    without either the trials are kept in memory only.
    """

    def __init__(
        self, identity: dict[str, Any], *, folder: Path | None = None, storage: str | None = None
    ) -> None:
        self._folder = folder if storage is None else None
        self._study = _study(identity, folder, storage)
        known = self._study.user_attrs.get("identity")
        wanted = json.loads(json.dumps(identity))
        if known is None:
            self._study.set_user_attr("identity", wanted)
        elif known != wanted:
            raise UsageError(_another(known, wanted, storage or folder))
        self.finished = [_trial(frozen) for frozen in self._study.get_trials(deepcopy=False)]
        self.by_key = {trial.key: trial for trial in self.finished}

    def add(self, job: Job, outcome: Outcome, *, clock: float) -> Trial:
        """Write a finished job down; nobody is told of it before."""
        import optuna

        plain = json.loads(json.dumps(dict(outcome.facts)))
        described = job.describe()
        failed = not math.isfinite(outcome.score)
        self._study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                value=None if failed else float(outcome.score),
                user_attrs={
                    "key": key_of(job),
                    "job": described,
                    "units": [outcome.units.forward, outcome.units.backward],
                    "seconds": outcome.seconds,
                    "facts": plain,
                    "error": outcome.error,
                    "clock": clock,
                },
            )
        )
        # As it will be read again, so that a resumed search is told the very same.
        told = Outcome(
            float(outcome.score) if not failed else -math.inf,
            outcome.units, outcome.seconds, plain, outcome.error,
        )  # fmt: skip
        trial = Trial(key_of(job), str(described.get("job", "")), told, clock)
        self.finished.append(trial)
        self.by_key[trial.key] = trial
        return trial

    def forget(self) -> None:
        """Leave nothing of a search that never began."""
        if self._folder is not None and not self.finished:
            (self._folder / JOURNAL).unlink(missing_ok=True)

    @property
    def clock(self) -> float:
        """The seconds that the search had taken when its last trial was written."""
        return max((trial.clock for trial in self.finished), default=0.0)

    def note(self, name: str, content: Any) -> None:
        """Keep a decision of the search beside its trials: plain data by name."""
        self._study.set_user_attr(name, content)

    def noted(self, name: str) -> Any:
        """The decision that was kept, or None."""
        return self._study.user_attrs.get(name)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Within, no other process works on the search of this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Not on this system; two searches in one folder are the user's to avoid.
        yield
        return
    with open(folder / ".lock", "w") as file:
        try:
            # The system lets go of it when the process ends, however it ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"another process is at work on the search in {folder}; wait for it, or choose "
                "another folder with --out"
            ) from None
        yield


def mend(journal: Path) -> None:
    """Cut off a last line that a killed process could not finish."""
    try:
        content = journal.read_bytes()
    except FileNotFoundError:
        return
    end = len(content)
    while end and not _whole(content[content.rfind(b"\n", 0, end - 1) + 1 : end]):
        end = content.rfind(b"\n", 0, end - 1) + 1
    if end < len(content):
        os.truncate(journal, end)


def _whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _study(identity: dict[str, Any], folder: Path | None, storage: str | None) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # In a shared data base each search has its own study; a folder holds one.
    name = "search" if storage is None else f"automorph-{digest(identity)}"
    place: Any = storage
    if storage is None and folder is not None:
        journal = folder / JOURNAL
        mend(journal)
        # Left by a process that was killed: `held` keeps all others out.
        Path(f"{journal}.lock").unlink(missing_ok=True)
        place = JournalStorage(JournalFileBackend(str(journal)))
    try:
        # Not `load_if_exists`, which writes to a study that is there.
        if place is not None and name in optuna.get_all_study_names(place):
            return optuna.load_study(storage=place, study_name=name)
        return optuna.create_study(storage=place, study_name=name, direction="maximize")
    except Exception as error:
        if storage is None:
            raise
        raise UsageError(
            f"cannot use the storage {storage!r} ({error}); expected an Optuna URL, as "
            "sqlite:///trials.db or mysql://user:password@host/name"
        ) from error


def _trial(frozen: Any) -> Trial:
    said = frozen.user_attrs
    outcome = Outcome(
        -math.inf if frozen.value is None else frozen.value,
        Units(*said["units"]), said["seconds"], said["facts"], said["error"],
    )  # fmt: skip
    return Trial(said["key"], str(said["job"].get("job", "")), outcome, said["clock"])


def _another(known: dict[str, Any], wanted: dict[str, Any], place: Any) -> str:
    differing = [name for name in wanted if known.get(name) != wanted[name]]
    said = "; ".join(
        f"{name} was {str(known.get(name))[:80]} and is now {str(wanted[name])[:80]}"
        for name in differing[:3]
    )
    return (
        f"{place} holds another search ({said or 'of another version'}); choose another folder "
        "with --out, or remove that one"
    )
