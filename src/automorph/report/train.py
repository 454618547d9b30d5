"""The report of one training: its accuracy, curves, policy and setup."""

from __future__ import annotations

from automorph.report import formatting, sections
from automorph.report.further_metrics import measured_answer, measured_section
from automorph.report.metric_words import MetricWords
from automorph.report.page import Answer, Page
from automorph.report.view_model import JsonObject, Results


def train_page(result: JsonObject) -> Page:
    """Make the page of one training.

    ``result`` is like that of `compare_page`, with one row, whose ``validation`` may be None, and
    no verdict. The row may have ``measured`` metrics (see `measured_section`).
    """
    results = Results(result)
    row = results.rows[0]
    name, source = results.label(row), result["data"]["source"]
    accuracy, validation = row["accuracy"]["mean"], (row.get("validation") or {}).get("mean")
    folded = results.pair == "fold"
    part = "examples left out of the training" if folded else "test part"
    metric = results.metric
    title = formatting.capital(metric.name)
    basis = f"{title} on the {part}{metric.direction}."
    if folded and not formatting.absent(row["accuracy"].get("se")):
        basis = (
            f"{title} on the {part}, ± {results.metric.spread(row['accuracy']['se'])} (standard "
            "error, corrected for overlapping training sets)."
        )
    plain = metric.name == "accuracy"
    question = "How accurate is it" if plain else f"What is its {metric.name}"
    answers = [Answer(f"{question}?", metric.value(accuracy), basis)]
    measured = row.get("measured") or []
    if measured and measured[0]["title"] != metric.name:
        answers.insert(0, measured_answer(measured[0], part))
    answers += [
        Answer(f"What is its {name}?", formatting.percent(share), f"On the {part}.")
        for name, share in (row.get("metrics") or {}).items()
    ]
    if validation is not None:
        answers.append(
            Answer(
                f"{question} on the validation part?",
                metric.value(validation),
                result["chosen"],
            )
        )
    time = formatting.duration(result["provenance"]["seconds"])
    if "passes" in result:
        count = f"{formatting.count(result['passes'])} passes"
        answers.append(Answer("What did it cost?", count, f"{result['cost']} Wall time {time}."))
    else:
        answers.append(Answer("What did it cost?", time, f"wall time. {result['cost']}"))
    parts = [
        measured_section(measured, part),
        sections.training(
            results.entries("curves"), results.seeds, score=result["data"].get("score")
        ),
        sections.operations(results.entries("curves")),
        sections.classes(
            result["data"].get("classes") or [],
            row.get("per_class"),
            several=result["data"].get("target") == "labels",
        ),
        sections.examples(result.get("examples") or {}, result["data"].get("target", "classes")),
        sections.previews(results.entries("previews")),
        sections.policies(results.entries("policies"), row["policy"]),
        sections.setup(result, "Training setup", ()),
    ]
    lead = (
        f"One training with {name} reaches {'' if plain else f'{metric.name} '}"
        f"{metric.value(accuracy)} on the test part. A "
        "single training does not show whether the policy helps; use a comparison for that."
    )
    if folded:
        lead = (
            f"With {name}, {_right(metric, accuracy)} "
            f"of the training ({result['folds']['count']} folds, repeated "
            f"{formatting.plural(result['folds']['repeats'], 'time')}). The network of this run "
            "was then trained on all examples but its validation part; nothing measures it alone."
        )
    return Page(
        title=f"{name} on {source}",
        lead=lead,
        kicker="One training",
        answers=answers,
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _right(metric: MetricWords, value: float) -> str:
    """Return the part of a sentence on the examples that were left out of a training."""
    if metric.name == "accuracy":
        return f"{metric.value(value)} of examples are right that were left out"
    return f"{metric.name} is {metric.value(value)} on the examples that were left out"
