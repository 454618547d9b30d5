"""What all kits share: names, docstrings, and their place in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph import testing

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "testing-your-own.md"
LISTS = [name for name in testing.__all__ if name.endswith("_checks")]


def test_there_is_a_call_for_each_list():
    calls = {f"check_{name.removesuffix('_checks')}" for name in LISTS}
    assert calls == {name for name in testing.__all__ if name.startswith("check_")}
    assert len(calls) == 8


@pytest.mark.parametrize("name", LISTS)
def test_checks_have_distinct_names_and_state_a_rule(name):
    checks = getattr(testing, name)()
    assert len({check.name for check in checks}) == len(checks) > 5
    for check in checks:
        assert str(check) == check.name == check.function.__name__
        assert check.function.__doc__.split("\n")[0].endswith(".")


@pytest.mark.parametrize("name", [n for n in testing.__all__ if "check" in n.lower()])
def test_the_guide_names_every_kit(name):
    assert f"`{name}`" in GUIDE.read_text("utf-8") or name == "Check"
