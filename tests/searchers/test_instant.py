"""The instant policy as a search: it asks for no jobs and has its result at once."""

from __future__ import annotations

from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import load_policy
from automorph.searchers.base import SearchContext
from automorph.searchers.closed_form import Instant
from automorph.training import as_task


def test_it_asks_for_nothing_and_answers_the_same_again() -> None:
    space = SearchSpace("two", (OPERATIONS["Noise"], OPERATIONS["VerticalFlip"]))
    task = as_task("digits", limit=250)
    setting = SearchContext(task=task, space=space, post_policy=load_policy("none"), trials=1)
    method = Instant(setting)
    assert not method.ask()
    policy = method.result()
    assert "VerticalFlip" not in policy.space.names
    assert Instant(setting).result() == policy
