"""Checks for a policy: a distribution over sequences of operations."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import engine
from automorph.errors import PolicyError
from automorph.operations import GREY, NOTHING, Stream
from automorph.policies import (
    Chain,
    Policy,
    Schedule,
    SpacePolicy,
    drawable,
    load_policy,
    parse_policy,
    save_policy,
)
from automorph.testing.checks import Check, Kit, require, require_equal, require_picklable
from automorph.testing.samples import (
    example_texts,
    examples_of,
    global_randomness,
    other_global_randomness,
)

KIT = Kit(
    "policy",
    lambda one: isinstance(one, Policy),
    "a policy: an object of a subclass of automorph.policies.Policy, or load_policy(name)",
)
FIELDS = ("op", "magnitude", "fire")
EPOCHS = 300
"""Epochs in which a policy that declares mixing is expected to mix at least once."""


def policy_checks() -> list[Check]:
    """Return the checks for a policy, each a function of the policy.

    >>> [check.name for check in policy_checks()][:2]
    ['it_is_a_value', 'its_name_means_it']
    """
    return list(KIT)


def check_policy(policy: Policy, *, examples: Any = None, skip: Iterable[str] = ()) -> None:
    """Run all checks for a policy.

    ``examples`` is a batch that suits it (default: eight small images, texts or vectors), and
    ``skip`` names checks to leave out. Raises one `AssertionError` that lists all failures.

    >>> check_policy(load_policy("flip-crop + randaugment(n=2,m=9)"))
    """
    KIT.run(policy, examples=examples, skip=skip)


@KIT.add
def it_is_a_value(policy: Policy, *, examples: Any = None) -> None:
    """It equals its copy, has the copy's hash, and its name is a text."""
    twin = copy.deepcopy(policy)
    remedy = "make it a frozen dataclass whose fields are plain values, tuples and policies"
    require(twin == policy, "a copy differs from the policy", "an equal copy", remedy)
    require(hash(twin) == hash(policy), "an equal copy has another hash", "equal hashes", remedy)
    require(policy != object(), "the policy equals any object", "a comparison by content", remedy)
    require(
        isinstance(policy.name, str),
        f"the name is {policy.name!r}",
        "a text",
        "derive the name from the parameters",
    )


@KIT.add
def its_name_means_it(policy: Policy, *, examples: Any = None) -> None:
    """If its name can be typed, the name loads this policy and no other."""
    try:
        typed = parse_policy(policy.name)
    except PolicyError:
        return  # The name of a policy that a search found cannot be typed.
    require(
        typed == policy,
        f"the name {policy.name!r} loads another policy",
        "an equal policy",
        "derive the name from all parameters, and use no name that is taken",
    )


@KIT.add
def its_file_keeps_it(policy: Policy, *, examples: Any = None) -> None:
    """A file of it loads back as an equal policy that gives the same batch.

    A file holds a number where the policy has the mean of data: grey as long as none are known.
    """
    policy = policy.with_mean(GREY)
    with tempfile.TemporaryDirectory() as folder:
        path = save_policy(policy, Path(folder) / "policy.json")
        again = load_policy(path, operations=[one for one in policy.space if one.function])
    remedy = "build it from the policies that have a file format, such as Mixture or Chain"
    require(again == policy, "the loaded policy differs", "an equal policy", remedy)
    require(again.name == policy.name, f"the name became {again.name!r}", "the same name", remedy)
    batch = _batch(policy, examples)
    require_equal(
        _transform(again, batch),
        _transform(policy, batch),
        "the loaded policy gives another batch",
        "the same batch",
        remedy,
    )


@KIT.add
def worker_processes_get_it(policy: Policy, *, examples: Any = None) -> None:
    """It survives pickling, by which it reaches worker processes, and then does the same."""
    remedy = "define its operations at the top level of a module, not in a function or as lambda"
    sent = require_picklable(policy, "a policy", remedy)
    require(sent == policy, "a pickled copy differs", "an equal copy", remedy)
    batch = _batch(policy, examples)
    require_equal(
        _transform(sent, batch),
        _transform(policy, batch),
        "a pickled copy gives another batch",
        "the same batch",
        "keep no state outside the fields",
    )


