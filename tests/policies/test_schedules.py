"""Policies that change with the epoch, and steps in random order."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.errors import PolicyError
from automorph.operations import NOTHING, Stream, named_space
from automorph.policies import (
    Piece,
    Schedule,
    Shuffled,
    Step,
    load_policy,
    policy_from_dict,
    policy_to_dict,
)

SPACE = named_space("randaugment")
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 9, 8, 3), np.uint8)


@pytest.mark.parametrize("inside", ["{}", "flip-crop + {} + cutout(4)"])
def test_in_an_epoch_a_schedule_is_its_policy_of_that_epoch(inside):
    pieces = ["none", "randaugment(n=2,m=9)", "augmix"]
    schedule = load_policy(inside.format(f"schedule(2:{pieces[0]},3:{pieces[1]},1:{pieces[2]})"))
    for epoch, number in ((0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (99, 2)):
        single = load_policy(inside.format(f"schedule(1:{pieces[number]})"))
        expected = single.augment(IMAGES, seed=1, epoch=epoch)
        assert (schedule.augment(IMAGES, seed=1, epoch=epoch) == expected).all()


def test_alone_it_is_the_policy_itself_and_says_what_it_does():
    schedule = load_policy("schedule(2:none,3:trivialaugment)")
    stream = Stream(seed=1, epoch=3, index=np.arange(40))
    drawn, plain = schedule.sample(stream), load_policy("trivialaugment").sample(stream)
    assert (drawn.op == plain.op).all()
    assert schedule.sample(Stream(epoch=1, index=[5])).length == 0
    assert [row[:2] for row in schedule.table().rows] == [
        ("1 to 2", "none"),
        ("3 to 5", "trivialaugment"),
    ]


def test_operations_of_different_pieces_have_their_own_numbers():
    schedule = load_policy("schedule(1:flip,1:trivialaugment)")
    late = schedule.sample(Stream(epoch=1, index=np.arange(99)))
    assert schedule.space.names[0] == "HorizontalFlip"
    assert late.op.min() == 1
    assert late.op.max() == len(schedule.space) - 1


def test_stretching_keeps_the_shares():
    schedule = load_policy("schedule(30:none,60:flip,10:cutout(4))")
    assert schedule.stretched(200).name == "schedule(60:none,120:flip,20:cutout(4))"
    assert schedule.stretched(100) == schedule
    assert schedule.stretched(3).name == "schedule(1:none,2:flip)"
    assert schedule.stretched(1).epochs == 1


def test_neighbours_that_are_the_same_are_one_piece():
    assert load_policy("schedule(2:flip,3:flip,1:none)") == load_policy("schedule(5:flip,1:none)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schedule", "a schedule of 0 pieces"),
        ("schedule(flip)", "expected epochs, a colon and a policy"),
        ("schedule(x:flip)", "expected epochs, a colon and a policy"),
        ("schedule(0:flip)", "got epochs=0"),
        ("schedule(3:flip + crop)", "got a chain inside a schedule"),
        ("schedule(3:schedule(1:flip))", "got a schedule inside a schedule"),
        ("schedule(3:moon)", "unknown policy 'moon'"),
    ],
)
def test_wrong_schedules_say_what_is_wrong(text, message):
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    assert message in str(caught.value)
    with pytest.raises(PolicyError, match="expected policies"):
        Schedule(pieces=(Piece(1, "flip"),))


def test_a_file_that_is_wrong_is_told_its_place():
    content = policy_to_dict(load_policy("flip-crop + schedule(2:none,3:flip)"))
    content["policy"]["stages"][1]["pieces"][1]["epochs"] = 0
    with pytest.raises(PolicyError, match=r"stages\[1\]\.pieces\[1\].*got epochs=0"):
        policy_from_dict(content)


def steps(*chances: float) -> tuple[Step, ...]:
    return tuple(
        Step(name, p, 0.5)
        for name, p in zip(SPACE.names[1 : 1 + len(chances)], chances, strict=True)
    )


def test_as_many_steps_fire_as_were_drawn():
    """If all steps fire, the drawn number of operations is applied, and all positions are equal."""
    policy = Shuffled(label="all", operations=SPACE, steps=steps(1, 1, 1, 1))
    drawn = policy.sample(Stream(index=np.arange(40_000)))
    counts = np.bincount(drawn.fire.sum(1)) / len(drawn)
    assert counts == pytest.approx([0.2, 0.3, 0.5], abs=0.01)
    assert ((drawn.op == NOTHING) == ~drawn.fire).all()
    first = np.bincount(drawn.op[drawn.fire[:, 0], 0], minlength=5)[1:]
    assert first / first.sum() == pytest.approx([1 / 4] * 4, abs=0.01)
    both = drawn.op[drawn.fire.all(1)]
    assert (both[:, 0] != both[:, 1]).all()


def test_an_unlikely_step_fires_with_its_probability_when_nothing_stops_it():
    policy = Shuffled(label="two", operations=SPACE, steps=steps(0.3, 0.0), counts=(0, 0, 1))
    drawn = policy.sample(Stream(index=np.arange(40_000)))
    assert drawn.fire.sum(1).mean() == pytest.approx(0.3, abs=0.01)
    assert set(drawn.op[drawn.fire]) == {1}


def test_counts_must_make_sense():
    for counts in ((), (0, 0), (-1, 2)):
        with pytest.raises(PolicyError):
            Shuffled(label="x", operations=SPACE, counts=counts)
