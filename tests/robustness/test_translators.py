"""Translators on data with known exact pairs, and the data sets they write."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from marked_images import SKEWED, bars

from automorph.errors import DataError, UsageError
from automorph.robustness.translated import translate_part
from automorph.robustness.translators.base import (
    ExactPairs,
    UserEdit,
    all_pairs,
    fit_matches,
    fit_statistics,
    known_of,
    load_edit,
)
from automorph.robustness.translators.cyclegan import CycleRecipe
from automorph.robustness.translators.cyclegan_translator import EVERY_CLASS, fit_cyclegan
from automorph.testing import check_translator

torch.set_num_threads(1)
TINY = CycleRecipe(steps=2, batch_size=4, width=4, judge_width=4)


@pytest.fixture(scope="module")
def marked():
    return bars(SKEWED)


def add_mark(images, direction):
    changed = images.copy()
    changed[:, 0, :5] = 255
    return changed


def test_translators_meet_their_contract(marked):
    part, both = marked
    some = part.take(np.linspace(0, len(part) - 1, 60).astype(int))
    for translator in (ExactPairs(both), fit_statistics(part), fit_matches(part)):
        check_translator(translator, part=some)
    check_translator(UserEdit(add_mark, frozenset({(0, 1)})))
    check_translator(fit_cyclegan(part, recipe=TINY), part=some)


def test_exact_pairs_give_the_other_rendering(marked):
    part, both = marked
    set_ = translate_part(ExactPairs(both), part)
    assert np.array_equal(set_.images, both)
    assert set_.changed.all()
    assert np.array_equal(set_.take(np.array([7, 3])), both[:, [7, 3]])


def test_an_edit_of_one_direction_leaves_the_rest_alone(marked):
    part, _ = marked
    set_ = translate_part(UserEdit(add_mark, frozenset({(0, 1)})), part)
    plain = part.subgroups == 0
    assert (set_.images[1, plain, 0, :5] == 255).all()
    assert np.array_equal(set_.images[1, ~plain], part.data[~plain])
    assert np.array_equal(set_.images[0], part.data)
    # Marked images could not be rendered plain, and the set records this.
    assert np.array_equal(set_.changed[0], plain)


def test_translated_sets_lie_on_disk_and_are_made_once(marked, tmp_path):
    part, both = marked
    calls = []

    def edit(images, direction):
        calls.append(len(images))
        return add_mark(images, direction)

    made = [translate_part(UserEdit(edit, all_pairs(2)), part, folder=tmp_path) for _ in range(2)]
    assert isinstance(made[1].images, np.memmap)
    assert np.array_equal(made[0].images, made[1].images)
    # The second time, only the probe ran, which identifies the translator.
    assert sum(calls) < 1.6 * len(part)
    other = translate_part(ExactPairs(both, name="other"), part, folder=tmp_path)
    assert not np.array_equal(other.images, made[0].images)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_statistics_move_mean_and_spread_onto_the_target():
    rng = np.random.default_rng(0)
    part, _ = bars({(0, 0): 200, (0, 1): 200, (1, 0): 200, (1, 1): 200})
    images = part.data // 2
    dark = part.subgroups == 1
    images[dark] = images[dark] // 2 + rng.integers(60, 64, images[dark].shape).astype(np.uint8)
    part = type(part)(images, part.labels, subgroups=part.subgroups)
    translator = fit_statistics(part)
    known = known_of(part)
    rows = np.flatnonzero((known.labels == 0) & (known.subgroups == 0))
    target = images[(known.labels == 0) & dark]
    made = translator.translate(images[rows], 1, known.rows(rows))
    assert abs(made.mean() - target.mean()) < 1
    assert made.std() == pytest.approx(target.std(), rel=0.1)
    there = type(known)(known.labels[rows], np.ones(len(rows), np.int64))
    back = translator.translate(made, 0, there)
    assert np.abs(back.astype(int) - images[rows]).mean() < 1.5


def test_matches_are_real_images_of_the_same_class(marked):
    part, _ = marked
    known = known_of(part)
    made = fit_matches(part).translate(part.data, 1, known)
    plain = known.subgroups == 0
    assert np.array_equal(made[~plain], part.data[~plain])
    real = {image.tobytes(): label for image, label in zip(part.data, part.labels, strict=True)}
    assert [real[image.tobytes()] for image in made] == part.labels.tolist()


def test_cyclegan_translates_each_image_by_itself_and_class_by_class(marked, tmp_path):
    part, _ = marked
    known = known_of(part)
    pooled = fit_cyclegan(part, recipe=TINY, folder=tmp_path)
    assert {key[0] for key in pooled.generators} == {EVERY_CLASS}
    assert pooled.directions == all_pairs(2)
    whole = pooled.translate(part.data, 1, known)
    rows = np.array([300, 5, 44])
    alone = pooled.translate(part.data[rows], 1, known.rows(rows))
    # Rounding of convolutions depends on the batch size.
    assert np.abs(whole[rows].astype(int) - alone).max() <= 1
    split = fit_cyclegan(part, recipe=TINY, per_class=True)
    assert {key[0] for key in split.generators} == {0, 1}


def test_cyclegan_of_three_subgroups_goes_through_the_largest():
    counts = {(y, z): 12 - z for y in (0, 1) for z in (0, 1)}
    part, _ = bars(counts)
    subgroups = part.subgroups.copy()
    subgroups[::5] = 2
    part = type(part)(part.data, part.labels, subgroups=subgroups)
    translator = fit_cyclegan(part, recipe=TINY)
    assert translator.directions == all_pairs(3)
    assert translator._way(1, 2) == [(1, translator.hub), (translator.hub, 2)]


def test_a_class_of_one_subgroup_borrows_and_says_so():
    part, _ = bars({(0, 0): 20, (0, 1): 20, (1, 0): 20})
    translator = fit_cyclegan(part, recipe=TINY, per_class=True)
    assert translator.borrowed == (1,)
    known = known_of(part)
    assert translator.translate(part.data, 1, known).shape == part.data.shape


def test_what_cannot_be_translated_is_refused(marked):
    part, both = marked
    with pytest.raises(DataError, match="no subgroups"):
        fit_cyclegan(type(part)(part.data, part.labels), recipe=TINY)
    with pytest.raises(DataError, match="only one subgroup"):
        fit_cyclegan(bars({(0, 0): 9, (1, 1): 9})[0], recipe=TINY)
    many = type(part)(part.data, part.labels, subgroups=np.arange(len(part)) % 9)
    with pytest.raises(UsageError, match="9 subgroups"):
        fit_cyclegan(many, recipe=TINY)
    with pytest.raises(UsageError, match="not among the 2 x 10 known renderings"):
        translate_part(ExactPairs(both[:, :10]), part)
    with pytest.raises(UsageError, match="same shape"):
        translate_part(UserEdit(lambda x, d: x[:, :4], all_pairs(2)), part)
    with pytest.raises(UsageError, match="float64"):
        translate_part(UserEdit(lambda x, d: x / 255, all_pairs(2)), part)


def test_edits_are_loaded_by_name(marked, monkeypatch):
    module = ModuleType("my_edits")
    add_mark.pairs = {(0, 1)}
    module.add_mark = add_mark
    module.number = 3
    monkeypatch.setitem(sys.modules, "my_edits", module)
    assert load_edit("my_edits:add_mark", all_pairs(2)).directions == {(0, 1)}
    for wrong, said in (
        ("add_mark", "module:function"),
        ("no_such_module:f", "no_such_module"),
        ("my_edits:gone", "gone"),
        ("my_edits:number", "not callable"),
    ):
        with pytest.raises(UsageError, match=said):
            load_edit(wrong, all_pairs(2))
