"""The seeds of the final table: added look by look until the decision is clear.

What is trained, and under how many seeds, is decided by the validation part: by the scores of the
finished trainings and nothing else, so that an interrupted table resumes exactly, and so that the
test part chooses nothing, not even when to stop. The pick of the search is fixed before. The
intervals on the test part are those of `Looks`, which hold whatever made the table stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automorph.experiments import Executor, JobResult, Looks, far_behind, is_clear
from automorph.searchers.final_table import Control
from automorph.searchers.runner import SearchRunner

PICK = "found"
ALTERNATIVES = ("none", "trivialaugment", "eda")
"""Parts that the decision is about, beside the pick: what one would use without a search."""

ADVISED = (PICK, "tail", *ALTERNATIVES)
"""Parts that a search may advise to use."""


@dataclass
class FinalSeeds:
    """The finished trainings, by part and seed, and how many seeds each part has.

    ``clear``: before the cap, the pick differed clearly from every alternative on the validation
    part.
    """

    outcomes: dict[tuple[str, int], JobResult] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    clear: bool = False


def train_seeds(
    runner: SearchRunner,
    executor: Executor,
    controls: Mapping[str, Control],
    looks: Looks,
    *,
    keep: bool = False,
) -> FinalSeeds:
    """Train the rows of the table, look by look; ``keep`` the networks that may be advised.

    It ends when the pick differs clearly from each of `ALTERNATIVES` in the table. Other rows that
    are far behind get no further seeds; the alternatives always do, because the decision rests on
    them.
    """
    made, left, before = FinalSeeds(), list(controls), 0
    decided = [part for part in ALTERNATIVES if part in controls]
    for seeds in looks.counts:
        jobs = {
            (part, number): controls[part].job(number, keep=keep and part in ADVISED)
            for number in range(before, seeds)
            for part in left
        }
        finished = len(made.outcomes)
        planned = finished + len(left) * (looks.cap - before)
        made.outcomes |= runner.final(jobs, executor, before=finished, planned=planned)
        made.counts |= dict.fromkeys(left, seeds)
        before = seeds
        if seeds == looks.cap:
            break
        scores = {
            part: [made.outcomes[part, number].score for number in range(seeds)] for part in left
        }
        if decided and is_clear(looks, scores[PICK], [scores[part] for part in decided]):
            made.clear = True
            break
        behind = far_behind(looks, scores, PICK)
        left = [part for part in left if part in (PICK, *decided) or part not in behind]
    return made
