"""``automorph rewrite``: let a language model rewrite training texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.bars import progress_bar
from automorph.cli.options import (
    console,
    data_options,
    json_option,
    load,
    plain_table,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
)
from automorph.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.data import Split
    from automorph.rewriting import Check, Cost, Rewritten
    from automorph.text import Wording


def _prices(_: Any, __: Any, words: str | None) -> tuple[float, float] | None:
    """Read the prices of a million tokens: of prompts and of answers."""
    if words is None:
        return None
    try:
        prompt, completion = map(float, words.split(","))
    except ValueError:
        raise click.BadParameter(
            f"got {words!r}; expected two prices of a million tokens, of prompts and of answers, "
            "such as 0.15,0.60"
        ) from None
    return prompt, completion


@click.command(short_help="Let a language model rewrite your texts.")
@data_options
@click.option("--model", required=True, metavar="NAME", help="Name of the model on the server.")
@click.option(
    "--prompt",
    required=True,
    metavar="WORDS|FILE.txt",
    help="What the model is asked. {text} stands for the text; without it, the text is a message "
    "of its own.",
)
@click.option(
    "-n",
    "n",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Number of rewrites of each text.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 2),
    default=1.0,
    show_default=True,
    help="Temperature at which words are drawn.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Budget: the most requests, repeated ones too.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    metavar="N",
    show_default="no limit",
    help="Budget: the most tokens, of prompts and answers together.",
)
@click.option(
    "--price",
    callback=_prices,
    metavar="PROMPT,ANSWER",
    help="Prices of a million tokens; the cost is then shown in money, too.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="Number of requests at a time.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 20),
    default=5,
    show_default=True,
    help="How often a request that fails is repeated.",
)
@click.option(
    "--check",
    "run",
    type=click.Path(exists=True, path_type=Path),
    metavar="RUN",
    help="Run folder of a trained classifier: rewrites that it assigns to another class than that "
    "of their text are rejected.",
)
@click.option("--dry-run", is_flag=True, help="Only say what it would cost.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Table to write, for paraphrases:FILE.",
    show_default="a table for the policy llm(..)",
)
@protect_option
@quiet_option
@json_option
def rewrite(
    data: str,
    model: str,
    prompt: str,
    n: int,
    temperature: float,
    max_requests: int,
    max_tokens: int | None,
    price: tuple[float, float] | None,
    concurrency: int,
    retries: int,
    run: Path | None,
    dry_run: bool,
    out: Path | None,
    protect: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Rewrite the training texts of DATA with a language model behind an OpenAI-compatible server.

    \b
    export OPENAI_BASE_URL=http://localhost:8000/v1    # and OPENAI_API_KEY, if it needs one
    automorph rewrite csv:reviews.csv --text review --label verdict --model qwen \\
        --prompt 'Rewrite this review in other words.' --dry-run

    Nothing else of Automorph sends texts anywhere. Answers are kept in the cache, so that the same
    call makes no request twice; the table is used without the network.
    """  # fmt: skip
    from automorph.rewriting import Budget, Client, cost_of
    from automorph.rewriting import rewrite as run_rewrite
    from automorph.text import Wording, prompt_of

    wording = Wording(model, prompt_of(prompt), n, temperature)
    dataset = load(data, **options)
    if dataset.domain != "text":
        raise UsageError(f"{data} contains images; expected texts: rewrite takes no others")
    check = None if run is None else _label_check(run, dataset.train, dataset.classes)
    texts = list(map(str, dataset.train.data))
    say = console(quiet=quiet or as_json)
    print_notes(console(quiet=quiet), dataset)
    cost, cached = cost_of(texts, wording)
    _print_cost(say, cost, cached, price, retries)
    found = None
    if not dry_run:
        client = Client(Budget(max_requests, max_tokens), retries=retries)
        with progress_bar(say, transient=True, disable=not say.is_terminal) as bar:
            task = bar.add_task("rewriting", total=cost.requests, facts="")
            found = run_rewrite(
                texts, wording, client, file=out, protect=protect, check=check,
                concurrency=concurrency,
                progress=lambda done, _: bar.update(task, completed=done),
            )  # fmt: skip
        policy = f"paraphrases:{out}" if out else _policy_words(wording, prompt)
        _print_result(say, found, policy, price)
    if as_json:
        print_json(_facts(cost, cached, price, found))


def _label_check(run: Path, part: Split, classes: tuple[str, ...]) -> Check:
    """Return a check that a trained network assigns rewrites to the class of their text."""
    from automorph.inference import predict

    labels: dict[str, set[str]] = {}
    for text, label in zip(part.data, part.labels, strict=True):
        labels.setdefault(str(text), set()).add(classes[int(label)])

    def check(texts: Any, others: Any) -> list[bool]:
        found = predict(run, list(others))
        names = [found.classes[number] for number in found.decisions.tolist()]
        return [name in labels[text] for text, name in zip(texts, names, strict=True)]

    return check


def _policy_words(wording: Wording, prompt: str) -> str:
    words = f"llm(model={wording.model},prompt={prompt}"
    words += f",n={wording.n}" if wording.n != 1 else ""
    words += f",temperature={wording.temperature:g}" if wording.temperature != 1 else ""
    return words + ")"


def _print_cost(
    say: Console, cost: Cost, cached: int, price: tuple[float, float] | None, retries: int
) -> None:
    table = plain_table("cost", "", numbers=("",))
    table.add_row("requests", f"{cost.requests:,}")
    table.add_row("answers in the cache", f"{cached:,}")
    table.add_row("tokens of prompts", f"about {cost.usual:,}, at most {cost.prompt:,}")
    table.add_row("tokens of answers", f"at most {cost.completion:,}")
    if price is not None:
        table.add_row("price", f"at most {cost.priced(*price):,.2f}")
    say.print(table)
    if cost.requests:
        say.print(f"A request that fails is made again, up to {retries} times.", style="dim")


def _print_result(
    say: Console, found: Rewritten, policy: str, price: tuple[float, float] | None
) -> None:
    spent = found.spent
    paid = "" if price is None else f", price {spent.priced(*price):,.2f}"
    say.print(
        f"{found.rewrites:,} rewrites of {found.texts:,} texts; {spent.requests:,} requests, "
        f"{spent.tokens:,} tokens{paid}"
    )
    for why, count in found.rejected.items():
        say.print(f"{count:,} answers rejected: {why}", style="yellow")
    for why, count in found.failed.items():
        say.print(f"{count:,} failed: {why}", style="yellow", markup=False, soft_wrap=True)
    if found.missing:
        say.print(
            f"{found.missing:,} requests were not made, because the budget is spent; run the same "
            "command again to go on",
            style="yellow", soft_wrap=True,
        )  # fmt: skip
    say.print(f"Use them without the network: --policy '{policy}'", markup=False, soft_wrap=True)


def _facts(
    cost: Cost, cached: int, price: tuple[float, float] | None, found: Rewritten | None
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "requests": cost.requests,
        "cached": cached,
        "most_prompt_tokens": cost.prompt,
        "usual_prompt_tokens": cost.usual,
        "most_completion_tokens": cost.completion,
        "most_price": None if price is None else cost.priced(*price),
        "result": None,
    }
    if found is not None:
        facts["result"] = {
            "file": str(found.file),
            "texts": found.texts,
            "rewrites": found.rewrites,
            "requests": found.spent.requests,
            "prompt_tokens": found.spent.prompt,
            "completion_tokens": found.spent.completion,
            "price": None if price is None else found.spent.priced(*price),
            "rejected": found.rejected,
            "failed": found.failed,
            "missing": found.missing,
        }
    return facts
