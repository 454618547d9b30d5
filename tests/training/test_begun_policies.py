"""Folders that were begun when a name meant another policy keep that meaning."""

from __future__ import annotations

from typing import Any

import pytest

from automorph.experiments import compare
from automorph.policies import former, load_policy
from automorph.training import train

CHANGED = (
    "cutout(4)",
    "augmix",
    "randaugment(n=1,m=9,space=tanda-mnist)",
    "flip-crop + cutout(4)",
    "schedule(1:flip,1:augmix)",
)


@pytest.mark.parametrize("name", CHANGED)
def test_a_name_meant_something_else(name: str) -> None:
    now = load_policy(name)
    then = former(now)
    assert then != now
    assert former(then) == then


@pytest.mark.parametrize(
    "name",
    ["flip-crop", "cutout(4,fill=3)", "augmix-m3-w3-d2", "rand-m9-inc1", "mixup", "dauphin",
     "randaugment(space=augmix-0.1)"],
)  # fmt: skip
def test_most_names_did_not(name: str) -> None:
    policy = load_policy(name)
    if name != "dauphin":  # Which version 0.1 did not know.
        assert former(policy) is policy


@pytest.mark.parametrize("name", ["flip-crop + cutout(4)", "augmix"])
def test_a_run_goes_on_with_the_former_meaning(task: Any, tmp_path: Any, name: str) -> None:
    import json

    older = former(load_policy(name))
    begun = train(task, older, folder=tmp_path / "run", stop_epoch=1, progress=False)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["identity"]["augmenter"]["name"] = load_policy(name).name
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.warns(UserWarning, match="meant in version 0.1, and continues"):
        done = train(task, name, folder=tmp_path / "run", progress=False)
    whole = train(task, older, progress=False)
    for one, other in zip(done.model.parameters(), whole.model.parameters(), strict=True):
        assert (one == other).all()
    assert begun


@pytest.mark.filterwarnings("error")
def test_a_new_run_means_what_the_name_means_now(task: Any, tmp_path: Any) -> None:
    first = train(task, "cutout(4)", folder=tmp_path / "run", progress=False)
    again = train(task, "cutout(4)", folder=tmp_path / "run", progress=False)
    for one, other in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert (one == other).all()


def test_a_comparison_goes_on_with_the_former_meaning(task: Any, tmp_path: Any) -> None:
    older = former(load_policy("cutout(4)"))
    compare(task, ["none", older], seeds=1, folder=tmp_path / "runs")
    with pytest.warns(UserWarning, match="'cutout.4.' meant in version 0.1"):
        again = compare(task, ["none", "cutout(4)"], seeds=2, folder=tmp_path / "runs")
    assert again.trained == 2
    assert compare(task, ["cutout(4)"], seeds=1, folder=tmp_path / "new").trained == 1
