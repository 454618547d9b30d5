"""Hostile names in reports, opened in a real browser, are shown and never executed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hostile_names import NAMES
from markupsafe import Markup

from automorph.report import audit_page, compare_page, figures, write_report
from automorph.report.page import (
    Answer,
    Code,
    Definitions,
    Page,
    PageTable,
    Passages,
    Picture,
    PolicyBlock,
    Section,
    Strip,
    TableCell,
    figure,
)

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # 1 x 1


def everywhere(names):
    """A page with every hostile name in every place that shows user input."""
    rows = [figures.FigureRow(name, 0.5, 0.4, 0.6, (0.5,), 1, name) for name in names[:40]]
    drawn = figure(
        figures.dots, rows, axis=names[0], label=names[1], caption=names[2],
        legend=[(name, 1) for name in names[:20]],
    )  # fmt: skip
    cells = [[TableCell(n, n, n, 1), n, TableCell(n, warning=True)] for n in names]
    table = PageTable([*names[:5]], cells, names[3])
    parts = [
        drawn,
        table,
        PageTable(["a"], [[n] for n in names], names[4], folded=True),
        *(Strip(n, [Picture(PIXEL, 8, 8, n, n)]) for n in names),
        *(Passages(n, [(n, n)]) for n in names),
        *(PolicyBlock(n, None, json.dumps({"name": n})) for n in names[:100]),
        Definitions({n: {n: Code(n)} for n in names}),
    ]
    return Page(
        title=names[0], lead=" ".join(names[:50]), verdict="better", badge=names[1],
        kicker=names[2], answers=[Answer(n, n, n) for n in names], warnings=names,
        commands=names, sections=[Section(names[5], parts, names), Section(names[6], ())],
        provenance={n: n for n in names},
    )  # fmt: skip


def check(browser, path, names):
    browser.open(path)
    asked = [a for a in browser.requests() if not a.startswith("data:")]
    assert asked == [path.as_uri()]
    assert browser.complaints() == []
    assert browser.evaluate("typeof window.hacked") == "undefined"
    assert browser.evaluate("document.scripts.length") == 1
    strange = "iframe, object, embed, form, base, video, math, template, [onerror], [onload], \
        [onfocus], [ontoggle], [onmouseover], a[href^=javascript], meta[http-equiv=refresh]"
    assert browser.evaluate(f"document.querySelectorAll({json.dumps(strange)}).length") == 0
    # Names are compared letter by letter, except for NUL, which browsers drop.
    text = browser.evaluate("document.body.textContent")
    shown = [name for name in names if name.replace("\0", "") in text]
    assert len(shown) == len(names), set(names) - set(shown)


@pytest.mark.parametrize("guarded", [True, False], ids=["with its policy", "by escaping alone"])
def test_hostile_names_are_shown_and_nothing_of_them_runs(browser, tmp_path, guarded):
    path = write_report(tmp_path / "report.html", everywhere(NAMES))
    assert len(NAMES) == 500
    if not guarded:
        text = path.read_text("utf-8")
        bare, found = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        assert found == 1
        path.write_text(bare, "utf-8")
    check(browser, path, NAMES)


def test_hostile_classes_and_groups_of_an_audit(browser, tmp_path):
    from automorph.data import from_arrays
    from automorph.robustness import audit

    names = NAMES[:24]
    rng = np.random.default_rng(0)
    n = 40 * len(names)
    labels = np.repeat(np.arange(len(names)), 40)
    groups = np.tile(np.arange(2), n // 2)
    data = from_arrays(
        rng.integers(0, 256, (n, 8, 8, 1), np.uint8), labels, classes=names,
        subgroups=[names[g] for g in groups], name=names[0],
        test=(rng.integers(0, 256, (n, 8, 8, 1), np.uint8), labels, [names[g] for g in groups]),
    )  # fmt: skip
    np.save(tmp_path / "said.npy", rng.permutation(labels))
    found = audit(data, predictions=str(tmp_path / "said.npy"), part="test")
    page = audit_page({**found.to_dict(), "data": names[0], "next": [names[1]]})
    path = write_report(tmp_path / "report.html", page)
    check(browser, path, [name for name in names if "\0" not in name][:5])


def test_hostile_policies_of_a_comparison(browser, tmp_path):
    row = {"accuracy": {"mean": 0.5, "se": 0.1, "values": [0.4, 0.6]}, "difference": None,
           "seconds": {"mean": 1.0, "values": [1, 1]},
           "units": {"forward": 1, "backward": 1}}  # fmt: skip
    names = NAMES[:9]
    content = {
        "rows": [{**row, "policy": n, "label": n, "rank": k} for k, n in enumerate(names, 1)],
        "seeds": [0, 1], "baseline": names[0], "winner": names[1], "confidence": 0.95,
        "verdict": {"kind": "unclear", "text": names[2]}, "curves": {}, "model": names[3],
        "data": {"source": names[4], "domain": "image", "classes": list(names), "n_train": 1,
                 "n_validation": 1, "n_test": 1, "shape": [8, 8, 1], "hash": "x",
                 "notes": list(names), "skipped": [{"id": names[5], "reason": names[6]}]},
        "parameters": 1, "recipe": {"epochs": 1}, "provenance": {"command": names[7]},
        "next": list(names), "policies": {}, "previews": {},
    }  # fmt: skip
    path = write_report(tmp_path / "report.html", compare_page(content))
    check(browser, path, names[:5])
    assert Markup(path.read_text("utf-8")).count("<script") == 1
