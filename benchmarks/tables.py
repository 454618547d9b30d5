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

import machine_tables
import method_tables
import portfolio_tables
import published
import table_layout
import training_tables
import wrong_guess

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
    "policies-fashion-mnist": (training_tables.policies, ("policies-fashion-mnist",)),
    "policies-cifar10": (training_tables.policies, ("policies-cifar10",)),
    "recipes": (training_tables.recipes, ("recipes",)),
    "recipes-sets": (training_tables.recipes_by_set, ("recipes",)),
    "recipes-worth": (training_tables.worth, ("recipes",)),
    "recipes-claims": (table_layout.claims, ("recipes",)),
    "photographs": (training_tables.photographs, ("photographs",)),
    "photographs-claims": (table_layout.claims, ("photographs",)),
    "isic-metrics": (training_tables.isic_metrics, ("isic-metrics",)),
    "isic-metrics-claims": (table_layout.claims, ("isic-metrics",)),
    "wbc-masks": (training_tables.target, ("wbc-masks",)),
    "wbc-masks-claims": (table_layout.claims, ("wbc-masks",)),
    "pcb-labels": (training_tables.target, ("pcb-labels",)),
    "pcb-labels-claims": (table_layout.claims, ("pcb-labels", "pcb-explain")),
    "food-weight": (training_tables.target, ("food-weight",)),
    "food-weight-claims": (table_layout.claims, ("food-weight",)),
    "folds": (training_tables.folds, ("folds",)),
    "folds-claims": (table_layout.claims, ("folds",)),
    "portfolio": (portfolio_tables.best_by_set, ("portfolio",)),
    "portfolio-red-cells": (portfolio_tables.red_cells, ("portfolio",)),
    "portfolio-claims": (table_layout.claims, ("portfolio",)),
    "unlabelled": (training_tables.unlabelled, ("unlabelled",)),
    "unlabelled-claims": (table_layout.claims, ("unlabelled",)),
    "frozen-ranking": (training_tables.frozen_ranking, ("frozen_ranking",)),
    "frozen-ranking-claims": (table_layout.claims, ("frozen_ranking",)),
    "throughput": (machine_tables.throughput, ("throughput",)),
    "throughput-avx2": (machine_tables.throughput, ("throughput_avx2",)),
    "throughput-avx2-claims": (table_layout.claims, ("throughput_avx2",)),
    "operations": (machine_tables.operations, ("operations",)),
    "operations-claims": (table_layout.claims, ("operations",)),
    "single-images": (machine_tables.single_images, ("throughput",)),
    "online-map": (method_tables.online_map, ONLINE),
    "online-cost": (method_tables.online_cost, ("online-cost",)),
    "dauphin": (method_tables.dauphin, ("dauphin",)),
    "dauphin-claims": (table_layout.claims, ("dauphin",)),
    "online-claims": (table_layout.claims, (*ONLINE, "online-cost")),
    "search-methods": (training_tables.search_methods, ("search-methods",)),
    "search-density": (training_tables.search_density, ("search-density",)),
    "search-claims": (table_layout.claims, SEARCH),
    "published-searches": (training_tables.published_searches, ("published-searches",)),
    "published-searches-claims": (table_layout.claims, ("published-searches",)),
    "wrong-guess": (wrong_guess.wrong_guess, ("portfolio",)),
    "wrong-guess-images": (wrong_guess.wrong_guess_images, ("portfolio",)),
    "suite": (training_tables.suite, ("suite",)),
    "suite-brief": (training_tables.suite_brief, ("suite",)),
    "suite-claims": (table_layout.claims, ("suite",)),
    "search-cost": (training_tables.search_cost, ("search-cost",)),
    "search-cost-claims": (table_layout.claims, ("search-cost",)),
    "tanda-mnist": (method_tables.tanda, ("tanda-mnist",)),
    "tanda-cifar10": (method_tables.tanda, ("tanda-cifar10",)),
    "tanda-claims": (table_layout.claims, ("tanda-mnist", "tanda-cifar10")),
    "theory-figures": (method_tables.theory_figures, ("theory-figures",)),
    "theory-networks": (method_tables.theory_networks, ("theory-scale",)),
    "theory-kernel": (method_tables.theory_kernel, ("theory-scale",)),
    "theory-claims": (table_layout.claims, ("theory-figures", "theory-scale")),
    "explain-judged": (training_tables.explain_judged, EXPLAIN),
    "explain-backbone": (training_tables.explain_backbone, ("explain_backbone",)),
    "explain-backbone-claims": (table_layout.claims, ("explain_backbone",)),
    "explain-claims": (table_layout.claims, EXPLAIN),
    "instant": (training_tables.instant, INSTANT),
    "instant-claims": (table_layout.claims, INSTANT),
    "pruned": (training_tables.pruned, PRUNED),
    "pruned-claims": (table_layout.claims, PRUNED),
    "patching": (method_tables.patching, ("patching",)),
    "isic": (method_tables.isic, ("isic",)),
    "patching-claims": (table_layout.claims, ("patching", "isic")),
    "waterbirds": (method_tables.waterbirds, ("waterbirds",)),
    "waterbirds-claims": (table_layout.claims, ("waterbirds",)),
    "stickers": (method_tables.stickers, ("isic_stickers",)),
    "stickers-claims": (table_layout.claims, ("isic_stickers",)),
    "patch-commands": (method_tables.patch_commands, ("patch_commands",)),
    "patch-commands-claims": (table_layout.claims, ("patch_commands",)),
    "slices": (method_tables.slices, ("slices",)),
    "slices-claims": (table_layout.claims, ("slices",)),
    "text": (training_tables.texts, TEXT),
    "text-claims": (table_layout.claims, TEXT),
    "faults": (machine_tables.faults, ("faults",)),
    "memory": (machine_tables.memory, ("memory",)),
    "memory-claims": (table_layout.claims, ("memory",)),
    "files": (machine_tables.files, ("files",)),
    "files-pixels": (machine_tables.files_pixels, ("files",)),
    "files-explain": (machine_tables.files_explain, ("files",)),
    "files-claims": (table_layout.claims, ("files",)),
    "load": (machine_tables.load, ("load",)),
    "scaling": (machine_tables.scaling, ("load",)),
    "costs": (machine_tables.costs, ("load",)),
    "reproduction": (training_tables.reproduction, published.RESULTS),
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
