"""``automorph report``: rebuild the report of a run, or write one that compares several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import console, json_option, print_json
from automorph.cli.param_types import NameWord

PAIRED = ("compare", "search", "train")


@click.command(short_help="Rebuild a report, or compare several runs.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--out", type=click.Path(dir_okay=False),
    help="HTML file to write.",
    show_default="report.html in the run folder; for several runs: runs/report.html",
)  # fmt: skip
@click.option(
    "--metric",
    metavar="METRIC",
    type=NameWord("metrics:METRICS", check="metrics:check_metric"),
    help="Metric by which several runs are compared: one that all of them measured.",
    show_default="the one by which they chose",
)
@json_option
def report(runs: tuple[str, ...], out: str | None, metric: str | None, as_json: bool) -> None:
    """Rebuild the report of a finished RUN (its folder), or write one that compares several runs.

    Nothing is trained and no data are read: a run folder holds everything its report needs. Runs of
    compare, search and train can be compared; if they share test examples and seeds, differences
    are paired. Several runs of audit make a page of audits over time, in the order given.

    \b
    automorph report runs/search-photos-1a2b3c4d
    automorph report runs/compare-photos-1a2b3c4d runs/compare-photos-5e6f7a8b --out both.html
    automorph report runs/compare-a runs/compare-b --metric recall:malignant
    """
    from automorph.report import PAGES, audits_page, read_kept, runs_page, write_report

    folders = [Path(run) for run in runs]
    read = [read_kept(folder) for folder in folders]
    if metric is not None:
        read = _by_metric(folders, read, metric)
    if len(read) == 1:
        kind, content = read[0]
        path = write_report(out or folders[0] / "report.html", PAGES[kind](content))
    elif all(kind == "audit" for kind, _ in read):
        _check_classes(folders, read)
        audits = dict(zip(_names(folders), (content for _, content in read), strict=True))
        path = write_report(out or Path("runs") / "report.html", audits_page(audits))
    else:
        found = dict(zip(_names(folders), _comparable(folders, read), strict=True))
        page = runs_page(found, differences_of(found))
        path = write_report(out or Path("runs") / "report.html", page)
    if as_json:
        print_json({"report": str(path), "runs": [str(folder) for folder in folders]})
    else:
        console().print(f"Report  {path}")


def differences_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the paired differences from the first run, by run and policy; see `runs_page`."""
    from automorph.experiments import paired_difference
    from automorph.report import Results

    names = list(found)
    base, differences = found[names[0]], {}
    for name in names[1:]:
        other, pairs = found[name], {}
        if _examples(base) == _examples(other):
            rows = _shared(base, other)
            first, second = Results(base).chosen, Results(other).chosen
            if first and second:
                rows[""] = first, second
            for policy, (mine, theirs) in rows.items():
                a, b = (_by_seed(run, row) for run, row in ((base, mine), (other, theirs)))
                seeds = [seed for seed in a if seed in b]
                if seeds:
                    d = paired_difference([b[s] for s in seeds], [a[s] for s in seeds])
                    pairs[policy] = {"mean": d.mean, "low": d.low, "high": d.high}
        differences[name] = pairs
    return differences


def _by_metric(
    folders: list[Path], read: list[tuple[str, dict[str, Any]]], metric: str
) -> list[tuple[str, dict[str, Any]]]:
    """Return several runs as one of their metrics shows them."""
    from automorph.cli.report_metric import seen_by
    from automorph.errors import UsageError

    other = next((kind for kind, _ in read if kind not in PAIRED), "")
    if other or len(read) == 1:
        raise UsageError(
            f"got --metric {metric} with {f'a run of {other}' if other else 'one run'}; expected "
            f"several runs of {', '.join(PAIRED)}. The page of one run has all its metrics, and "
            "the one by which it chose cannot be changed afterwards: choose it with --metric when "
            "it runs"
        )
    return [
        (kind, seen_by(content, metric, folder=folder))
        for folder, (kind, content) in zip(folders, read, strict=True)
    ]


def _check_classes(folders: list[Path], read: list[tuple[str, dict[str, Any]]]) -> None:
    """Refuse audits of other targets than classes, whose groups have no accuracies."""
    from automorph.errors import UsageError

    for folder, (_, content) in zip(folders, read, strict=True):
        if "outputs" in content:
            raise UsageError(
                f"{folder} is an audit of {content['target']}; expected audits of classes, whose "
                "accuracies one page shows over time. Pass this one alone to rebuild its report"
            )


def _comparable(folders: list[Path], read: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    from automorph.errors import UsageError

    for folder, (kind, _) in zip(folders, read, strict=True):
        if kind not in PAIRED:
            raise UsageError(
                f"{folder} is a run of {kind}; expected runs of {', '.join(PAIRED)}, or of audit "
                "alone. Pass this one alone to rebuild its report"
            )
    metrics = [content.get("metric") for _, content in read]
    if differing := [at for at, metric in enumerate(metrics) if metric != metrics[0]]:
        names = [(metric or {}).get("name", "test accuracy") for metric in metrics]
        raise UsageError(
            f"{folders[0]} measures {names[0]} and {folders[differing[0]]} measures "
            f"{names[differing[0]]}, or they do so on other parts of the data; expected runs with "
            "one metric. Choose one that all of them measured with --metric, or compare runs "
            "with the same metric"
        )
    return [content for _, content in read]


def _names(folders: list[Path]) -> list[str]:
    """Return short and distinct names of runs."""
    names = [folder.resolve().name for folder in folders]
    return [
        name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(names, 1)
    ]


def _examples(run: Any) -> Any:
    return run["data"]["source"], (run["provenance"].get("split_hashes") or {}).get("test")


def _shared(base: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    theirs = {row["policy"]: row for row in other["rows"]}
    return {row["policy"]: (row, theirs[row["policy"]])
            for row in base["rows"] if row["policy"] in theirs}  # fmt: skip


def _by_seed(run: Any, row: Any) -> dict[Any, float]:
    values = (row.get("accuracy") or {}).get("values") or ()
    seeds = run["seeds"]
    return dict(zip(seeds, values, strict=True)) if len(seeds) == len(values) else {}
