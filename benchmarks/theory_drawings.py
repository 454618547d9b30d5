"""The drawings of theory_figures.py: one SVG file a figure, and one page with all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from automorph.files import whole_file
from automorph.report import svg
from automorph.report.curves import Curve, curves
from automorph.report.figures import Row, differences, dots
from automorph.report.page import Figure, Page, Section, write_report
from record import RESULTS

FOLDER = Path(__file__).parent.parent / "docs" / "guides" / "figures"
STYLE = """
svg{background:#fff;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
text{fill:#15181d}.tick,.axis{font-size:12px;fill:#586171}.name,.number{font-size:13px}
.number{font-weight:600}.grid{stroke:#dfe3e8}.zero{stroke:#586171;stroke-width:1.5}
.pair,.ghost{fill:none;stroke:#586171;opacity:.36}.mark,.bar{fill:var(--c)}
.mark{stroke:#fff;stroke-width:1.2}.dot{fill:var(--c);opacity:.5}
.whisker{stroke:var(--c);stroke-width:2}.band{fill:var(--c);opacity:.16}
.curve{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round}
.dash2{stroke-dasharray:7 5}.dash3{stroke-dasharray:1.5 5}.dash0{stroke-dasharray:12 5 2 5}
.curve.s0{stroke-dasharray:none}
.s0{--c:#737b8a}.s1{--c:#0b5fc0}.s2{--c:#cf284b}.s3{--c:#c37f00}.s4{--c:#663072}.s5{--c:#194f1b}
"""


def scatter(
    points: Sequence[tuple[str, Any, Any]], *, width: int, axis: str, across: str, label: str
) -> Markup:
    """Named points, each with one dot a seed and their mean; lines at zero."""
    wide = svg.is_wide(width)
    left, right, top, bottom = 52.0, width - 16.0, 30.0, 330.0 if wide else 260.0
    xs, ys = (np.concatenate([np.ravel(p[i]) for p in points]) for i in (1, 2))
    x = svg.Scale(*svg.span(xs.tolist(), zero=True), left, right)
    y = svg.Scale(*svg.span(ys.tolist(), zero=True), bottom, top)
    children = [svg.text(0, 14, axis, "axis")]
    places = svg.ticks(y.low, y.high, 6)
    for place, words in zip(places, svg.tick_words(places, sign=True), strict=True):
        line = "zero" if place == 0 else "grid"
        children += [svg.line(left, y(place), right, y(place), line),
                     svg.text(left - 8, y(place) + 4, words, "tick", "end")]  # fmt: skip
    places = svg.ticks(x.low, x.high, 7 if wide else 4)
    for place, words in zip(places, svg.tick_words(places, sign=True), strict=True):
        line = "zero" if place == 0 else "grid"
        children += [svg.line(x(place), top, x(place), bottom, line),
                     svg.text(x(place), bottom + 18, words, "tick", "middle")]  # fmt: skip
    children.append(svg.text((left + right) / 2, bottom + 38, across, "axis", "middle"))
    for number, (_, across_values, values) in enumerate(points):
        colour = svg.series(1 + number % 5)
        for a, b in zip(across_values, values, strict=True):
            children.append(svg.tag("circle", cx=x(a), cy=y(b), r=3.0, class_=f"dot {colour}"))
    taken: list[tuple[float, float]] = []
    for number, (name, across_values, values) in enumerate(points):
        a, b = x(float(np.mean(across_values))), y(float(np.mean(values)))
        children.append(svg.mark(a, b, 1 + number % 5, 5.5))
        end = a > right - 8 * len(name)
        height = b - 10
        while any(abs(height - h) < 15 and abs(a - o) < 80 for o, h in taken):
            height -= 15
        taken.append((a, height))
        children.append(svg.text(a, height, name, "name", "end" if end else "middle"))
    return svg.drawing(width, bottom + 44, children, label)


def draw_all(
    read: Callable[[str], list[Any]],
    counts: Sequence[int],
    strengths: Sequence[float],
    draws: Sequence[int],
    ranges: Sequence[float],
    rows: list[Any],
) -> None:
    """Draw every figure into docs/guides/figures and all of them into one page."""
    kernel, deep, linear = read("kernel"), read("lenet"), read("linear")
    chain, evidence = read("chain"), read("evidence")
    sections: list[Section] = []

    def show(
        name: str, title: str, expected: str, draw: Callable[..., Markup], given: Any, **words: str
    ) -> None:
        wide, narrow = (
            draw(given, width=w, label=f"{title}. Expected: {expected}", **words)
            for w in (svg.WIDE, svg.NARROW)
        )
        FOLDER.mkdir(parents=True, exist_ok=True)
        styled = re.sub("(<svg[^>]*>)", rf"\1<style>{STYLE}</style>", str(wide), count=1)
        with whole_file(FOLDER / f"{name}.svg") as draft:
            draft.write_text(styled + "\n", encoding="utf-8")
        figure = Figure(wide, narrow, f"Expected: {expected}")
        sections.append(Section(title, [figure], [f"The papers lead one to expect: {expected}"]))

    runs = {f"{name}, random features": [cell[name]["history"] for cell in kernel]
            for name in ("rotation", "crop", "blur")}  # fmt: skip
    runs["rotation, LeNet"] = [cell["history"] for cell in deep]
    below = "first order lies below the exact objective (zero), second order close to zero."
    best = "second order nearest to the exact model, then first order, then no augmentation."
    words = {"original": ("no augmentation", 0), "first": ("first order", 2),
             "second": ("second order", 1)}  # fmt: skip
    for name, histories in runs.items():
        short = re.sub("[^a-z]+", "-", name.lower())
        places = np.arange(1, len(histories[0]) + 1)

        def lines(
            pick: Callable[[Any, str], float], histories: Any = histories, places: Any = places
        ) -> list[Curve]:
            return [
                Curve(title, places, [[pick(epoch, order) for epoch in h] for h in histories], c)
                for order, (title, c) in words.items()
            ]

        show(f"objectives-{short}", f"Objectives: {name}", below, curves,
             lines(lambda e, o: e["objectives"][o] - e["objectives"]["exact"]),
             axis="objective less the exact one (nats)")  # fmt: skip
        show(f"agreement-{short}", f"Agreement: {name}", best, curves,
             lines(lambda e, o: 100 * e[o]["agreement"]),
             axis="same prediction as the exact model (%)")  # fmt: skip
        show(f"divergence-{short}", f"Divergence: {name}", best, curves,
             lines(lambda e, o: float(np.log10(max(e[o]["divergence"], 1e-12)))),
             axis="log10 of KL(exact || model)")  # fmt: skip

    names = [row["operation"] for row in rows if "operation" in row]
    for kind in ("centred", "uncentred"):
        points = [(n, [cell[n][kind] for cell in kernel],
                   [100 * (cell[n]["accuracy"] - cell["base"]) for cell in kernel])
                  for n in names]  # fmt: skip
        show(f"alignment-{kind}", f"Alignment ({kind}) and accuracy",
             "operations to the right of zero help, flips lie to the left and hurt.",
             scatter, points, axis="change of test accuracy (points)",
             across=f"gain of {kind} kernel alignment")  # fmt: skip

    found = []
    for row in (r for r in rows if "lenet" in r and r["lenet"] != "second"):
        arm, values = row["lenet"], [100 * v for v in row["accuracy"]]
        title = {"original": "no augmentation", "exact": "every copy (exact)",
                 "first": "averaged at layer 4"}.get(arm, f"averaged at {arm}")  # fmt: skip
        work = "" if row["work"] is None else f", {100 * row['work']:.0f} % of the work"
        found.append(Row(title + work, float(np.mean(values)), dots=values, colour=0,
                         words=f"{np.mean(values):.1f}"))  # fmt: skip
    order = ["original", "layer 0", "layer 1", "layer 2", "layer 3", "first", "exact"]
    arms = [r["lenet"] for r in rows if "lenet" in r and r["lenet"] != "second"]
    show("layers", "Averaging at a layer: LeNet, rotation",
         "the deeper the layer, the more of the gain is kept, and the more work it is.", dots,
         [found[arms.index(a)] for a in order], axis="test accuracy (%)")  # fmt: skip

    settings = {"0.1,1": "noise 0.1, penalty 1", "0.1,4": "noise 0.1, penalty 4",
                "0.5,1": "noise 0.5, penalty 1", "0.5,4": "noise 0.5, penalty 4"}  # fmt: skip
    lines = []
    for number, (key, title) in enumerate(settings.items()):
        total = np.concatenate([np.array(cell["points"][key]).sum(2) for cell in linear])
        lines.append(Curve(title, counts, total.mean(0), 1 + number))
    show("points", "Adding label-keeping points",
         "a steady fall where noise is small; with noise and a small penalty a peak where the "
         "points just fill the space; a larger penalty flattens it.", curves, lines,
         axis="expected squared error", across="points added")  # fmt: skip
    noisy = np.concatenate([np.array(cell["points"]["0.5,1"]) for cell in linear]).mean(0)
    show("bias-variance", "Where the peak comes from (noise 0.5, penalty 1)",
         "new directions lower the bias; the noise that copies carry raises the variance.", curves,
         [Curve("bias (squared)", counts, noisy[:, 0], 1),
          Curve("variance", counts, noisy[:, 1], 2)],
         axis="part of the error", across="points added")  # fmt: skip

    def against(what: str, base: str, title: str, colour: int) -> Row:
        change = np.array([
            (np.array(cell["kinds"][what]) - np.array(cell["kinds"][base])).sum(1).mean()
            for cell in linear
        ])  # fmt: skip
        half = 2.776 * change.std(ddof=1) / np.sqrt(len(change))
        mean = float(change.mean())
        return Row(title, mean, mean - half, mean + half, colour=colour, words=f"{mean:+.3f}")

    show("kinds", "Kinds of augmentation: change of the error",
         "composed operations lower the error beyond one operation; labels that change raise it; "
         "mixup lowers it a little where noise is large.", differences, [
             against("one operation, 40 points", "nothing", "one operation", 1),
             against("and 40 composed", "nothing", "and composed with another", 1),
             against("label changed, 40", "nothing", "label changed", 2),
             against("centred, noisy: mixup 400", "centred, noisy: nothing", "mixup, noisy", 3),
         ], axis="change of expected squared error")  # fmt: skip
    show("greedy", "Which points first (noise 0.3, penalty 1)",
         "a few well chosen points do more than many at random.", curves,
         [Curve(name, counts, np.concatenate([cell["greedy"][name] for cell in linear]).mean(0), c)
          for c, name in enumerate(("best first", "random order"), 1)],
         axis="expected squared error", across="points added (at most)")  # fmt: skip
    strong = np.log10(strengths)
    show("strength", "How many operations to compose: glyphs",
         "with finitely many draws accuracy rises with the strength, then falls; the kernel itself "
         "falls once classes mix.", curves,
         [Curve("kernel (Bayes)", strong, [100 * np.array(c["accuracy"]) for c in chain], 1),
          Curve("1,000 draws, 5 neighbours", strong,
                [100 * np.array(c["neighbours"]) for c in chain], 2)],
         axis="accuracy on unseen glyphs (%)",
         across="log10 of the mean number of operations")  # fmt: skip
    show("neighbours", "Neighbours among augmented examples become the kernel classifier",
         "disagreement falls towards 0 as draws grow.", curves,
         [Curve("disagreement", np.log10(draws),
                [100 * np.array(c["disagreement"]) for c in chain], 1)],
         axis="predictions that differ from the kernel's (%)",
         across="log10 of the number of draws")  # fmt: skip
    gains = [Curve(name, ranges, [np.array(c[name]) - c[name][0] for c in evidence], colour)
             for colour, name in enumerate(evidence[0], 1)]  # fmt: skip
    show("evidence", "How far to rotate, from training digits alone",
         "turned digits ask for a wider range than upright ones.", curves, gains,
         axis="log marginal likelihood an example, less that of no rotation (nats)",
         across="range of rotation (degrees, both ways)")  # fmt: skip
    page = Page(title="The theories' figures", lead="Measured again, beside what is expected.",
                sections=sections)  # fmt: skip
    print(write_report(RESULTS / "theory-figures.html", page))
