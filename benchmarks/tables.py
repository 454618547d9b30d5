"""Write the result tables of README.md and docs/ from benchmarks/results/*.json.

A table is placed between ``<!-- table NAME -->`` and ``<!-- end -->``, replacing any previous text.
Run: .venv/bin/python benchmarks/tables.py (``--check`` fails if a table is out of date).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import published
import table_forms as forms

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PLACE = re.compile(r"(<!-- table ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

ONLINE = ("online-short", "online-wide", "online-large")
SEARCH = ("search-methods", "search-density", "search-race")
SETS = ("fashion-mnist", "mnist", "cifar10", "digits")
EXPLAIN = tuple(f"explain-{name}" for name in SETS[:3])
INSTANT = tuple(f"instant-{name}" for name in SETS)
PRUNED = ("pruned-cifar10", "pruned-fashion-mnist")
TEXT = tuple(
    f"text-{name}" for name in ("sst2-500", "sst2", "trec", "subj", "mr", "entities", "minilm")
)
TABLES: dict[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    "policies-fashion-mnist": (forms.policies, ("policies-fashion-mnist",)),
    "policies-cifar10": (forms.policies, ("policies-cifar10",)),
    "recipes": (forms.recipes, ("recipes",)),
    "recipes-sets": (forms.recipes_by_set, ("recipes",)),
    "recipes-worth": (forms.worth, ("recipes",)),
    "recipes-claims": (forms.claims, ("recipes",)),
    "photographs": (forms.photographs, ("photographs",)),
    "photographs-claims": (forms.claims, ("photographs",)),
    "folds": (forms.folds, ("folds",)),
    "folds-claims": (forms.claims, ("folds",)),
    "unlabelled": (forms.unlabelled, ("unlabelled",)),
    "unlabelled-claims": (forms.claims, ("unlabelled",)),
    "throughput": (forms.throughput, ("throughput",)),
    "online-map": (forms.online_map, ONLINE),
    "online-cost": (forms.online_cost, ("online-cost",)),
    "dauphin": (forms.dauphin, ("dauphin",)),
    "dauphin-claims": (forms.claims, ("dauphin",)),
    "online-claims": (forms.claims, (*ONLINE, "online-cost")),
    "search-methods": (forms.search_methods, ("search-methods",)),
    "search-density": (forms.search_density, ("search-density",)),
    "search-claims": (forms.claims, SEARCH),
    "tanda-mnist": (forms.tanda, ("tanda-mnist",)),
    "tanda-cifar10": (forms.tanda, ("tanda-cifar10",)),
    "tanda-claims": (forms.claims, ("tanda-mnist", "tanda-cifar10")),
    "theory-figures": (forms.theory_figures, ("theory-figures",)),
    "theory-networks": (forms.theory_networks, ("theory-scale",)),
    "theory-kernel": (forms.theory_kernel, ("theory-scale",)),
    "theory-claims": (forms.claims, ("theory-figures", "theory-scale")),
    "explain-judged": (forms.explain_judged, EXPLAIN),
    "explain-claims": (forms.claims, EXPLAIN),
    "instant": (forms.instant, INSTANT),
    "instant-claims": (forms.claims, INSTANT),
    "pruned": (forms.pruned, PRUNED),
    "pruned-claims": (forms.claims, PRUNED),
    "patching": (forms.patching, ("patching",)),
    "isic": (forms.isic, ("isic",)),
    "patching-claims": (forms.claims, ("patching", "isic")),
    "text": (forms.texts, TEXT),
    "text-claims": (forms.claims, TEXT),
    "faults": (forms.faults, ("faults",)),
    "memory": (forms.memory, ("memory",)),
    "memory-claims": (forms.claims, ("memory",)),
    "load": (forms.load, ("load",)),
    "scaling": (forms.scaling, ("load",)),
    "costs": (forms.costs, ("load",)),
    "reproduction": (forms.reproduction, published.RESULTS),
}
"""The format of each table and its result files; missing files are skipped."""


def filled(page: str) -> str:
    """The page with its tables regenerated."""

    def table(match: re.Match[str]) -> str:
        form, names = TABLES[match[2]]
        paths = [path for name in names if (path := RESULTS / f"{name}.json").exists()]
        if not paths:
            return match[0]
        made = form(*(json.loads(path.read_text(encoding="utf-8")) for path in paths))
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
