"""The page of an explanation: verdicts, sweeps and pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from automorph.report import explain_page, render


def row(name: str, verdict: str, change: float) -> dict[str, Any]:
    point = {
        "magnitude": 0.3, "value": "±9 deg", "alignment": 0.01, "invariance": 0.2, "variance": 0.1,
        "label_risk": 0.02, "new_information": 0.05, "change": change, "change_se": 0.01,
        "risk_se": 0.01, "cost": 2e-6,
    }  # fmt: skip
    return {
        "name": name, **point, "rank": 1, "rank_interval": [1, 2], "verdict": verdict,
        "decides": "change", "reason": "because <it> does", "useful": 0.3, "useful_value": "±9 deg",
        "sweep": [point, {**point, "magnitude": 1.0, "change": change + 0.1}],
    }  # fmt: skip


def test_a_page_says_what_to_keep_and_shows_it() -> None:
    images = np.zeros((2, 4, 8, 8, 1), np.uint8)
    page = explain_page(
        {
            "data": "digits",
            "space": "mine",
            "features": "random",
            "examples": 240,
            "accuracy": 0.9,
            "seconds": 3.0,
            "operations": [row("Rotate", "keep mild", -0.03), row("Flip", "label risk", 0.2)],
            "pictures": {"Rotate": {"at its useful range": images}},
            "next": ["automorph search digits --method instant"],
        }
    )
    html = render(page)
    for words in ("Rotate", "keep mild", "label risk", "because &lt;it&gt; does", "instant"):
        assert words in html
    assert html.count("data:image/png") == 2
    assert [section.title for section in page.sections] == [
        "Verdicts", "Useful range", "Pictures", "Setup",
    ]  # fmt: skip


def test_a_page_of_today_tells_what_cannot_be_told() -> None:
    operations = [row("Rotate", "keep", -0.03), row("Flip", "cannot tell", 0.0)]
    content: dict[str, Any] = {
        "data": "digits", "space": "mine", "features": "random", "examples": 240, "accuracy": 0.9,
        "seconds": 3.0, "operations": operations,
    }  # fmt: skip
    page = explain_page({**content, "verdicts": 2})
    assert page.lead.startswith("1 of 2 operations are predicted to help, beyond chance; for 1")
    asked = {answer.question: answer.sentence for answer in page.answers}
    assert asked["Which are undecided?"] == "Flip."
    operations[1]["verdict"] = "keep mild"
    old = explain_page(content)
    assert old.lead.startswith("2 of 2 operations are predicted to be harmless")
    assert "Which are undecided?" not in {answer.question for answer in old.answers}
