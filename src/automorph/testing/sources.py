"""Checks for a data source: what loads a data set, by name, from files or from arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from automorph.data import Dataset, Split, check_leakage, open_part
from automorph.testing.checks import Check, Kit, require, require_equal, require_picklable

KIT = Kit(
    "data source", callable, "a function that loads the data set, such as lambda: load_data(source)"
)
Load = Callable[[], Dataset]


def data_source_checks() -> list[Check]:
    """Return the checks for a data source, each a function of what loads it.

    >>> [check.name for check in data_source_checks()][:2]
    ['classes_are_numbered', 'examples_have_names']
    """
    return list(KIT)


def check_data_source(load: Load, *, skip: Iterable[str] = ()) -> None:
    """Run all checks for a data source.

    ``load`` is a function without arguments that loads the data set; it is called several times.
    ``skip`` names checks to leave out. Raises one `AssertionError` that lists all failures.

    >>> from automorph.data import load_data
    >>> check_data_source(lambda: load_data("digits", limit=100))
    """
    KIT.run(load, skip=skip)


@KIT.add
def classes_are_numbered(load: Load) -> None:
    """Classes have distinct names, and labels number them without a gap."""
    data = load()
    names = data.classes
    require(
        len(names) >= 2
        and all(isinstance(name, str) and name for name in names)
        and len(set(names)) == len(names),
        f"classes are {names!r:.100}",
        "at least two distinct texts",
        "name each class once",
    )
    found = np.unique(data.train.labels)
    missing = [names[k] for k in range(len(names)) if k not in found]
    require(
        not missing,
        f"the training part has no example of {', '.join(missing[:5])}",
        "examples of every class",
        "leave out classes without examples, and number the others from 0",
    )
    require(
        len(set(data.subgroup_names)) == len(data.subgroup_names),
        f"subgroups are {data.subgroup_names!r:.100}",
        "distinct texts",
        "name each subgroup once",
    )
    for name, part in _parts(data):
        require(
            (part.subgroups is None) == (not data.subgroup_names),
            f"the {name} part has {'no ' if part.subgroups is None else ''}subgroups, and the data "
            f"set has {len(data.subgroup_names)} names for them",
            "subgroups and their names in every part, or none",
            "pass subgroup_names= with the subgroups of every part",
        )


@KIT.add
def examples_have_names(load: Load) -> None:
    """Every example of a part has a name of its own, for messages and for splits."""
    for name, part in _parts(load()):
        ids = part.names
        twice = len(ids) - len(set(ids))
        require(
            not twice and all(ids),
            f"in the {name} part, {twice} names occur twice, and {ids.count('')} are empty",
            "a name of its own for each example",
            "use the file's path, or part and row as in train[17]",
        )


@KIT.add
def examples_can_be_read_in_any_order(load: Load) -> None:
    """Rows have the declared shape and type, and are the same alone, again and in any order."""
    data = load()
    kind, shape = data.train.data.dtype, data.train.data.shape[1:]
    for name, part in _parts(data):
        rows = np.unique(np.linspace(0, len(part) - 1, 12).astype(np.intp))[::-1]
        read = np.asarray(part.data[rows])
        require(
            read.dtype == kind and read.shape == (len(rows), *shape),
            f"rows of the {name} part are {read.dtype} {read.shape}",
            f"{kind} {(len(rows), *shape)}",
            "decode every example to the same kind and size",
        )
        remedy = "read each row from its own number"
        for what, again in (("again", part.data[rows]), ("by take", part.take(rows).data)):
            require_equal(
                np.asarray(again), read,
                f"rows of the {name} part read {what} differ", "the same rows", remedy,
            )  # fmt: skip
        for number, row in enumerate(rows[:3]):
            require_equal(
                np.asarray(part.data[np.array([row])]), read[[number]],
                f"row {row} of the {name} part differs when read alone", "the same row", remedy,
            )  # fmt: skip


@KIT.add
def loading_again_gives_the_same(load: Load) -> None:
    """A second load has the same content in the same order, the same notes and the same hash."""
    first, second = load(), load()
    remedy = "sort files and rows, and draw nothing at random"
    require(
        dict(first.sizes) == dict(second.sizes),
        f"parts have {dict(first.sizes)} examples, then {dict(second.sizes)}",
        "the same parts",
        remedy,
    )
    for (name, one), (_, two) in zip(_parts(first), _parts(second), strict=True):
        for what, a, b in (
            ("names", one.ids, two.ids),
            ("contents", one.digests, two.digests),
            ("labels", one.labels, two.labels),
        ):
            require_equal(
                a, b, f"{what} of the {name} part differ after loading again", "the same", remedy
            )
    require(first.notes == second.notes, "notes differ after loading again", "the same", remedy)
    require(
        first.hash == second.hash,
        f"the hash is {first.hash}, then {second.hash}",
        "the same hash",
        "keep classes, subgroups and contents the same",
    )


@KIT.add
def losses_are_noted(load: Load) -> None:
    """Notes are sentences, each once; examples that were left out are listed and noted."""
    data = load()
    require(
        all(isinstance(note, str) and note.strip() for note in data.notes)
        and len(set(data.notes)) == len(data.notes),
        f"notes are {data.notes!r:.200}",
        "distinct texts that are not empty",
        "note in one sentence what was guessed, dropped or merged",
    )
    reasons = [row for row in data.skipped if row.id and row.reason]
    require(
        len(reasons) == len(data.skipped),
        f"{len(data.skipped) - len(reasons)} skipped examples have no name or no reason",
        "both for each",
        "pass both to BadRow",
    )
    require(
        not data.skipped or any(data.skipped[0].id in note for note in data.notes),
        f"{len(data.skipped)} examples were left out, but no note names them",
        "a note on what was left out",
        "add a note, as automorph.data.assemble does",
    )


@KIT.add
def parts_share_no_example(load: Load) -> None:
    """No content is in two parts, unless a note says that it was kept."""
    data = load()
    shared = check_leakage(data)
    require(
        not shared or any("kept in two parts" in note for note in data.notes),
        f"examples are in two parts:\n{shared.describe()}",
        "parts that share no content",
        "drop the copies with guard_leakage(data, leakage='drop')",
    )


@KIT.add
def the_test_part_is_sealed(load: Load) -> None:
    """Hiding the test part changes no other part."""
    data = load()
    hidden = data.without_test()
    require(
        "test" not in hidden.parts,
        "the test part is still there after without_test()",
        "no test part",
        "return a Dataset, whose parts can be hidden",
    )
    remedy = "compute nothing in the training part from the test part"
    for name, part in _parts(hidden):
        given = open_part(data, name)
        require(
            np.array_equal(part.digests, given.digests)
            and np.array_equal(part.labels, given.labels),
            f"the {name} part differs without the test part",
            "the same examples and labels",
            remedy,
        )


@KIT.add
def worker_processes_get_it(load: Load) -> None:
    """The data set survives pickling, by which it reaches worker processes."""
    data = load()
    remedy = "keep paths in an array that reads on demand, not open files"
    copy = require_picklable(data, "a data set", remedy)
    require(copy.hash == data.hash, "a pickled copy has another hash", "the same", remedy)


def _parts(data: Dataset) -> Iterator[tuple[str, Split]]:
    for name in data.parts:
        yield name, open_part(data, name)
