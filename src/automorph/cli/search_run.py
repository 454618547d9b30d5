"""A search on the command line: its progress, its result and the files of its run folder."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.answers import score_words
from automorph.cli.comparison_result import are_there, failed_rows, paths_of, read_object, table_of
from automorph.cli.config import write_config
from automorph.cli.options import console
from automorph.cli.progress import Dashboard, ScalarLog
from automorph.cli.run_names import command_words, run_folder
from automorph.cli.search_plan import (
    in_folds,
    nested_evidence,
    nested_facts,
    nested_in_words,
    numbers_of,
    overrun_in_words,
    plan_facts,
    plan_in_words,
)
from automorph.cli.suggestions import print_next
from automorph.cli.task_words import CommandWords, DataWords, words_of
from automorph.cli.trackers import TrackerLog
from automorph.errors import UsageError
from automorph.files import write_json

if TYPE_CHECKING:
    from automorph.experiments import ExternalTask
    from automorph.searchers import (
        SearchInterrupted,
        SearchProgress,
        SearchResult,
        SearchSpec,
    )
    from automorph.training import Task


@dataclass
class SearchRun:
    """One search on the command line; ``options`` are those of `automorph.search`."""

    source: str | None
    task: Task | ExternalTask
    method: SearchSpec
    folder: Path | None
    quiet: bool
    resume: bool
    options: dict[str, Any]
    tensorboard: bool = False
    track: tuple[str, ...] = ()
    planned: bool = False
    """True once the plan is printed."""

    def run(
        self, *, storage: str | None, engine: str, jobs: int | None, **where: Any
    ) -> dict[str, Any]:
        """Run the search and return the object that ``--json`` prints."""
        from automorph.processes import ended_by_termination
        from automorph.searchers import SearchInterrupted, search

        folder = self.folder or self._default_folder()
        begun = folder / ("fold-0" if in_folds(self.task) else "") / "trials.journal"
        if self.resume and storage is None and not begun.exists():
            raise UsageError(
                f"{folder} does not contain a search; expected the folder of an interrupted "
                "search. Start a new one without --resume"
            )
        self._print_header()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        board = Dashboard(quiet=self.quiet, percent=not self.words.own)
        with board as dashboard, ExitStack() as stack:
            log = stack.enter_context(ScalarLog(folder)) if self.tensorboard else None
            tracked = stack.enter_context(TrackerLog(self.track, folder))

            def report(progress: SearchProgress) -> None:
                self._print_plan(progress)
                dashboard.update(progress)
                tracked.trial(progress)
                if log is not None:
                    log.trial(progress)

            stack.enter_context(ended_by_termination())
            try:
                result = search(
                    self.task, self.method, **self.options, folder=folder, storage=storage,
                    engine=engine, jobs=self.words.jobs(jobs), progress=report, **where,
                )  # fmt: skip
            except SearchInterrupted as stop:
                dashboard.close()
                self._print_so_far(stop)
                raise
        for remark in result.remarks:
            console(quiet=self.quiet).print(remark, style="yellow", markup=False)
        complete = not result.trained and are_there(paths_of(folder).values())
        known = read_object(folder / "search.json") if complete else None
        content = known or self._write(result, folder, started, engine)
        if known:
            console(quiet=self.quiet).print(
                "[dim]This search was already finished: nothing was trained or written.[/dim]"
            )
            if (then := known["verdict"]["text"]) != result.verdict.text:
                console(quiet=self.quiet).print(
                    f"Its report was written by an earlier version of automorph, and says: {then} "
                    "The verdict below is that of this version.", style="yellow", markup=False,
                )  # fmt: skip
        self._print_result(result, folder)
        return {**content, **paths_of(folder)}

    @property
    def words(self) -> DataWords | CommandWords:
        """The words of the header, the notes and the commands for this kind of task."""
        return words_of(self.source, self.task)

    def _settings(self, seeds: int | str = "2-5") -> dict[str, Any]:
        """Return the settings as plain data; ``seeds`` are the default ones."""
        return {
            "method": self.method.name,
            **{
                # Stored runs call the post-policy their tail.
                "tail" if key == "post_policy" else key: getattr(value, "name", value)
                for key, value in self.options.items()
            },
            "seeds": self.options["seeds"] or seeds,
        }

    def _default_folder(self) -> Path:
        """Return the run folder, whose name is a hash of the settings.

        One that was begun when the default was five seeds has another name, and goes on.
        """
        from automorph.experiments import digest
        from automorph.policies import space_to_dict

        space = self.options["space"]
        # Two reviewed spaces may have one name.
        more = [] if space.refused is None else [digest(space_to_dict(space))]
        named = [
            run_folder("search", self.task, [json.dumps(settings), *more])
            for settings in (self._settings(), self._settings(5))
        ]
        return next((one for one in named if (one / "trials.journal").exists()), named[0])

    def _print_header(self) -> None:
        say, words = console(quiet=self.quiet), self.words
        budget, trials, space = (self.options[key] for key in ("budget", "trials", "space"))
        limit = f"for {budget}" if budget else f"with {trials} trials" if trials else ""
        say.print(f"Searching on {words.source} {limit}", style="bold", markup=False)
        named = space if isinstance(space, str) else f"{space.name} ({len(space)} operations)"
        say.print(
            f"{words.header()}; method {self.method.name}, space {named}, "
            f"post-policy {self.options['post_policy'].name}",
            markup=False,
        )
        words.print_notes(say)

    def _print_plan(self, progress: SearchProgress) -> None:
        """Print what a time budget became, or what the searches of all folds cost, once known."""
        plan = progress.plan
        if plan is None or self.planned or (plan.trials is None and progress.nested is None):
            return
        self.planned = True
        if progress.nested is not None and (folds := in_folds(self.task)):
            text = nested_in_words(progress.nested, folds, plan)
        else:
            several = not str(self.options["seeds"] or "2-5").isdigit()
            text = plan_in_words(plan, self.options["budget"], own=self.words.own, several=several)
        console(quiet=self.quiet).print(text, markup=False)

    def _print_so_far(self, stop: SearchInterrupted) -> None:
        """Say what an interrupted search leaves, and how to go on."""
        say = console(quiet=self.quiet)
        say.print(f"\nInterrupted: {stop.outlook}.", style="bold", markup=False)
        if stop.path is not None:
            say.print(
                f"Policy  {stop.path} (the best so far, not tested on the test part)",
                markup=False, soft_wrap=True,
            )  # fmt: skip
        say.print(f"To go on:\n  {command_words()}", markup=False, soft_wrap=True)

    def _write(
        self, result: SearchResult, folder: Path, started: str, engine: str
    ) -> dict[str, Any]:
        from automorph.policies import save_policy
        from automorph.report import publish

        table, words = result.comparison, self.words
        facts = {
            **words.facts(table, started),
            "next": self.words.after_search(result, folder),
            "search": {
                **self._settings(),
                "seeds": result.looks.cap if result.looks.fixed else str(result.looks),
                "engine": engine,
                "tried": result.trials,
                "failed": result.failed,
                "trainings": result.cost,
                "seconds": result.seconds,
                "stopped": result.stopped,
                "longer": result.epoch_multiplier,
                **plan_facts(result),
                "trace": list(result.trace),
                "story": result.history,
                "course": result.course and asdict(result.course),
                "effects": [asdict(effect) for effect in result.effects],
                **({"cost": result.cost_note} if words.own else {}),
                **({"network": result.network.words} if result.network else {}),
                **nested_facts(result),
            },
        }
        accuracy = result.row.accuracy
        save_policy(
            words.settled(result.policy),
            folder / "policy.json",
            provenance={
                "found_by": result.method,
                "trained_with": result.policy.name,
                **words.origin(),
                "search_cost_in_trainings": result.cost,
                "seeds": list(result.seeds),
                "accuracy": None if accuracy is None else accuracy.mean,
                **nested_evidence(result),
            },
        )
        # The control that trains for longer uses the same policy as the post-policy alone.
        # With folds, the first row has many policies; the one that is kept is shown by its name.
        policies = {
            result.policy.name if part == "found" else row.policy: table.policies[row.policy]
            for row, part in zip(result.rows, result.parts, strict=True)
            if part != "longer"
        }
        chosen = None if isinstance(words, CommandWords) else words.task.data.chosen
        write_config(folder, **numbers_of(result, chosen))
        publish(folder, "search", {**facts, **words.shown(table, policies)})
        content = {
            "data": words.source,
            "model": facts["model"],
            **result.to_dict(),
            **paths_of(folder),
        }
        write_json(folder / "run.json", facts)
        write_json(folder / "search.json", content)
        return content

    def _print_result(self, result: SearchResult, folder: Path) -> None:
        from automorph.policies import Policy

        say = console(quiet=self.quiet)
        say.print()
        base_rate = self.words.base_rate()
        say.print(table_of(result.comparison, base_rate=base_rate, width=say.width))
        for line in failed_rows(result.comparison):
            say.print(line, style="red", markup=False, soft_wrap=True)
        say.print(f"\n{result.verdict.text}\n", style="bold")
        if result.stopped:
            say.print("The time budget ended the search before it was complete.", style="yellow")
        if overrun := overrun_in_words(result, self.options["budget"]):
            say.print(overrun, style="yellow")
        if repeat := plan_facts(result).get("repeat"):
            say.print(f"To repeat this search exactly:\n  {repeat}\n", soft_wrap=True, markup=False)
        file = f"{folder / 'policy.json'} ({result.policy.name})"
        say.print(f"Policy  {file}", soft_wrap=True, markup=False)
        if not isinstance(result.policy, Policy):
            say.print(
                "        This file holds the operations that the method draws from; to use the "
                "method itself, pass its name as --policy."
            )
        say.print(f"Report  {folder / 'report.html'}")
        if (kept := result.network) is not None and not isinstance(self.words, CommandWords):
            target = self.words.task.target
            score = score_words(target, kept.result.accuracy["test"])
            say.print(
                f"Network {kept.folder}\n        Trained with {result.advised.name}, test "
                f"{target.metric} {score}: {kept.words}.", soft_wrap=True, markup=False,
            )  # fmt: skip
        print_next(say, self.words.after_search(result, folder))
