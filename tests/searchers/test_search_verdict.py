"""What a search says: first what to use, then how sure that is, then what the defaults cost."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import automorph.data
from automorph.experiments import ACCURACY, Looks, Metric, Row, paired_difference, summarise
from automorph.searchers.search_advice import few_in, longer_pays, simpler
from automorph.searchers.search_verdict import verdict_of

NONE = [0.50, 0.51, 0.52]


def row(policy, values, validation, *more, note=""):
    none = NONE[: len(values)]
    gap = None if values == none or len(values) < 2 else paired_difference(values, none)
    checked = summarise([validation, *more])
    return Row(policy, summarise(values), checked, gap, note=note)


def verdict(rows, **options):
    seeds = max(len(one.accuracy.values) for one in rows.values())
    options = {"method": "race", "cost": 7.9, "seeds": seeds, **options}
    return verdict_of(rows, list(rows.values()), **options)


def usual(found, validation=0.6, tail=(0.55, 0.56, 0.57), strong=(0.57, 0.58, 0.585)):
    return {
        "found": row("pick", list(found), validation),
        "none": row("none", NONE, 0.5),
        "tail": row("flip-crop", list(tail), 0.55),
        "trivialaugment": row("trivialaugment + flip-crop", list(strong), 0.58),
    }


def test_it_says_what_to_use_then_how_sure_then_what_defaults_do():
    found, advice = verdict(usual([0.60, 0.62, 0.61]))
    assert found.kind == "better"
    assert found.text.split(". ")[0] == "Use pick"
    rest = found.text.removeprefix("Use pick. ")
    assert rest.startswith(
        "race found pick; on the test part it differs from none by +10.0 points (95% interval "
    )
    assert "3 paired seeds), beyond chance, and from trivialaugment + flip-crop by +3.2" in rest
    assert "The usual default does help here: trivialaugment + flip-crop gains 6.8 points" in rest
    assert rest.endswith("The search cost 7.9 plain trainings.")
    assert (advice.action, advice.policy) == ("use", "found")


def test_it_says_what_was_wrong_with_the_defaults():
    found, _ = verdict(usual([0.56, 0.57, 0.58], tail=(0.47, 0.481, 0.489)))
    assert "The usual defaults do harm here: flip-crop costs 3.0 points (-3." in found.text
    assert "against none" in found.text
    nothing, _ = verdict(
        usual([0.56, 0.57, 0.58], tail=(0.48, 0.53, 0.52), strong=(0.49, 0.53, 0.50))
    )
    assert "No usual default is shown to help or to harm here." in nothing.text


def test_how_sure_is_about_the_policy_to_use():
    rows = usual([0.60, 0.62, 0.61])
    rows["tail"] = row("flip-crop", [0.55, 0.56, 0.57], 0.6)
    found, advice = verdict(rows)
    assert advice.policy == "tail"
    assert found.text.startswith("Use flip-crop, which needs no search: on the validation part")
    assert "On the test part flip-crop differs from none by +5.0 points" in found.text
    assert "and from pick, which race found, by -5.0" in found.text
    rows["none"] = row("none", NONE, 0.7)
    found, advice = verdict(rows)
    assert advice.policy == "none"
    assert "What race found, pick, differs from it by +10.0 points" in found.text


def test_a_table_that_stopped_says_after_how_many_seeds():
    rows = usual([0.60, 0.62, 0.61])
    found, _ = verdict(rows, looks=Looks(2, 5))
    assert "3 paired seeds of at most 5" in found.text
    # The looks make the interval wider.
    assert found.text != verdict(rows)[0].text


def test_a_row_that_stopped_early_is_compared_no_further():
    rows = usual([0.60, 0.62, 0.61])
    rows["random"] = row("random", [0.3, 0.31], 0.9, 0.9, note="2 seeds, stopped: far behind")
    found, advice = verdict(rows, looks=Looks(2, 5))
    assert "random policy" not in found.text
    assert advice.policy == "found"
    assert simpler(rows) is None
    assert longer_pays({**rows, "longer": rows["random"]}) is None


def test_nothing_better_than_none():
    rows = {"found": row("none", NONE, 0.5), "tail": row("flip-crop", [0.4, 0.42, 0.41], 0.4)}
    found, advice = verdict(rows)
    assert found.text.startswith("Use none. race found nothing better than none.")
    assert "The usual defaults do harm here: flip-crop costs 10.0 points (" in found.text
    assert (found.kind, advice.action) == ("unclear", "keep")


def test_one_seed_shows_nothing():
    rows = {name: row(one.policy, list(one.accuracy.values[:1]), one.validation.mean)
            for name, one in usual([0.6, 0.62, 0.61]).items()}  # fmt: skip
    found, _ = verdict(rows)
    assert "from none by +10.0 points (no interval; 1 paired seed), within chance" in found.text
    assert "A single seed cannot distinguish this from chance." in found.text
    assert "default" not in found.text
    assert found.kind == "unclear"


def test_other_metrics_keep_their_unit_and_direction():
    loss = Metric("log loss", higher_is_better=False, share=False, part="validation")
    rows = {"found": row("pick", [0.40, 0.41, 0.43], 0.4), "none": row("none", NONE, 0.5)}
    found, _ = verdict(rows, metric=loss)
    assert "in log loss (lower is better) from none by -0.0967 (" in found.text
    assert "points" not in found.text
    assert "these validation values also chose the policy" in found.text


def test_the_verdict_names_what_was_not_beaten_and_what_would_do():
    rows = usual([0.60, 0.62, 0.61], 0.59)
    rows |= {
        "found": row("pick", [0.60, 0.62, 0.61], 0.59, 0.61, 0.6),
        "random": row("random", [0.6, 0.61, 0.62], 0.6),
        "longer": row("longer", [0.80, 0.82, 0.83], 0.79, 0.8, 0.81),
    }
    found, advice = verdict(rows)
    text = found.text

    assert "It is worse than longer plain training (-20.7" in text
    assert "Within chance of a random policy" in text
    assert text.startswith(
        "Train longer: on the validation part it gains more than the policy found (+20.0"
    )
    assert "Use " not in text, "one recommendation"
    assert (advice.action, advice.policy) == ("train longer", "longer")


@pytest.mark.parametrize(
    ("found", "none", "values", "said"),
    [
        (0.6, 0.6, [0.60, 0.62, 0.61], ("use", "none", "Use none, which needs no search")),
        (0.6, 0.5, [0.60, 0.62, 0.61], ("use", "found", "Use policy.")),
        (0.6, 0.5, [0.50, 0.52, 0.51], ("compare", "found", "Compare policy with none under 10")),
        (0.6, 0.5, [0.40, 0.42, 0.41], ("compare", "found", "Compare policy with none under 10")),
    ],
)
def test_a_search_recommends_one_thing(found, none, values, said):
    rows = {"found": row("policy", values, found), "none": row("none", NONE, none)}
    made, advice = verdict(rows)
    assert (advice.action, advice.policy) == said[:2]
    assert made.text.startswith(said[2])
    assert sum(made.text.count(word) for word in ("Use ", "Compare ", "Train ", "Keep ")) == 1


def test_a_network_that_answers_one_class_is_to_be_trained_longer_first():
    rows = {"found": row("policy", [0.6], 0.6), "none": row("none", [0.5], 0.6)}
    _, advice = verdict(rows, constant=True)
    assert advice.action == "add epochs"


def test_test_figures_do_not_advise_to_train_longer():
    rows = {
        "found": row("policy", [0.60, 0.62, 0.61], 0.59, 0.61, 0.6),
        "none": row("none", NONE, 0.5),
        "longer": row("longer", [0.80, 0.82, 0.83], 0.59, 0.6, 0.61),
    }
    assert longer_pays(rows) is None
    better = row("longer", [0.1, 0.1, 0.1], 0.7, 0.71, 0.72)
    assert longer_pays({**rows, "longer": better})
    # After looks, only what is beyond their bounds.
    little = {**rows, "longer": row("longer", [0.1, 0.1, 0.1], 0.61, 0.625, 0.63)}
    assert longer_pays(little)
    assert longer_pays(little, looks=Looks(2, 5)) is None


def test_the_simplest_that_is_no_worse_is_to_be_used():
    rows = {
        "found": row("policy", [0.60, 0.62, 0.61], 0.60),
        "none": row("none", [0.5, 0.5, 0.5], 0.60),
        "tail": row("tail", [0.5, 0.5, 0.5], 0.59), "random": row("random", [0.5, 0.5, 0.5], 0.61),
        "longer": row("longer", [0.8, 0.8, 0.8], 0.8),
    }  # fmt: skip
    assert simpler(rows) is rows["none"]
    assert simpler({**rows, "none": row("none", [0.5, 0.5, 0.5], 0.5)}) is rows["random"]
    assert simpler({**rows, "found": row("policy", [0.6, 0.6, 0.6], 0.7)}) is None


def few(found):
    """The advice on 112 photographs, 23 of them in the test part."""
    data = automorph.data.from_arrays(np.zeros((112, 8, 8, 3), np.uint8), np.arange(112) % 2)
    sizes = {"train": 65, "validation": 24, "test": 23}
    return few_in(SimpleNamespace(train=data.train, domain="image", target="classes", sizes=sizes),
                  found, ACCURACY)  # fmt: skip


def test_too_few_examples_are_said_to_be_too_few():
    rows = {
        "found": row("none", [0.957] * 3, 0.958),
        "tail": row("flip-crop", [0.957] * 3, 0.992),
        "trivialaugment": row("flip-crop + trivialaugment", [0.957, 0.913, 0.957], 0.983),
    }
    found, advice = verdict(rows, few=few(rows))
    assert found.text.startswith(
        "Too few examples to tell: 23 test examples show reliably only a difference of about 21 "
        "points or more. What usually helps on few photographs is flip-crop + trivialaugment. "
        "To test on every example, search with --folds 5 "
    )
    assert (found.kind, advice.action, advice.policy) == ("unclear", "too few", "trivialaugment")


def test_few_examples_compare_what_was_found_by_cross_validation():
    rows = usual([0.51, 0.50, 0.53], tail=(0.5, 0.51, 0.53), strong=(0.5, 0.53, 0.51))
    found, advice = verdict(rows, few=few(rows))
    assert found.text.startswith("Too few examples to tell: 23 test examples show reliably only ")
    assert "Compare pick with none by cross-validation before you use it. To test on" in found.text
    assert (advice.action, advice.policy, advice.seeds) == ("compare", "found", 0)


def test_few_examples_do_not_matter_where_something_is_shown():
    better = usual([0.60, 0.62, 0.61])
    assert verdict(better, few=few(better))[1].action == "use"
    harmful = {"found": row("none", NONE, 0.5), "tail": row("flip-crop", [0.4, 0.42, 0.41], 0.4),
               "trivialaugment": row("trivialaugment", [0.3, 0.32, 0.33], 0.4)}  # fmt: skip
    found, advice = verdict(harmful, few=few(harmful))
    assert found.text.startswith("Use none. ")
    assert advice.action == "keep"


def test_nothing_is_simpler_than_none():
    """Before: of 24 validation examples, one more right made flip-crop the policy to use."""
    rows = {"found": row("none", NONE, 0.958), "tail": row("flip-crop", NONE, 0.992)}
    assert simpler(rows) is None
