"""The instant policy as a search: it asks for no jobs and has its result at once."""

from __future__ import annotations

import json

import pytest
from small_task import small_task

from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Mixture, Step, chained, load_policy
from automorph.searchers import closed_form, search
from automorph.searchers.base import SearchContext
from automorph.searchers.closed_form import Instant
from automorph.searchers.study_log import JOURNAL
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


def diagnosed(weight):
    """Return the policy of diagnostics whose last digits come out in one way or another."""
    space = SearchSpace("instant", (OPERATIONS["Rotate"], OPERATIONS["Invert"]))
    steps = ((Step("Rotate", 1.0, 0.5),), (Step("Invert", 1.0, 1.0),))
    one = Mixture(label="instant", operations=space, subpolicies=steps, weights=(weight, 0.9))
    return chained(one, one)


@pytest.mark.parametrize("version", ["0.1", "this"])
@pytest.mark.parametrize("method", ["instant", "heats(searches=instant,arms=flip)"])
def test_a_search_resumes_where_the_policy_rounds_otherwise(version, method, tmp_path, monkeypatch):
    def run(weight):
        monkeypatch.setattr(closed_form, "instant_policy", lambda _: diagnosed(weight))
        return search(small_task(), method, trials=4, seeds=1, folder=tmp_path)

    monkeypatch.setattr(closed_form, "explain", lambda *_, **__: None)
    first, journal = run(0.466), tmp_path / JOURNAL
    if version == "0.1":  # It stored no policy.
        lines = journal.read_text().splitlines(keepends=True)
        kept = [line for line in lines if "instant policy" not in line]
        assert len(kept) == len(lines) - 1
        journal.write_text("".join(kept))
    before = journal.read_bytes()
    again = run(0.4661)

    assert (first.trained > 0, again.trained) == (True, 0)
    assert journal.read_bytes() == before
    assert (again.found, again.policy, again.rows) == (first.found, first.policy, first.rows)
    if version == "this":
        assert run(0.7).trained == 0
        note = next(line for line in before.splitlines() if b"instant policy" in line)
        journal.write_bytes(before.replace(note, note.replace(b"0.466", b"0.467")))
    assert run(0.7).trained > 0, "another policy is trained"
    assert json.loads(journal.read_bytes().splitlines()[-1])
