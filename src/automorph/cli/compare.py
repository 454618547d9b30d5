"""``automorph compare``: train several policies under the same seeds and compare them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.comparison_result import (
    also_table,
    are_there,
    failed_rows,
    paths_of,
    read_object,
    table_of,
)
from automorph.cli.config import write_config
from automorph.cli.options import (
    compare_options,
    console,
    engine_options,
    engine_settings,
    folds_options,
    json_option,
    metric_options,
    optional_data_options,
    out_option,
    policies_option,
    print_json,
    protect_option,
    quiet_option,
    task_of,
    unlabelled_option,
)
from automorph.cli.own_training import command_options, own_task
from automorph.cli.param_types import PolicyWord, check_compared
from automorph.cli.progress import Bars
from automorph.cli.run_names import run_folder
from automorph.cli.suggestions import print_next
from automorph.cli.task_words import CommandWords, DataWords, words_of
from automorph.cli.trackers import TrackerLog, track_option
from automorph.files import make_folder, write_json

if TYPE_CHECKING:
    from automorph.experiments import Comparison, ExternalTask, Treatment
    from automorph.training import Task

_REPORT_FILES = ("compare.json", "policy.json", "policy.safetensors", "report.html", "report.json",
                 "report.npz", "run.json", "run.toml")  # fmt: skip


@click.command(short_help="Compare policies with paired seeds and intervals.")
@optional_data_options
@command_options
@compare_options
@metric_options
@policies_option
@click.option(
    "--baseline",
    metavar="POLICY",
    type=PolicyWord(),
    help="Policy that the others are compared with.",
    show_default="none if it is compared, otherwise the first policy",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    help="Number of seeds for each policy, without folds.",
    show_default="5",
)
@folds_options
@unlabelled_option
@protect_option
@engine_options
@out_option
@track_option
@quiet_option
@json_option
def compare(
    data: str | None,
    policies: tuple[str, ...],
    baseline: str | None,
    seeds: int | None,
    out: str | None,
    track: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train policies on DATA under paired seeds and compare their accuracy and cost.

    \b
    automorph compare fashion-mnist --limit 2000 --policy none --policy trivialaugment \\
        --policy 'randaugment(n=1,m=5)' --policy random --seeds 3
    automorph compare csv:reviews.csv --text review --label stars --policy none --policy eda \\
        --policy 'random(space=texts-plain)' --protect '[A-Z]{2,}'
    automorph compare --policy none --policy trivialaugment --epochs 10 --command \\
        'python train.py --policy {policy} --seed {seed} --epochs {epochs} --out {out}'

    All policies train under the same seeds: the same initial weights and the same order of
    examples. The winner is chosen by validation accuracy; the reported accuracies are those of
    the test part. If the comparison is interrupted, run the same command again to continue it.

    With --folds, every policy trains once for each fold, and is measured on that fold.

    With --command, your own script trains instead, under the same seeds for all policies. It loads
    the policy with automorph.load_policy and writes its metrics with automorph.write_result. Each
    training has a log in the folder of the run.
    """
    where = engine_settings(options)
    check_compared(policies, baseline)
    files = [policy for policy in policies if policy.lower().endswith(".json")]
    from automorph.augmenters import as_treatment

    if data is None:  # Otherwise, bad data are rejected before policies are loaded.
        task: Any = own_task(data, options, treatments=[as_treatment(one) for one in policies])
    else:
        # A policy in a file may have been found on a part of these data.
        few = seeds is None and not files and not _begun_without_folds(out)
        task = own_task(data, options) or task_of(data, out=out, few=few, **options)
    from automorph.policies import check_domain

    treatments = [as_treatment(policy) for policy in policies]
    if baseline is not None:
        baseline = as_treatment(baseline).name
    for treatment in treatments:
        check_domain(treatment, words_of(data, task).domain, data=task.name)
    run = CompareRun(
        source=data, task=task, policies=treatments, seeds=seeds, baseline=baseline,
        folder=Path(out) if out else None, quiet=quiet or as_json,
        same_epochs=options["epochs"] == "same", files=files, track=track,
    )  # fmt: skip
    content = run.run(**where)
    if as_json:
        print_json(content)


