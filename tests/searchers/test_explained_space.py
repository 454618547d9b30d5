"""The space of a search, reduced by the findings of explain."""

from __future__ import annotations

import pytest

from automorph.errors import PolicyError
from automorph.operations import named_space
from automorph.searchers import check_space
from automorph.searchers.defaults import space_of
from automorph.training import as_task


def test_an_explained_space_holds_some_operations_with_narrower_ranges():
    task = as_task("digits", model="cnn:4", limit=150)
    whole, found = named_space("trivialaugment"), space_of("explained:trivialaugment", task)
    assert 2 <= len(found) < len(whole)
    for operation in found:
        kept = whole[operation.name]
        assert kept.low <= operation.low <= operation.high <= kept.high
    assert space_of("explained:trivialaugment", task) == found


def test_a_wrong_name_is_told_before_data_are_read():
    check_space("explained")
    check_space("explained:randaugment")
    with pytest.raises(PolicyError, match="unknown search space 'explainde'"):
        check_space("explainde")
    with pytest.raises(PolicyError, match="unknown search space 'none'"):
        check_space("explained:none")