@KIT.add
def draws_are_well_formed(policy: Policy, *, examples: Any = None) -> None:
    """`sample` gives one sequence per example, of known operations, with magnitudes in [0, 1]."""
    for n in (0, 1, 40):
        drawn = policy.sample(Stream(seed=n, index=np.arange(n)))
        require(
            len(drawn) == n and f"{drawn.op.dtype} {drawn.magnitude.dtype}" == "int16 float32",
            f"{n} examples got {len(drawn)} sequences, {drawn.op.dtype}, {drawn.magnitude.dtype}",
            f"{n} sequences, int16 and float32",
            "make the result with Sequences.of",
        )
        used = drawn.op[drawn.op != NOTHING]
        require(
            ((used >= 0) & (used < len(policy.space))).all(),
            f"operation numbers run from {used.min(initial=0)} to {used.max(initial=0)}",
            f"-1, or 0 to {len(policy.space) - 1}: the numbers of `space`",
            "number operations with space.number(name)",
        )
        strengths = drawn.magnitude
        require(
            ((strengths >= 0) & (strengths <= 1)).all(),
            f"magnitudes run from {strengths.min():g} to {strengths.max():g}"
            if strengths.size
            else "",
            "magnitudes from 0 to 1",
            "divide by the number of levels",
        )


@KIT.add
def draws_depend_on_their_place_only(policy: Policy, *, examples: Any = None) -> None:
    """Seed, epoch, example and copy decide the draws; batch, order and global generators do not."""
    place: dict[str, Any] = {"seed": 5, "epoch": 2}
    with other_global_randomness(1):
        whole = policy.sample(Stream(index=np.arange(40), **place))
    rows = np.random.default_rng(0).permutation(40)[:17]
    with other_global_randomness(2):
        before = global_randomness()
        part = policy.sample(Stream(index=rows, **place))
        again = policy.sample(Stream(index=np.arange(40), **place))
        moved = [name for name, state in before.items() if global_randomness()[name] != state]
    remedy = "draw all numbers from the stream, by its methods uniform, race and bits"
    require(
        not moved,
        f"the global generators {', '.join(moved)} were used or seeded",
        "untouched global generators",
        remedy,
    )
    for name in FIELDS:
        require_equal(
            getattr(again, name),
            getattr(whole, name),
            f"a second call drew another {name}",
            "the same draws",
            remedy,
        )
        require_equal(
            getattr(part, name),
            getattr(whole.take(rows), name),
            f"some of the examples, in another order, drew another {name}",
            "the same draws",
            remedy,
        )


@KIT.add
def shape_and_type_are_kept(policy: Policy, *, examples: Any = None) -> None:
    """The result has the shape and type of the examples, which are not changed."""
    batch = _batch(policy, examples)
    before = batch.copy()
    if batch.dtype.kind != "T":
        batch.flags.writeable = False
    out = _transform(policy, batch)
    require(
        out.shape == before.shape and out.dtype == before.dtype,
        f"{before.dtype} {before.shape} became {out.dtype} {out.shape}",
        "the same shape and type",
        "convert the result of `transform`",
    )
    require(
        not np.shares_memory(out, batch), "the result is the batch itself", "a copy",
        "copy in `transform` where nothing changes",
    )  # fmt: skip
    require_equal(
        batch, before, "the examples were changed", "untouched examples", "work on a copy"
    )


@KIT.add
def order_and_split_change_nothing(policy: Policy, *, examples: Any = None) -> None:
    """Any order and any split of a batch give the same examples, unless operations combine them."""
    if any(one.partner or one.batched for one in drawable(policy)):
        return
    batch = _batch(policy, examples)
    together = _transform(policy, batch)
    order = np.arange(len(batch))
    for cut, turned in enumerate((order[::-1], np.roll(order, 3))):
        for rows in (*np.split(turned, [cut + 2]), turned[:1]):
            require_equal(
                _transform(policy, batch, rows=rows),
                together[rows],
                f"rows {rows.tolist()} have other results in another order or split",
                "the same results",
                "compute each example from itself and its row of the stream",
            )


@KIT.add
def sequences_state_everything(policy: Policy, *, examples: Any = None) -> None:
    """If `is_sequence` is true, applying the sampled sequences is all that `transform` does."""
    if not policy.is_sequence:
        return
    ready, batch = _ready(policy, examples), _batch(policy, examples)
    remedy = "apply only what `sample` returns, or let `is_sequence` return False"
    stream = _stream(batch)
    drawn = ready.sample(stream)
    out = ready.transform(batch, stream)
    idle = np.flatnonzero(~(drawn.fire & (drawn.op != NOTHING)).any(axis=1))
    require_equal(
        out[idle],
        batch[idle],
        "examples without any operation in their sequence change",
        "no change",
        remedy,
    )
    if (rendering := _rendering(ready)) is None or not len(ready.space):
        return
    require_equal(
        engine.apply(batch, drawn, ready.space, stream, **rendering),
        out,
        "`transform` differs from applying the sequences of `sample`",
        "the same examples, because `is_sequence` is true",
        remedy,
    )


