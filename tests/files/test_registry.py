"""Names with options are parsed, looked up and rejected in one place, with one wording."""

from __future__ import annotations

import pytest

from automorph.errors import PolicyError, UsageError
from automorph.registry import Entry, Option, Registry, closest, did_you_mean, plain, unknown


def red(depth: int = 2, share: float = 0.5, name: str = "") -> tuple[int, float, str]:
    """The colour of tomatoes.

    A second paragraph.
    """
    return depth, share, name


def dark_red(setting: object, *, file: str, seed: int | None = None) -> tuple[object, ...]:
    return setting, file, seed


COLOURS = Registry(
    "colour",
    Entry("red", red),
    Entry("dark-red", dark_red, "A red with little light.", given=1),
    Entry("lazy", "json:dumps", "Is imported when it is first needed."),
    Entry("rgb:CODE", dict),
    example="red(depth=3)",
    error=PolicyError,
    listing="colours",
    also=" or a code",
    aliases={"crimson": "red"},
)


def refusal(text, **options):
    with pytest.raises(PolicyError) as caught:
        COLOURS.read(text, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("red", {}),
        (" RED ( ) ", {}),
        ("crimson(3)", {"depth": 3}),
        ("red(3, share=1)", {"depth": 3, "share": 1}),
        ("red(NAME='none')", {"name": "none"}),
        ("red(share=1e-3,depth=-2)", {"depth": -2, "share": 0.001}),
    ],
)
def test_names_and_options_are_read(typed, options):
    entry, found = COLOURS.read(typed)
    assert entry.name == "red"
    assert found == options
    assert list(found) == [name for name in ("depth", "share", "name") if name in found]


def test_what_is_given_is_no_option_and_none_is_a_value_where_it_may_be():
    entry, options = COLOURS.read("Dark_Red(file=a.json,seed=none)")
    assert options == {"file": "a.json", "seed": None}
    assert COLOURS.read("dark-red:a.json")[1] == {"file": "a.json"}
    assert entry("setting", **options) == ("setting", "a.json", None)
    assert COLOURS.read("dark-red(a)", seed=3)[1] == {"file": "a", "seed": 3}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("redd", ["unknown colour 'redd'", "Did you mean 'red'?", "Expected one of red, dark-red",
                  "or a code", "automorph list colours"]),
        ("Dark-Rad", ["unknown colour 'Dark-Rad'", "Did you mean 'dark-red'?"]),
        ("crimsn", ["Did you mean 'red'?"]),
        ("rgbb", ["Did you mean 'rgb:CODE'?"]),
        ("red(shar=2)", ["unknown option 'shar' of the colour 'red'", "Did you mean 'share'?",
                         "Expected depth=2, share=0.5, name=''"]),
        ("red(x=1)", ["unknown option 'x'", "Expected depth=2"]),
        ("red(depth=1.5)", ["the colour 'red' got depth=1.5", "expected a whole number"]),
        ("red:3", ["got depth='3'", "expected a whole number"]),
        ("red(share=half)", ["got share='half'", "expected a number"]),
        ("red(depth=none)", ["got depth=None", "expected a whole number"]),
        ("red(1,2,three,4)", ["got 4 values", "expected at most depth=2, share=0.5, name=''"]),
        ("red(1,depth=2)", ["got depth twice, as 1 and 2", "give it once"]),
        ("red(depth=1,depth=2)", ["the option depth is given twice", "give it once"]),
        ("red(depth=)", ["without name or value", "expected red(depth=3)"]),
        ("red(,)", ["without name or value"]),
        ("dark-red", ["the colour 'dark-red' needs file", "expected file=..., seed=none"]),
        ("red(depth=2", ["cannot read the colour 'red(depth=2'", "unbalanced brackets",
                         "expected red(depth=3)"]),
        ("red(2)x", ["cannot read the colour 'red(2)x'", "as in red(depth=3)"]),
        ("", ["cannot read the colour ''"]),
    ],
)  # fmt: skip
def test_refusals_say_what_was_given_what_is_expected_and_what_to_do(typed, words):
    message = refusal(typed)
    assert [word for word in words if word not in message] == [], message


def test_nothing_alike_gets_no_suggestion():
    assert "Did you mean" not in refusal("zzzz")
    assert "Did you mean" not in refusal("red(zzzz=1)")


def test_options_of_a_call_come_on_top():
    assert COLOURS.read("red(2)", share=0.1)[1] == {"depth": 2, "share": 0.1}
    assert "unknown option 'shares'" in refusal("red(2)", shares=0.1)


def test_the_error_is_that_of_the_kind():
    with pytest.raises(UsageError) as caught:
        Registry("shade", Entry("red", red), example="red").find("rad")
    assert type(caught.value) is UsageError


def test_entries_tell_of_themselves():
    assert COLOURS["red"].about == "The colour of tomatoes."
    assert COLOURS["dark-red"].about == "A red with little light."
    assert COLOURS["dark-red"].options == (
        Option("file", "str"),
        Option("seed", "int | None", None),
    )
    assert COLOURS["lazy"]([1]) == "[1]"
    assert list(COLOURS) == ["red", "dark-red", "lazy", "rgb:CODE"] == list(COLOURS.about())


def test_a_factory_that_cannot_be_imported_is_a_usage_error():
    for home in ("no_such_module:build", "json:no_such_name"):
        with pytest.raises(UsageError, match=r"moon cannot be loaded: .*no_such"):
            Entry("moon", home).load()


def test_close_matches():
    assert plain("Flip_Crop") == plain("flip-crop") == "flipcrop"
    assert closest("fli", ["flip", "flip-crop", "zoom"]) == ["flip"]
    assert did_you_mean("fli", ["flip", "fly", "zoom"], most=3) == " Did you mean 'flip' or 'fly'?"
    assert did_you_mean("a", []) == ""
    assert unknown("column", "a", []) == "unknown column 'a'. Expected none"
