"""Distributions over sequences of operations, by name, by file or built in code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.policies.augmix import AugMix
from automorph.policies.autoaugment_tables import TABLES
from automorph.policies.base import COPIES, Policy, Table, check_range
from automorph.policies.batch_mixing import Mixed
from automorph.policies.builtin import NAMED, POLICIES
from automorph.policies.chain import Chain, chained
from automorph.policies.domains import check_domain
from automorph.policies.file import (
    identity_form,
    policy_from_dict,
    policy_to_dict,
    read_policy,
    space_to_dict,
)
from automorph.policies.formatting import number_text, value_text
from automorph.policies.former_names import former
from automorph.policies.generated import Generated, noise
from automorph.policies.image_types import as_given, as_uint8
from automorph.policies.loading import list_policies, load_policy, save_policy
from automorph.policies.marks import (
    SIDES,
    Mark,
    WrongFrom,
    mark_words,
    marked_space,
    one_side,
    remaining,
    sides_of,
)
from automorph.policies.mixing import Mixing, unmixed
from automorph.policies.naming import with_options
from automorph.policies.numpy_rnn import GATES, NETWORKS, Network
from automorph.policies.one_image import augment_one
from automorph.policies.parser import parse_policy
from automorph.policies.pba_policy import Shuffled
from automorph.policies.random_policy import RandomPolicy, drawn_subpolicies
from automorph.policies.rendering import BEYOND, Fill, Interpolation, known_fill
from automorph.policies.schedule import Piece, Schedule
from automorph.policies.space_file import (
    ReviewedSpace,
    is_space_file,
    load_space,
    marks_from_dict,
    read_space,
    reviewed_to_dict,
    write_space,
)
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.subpolicies import Mixture, Step, SubPolicy
from automorph.policies.targets import Followed, check_follow, follow
from automorph.policies.tensors import are_texts, as_texts
from automorph.policies.timm_names import is_timm
from automorph.policies.traversal import drawable, stages_of
from automorph.policies.uniform import Uniform
from automorph.policies.usage_counts import Usage, changes_by_epoch, usage

__all__ = [
    "BEYOND",
    "COPIES",
    "GATES",
    "NAMED",
    "NETWORKS",
    "POLICIES",
    "SIDES",
    "TABLES",
    "AugMix",
    "Chain",
    "Fill",
    "Followed",
    "Generated",
    "Interpolation",
    "Mark",
    "Mixed",
    "Mixing",
    "Mixture",
    "Network",
    "Piece",
    "Policy",
    "RandomPolicy",
    "ReviewedSpace",
    "Schedule",
    "Shuffled",
    "SpacePolicy",
    "Step",
    "SubPolicy",
    "Table",
    "Uniform",
    "Usage",
    "WrongFrom",
    "are_texts",
    "as_given",
    "as_texts",
    "as_uint8",
    "augment_one",
    "chained",
    "changes_by_epoch",
    "check_domain",
    "check_follow",
    "check_range",
    "drawable",
    "drawn_subpolicies",
    "follow",
    "former",
    "identity_form",
    "is_space_file",
    "is_timm",
    "known_fill",
    "list_policies",
    "load_policy",
    "load_space",
    "mark_words",
    "marked_space",
    "marks_from_dict",
    "noise",
    "number_text",
    "one_side",
    "parse_policy",
    "policy_from_dict",
    "policy_to_dict",
    "read_policy",
    "read_space",
    "remaining",
    "reviewed_to_dict",
    "save_policy",
    "sides_of",
    "space_to_dict",
    "stages_of",
    "unmixed",
    "usage",
    "value_text",
    "with_options",
    "write_space",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
