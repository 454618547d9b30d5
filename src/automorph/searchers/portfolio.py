"""The candidates of a race: a few policies that differ, of which one is good on most data.

Those that contradict each other come first, because a race on a small budget leaves the last ones
out: nothing, a mild policy, one without a crop, one for data without an upright direction, and one
that mixes examples. In our trials, a portfolio without them did badly on data unlike the sets that
it was chosen on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from automorph.augmenters import as_treatment
from automorph.errors import AutomorphError
from automorph.experiments import ExternalTask, Treatment, check_external, digest
from automorph.files import read_json
from automorph.operations import SearchSpace, named_space
from automorph.policies import (
    Policy,
    Uniform,
    chained,
    drawable,
    load_policy,
    value_text,
)
from automorph.searchers.prior import PRIOR
from automorph.text import find_wordnet
from automorph.training import Task, as_augmenter, check_augmenter, check_frozen, fitted

USUAL = ("PadCrop", "HorizontalFlip", "VerticalFlip", "RandomErasing")
"""Operations of candidates that a space of other operations does not exclude."""


Draws = Callable[..., Policy]
_MILD: Draws = partial(Uniform, length=1, low=1 / 6, high=1 / 6)
_MEDIUM: Draws = partial(Uniform, length=2, low=0.3, high=0.3)
_STRONG: Draws = partial(Uniform, length=3, low=0.5, high=0.5)
_TRIVIAL: Draws = partial(Uniform, length=1, levels=31)
SPACE = "randaugment"
"""The space in which candidates have the names below; from others, they draw the same."""

MILD = "crop + randaugment(n=1,m=5)"
"""What a race returns before it has any result."""
IMAGES: tuple[tuple[str, Draws | None], ...] = (
    ("none", None),
    (MILD, _MILD),
    ("trivialaugment", _TRIVIAL),
    ("turns + crop", None),
    ("flip-crop + cutmix", None),
    ("flip-crop + trivialaugment", _TRIVIAL),
    ("crop", None),
    ("crop + trivialaugment", _TRIVIAL),
    ("flip-crop", None),
    ("crop + randaugment(n=2,m=9)", _MEDIUM),
    ("crop + trivialaugment(space=trivialaugment-colour)", None),
    ("trivialaugment(space=trivialaugment-colour)", None),
    ("crop + random-erasing", None),
    ("crop + randaugment(n=3,m=15)", _STRONG),
    ("flip-crop + mixup", None),
    ("crop + trivialaugment(space=trivialaugment-geometry)", None),
    ("flip-crop + augmix", None),
)
"""Names as typed, and what draws the same from another space, where the user chose one."""
TEXTS = (
    "none", "mild", "aeda", "eda", "trivial", "mixup", "typos", "switchout", "synonyms", "tf-idf",
    "medium", "uniform-words", "aeda + mixup",
)  # fmt: skip
"""Names as typed; ``mild``, ``trivial`` and ``medium`` draw from the space of the search."""
FROM_SPACE = {"mild": _MILD, "trivial": _TRIVIAL, "medium": _MEDIUM}
WORDNET = ("eda", "synonyms")


@dataclass(frozen=True)
class Portfolio:
    """The candidates that a task can take, in their order, and why others are left out."""

    treatments: tuple[Treatment, ...]
    left_out: tuple[str, ...]


def portfolio_of(space: SearchSpace, task: Task | ExternalTask) -> Portfolio:
    """Return the candidates for a task and a space that a user may have chosen.

    >>> from automorph.operations import named_space
    >>> from automorph.training import as_task
    >>> task = as_task("digits", model="cnn:4", limit=100)
    >>> [one.name for one in portfolio_of(named_space("randaugment"), task).treatments[:3]]
    ['none', 'crop + randaugment(n=1,m=5)', 'trivialaugment']
    """
    made = _texts(space) if space.domain == "text" else _images(space)
    kept: dict[str, Treatment] = {}
    left_out: list[str] = []
    for treatment, reason in made:
        reason = reason or why_not(treatment, task)
        if reason:
            left_out.append(f"{treatment.name}: {reason}")
        else:
            kept.setdefault(treatment.name, treatment)
    return Portfolio(tuple(kept.values()), tuple(left_out))


def portfolio_version() -> str:
    """Return what identifies the candidates and their prior: a search goes on with its own."""
    return digest([[name for name, _ in IMAGES], TEXTS, read_json(PRIOR)])


def named_candidates(names: list[str], task: Task | ExternalTask) -> Portfolio:
    """Return the candidates of these names. Raises `UsageError` for what the task cannot take."""
    treatments = tuple(as_treatment(name) for name in names)
    for treatment in treatments:
        _check(treatment, task)
    return Portfolio(treatments, ())


def why_not(treatment: Treatment, task: Task | ExternalTask) -> str:
    """Return why a task cannot take a candidate; empty if it can. Two examples are tried."""
    if isinstance(task, ExternalTask):
        mixes = isinstance(treatment, Policy) and treatment.mixes_labels
        return "a transform cannot mix the labels of examples" if mixes else ""
    try:
        _check(treatment, task)
        if isinstance(treatment, Policy) and not treatment.mixes_labels:
            fitted(treatment, task).augment(task.data.train.data[:2], seed=0)
    except AutomorphError as error:
        return str(error)
    return ""


def _check(treatment: Treatment, task: Task | ExternalTask) -> None:
    if isinstance(task, ExternalTask):
        check_external(task, treatment)
    else:
        augmenter = as_augmenter(treatment)
        check_augmenter(augmenter, task.data, treatment.name)
        check_frozen(task, augmenter, treatment.name)


def _images(space: SearchSpace) -> list[tuple[Policy, str]]:
    made = []
    for name, draws in IMAGES:
        first = name.rpartition(" + ")[0]
        if draws is None or space == named_space(SPACE):
            policy = load_policy(name)
        else:
            own = draws(operations=space)
            policy = chained(load_policy(first), own) if first else own
        lacking = () if draws else sorted({one.name for one in policy.space} - allowed_by(space))
        reason = f"the space lacks {', '.join(lacking)}" if lacking else beyond(policy, space)
        made.append((policy, reason))
    return made


def beyond(policy: Policy, space: SearchSpace) -> str:
    """Return what a policy does that a person ruled out in a reviewed space; empty if nothing.

    >>> from automorph.policies import Mark, marked_space
    >>> space = marked_space(named_space("everything"), {"HorizontalFlip": Mark(never=True)})
    >>> beyond(load_policy("flip"), space), beyond(load_policy("crop"), space)
    ('you ruled out HorizontalFlip', '')
    """
    if space.refused is None:
        return ""
    found = []
    for drawn in drawable(policy):
        limit = space[drawn.name] if drawn.name in space.limited else None
        if drawn.name in space.refused:
            found.append(drawn.name)
        elif limit is not None and not limit.low <= drawn.low <= drawn.high <= limit.high:
            found.append(f"{drawn.name} beyond {value_text(limit, 0, 1)}")
    return f"you ruled out {', '.join(found)}" if found else ""


def allowed_by(space: SearchSpace) -> set[str]:
    """Return the names of the operations that candidates may have in a space."""
    return {*space.names, *USUAL}


def _texts(space: SearchSpace) -> list[tuple[Policy, str]]:
    # Without WordNet, candidates that need it are as absent as they are from the default space.
    names = [name for name in TEXTS if name not in WORDNET or find_wordnet()]
    return [
        (FROM_SPACE[name](operations=space) if name in FROM_SPACE else load_policy(name), "")
        for name in names
    ]
