"""``automorph search``: find the best augmentation for your data and model."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.answers import score_words
from automorph.cli.comparison_result import are_there, failed_rows, paths_of, read_object, table_of
from automorph.cli.config import write_config
from automorph.cli.options import (
    console,
    engine_options,
    engine_settings,
    folds_options,
    json_option,
    metric_options,
    optional_data_options,
    out_option,
    print_json,
    protect_option,
    quiet_option,
    seed_option,
    task_of,
    training_options,
    unlabelled_option,
)
from automorph.cli.own_training import command_options, own_task
from automorph.cli.param_types import NameWord, PolicyWord
from automorph.cli.progress import Dashboard, ScalarLog, tensorboard_option
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
from automorph.cli.trackers import TrackerLog, track_option
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


@click.command(short_help="Find the best augmentation for your data.")
@optional_data_options
@command_options
@training_options
@metric_options
@click.option(
    "--method",
    default="race",
    show_default=True,
    metavar="NAME",
    type=NameWord("searchers:METHODS"),
    help="Search method (see: automorph list methods).",
)
@click.option(
    "--budget",
    metavar="TIME",
    help="Time for the whole search: 30m, 1h30m or 90s. A measurement turns it into numbers of "
    "trials and seeds, which are stored and repeat the search exactly.",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    metavar="N",
    help="Number of policies to try instead of a time budget (for race and heats: number of "
    "plain trainings).",
    show_default="race: 8; else 40",
)
@click.option(
    "--space",
    metavar="NAME|FILE",
    type=NameWord(
        "operations:SPACES", "explained", check="searchers:check_space", endings=(".json",)
    ),
    help="Search space, by name or as saved by automorph review; explained: the operations that "
    "explain predicts to be harmless, with narrower ranges.",
    show_default="randaugment; texts: texts-wordnet, or texts-plain without WordNet",
)
@click.option(
    "--then",
    "--tail",
    "post_policy",
    metavar="POLICY",
    type=PolicyWord(online=False),
    help="Policy applied to every example after the searched one.",
    show_default="race and texts: none; else flip-crop",
)
@unlabelled_option
@protect_option
@folds_options
@seed_option
@click.option(
    "--seeds",
    metavar="N|2-N",
    help="Paired seeds in the final table: exactly N, or a range such as 2-5: from 2, until the "
    "decision is clear on the validation part, at most 5.",
    show_default="2-5",
)
@click.option(
    "--controls",
    type=click.Choice(["usual", "all"]),
    help="Policies in the final table; all: also a random policy, RandAugment and a control that "
    "trains for longer.",
    show_default="usual; all with --longer",
)
@click.option(
    "--longer",
    "epoch_multiplier",
    type=click.IntRange(2),
    metavar="N",
    help="Length of the control that trains for longer, as a multiple of --epochs; adds all "
    "controls.",
    show_default="as long as search and training together, at most 4",
)
@click.option("--storage", metavar="URL", help="Optuna storage for the trials.")
@engine_options
@out_option
@click.option(
    "--resume",
    is_flag=True,
    help="Continue an earlier search; fail if the folder does not contain one.",
)
@tensorboard_option
@track_option
@quiet_option
@json_option
def search(
    data: str | None,
    method: str,
    budget: str | None,
    trials: int | None,
    space: str | None,
    post_policy: str | None,
    seed: int,
    seeds: str | None,
    controls: str | None,
    epoch_multiplier: int | None,
    storage: str | None,
    out: str | None,
    resume: bool,
    tensorboard: bool,
    track: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the best augmentation for DATA and your model, and test it against baselines.

    \b
    automorph search fashion-mnist --limit 2000 --budget 20m
    automorph search folder:my/photos --method 'randaugment(by=tpe)' --trials 30
    automorph search csv:reviews.csv --text review --label stars --budget 10m
    automorph search --epochs 10 --command \\
        'python train.py --policy {policy} --seed {seed} --epochs {epochs} --out {out}'

    The search trains and scores policies on the training and validation parts only. A final table
    then compares the policy found under paired seeds with no augmentation, the post-policy alone
    (--then) and TrivialAugment (on texts: EDA, if WordNet is installed). Seeds are added until the
    decision is clear. --controls all adds a random policy, RandAugment, and the post-policy trained
    for longer. Only this table uses the test part.

    With --folds, the whole search runs anew in every fold, what it picks is tested on that fold
    (nested cross-validation), and one more search, on all examples, gives the policy.

    Ctrl-C leaves the best policy so far in the run folder. Run the same command again to continue.

    With --command, your own script does all trainings (see: automorph compare --help). Methods that
    read the data or the network themselves are refused. {checkpoint} lets a training continue from
    an earlier one, which saves time.
    """
    from automorph.experiments import read_looks
    from automorph.policies import load_policy
    from automorph.searchers import (
        begun_method,
        check_method,
        default_post_policy,
        load_method,
        read_budget,
        space_of,
    )

    # Reject bad options before reading the data.
    spec = begun_method(load_method(method), out)
    where = engine_settings(options)
    seconds = None if budget is None else read_budget(budget)
    looks = None if seeds is None else read_looks(seeds)
    after = None if post_policy is None else load_policy(post_policy)
    task: Any = own_task(data, options) or task_of(data, out=out, budget=seconds, **options)
    if words_of(data, task).own:
        check_method(spec, task)
    # With folds, `explain` narrows the space in each fold, by what its search may see.
    first, _, rest = (space or "").partition(":")
    by_fold = first == "explained" and in_folds(task) is not None
    whole = rest or None if by_fold else space
    operations = space_of(whole, task, method=spec, folder=out, seed=seed)
    after = after or load_policy(default_post_policy(words_of(data, task).domain, spec, operations))
    run = SearchRun(
        source=data, task=task, method=spec, folder=Path(out) if out else None,
        quiet=quiet or as_json, resume=resume, tensorboard=tensorboard, track=track,
        options={
            "space": space if by_fold else operations, "post_policy": after, "trials": trials,
            "budget": budget, "seed": seed,
            "seeds": None if looks is None else looks.cap if looks.fixed else str(looks),
            **({} if controls is None else {"controls": controls}),
            **({} if epoch_multiplier is None else {"epoch_multiplier": epoch_multiplier}),
        },
    )  # fmt: skip
    content = run.run(storage=storage, **where)
    if as_json:
        print_json(content)


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
