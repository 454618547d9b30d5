"""Write the result tables of README.md and docs/ from benchmarks/results/*.json.

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; whatever is there is replaced.
Run: .venv/bin/python benchmarks/tables.py (``--check`` fails if a table is out of date).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PLACE = re.compile(r"(<!-- table ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def policies(content: dict[str, Any]) -> str:
    """Accuracy by policy, with paired differences from the baseline."""
    lines = [
        "| policy | test accuracy (%) | difference from `none` (points, 95 % interval) |",
        "|---|---:|---:|",
    ]
    for row in content["rows"]:
        accuracy = row["accuracy"]
        cell = f"{100 * accuracy['mean']:.1f} ± {100 * accuracy['se']:.1f}"
        d = row["difference"]
        difference = (
            f"{100 * d['mean']:+.1f} ({100 * d['low']:+.1f} to {100 * d['high']:+.1f})" if d else ""
        )
        lines.append(f"| `{row['policy']}` | {cell} | {difference} |")
    return "\n".join(lines)


def throughput(content: dict[str, Any]) -> str:
    """Images a second and ratios of RandAugment(2, 9), one thread."""
    peers = ["timm", "albumentations", "torchvision on PIL", "torchvision on tensors*", "kornia*"]
    lines = [
        f"| images | Automorph (images/s) | {' | '.join(f'x {peer}' for peer in peers)} |",
        f"|---|---:|{'---:|' * len(peers)}",
    ]
    for row in content["rows"]:
        if row.get("policy") != "RandAugment(2, 9)":
            continue
        kind = "" if row["interpolation"] == "nearest" else ", bilinear"
        ratios = [row["ratio"].get(peer) for peer in peers]
        cells = [f"{r['median']:.1f}" if r else "" for r in ratios]
        speed = f"{row['images_per_second']['automorph']:,.0f}"
        lines.append(f"| {row['size']} px{kind} | {speed} | {' | '.join(cells)} |")
    return "\n".join(lines)


def theory_figures(content: dict[str, Any]) -> str:
    """Alignment of each operation beside the change of accuracy it brings."""
    lines = [
        "| operation | centred alignment gain | uncentred | change of test accuracy (points) |",
        "|---|---:|---:|---:|",
    ]
    for row in content["rows"]:
        if "operation" in row:
            change = f"{100 * row['change']:+.1f}"
            gains = f"{row['centred']:+.3f} | {row['uncentred']:+.3f}"
            lines.append(f"| {row['operation']} | {gains} | {change} |")
    return "\n".join(lines)


def claims(content: dict[str, Any]) -> str:
    """Every claim made before the run, its value and interval, and whether it holds."""
    lines = ["| claim | value | 95 % interval | holds |", "|---|---:|---:|---|"]
    for row in content["claims"]:
        low, high = row["interval"] or (None, None)
        interval = "" if low is None else f"{low:+.3g} to {high:+.3g}"
        holds = {True: "yes", False: "no", None: "cannot be told"}[row["holds"]]
        lines.append(f"| {row['text']} | {row['value']:+.3g} | {interval} | {holds} |")
    return "\n".join(lines)


REGIMES = ("short", "wide", "large")


def online_map(contents: list[dict[str, Any]]) -> str:
    """Where each online method helps: points above RandAugment, by regime."""
    from automorph.comparison import paired_difference

    found = {content["name"].removeprefix("online-"): content for content in contents}
    regimes = [regime for regime in REGIMES if regime in found]
    arms = {row["arm"]: None for regime in regimes for row in found[regime]["rows"]}
    lines = [f"| arm | {' | '.join(regimes)} |", f"|---|{'---:|' * len(regimes)}"]
    for arm in arms:
        cells = []
        for regime in regimes:
            values = {row["arm"]: row["accuracy"]["values"] for row in found[regime]["rows"]}
            if arm not in values or "randaugment" not in values:
                cells.append("")
            elif arm == "randaugment":
                cells.append(f"{100 * sum(values[arm]) / len(values[arm]):.1f} %")
            else:
                d = paired_difference(values[arm], values["randaugment"])
                span = f" ({100 * d.low:+.1f} to {100 * d.high:+.1f})" if d.low is not None else ""
                cells.append(f"{100 * d.mean:+.1f}{span}")
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def online_cost(content: dict[str, Any]) -> str:
    """Seconds of an epoch over those of plain training, with quartiles."""
    lines = ["| arm | time of an epoch over plain training (median, quartiles) |", "|---|---:|"]
    for row in content["rows"]:
        low, middle, high = row["ratio"]
        lines.append(f"| {row['arm']} | {middle:.2f} ({low:.2f} to {high:.2f}) |")
    return "\n".join(lines)


def online_claims(contents: list[dict[str, Any]]) -> str:
    """The claims about all regimes."""
    return claims({"claims": [one for content in contents for one in content["claims"]]})


JOINT: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "online-map": online_map,
    "online-claims": online_claims,
}
"""Tables of all regimes of the online benchmark that have been run."""


def patching(content: dict[str, Any]) -> str:
    """Robust accuracy, accuracy, gaps and information by arm."""
    lines = [
        "| objective | robust accuracy (%) | accuracy (%) | gap even, odd (points) | information "
        "(nats) |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        gaps = ", ".join(f"{gap['mean']:.1f}" for gap in row["gap"].values())
        lines.append(
            f"| {row['arm']} | {_spread(row['robust_accuracy'])} | {_spread(row['accuracy'])} | "
            f"{gaps} | {row['mutual_information']['mean']:.4f} |"
        )
    return "\n".join(lines)


def isic(content: dict[str, Any]) -> str:
    """Accuracy of every group, and how often a pasted sticker changes the prediction."""
    groups = list(content["rows"][0]["groups"])
    lines = [
        f"| objective | {' | '.join(groups)} | predictions that flip | saliency on the sticker |",
        f"|---|{'---:|' * (len(groups) + 2)}",
    ]
    for row in content["rows"]:
        cells = [_spread(row["groups"][group]) for group in groups]
        looks = row.get("saliency on sticker")
        cells += [_spread(row["flips"]), f"{looks['mean']:.2f} x its area" if looks else ""]
        lines.append(f"| {row['arm']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(summary: dict[str, Any]) -> str:
    """Mean and standard error of shares, in percent."""
    se = summary["se"]
    return f"{100 * summary['mean']:.1f}" + ("" if se is None else f" ± {100 * se:.1f}")


def tanda(content: dict[str, Any]) -> str:
    """Test accuracy by arm, and the share of destructive operations that generators learned."""
    lines = [
        "| sequences | test accuracy (%) | share of destructive operations (%) |",
        "|---|---:|---:|",
    ]
    for row in content["rows"]:
        values = row["accuracy"]
        mean = sum(values) / len(values)
        square = sum((value - mean) ** 2 for value in values)
        error = (square / max(1, len(values) - 1) / len(values)) ** 0.5
        learned = row["destructive"]
        share = f"{100 * sum(learned) / len(learned):.1f}" if learned else row["usual"]
        lines.append(f"| {row['arm']} | {100 * mean:.1f} ± {100 * error:.1f} | {share} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "policies-fashion-mnist": policies,
    "policies-cifar10": policies,
    "patching": patching,
    "isic": isic,
    "tanda-mnist": tanda,
    "tanda-cifar10": tanda,
    "throughput": throughput,
    "online-cost": online_cost,
    "theory-figures": theory_figures,
    "theory-claims": claims,
}
SOURCES = {"theory-claims": "theory-figures"}
"""Tables whose result file has another name."""


def filled(page: str) -> str:
    """The page with its tables made anew."""

    def table(match: re.Match[str]) -> str:
        name = match[2]
        own = [SOURCES.get(name, name)]
        files = [f"online-{regime}" for regime in REGIMES] if name in JOINT else own
        paths = [path for file in files if (path := RESULTS / f"{file}.json").exists()]
        contents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        if not contents or name not in {**TABLES, **JOINT}:
            return match[0]
        made = JOINT[name](contents) if name in JOINT else TABLES[name](contents[0])
        return f"{match[1]}\n{made}\n\n{match[3]}"

    return _PLACE.sub(table, page)


def main() -> None:
    stale = []
    for path in PAGES:
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run benchmarks/tables.py")
    print(f"wrote {', '.join(stale)}" if stale else "all tables are up to date")


if __name__ == "__main__":
    main()
