"""Tables of methods inside training, of patching and of the theories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from record import mean_of
from table_layout import (
    AGAIN,
    Content,
    by_arm,
    difference,
    outdated_arms,
    part_of,
    reach,
    spread,
    table,
    with_interval,
)


def online_map(*contents: Content) -> str:
    """The gain of each online method over RandAugment, in points, by regime."""
    return by_arm({part_of(content): content for content in contents}, base="randaugment")


def dauphin(content: Content) -> str:
    """Uncertainty sampling by the released recipe, and its lead over RandAugment, by network."""
    rows = []
    for model in dict.fromkeys(row["model"] for row in content["rows"]):
        own = {r["arm"]: r for r in content["rows"] if r["model"] == model}
        test = {arm: row["test"]["values"] for arm, row in own.items()}
        mine = test["proportional"]
        if mine:
            leads = [difference(mine, test[than]) for than in ("same tail", "own tail")]
            arms = ("proportional", "same tail", "own tail")
            epochs = ", ".join(reach(own[arm]["epochs"]) for arm in arms)
            mean = f"{100 * own['proportional']['test']['mean']:.1f}"
            rows.append((model, str(len(mine)), mean, *leads, epochs))
    head = ("network", "pairs", "test accuracy (%)", "over RandAugment, the same tail",
            "over RandAugment, its own tail", "epochs of the three")  # fmt: skip
    return table(head, rows)


def online_cost(content: Content) -> str:
    """Time of an epoch relative to plain training, with quartiles."""
    rows = [
        (row["arm"], "{1:.2f} ({0:.2f} to {2:.2f})".format(*row["ratio"]))
        for row in content["rows"]
    ]  # fmt: skip
    return table(("arm", "epoch time relative to plain training (median, quartiles)"), rows)


def patching(content: Content) -> str:
    """Robust accuracy, accuracy, gaps and mutual information by arm; dead seeds are named."""
    outdated = outdated_arms(content)
    rows: list[Sequence[Any]] = []
    for row in content["rows"]:
        if (arm := row["arm"]) in outdated:
            rows.append((arm, f"{AGAIN} ({outdated[arm]})", "", "", ""))
            continue
        words = [f"seed {seed} trained twice" for seed in row.get("died", ())]
        words += [
            f"seed {n} predicts one class"
            for n, value in enumerate(row["robust_accuracy"]["values"])
            if not value
        ]
        rows.append(
            (f"{arm} ({', '.join(words)})" if words else arm,
             spread(row["robust_accuracy"]), spread(row["accuracy"]),
             ", ".join(f"{gap['mean']:.1f}" for gap in row["gap"].values()),
             f"{row['mutual_information']['mean']:.4f}")
        )  # fmt: skip
    heads = ("objective", "robust accuracy (%)", "accuracy (%)", "gap even, odd (points)",
             "information (nats)")  # fmt: skip
    return table(heads, rows)


def isic(content: Content) -> str:
    """Accuracy of every group, and how often a pasted sticker flips the prediction."""
    groups = list(content["rows"][0]["groups"])
    rows = []
    for row in content["rows"]:
        looks = row.get("saliency on sticker")
        saliency = f"{looks['mean']:.2f} x its area" if looks else ""
        cells = [spread(row["groups"][group]) for group in groups]
        by_seed = zip(*(row["groups"][group]["values"] for group in groups), strict=True)
        # Every group right or wrong as a whole: the network predicts one class.
        alike = [str(n) for n, shares in enumerate(by_seed) if set(shares) <= {0, 1}]
        words = f" (seeds {', '.join(alike)} predict one class)" if alike else ""
        rows.append((row["arm"] + words, *cells, spread(row["flips"]), saliency))
    heads = "objective", *groups, "flipped predictions", "saliency on the sticker"
    return table(heads, rows)


def stickers(content: Content) -> str:
    """Recall of malignant images with and without pasted stickers, at one specificity."""
    keys = ("specificity", "recall", "recall, pasted", "robust with pasted")
    rows = [
        (row["arm"], *(spread(row[key]) for key in keys), f"{row['auroc']['mean']:.3f}")
        for row in content["rows"]
    ]
    heads = ("network, objective", "specificity (%)", "recall of malignant (%)",
             "with a sticker (%)", "robust accuracy (%)", "AUROC")  # fmt: skip
    return table(heads, rows)


def waterbirds(content: Content) -> str:
    """Accuracy of the worst group and of the whole test part, by objective."""
    rows = [
        (row["arm"], spread(row["worst"]), spread(row["accuracy"]), f"{row['seconds']['mean']:.0f}")
        for row in content["rows"]
    ]
    return table(("objective", "worst group (%)", "accuracy (%)", "seconds"), rows)


def patch_commands(content: Content) -> str:
    """What `automorph patch` recommends by set, and what was best in hindsight."""
    rows = []
    for row in content["rows"]:
        chosen, best = (f"{row[key]}: {100 * row['means'][row[key]]:.1f}" for key in
                        ("objective", "best"))  # fmt: skip
        rows.append((row["data"], row["translator"], chosen, best, f"{row['seconds'] / 60:.0f}"))
    heads = ("data", "translator", "recommended, robust accuracy (%)",
             "best in hindsight (%)", "minutes")  # fmt: skip
    return table(heads, rows, align="llllr")


def slices(content: Content) -> str:
    """How many of ten examples that a slice names belong to a hidden group that fails."""
    rows = [
        (row["data"], row["group"], *(spread(row[one]) for one in ("chance", "domino", "george")))
        for row in content["rows"]
    ]
    return table(
        ("data", "class, hidden subgroup", "by chance %", "`domino` %", "`george` %"), rows
    )


def tanda(content: Content) -> str:
    """Test accuracy by arm, and the generators' percentage of destructive operations."""
    rows: list[Sequence[Any]] = []
    outdated = outdated_arms(content)
    for row in content["rows"]:
        if (arm := row["arm"]) in outdated:
            rows.append((arm, f"{AGAIN} ({outdated[arm]})", ""))
            continue
        learned = row["destructive"]
        share = f"{100 * sum(learned) / len(learned):.1f}" if learned else row["usual"]
        rows.append((row["arm"], spread(mean_of(row["accuracy"])), share))
    heads = "sequences", "test accuracy (%)", "destructive operations (%)"
    return table(heads, rows)


