"""What a wrong guess costs: best, worst and usual candidate on every public set, and why."""

from __future__ import annotations

from collections.abc import Iterator

from table_layout import Content, table

USUAL = {"image": "flip-crop + trivialaugment", "text": "eda"}
"""What one would type without a search, without its options."""
WHY = {
    "cifar10": "small photographs of things in any place",
    "fashion-mnist": "clothes hang upright, and their shape tells them apart",
    "mnist": "turned or mirrored digits are other digits",
    "traffic_signs": "left and right signs are mirror images",
    "spoken_digits": "a spectrogram has an axis of time and one of pitch",
    "satellite_rsscn7": "seen from above, every direction is alike",
    "red_cells": "cells have no direction",
    "textures_dtd10": "textures have no place and hardly a direction",
    "steel_defects": "scratches have directions",
    "apple_leaves": "leaves lie in any direction, and colours show the disease",
    "sst2": "single words decide",
    "trec": "the word that asks decides",
    "banking77": "many classes that differ by a word",
}  # fmt: skip
"""What a wrong guess overlooks."""


def wrong_guess(content: Content) -> str:
    """Points over no augmentation on every set: the best, the usual and the worst candidate."""
    lines = [
        (
            name, rows[0]["seeds"], _shown(best), _shown(usual), _shown(worst),
            f"{best['points'] - worst['points']:.1f}", WHY[name],
        )
        for name, rows, best, usual, worst in _sets(content)
    ]  # fmt: skip
    head = ("set", "seeds", "best", "usual", "worst", "best - worst (points)", "what decides")
    return table(head, lines, align="lrlllrl")


def wrong_guess_images(content: Content) -> str:
    """The same without the names of policies, on images."""
    sets = [one for one in _sets(content) if one[1][0]["domain"] == "image"]
    lines = [
        (name, *(f"{row['points']:+.1f}" for row in (usual, best, worst)), WHY[name])
        for name, _, best, usual, worst in sets
    ]
    count = len(sets[0][1])
    head = (
        "set", f"`{USUAL['image']}`", f"best of {count}", f"worst of {count}", "what decides"
    )  # fmt: skip
    return table(head, lines, align="lrrrl")


def _sets(content: Content) -> Iterator[tuple[str, list[Content], Content, Content, Content]]:
    """Yield each set with its rows, and the best, the usual and the worst of them."""
    sets: dict[str, list[Content]] = {}
    for row in content["rows"]:
        sets.setdefault(row["set"], []).append(row)
    for name, rows in sets.items():
        ranked = sorted(rows, key=lambda row: -float(row["points"]))
        typed = USUAL[rows[0]["domain"]]
        usual = next(row for row in rows if row["candidate"].partition("(")[0] == typed)
        yield name, rows, ranked[0], usual, ranked[-1]


def _shown(row: Content) -> str:
    return f"{row['points']:+.1f} `{row['candidate']}`"
