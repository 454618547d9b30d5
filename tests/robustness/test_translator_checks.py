"""Checks accept a correct translator and reject translators with one fault each."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from marked_images import EVEN, bars

from automorph.data import Split
from automorph.errors import UsageError
from automorph.robustness.translators.base import ExactPairs, Identity, UserEdit, all_pairs
from automorph.robustness.translators.checks import check_translator
from automorph.robustness.translators.classifiers import Panel

torch.set_num_threads(1)
LARGE = {group: 200 for group in EVEN}


@pytest.fixture(scope="module")
def parts():
    """Images with both renderings, and classifiers trained on other images."""
    return bars(EVEN, 1), Panel(bars(LARGE, 2)[0])


@pytest.fixture(scope="module")
def check(parts):
    (part, _), panel = parts
    return partial(check_translator, part=part, panel=panel)


@dataclass(frozen=True, eq=False)
class Broken:
    """Exact pairs, then changed by a function."""

    pairs: ExactPairs
    spoil: object
    name: str = "broken"
    directions: frozenset = all_pairs(2)

    def translate(self, images, direction, known):
        try:
            made = self.pairs.translate(images, direction, known)
        except UsageError:  # spoilt images have no pair, so translating back is impossible
            return images.copy()
        moved = known.subgroups != direction
        made[moved] = self.spoil(made[moved], images[moved], known.rows(moved))
        return made


def failed(checked):
    return {check.question for check in checked.failures}


def test_exact_pairs_pass(parts, check):
    checked = check(ExactPairs(parts[0][1]))
    assert checked.passed, [c.words(("plain", "marked")) for c in checked.failures]
    assert {c.question for c in checked.checks} == {
        "subgroup", "class", "cycle", "identity", "diversity", "inversion", "residue",
    }  # fmt: skip


def test_the_identity_changes_no_subgroup_and_hides_nothing(check):
    checked = check(Identity(2))
    assert {"subgroup", "residue"} <= failed(checked)
    assert not failed(checked) & {"cycle", "inversion", "class"}


BREAKS = {
    "class": lambda made, images, known: made.transpose(0, 2, 1, 3).copy(),
    "diversity": lambda made, images, known: made[
        [np.flatnonzero(known.labels == y)[0] for y in known.labels]
    ],
    "inversion": lambda made, images, known: 255 - made,
    "residue": lambda made, images, known: np.where(
        np.indices(made.shape[1:]).sum(0) % 2, made, np.minimum(made, 215) + 40
    ),
}  # fmt: skip


@pytest.mark.parametrize("question", BREAKS)
def test_each_break_is_seen(question, parts, check):
    checked = check(Broken(ExactPairs(parts[0][1]), BREAKS[question]))
    assert question in failed(checked)


def test_an_edit_of_one_direction_is_asked_of_that_direction(check, parts):
    _, both = parts[0]
    plain = {image.tobytes(): number for number, image in enumerate(both[0])}

    def add(images, direction):
        return both[1, [plain[image.tobytes()] for image in images]]

    checked = check(UserEdit(add, frozenset({(0, 1)})))
    assert {c.direction for c in checked.checks} == {(0, 1)}
    assert "cycle" not in {c.question for c in checked.checks}
    assert checked.passed


def test_nothing_asked_is_nothing_passed(check):
    assert not check(UserEdit(lambda x, d: x, frozenset())).passed


def faint(counts, seed):
    """`bars` under noise, in which the mark is easier to see than the class."""
    part, both = bars(counts, seed)
    mark = both[0] != both[1]
    noise = np.random.default_rng(seed).integers(0, 130, both.shape[1:])
    plain = (both[0] // 4 + noise).astype(np.uint8)
    both = np.stack([plain, np.where(mark, 255, plain)]).astype(np.uint8)
    images = both[part.subgroups, np.arange(len(part))]
    return Split(images, part.labels, subgroups=part.subgroups), both


def test_a_class_of_one_subgroup_is_judged_without_the_mark_it_never_has():
    """Else the judge of classes takes the mark for a sign of the other class, and blames it."""
    alone = {(0, 0): 60, (0, 1): 60, (1, 0): 60}
    part, both = faint(alone, 1)
    for more in ({}, {(1, 1): 3}):  # A few images are no other subgroup.
        panel = Panel(faint({**{group: 200 for group in alone}, **more}, 2)[0])
        checked = check_translator(ExactPairs(both), part, panel)
        assert checked.passed, [c.words(("plain", "marked")) for c in checked.failures]
