"""What all kits share: names, docstrings, and their place in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph import testing
from automorph.errors import UsageError
from automorph.testing.checks import Kit

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


@pytest.mark.parametrize("name", LISTS)
def test_an_object_of_another_kind_is_refused(name):
    with pytest.raises(UsageError, match=r"got 'Rotate' \(str\) for the .* kit; expected"):
        getattr(testing, f"check_{name.removesuffix('_checks')}")("Rotate")
    for check in getattr(testing, name)():
        with pytest.raises(UsageError, match="got 'Rotate'"):
            check("Rotate")


def test_an_error_that_several_checks_meet_is_shown_once():
    kit = Kit("number", lambda one: True, "a number")

    @kit.add
    def first_rule(subject):
        """It is divisible."""
        1 / subject

    @kit.add
    def second_rule(subject):
        """It is divisible, too."""
        2 / subject

    with pytest.raises(AssertionError) as caught:
        kit.run(0)
    assert str(caught.value).count("ZeroDivisionError") == 1
    assert "second_rule: the same error as in first_rule" in str(caught.value)
