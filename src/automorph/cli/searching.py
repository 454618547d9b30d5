"""What ``search`` does on a terminal: show how far it is, write policy, result and report."""

from __future__ import annotations

import json
import shlex
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.comparing import facts_of, read_json, table_of
from automorph.cli.options import console
from automorph.cli.progress import Board, Dashboard
from automorph.cli.provenance import pictures_of
from automorph.cli.run_names import data_words, policy_words, run_folder, training_words
from automorph.errors import UsageError
from automorph.files import write_json

if TYPE_CHECKING:
    from automorph.searchers import SearchProgress, SearchResult, SearchSpec
    from automorph.training import Task


@dataclass
class Searching:
    """One search on the command line; ``asked`` are options of `automorph.search`."""

    source: str
    task: Task
    method: SearchSpec
    folder: Path | None
    quiet: bool
    resume: bool
    asked: dict[str, Any]
    tensorboard: bool = False

    def run(
        self, *, engine: str, address: str | None, storage: str | None, jobs: int
    ) -> dict[str, Any]:
        """Search, tell, and give the object of ``--json`` back."""
        from automorph.searchers import search

        folder = self.folder or run_folder("search", self.task, [json.dumps(self._words())])
        if self.resume and storage is None and not (folder / "trials.journal").exists():
            raise UsageError(f"there is no search in {folder} to go on with; leave out --resume")
        self._introduce()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with Dashboard(quiet=self.quiet) as shown, ExitStack() as stack:
            board = stack.enter_context(Board(folder)) if self.tensorboard else None

            def look(standing: SearchProgress) -> None:
                shown.move(standing)
                if board is not None:
                    board.trial(standing)

            result = search(
                self.task, self.method, **self._arguments(), folder=folder, storage=storage,
                engine=engine, jobs=jobs, address=address, progress=look,
            )  # fmt: skip
        known = None if result.trained else read_json(folder / "search.json")
        content = known or self._write(result, folder, started, engine)
        self._show(result, folder)
        return content

    def _arguments(self) -> dict[str, Any]:
        """Return the options of `automorph.search`; the record keeps the name ``tail``."""
        options = dict(self.asked)
        return {"post_policy": options.pop("tail"), **options}

    def _words(self) -> dict[str, Any]:
        return {
            "method": self.method.name,
            **{
                key: getattr(value, "name", value) for key, value in self.asked.items()
            },
        }  # fmt: skip

    def _introduce(self) -> None:
        say, data = console(quiet=self.quiet), self.task.data
        budget, trials = self.asked["budget"], self.asked["trials"]
        limit = f"for {budget}" if budget else f"with {trials} trials" if trials else ""
        say.print(
            f"[bold]Searching on {self.source} {limit}[/bold]\n"
            f"{len(data.train):,} training, {len(data.validation or ()):,} validation and "
            f"{data.sizes.get('test', 0):,} test examples of {len(data.classes)} classes; model "
            f"{self.task.model}, {self.task.recipe.epochs} epochs; method {self.method.name}, "
            f"space {self.asked['space'].name} ({len(self.asked['space'])} operations), tail "
            f"{self.asked['tail'].name}"
        )
        for note in data.notes:
            say.print(f"[dim]{note}[/dim]")

    def _write(
        self, result: SearchResult, folder: Path, started: str, engine: str
    ) -> dict[str, Any]:
        from automorph.cli.examples import telling_of
        from automorph.experiments import policy_of
        from automorph.policies import save_policy
        from automorph.report import publish

        table = result.comparison
        facts = {
            **facts_of(self.source, self.task, table, started, folder),
            "next": self._next(result, folder),
            "search": {
                **self._words(),
                "engine": engine,
                "tried": result.trials,
                "failed": result.failed,
                "trainings": result.cost,
                "seconds": result.seconds,
                "stopped": result.stopped,
                "longer": result.epoch_multiplier,
                "trace": list(result.trace),
                "story": result.history,
                "course": result.course and asdict(result.course),
                "effects": [asdict(effect) for effect in result.effects],
            },
        }
        accuracy = result.row.accuracy
        save_policy(
            policy_of(result.policy),
            folder / "policy.json",
            provenance={
                "found_by": result.method,
                "trained_with": result.policy.name,
                "data": self.source,
                "data_hash": self.task.data.hash,
                "search_cost_in_trainings": result.cost,
                "seeds": list(result.seeds),
                "accuracy": None if accuracy is None else accuracy.mean,
            },
        )
        # The control that trains for longer does what the tail does.
        policies = {
            row.policy: table.policies[row.policy]
            for row, part in zip(result.rows, result.parts, strict=True)
            if part != "longer"
        }
        shown = {"examples": telling_of(self.task, table), **pictures_of(self.task, policies)}
        report = publish(folder, "search", {**facts, **shown})
        content = {
            "data": self.source,
            "model": facts["model"],
            **result.to_dict(),
            "policy": str(folder / "policy.json"),
            "report": str(report),
        }
        write_json(folder / "run.json", facts)
        write_json(folder / "search.json", content)
        return content

    def _show(self, result: SearchResult, folder: Path) -> None:
        from automorph.policies import Policy

        say = console(quiet=self.quiet)
        say.print()
        say.print(table_of(result.comparison, width=say.width))
        say.print(f"\n{result.verdict.text}\n", style="bold")
        if result.stopped:
            say.print("The budget ended the search before it was done.", style="yellow")
        say.print(f"Policy  {folder / 'policy.json'}")
        if not isinstance(result.policy, Policy):
            say.print(
                "        It holds what the method draws from; the method itself goes by its name."
            )
        say.print(f"Report  {folder / 'report.html'}")
        say.print("\nNext:")
        for command in self._next(result, folder):
            say.print(f"  {command}", soft_wrap=True)

    def _next(self, result: SearchResult, folder: Path) -> list[str]:
        data, file = data_words(self.source), shlex.quote(str(folder / "policy.json"))
        found = result.use is result.policy
        used = policy_words(result.policy, folder) if found else shlex.quote(result.use.name)
        commands = [
            f"automorph preview {data} --policy {file}",
            f"automorph train {data} --policy {used}{training_words()}",
        ]
        if not result.longer_pays:
            return commands
        tail, epochs = self.asked["tail"].name, result.epoch_multiplier * self.task.recipe.epochs
        rest = training_words(but="--epochs")
        longer = f"automorph train {data} --policy {shlex.quote(tail)} --epochs {epochs}{rest}"
        return [longer, *commands]
