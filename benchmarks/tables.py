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


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "policies-fashion-mnist": policies,
    "policies-cifar10": policies,
    "throughput": throughput,
}


def filled(page: str) -> str:
    """The page with its tables made anew."""

    def table(match: re.Match[str]) -> str:
        name = match[2]
        path = RESULTS / f"{name}.json"
        if name not in TABLES or not path.exists():
            return match[0]
        made = TABLES[name](json.loads(path.read_text(encoding="utf-8")))
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
