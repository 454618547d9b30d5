"""Text examples for the reference: real operations and policies on a few sentences."""

from __future__ import annotations

import html

from numpy import array, dtypes

from automorph import engine
from automorph.errors import MissingExtraError
from automorph.operations import Operation, SearchSpace, Sequences, Stream
from automorph.policies import Policy
from automorph.policies.formatting import value_text
from automorph.report import changes
from automorph.text import Corpus

SENTENCES = (
    "The film is not good, but I don't regret the evening. It made us laugh and think.",
    "A quick story about a small town: the old people there remember everything.",
    "The <e1>factory</e1> makes strong <e2>engines</e2> for big ships.",
    "We watched the long match in the rain, and the better team lost.",
)
STRENGTHS = (0.5, 1.0)
CORPUS = Corpus(SENTENCES)


def of_operation(operation: Operation) -> list[tuple[str, str]]:
    """Return the sentence, then its result at two strengths with the value of each.

    Operations on entities use the sentence that has entities.
    """
    entities = ":" in operation.kernel
    before = SENTENCES[2 if entities else 0]
    held = SearchSpace("example", (operation,)).fitted(CORPUS)
    rows = [("before", html.escape(before))]
    for strength in STRENGTHS:
        try:
            [after] = engine.apply(
                array([before], dtypes.StringDType()), Sequences.of([[0]], strength), held,
                Stream(seed=3, index=[0]),
            ).tolist()  # fmt: skip
        except MissingExtraError:
            return [
                *rows,
                ("after", "(needs WordNet, which is not installed here)"),
            ]
        rows.append((value_text(operation, strength), marked(before, after)))
    return rows


def of_policy(policy: Policy, *, draws: int = 2) -> list[tuple[str, str]]:
    """Return two sentences with draws of each."""
    rows = []
    known = policy.with_corpus(CORPUS)
    for before in SENTENCES[:2]:
        rows.append(("before", html.escape(before)))
        for copy in range(draws):
            try:
                [after] = known.augment([before], seed=2, copy=copy).tolist()
            except MissingExtraError:
                return [*rows, ("", "(needs WordNet, which is not installed here)")]
            rows.append((f"draw {copy + 1}", marked(before, after)))
    return rows


def marked(before: str, after: str) -> str:
    """Return the new text as HTML, with insertions and deletions marked."""
    tags = {"same": "{}", "out": "<del>{}</del>", "in": "<ins>{}</ins>"}
    return "".join(tags[kind].format(html.escape(part)) for kind, part in changes(before, after))
