"""The kit for policies accepts a good policy, and catches a policy with one fault."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from kits import failing, states_three_parts

from automorph.operations import SearchSpace, Sequences, named_space, operation
from automorph.policies import Mixture, Policy, Step, Table, Uniform
from automorph.policies.mixing import Mixing
from automorph.testing import check_policy, policy_checks

SPACE = named_space("randaugment")
LAMBDA = SearchSpace("mine", (operation(name="local")(lambda image, value: 255 - image),))


@dataclass(frozen=True, kw_only=True)
class Own(Policy):
    """A policy of its own class: the identity, or whatever a subclass breaks."""

    @property
    def name(self):
        return "my policy"

    @property
    def space(self):
        return SPACE

    def sample(self, stream):
        number = (stream.uniform("policy", 1) * len(SPACE)).astype(np.int16)
        return Sequences.of(number, 0.5, False)

    def transform(self, examples, stream, *, threads=1):
        return examples.copy()

    def table(self):
        return Table(("what",), (("nothing",),))


class Different(Own):
    __hash__ = None

    def __eq__(self, other):
        return self is other


class Numbers(Own):
    def sample(self, stream):
        return Sequences.of(np.full((len(stream), 1), len(SPACE)), 0.5)


class Strong(Own):
    def sample(self, stream):
        return Sequences.of(np.zeros((len(stream), 1)), 1.5, False)


class TooFew(Own):
    def sample(self, stream):
        return Sequences.empty(max(len(stream) - 1, 0))


class GlobalDraws(Own):
    def sample(self, stream):
        return Sequences.of(np.random.randint(0, 9, (len(stream), 1)), 0.5, False)


class RowDraws(Own):
    def sample(self, stream):
        return Sequences.of(np.arange(len(stream))[:, None] % 9, 0.5, False)


class Floats(Own):
    def transform(self, examples, stream, *, threads=1):
        return examples / 255


class InPlace(Own):
    def transform(self, examples, stream, *, threads=1):
        return examples


class Centred(Own):
    is_sequence = False

    def transform(self, examples, stream, *, threads=1):
        return examples - examples.min(axis=0)


class MoreThanItSays(Own):
    def transform(self, examples, stream, *, threads=1):
        return 255 - examples


class OtherThanItSays(Uniform):
    def transform(self, examples, stream, *, threads=1):
        return super().transform(examples, replace(stream, seed=9), threads=threads)


class ClaimsToMix(Own):
    mixes_labels = True


class MixesSecretly(Own):
    def mixing(self, stream, shape):
        n = len(stream)
        return Mixing(np.arange(n)[::-1].copy(), np.full(n, 0.5, np.float32))


class MixesTooMuch(MixesSecretly):
    mixes_labels = True

    def mixing(self, stream, shape):
        return replace(super().mixing(stream, shape), weight=np.full(len(stream), 2, np.float32))


class MixesByChance(MixesSecretly):
    mixes_labels = True

    def mixing(self, stream, shape):
        weight = np.random.random(len(stream)).astype(np.float32)
        return replace(super().mixing(stream, shape), weight=weight)


class NoCells(Own):
    def table(self):
        return Table(("what", "how"), (("nothing",),))


class Cells(Own):
    def table(self):
        return Table(("what",), ((1,),))


BROKEN = {
    "it_is_a_value": (Different(),),
    "its_name_means_it": (
        Mixture(label="flip", operations=SPACE, subpolicies=((Step("Rotate", 1, 1),),)),
    ),
    "its_file_keeps_it": (Own(),),
    "worker_processes_get_it": (Uniform(operations=LAMBDA),),
    "draws_are_well_formed": (Numbers(), Strong(), TooFew()),
    "draws_depend_on_their_place_only": (GlobalDraws(), RowDraws()),
    "shape_and_type_are_kept": (Floats(), InPlace()),
    "order_and_split_change_nothing": (Centred(),),
    "sequences_state_everything": (MoreThanItSays(), OtherThanItSays(operations=SPACE)),
    "mixing_is_declared_and_fair": (
        ClaimsToMix(), MixesSecretly(), MixesTooMuch(), MixesByChance(),
    ),
    "its_table_can_be_read": (NoCells(), Cells()),
}  # fmt: skip
CASES = [
    pytest.param(name, subject, id=f"{name}-{type(subject).__name__}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in policy_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    found = failing(policy_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]


def test_a_policy_of_its_own_class_lacks_a_file_only():
    assert set(failing(policy_checks(), Own())) == {"its_file_keeps_it"}
    check_policy(Own(), skip=["its_file_keeps_it"])