@KIT.add
def mixing_is_declared_and_fair(policy: Policy, *, examples: Any = None) -> None:
    """Labels are mixed exactly if `mixes_labels` is true, by weights that sum to 1."""
    batch = _batch(policy, examples)
    shape = batch.shape
    found = None
    for epoch in range(EPOCHS if policy.mixes_labels else 3):
        found = policy.mixing(_stream(batch, epoch), shape)
        if found is not None:
            break
    require(
        (found is not None) == policy.mixes_labels,
        f"mixes_labels is {policy.mixes_labels}, and `mixing` gives {type(found).__name__}",
        "`mixing` gives None exactly if mixes_labels is False",
        "override both, or neither",
    )
    if found is None:
        return
    n = len(batch)
    require(
        found.partner.shape == (n,) and (found.partner >= 0).all() and (found.partner < n).all(),
        f"partners are {found.partner.tolist()}",
        f"{n} rows from 0 to {n - 1}",
        "number the partners by their rows in the batch",
    )
    require(
        found.weight.shape == (n,) and (found.weight >= 0).all() and (found.weight <= 1).all(),
        f"weights are {found.weight.tolist()}",
        f"{n} numbers from 0 to 1",
        "give each example's own share",
    )
    soft = np.eye(3, dtype=np.float32)[np.arange(n) % 3]
    sums = found.labels(soft).sum(axis=1)
    require(
        np.allclose(sums, 1, atol=1e-6),
        f"mixed labels sum to {sums.tolist()}",
        "sums of 1",
        "give both examples weights that sum to 1",
    )
    again = policy.mixing(_stream(batch, epoch), shape)
    require(
        again is not None
        and np.array_equal(again.partner, found.partner)
        and np.array_equal(again.weight, found.weight),
        "a second call mixes in another way",
        "the same partners and weights",
        "draw all numbers from the stream",
    )


@KIT.add
def its_table_can_be_read(policy: Policy, *, examples: Any = None) -> None:
    """`table` gives rows of text, one cell per column."""
    table = policy.table()
    cells = [*table.columns, *(cell for row in table.rows for cell in row), table.caption]
    require(
        all(isinstance(cell, str) for cell in cells),
        "the table contains cells that are no text",
        "text in every cell",
        "convert numbers with str or a format",
    )
    widths = sorted({len(row) for row in table.rows})
    require(
        set(widths) <= {len(table.columns)},
        f"rows have {widths} cells, for {len(table.columns)} columns",
        "one cell per column",
        "fill missing cells with an empty text",
    )


def _batch(policy: Policy, examples: Any) -> NDArray[Any]:
    return np.array(examples_of(policy.space.domain) if examples is None else examples)


def _ready(policy: Policy, examples: Any) -> Policy:
    """Return a text policy fitted to the example texts; others unchanged."""
    if policy.space.domain != "text" or any(one.corpus is not None for one in policy.space):
        return policy
    return policy.fitted(example_texts().tolist() if examples is None else list(examples))


def _stream(batch: NDArray[Any], epoch: int = 1) -> Stream:
    """Return a stream of examples with any numbers, not in order."""
    index = np.resize([3, 100, 7, 2**31, 4, 5, 6, 0, 9], len(batch))
    return Stream(seed=2, epoch=epoch, index=index + np.arange(len(batch)) // 9 * 1000)


def _transform(policy: Policy, batch: NDArray[Any], *, rows: Any = None) -> NDArray[Any]:
    """Apply the policy to rows of the batch (all); text policies are fitted to the whole batch."""
    ready = _ready(policy, batch if batch.dtype.kind == "T" else None)
    stream = _stream(batch)
    if rows is None:
        return np.asarray(ready.transform(batch, stream))
    return np.asarray(ready.transform(batch[rows], stream.take(rows)))


def _rendering(policy: Policy) -> dict[str, Any] | None:
    """Return the fill and interpolation of a whole policy, or None if its stages differ."""
    stages = policy.stages if isinstance(policy, Chain) else (policy,)
    whole = not isinstance(policy, Chain) or all(isinstance(one, SpacePolicy) for one in stages)
    if isinstance(policy, Schedule) or not whole:
        return None
    found = {
        (getattr(one, "fill", 0), getattr(one, "interpolation", "nearest"))
        for one in stages
        if len(one.space)
    }
    if len(found) != 1:
        return None
    fill, interpolation = found.pop()
    return {"fill": fill, "interpolation": interpolation}