@dataclass
class CompareRun:
    """One comparison on the command line; also the whole of ``quickstart``.

    ``settings``: options of the suggested commands that the user did not type; ``files``: those of
    the policies that were read from files.
    """

    source: str | None
    task: Task | ExternalTask
    policies: list[Treatment]
    seeds: int | None
    baseline: str | None
    folder: Path | None
    quiet: bool
    title: str = ""
    same_epochs: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    files: Sequence[str] = ()
    track: Sequence[str] = ()

    def run(self, *, jobs: int | None, **where: Any) -> dict[str, Any]:
        """Run the comparison and return the object that ``--json`` prints."""
        from automorph.experiments import compare
        from automorph.report import plural

        folder = self.folder or run_folder("compare", self.task)
        say = console(quiet=self.quiet)
        words = self.words
        title = self.title or f"Comparing policies on {words.source}"
        say.print(title, style="bold", markup=False)
        say.print(
            f"{words.header()}, "
            f"{plural(len(self.policies), 'policy', 'policies')} x {words.pairs(self.seeds)}",
            markup=False,
        )
        words.print_notes(say)
        for note in large_shifts(self.policies, words.shape):
            say.print(f"[dim]{note}[/dim]")
        if missing := _missing_controls(self.policies, words.random):
            say.print(f"[dim]The comparison lacks controls: add {missing}.[/dim]")
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with TrackerLog(self.track, folder) as tracked:
            with Bars(quiet=self.quiet) as bars:
                comparison = compare(
                    self.task, self.policies, seeds=self.seeds, baseline=self.baseline,
                    folder=folder, jobs=words.jobs(jobs), progress=bars.begin,
                    same_epochs=self.same_epochs, **where,
                )  # fmt: skip
            tracked.comparison(comparison)
        seen = [note for file in self.files if (note := found_on(file, self.task))]
        comparison = replace(comparison, remarks=(*seen, *comparison.remarks))
        for remark in comparison.remarks:
            say.print(remark, style="yellow", markup=False)
        before = read_object(folder / "compare.json")
        same = before is not None and self._is_asked(before.get("asked"))
        complete = same and not comparison.trained and are_there(paths_of(folder).values())
        known = before if complete else None
        if known is None:
            if before is not None and not same:
                say.print(f"The earlier comparison in this folder is now in {set_aside(folder)}")
            content = self._write(comparison, folder, started)
        else:
            content = known["result"]
            say.print(
                "[dim]This comparison was already complete: nothing was trained or written.[/dim]"
            )
        self._print_result(comparison, folder)
        return {**content, **paths_of(folder)}

    @property
    def words(self) -> DataWords | CommandWords:
        """The words of the header, the notes and the commands for this kind of task."""
        return words_of(self.source, self.task, self.settings)

    def _asked(self) -> dict[str, Any]:
        from automorph.experiments import SEEDS, digest, plain_treatment

        return {
            "policies": [policy.name for policy in self.policies],
            "seeds": SEEDS if self.seeds is None else self.seeds,
            "baseline": self.baseline,
            **self.words.folds(),
            # A file of the same name may have another policy by now.
            "content": digest([plain_treatment(policy) for policy in self.policies]),
        }

    def _is_asked(self, before: Any) -> bool:
        """Return True if an earlier call asked for the same; version 0.1 recorded no content."""
        asked = self._asked()
        return isinstance(before, dict) and before == {
            name: value for name, value in asked.items() if name in before or name != "content"
        }

    def _write(self, comparison: Comparison, folder: Path, started: str) -> dict[str, Any]:
        from automorph.policies import save_policy
        from automorph.report import publish

        words = self.words
        facts = {
            **words.facts(comparison, started),
            "next": words.after_comparison(comparison, folder),
        }
        winner = comparison.policies[comparison.winner]
        save_policy(
            words.settled(winner),
            folder / "policy.json",
            provenance={
                "trained_with": winner.name,
                "chosen_by": f"validation {comparison.metric.name}",
                **words.origin(),
                "seeds": list(comparison.seeds),
                "accuracy": comparison[comparison.winner].accuracy.mean,  # type: ignore[union-attr]
            },
        )
        write_config(folder)
        publish(folder, "compare", {**facts, **words.shown(comparison, comparison.policies)})
        content = {
            "data": words.source,
            "model": facts["model"],
            **comparison.to_dict(),
            **paths_of(folder),
        }
        write_json(folder / "run.json", facts)
        write_json(folder / "compare.json", {"asked": self._asked(), "result": content})
        return content

    def _print_result(self, comparison: Comparison, folder: Path) -> None:
        say = console(quiet=self.quiet)
        say.print()
        say.print(table_of(comparison, base_rate=self.words.base_rate(), width=say.width))
        for line in failed_rows(comparison):
            say.print(line, style="red", markup=False, soft_wrap=True)
        if comparison.also:
            say.print()
            say.print(also_table(comparison))
        say.print(f"\n{comparison.verdict.text}\n", style="bold")
        file = f"{folder / 'policy.json'} ({comparison.winner})"
        say.print(f"Policy of the winner  {file}", soft_wrap=True, markup=False)
        say.print(f"Report                {folder / 'report.html'}")
        print_next(say, self.words.after_comparison(comparison, folder))