def theory_figures(content: Content) -> str:
    """Both alignment gains of each operation, and the change of accuracy it causes."""

    def gain(row: Content, kind: str) -> str:
        low, high = row[f"{kind} interval"]
        verdict = "; cannot be told" if low <= 0 <= high else ""
        return f"{row[kind]:+.4f} ({low:+.4f} to {high:+.4f}{verdict})"

    rows = [
        (row["operation"], gain(row, "uncentred"), gain(row, "centred"),
         f"{100 * row['change']:+.1f}")
        for row in content["rows"]
        if "operation" in row
    ]  # fmt: skip
    gains = ("uncentred alignment gain (the paper's)", "centred")
    return table(("operation", *gains, "change of test accuracy (points)"), rows)


def theory_networks(content: Content) -> str:
    """Bias, variance and error of networks under single and composed operations."""
    rows = [
        (row["network"], row["arm"], *(with_interval(row[what]) for what in
                                       ("bias", "variance", "error")))
        for row in content["rows"]
        if "network" in row
    ]  # fmt: skip
    heads = ("network", "copies", "bias", "variance", "wrong (fraction)")
    return table(heads, rows, align="llrrr")


def theory_kernel(content: Content) -> str:
    """Alignment gains, regulariser and accuracies of the kernel with 10,000 digits."""
    whats = ("uncentred", "centred", "regulariser", "share of the gap")
    orders = ("original", "variance", "first", "second", "exact")
    rows = [
        (row["kernel"], *(with_interval(row[what]) for what in whats),
         *(f"{100 * mean_of(row['accuracy'][order])['mean']:.1f}" for order in orders))
        for row in content["rows"]
        if "kernel" in row
    ]  # fmt: skip
    gains = ("uncentred alignment gain", "centred", "regulariser R", "R / (exact - first)")
    return table(("operation", *gains, *(f"{order} (%)" for order in orders)), rows)
