"""The kit for translators accepts good ones, and catches a translator with one fault."""

from __future__ import annotations

import numpy as np
import pytest
from kits import failing, states_three_parts

from automorph.data import Split, strings
from automorph.robustness import ExactPairs, UserEdit, all_pairs
from automorph.testing import check_translator, example_images, translator_checks


def add_mark(images, direction):
    images[:, 0] = 100 * direction
    return images


class Own:
    """An edit that draws a mark, or removes it: a good translator, for others to break."""

    name = "mark"
    directions = all_pairs(2)

    def edit(self, images, direction):
        return add_mark(images.copy(), direction)

    def translate(self, images, direction, known):
        result = images.copy()
        rows = known.subgroups != direction
        result[rows] = self.edit(images[rows], direction)
        return result


class Listed(Own):
    directions = ((0, 1), (1, 0))


class Circular(Own):
    directions = frozenset({(0, 0)})


class Nameless(Own):
    name = ""


class Floats(Own):
    def translate(self, images, direction, known):
        return super().translate(images, direction, known) / 255


class InPlace(Own):
    def translate(self, images, direction, known):
        images[:, 0] = 100 * direction
        return images


class Relabelling(Own):
    def translate(self, images, direction, known):
        made = super().translate(images, direction, known)
        known.labels[:] = 0
        return made


class OneWay(Own):
    def edit(self, images, direction):
        return add_mark(images.copy(), direction) if direction else images


class Everything(Own):
    def translate(self, images, direction, known):
        return 255 - images


class Noisy(Own):
    def edit(self, images, direction):
        return images ^ np.random.randint(0, 2, images.shape, np.uint8)


class Centred(Own):
    def edit(self, images, direction):
        return images - images.min(axis=0)


BROKEN = {
    "name_and_directions_are_declared": (Listed(), Circular(), Nameless()),
    "shape_and_type_are_kept": (Floats(), InPlace(), Relabelling()),
    "it_changes_examples": (OneWay(),),
    "its_own_subgroup_is_kept": (Everything(),),
    "it_repeats_itself": (Noisy(),),
    "order_and_split_change_nothing": (Centred(),),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{type(subject).__name__}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_good_translators_pass():
    check_translator(Own())
    check_translator(UserEdit(add_mark, all_pairs(3)))
    check_translator(UserEdit(add_mark, frozenset({(0, 1)})))


def test_translators_of_certain_examples_pass_with_them():
    images = example_images(8)
    both = np.stack([images, add_mark(images.copy(), 1)])
    subgroups = np.arange(8) % 2
    part = Split(both[subgroups, np.arange(8)], np.arange(8) // 4, subgroups=subgroups)
    check_translator(ExactPairs(both), part=part)


def test_edits_of_texts_pass_with_texts():
    def swap(texts, direction):
        words = ("he", "she") if direction else ("she", "he")
        return [" ".join(words[1] if w == words[0] else w for w in t.split()) for t in texts]

    texts = strings(["he left early", "she stayed", "he won", "she came too"])
    part = Split(texts, np.array([0, 0, 1, 1]), subgroups=np.array([0, 1, 0, 1]))
    check_translator(UserEdit(swap, all_pairs(2)), part=part)


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in translator_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    found = failing(translator_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]
