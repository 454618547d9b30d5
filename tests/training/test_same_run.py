"""Comparing the record of a run with a call."""

import pytest

from automorph.errors import DamagedError
from automorph.training.same_run import check_same_run


@pytest.mark.parametrize("versions", ["torch 2.8", 2, ["torch"]])
@pytest.mark.parametrize("inside", [True, False])
def test_damaged_versions_are_rejected(versions, inside):
    wanted = {"task": {"model": "cnn", "versions": {"torch": "2.8"}}}
    known = {"task": {"model": "cnn"}}
    (known["task"] if inside else known)["versions"] = versions
    with pytest.raises(DamagedError, match=r"runs/a records the versions .*choose another folder"):
        check_same_run(known, wanted, place="runs/a", verb="training", accepted=[])