def found_on(file: str, task: Task | ExternalTask) -> str:
    """Return a warning if the policy of a file was found on data that folds test; else nothing."""
    from automorph.experiments import ExternalTask

    if isinstance(task, ExternalTask) or task.data.folds is None:
        return ""
    known = (read_object(Path(file)) or {}).get("provenance")
    if not isinstance(known, dict) or known.get("data_hash") != task.data.hash:
        return ""
    return (
        f"{file} was found on these data, and folds test it on examples that chose it: its "
        "accuracy is too high. Compare it on the test part that it has not seen (--folds 0)."
    )


def _begun_without_folds(folder: str | None) -> bool:
    """Whether a folder holds a comparison on one split: it continues as it was begun."""
    if folder is None or not (Path(folder) / "jobs.jsonl").exists():
        return False
    from automorph.experiments import FileLog

    notes, _ = FileLog(Path(folder)).read()
    task = (notes.get("identity") or {}).get("task") or {}
    return "folds" not in (task.get("data") or {})


def set_aside(folder: Path) -> Path:
    """Move the report of an earlier comparison to a subfolder; both share the trainings."""
    number = 1 + sum(1 for _ in (folder / "earlier").glob("*"))
    earlier = folder / "earlier" / str(number)
    make_folder(earlier)
    for name in _REPORT_FILES:
        if (folder / name).exists():
            (folder / name).replace(earlier / name)
    return earlier


def large_shifts(treatments: Sequence[Treatment], shape: Sequence[int]) -> list[str]:
    """Return notes on policies whose translations, in pixels, exceed half of an image's side."""
    from automorph.experiments import policy_of
    from automorph.policies import drawable

    side = min(shape[:2]) if len(shape) == 3 else 0
    notes = []
    for treatment in treatments:
        shifts = [
            op.high
            for op in drawable(policy_of(treatment))
            if op.unit == "px" and "Translate" in op.name
        ]
        if side and max(shifts, default=0) > side / 2:
            notes.append(
                f"{treatment.name} translates by up to {max(shifts):g} px, but the shorter side "
                f"of these images is {side} px: some may be shifted out of view"
            )
    return notes


def _missing_controls(treatments: Sequence[Treatment], random: str) -> str:
    """Return the options that would add the missing controls; empty if both are present."""
    from automorph.experiments import is_control

    present = {
        "--policy none": any(treatment.name == "none" for treatment in treatments),
        f"--policy {shlex.quote(random)}": any(map(is_control, treatments)),
    }
    return " and ".join(option for option, there in present.items() if not there)
