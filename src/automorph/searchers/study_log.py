"""The log of a search: an Optuna study, which dashboards read too.

By default the study is a journal file in the folder of the search; any Optuna URL works. Each
finished job is a trial that is written at once. The study holds the trials of the search alone,
with their parameters; the trainings of the final table are in `FileLog`, or in a second study at
the URL.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError, UsageError
from automorph.experiments import FileLog, digest
from automorph.files import disk_errors
from automorph.searchers.journal_repair import STUDY, cut, mend
from automorph.searchers.trial_parameters import trial_parameters

JOURNAL = "trials.journal"


class StudyLog:
    """The records of a search as an Optuna study.

    ``storage`` is None (a journal in ``folder``) or an Optuna URL, where the study has the name
    ``study``. Raises `UsageError` for a URL that cannot be used, `DamagedError` for an unreadable
    journal.
    """

    def __init__(
        self, study: str, *, folder: Path | None = None, storage: str | None = None
    ) -> None:
        self._journal = folder / JOURNAL if folder is not None and storage is None else None
        self._path = Path(storage or "memory") if self._journal is None else self._journal
        self.place = str(storage or folder)
        self._base = None if storage is None else _data_base(storage)
        self._study = _study(study, folder, self._base)
        self._trials = _Trials(self._study, self._path)
        self._final: FileLog | _Trials = self._trials
        """Where the trainings of the final table are kept."""
        if self._journal is not None:
            self._final = FileLog(self._journal.parent)
        elif self._base is not None:
            self._final = _Trials(_study(f"{study}-final", folder, self._base), self._path)

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all notes by name, and the records of all jobs in their order."""
        records = self._trials.read()[1]
        if self._final is not self._trials:
            records += self._final.read()[1]
        return dict(self._study.user_attrs), records

    def add(self, record: dict[str, Any]) -> None:
        """Keep the record of a job."""
        log = self._final if record["kind"] == "final" else self._trials
        log.add(record)

    def note(self, name: str, content: Any) -> None:
        """Keep a note, in place of an earlier one of that name."""
        with disk_errors(self._path):
            self._study.set_user_attr(name, content)

    def discard(self) -> None:
        """Remove the journal of a search that never began."""
        if self._journal is not None:
            self._journal.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the data base, if there is one."""
        if self._base is not None:
            self._base.remove_session()
            self._base.engine.dispose()


class _Trials:
    """The trials of a study as records."""

    def __init__(self, study: Any, path: Path) -> None:
        self.study, self.path = study, path
        # Optuna allows each parameter one set of choices in a study.
        self.choices: dict[str, tuple[str, ...]] = {
            name: distribution.choices
            for trial in study.get_trials(deepcopy=False)
            for name, distribution in trial.distributions.items()
            if hasattr(distribution, "choices")
        }

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return no notes, and the records of the trials in their order."""
        trials = self.study.get_trials(deepcopy=False)
        # A trial whose check sum does not match is left out: its job runs again.
        return {}, [record for trial in trials if (record := _record(trial)) is not None]

    def add(self, record: dict[str, Any]) -> None:
        """Write a record as a finished trial."""
        import optuna

        content = {name: record[name] for name in _CONTENT}
        value = record["score"]
        states = optuna.trial.TrialState
        values, distributions = trial_parameters(record["job"], self.choices)
        trial = optuna.trial.create_trial(
            state=states.FAIL if value is None else states.COMPLETE, value=value,
            params=values, distributions=distributions,
            user_attrs={**content, "job": record["job"], "check": digest([value, content])},
        )  # fmt: skip
        with disk_errors(self.path):
            self.study.add_trial(trial)


_CONTENT = ("key", "kind", "units", "seconds", "facts", "error", "clock")
"""What the check sum of a trial covers, besides its value."""


def _record(trial: Any) -> dict[str, Any] | None:
    """Return the record of a trial, or None if its content was changed since."""
    content = dict(trial.user_attrs)
    job = content.pop("job", None)  # For readers; the key identifies it.
    check = content.pop("check", None)  # The first versions stored neither check nor kind.
    if check is not None and check != digest([trial.value, content]):
        return None
    with suppress(TypeError, KeyError):
        failed = {"error": content["error"] or "it failed"} if trial.value is None else {}
        kind = content["kind"] if "kind" in content else job["job"]
        return {**content, **failed, "kind": kind, "score": trial.value, "job": job}
    return None


def _data_base(address: str) -> Any:
    from optuna.storages import RDBStorage

    try:
        return RDBStorage(address)
    except Exception as error:
        raise UsageError(
            f"cannot use the storage {address!r} ({error}); expected an Optuna URL such as "
            "sqlite:///trials.db or mysql://user:password@host/name"
        ) from error


def _study(study: str, folder: Path | None, base: Any) -> Any:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # In a shared data base each search has its own study; a folder holds one.
    name = STUDY if base is None else study
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
