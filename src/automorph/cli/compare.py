"""``automorph compare``: given policies, the same seeds for all, one honest table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    data_options,
    jobs_option,
    json_option,
    out_option,
    policies_option,
    print_json,
    protect_option,
    quiet_option,
    side_by_side,
    task_of,
    training_options,
)
from automorph.cli.param_types import PolicyWord, check_compared


@click.command(short_help="Compare policies: paired seeds, intervals, cost, a report.")
@data_options
@training_options
@policies_option
@click.option(
    "--baseline", metavar="POLICY", type=PolicyWord(), help="What differences are taken from."
)
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True)
@protect_option
@jobs_option
@out_option
@quiet_option
@json_option
def compare(
    data: str,
    policies: tuple[str, ...],
    baseline: str | None,
    seeds: int,
    jobs: int | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare policies on DATA: paired seeds, intervals, cost, a report.

    \b
    automorph compare fashion-mnist --limit 2000 --policy none --policy trivialaugment \\
        --policy 'randaugment(n=1,m=5)' --policy random --seeds 3
    automorph compare csv:reviews.csv --text review --label stars --policy none --policy eda \\
        --policy 'random(space=texts-plain)' --protect '[A-Z]{2,}'

    Every policy is trained under the same seeds: the same first weights, the same order of
    examples. The winner is chosen on the validation part; accuracies are those of the test part.
    Run again, the command goes on where it stopped.
    """
    check_compared(policies, baseline)
    task = task_of(data, **options)
    from automorph.augmenters import as_treatment
    from automorph.cli.comparing import Comparing
    from automorph.policies import check_domain

    chosen = [as_treatment(policy) for policy in policies]
    if baseline is not None:
        baseline = as_treatment(baseline).name
    for arm in chosen:
        check_domain(arm, task.data.domain, data=task.name)
    comparing = Comparing(
        source=data, task=task, policies=chosen, seeds=seeds, baseline=baseline,
        folder=Path(out) if out else None, quiet=quiet or as_json,
    )  # fmt: skip
    content = comparing.run(jobs=side_by_side(jobs))
    if as_json:
        print_json(content)
