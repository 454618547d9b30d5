"""Tables of trainings: policies, recipes, regimes, folds, searches and explanations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from picks import marked
from published import PAPERS, Gap, Line
from suite_figure import USUAL, by_set
from table_layout import (
    AGAIN,
    POINTS,
    Content,
    by_arm,
    difference,
    mentioned,
    outdated_arms,
    part_of,
    points,
    reach,
    spread,
    table,
)

REGIMES = {
    "scratch": "trained from scratch", "frozen": "frozen features", "fine-tuned": "fine-tuned",
}  # fmt: skip
"""What is trained, in the words of a table."""


def policies(content: Content) -> str:
    """Accuracy by policy, with paired differences from the baseline."""
    rows = [
        (f"`{row['policy']}`", spread(row["accuracy"]), points(row["difference"]))
        for row in content["rows"]
    ]
    return table(("policy", "test accuracy (%)", f"difference from `none` {POINTS}"), rows)


def recipes(content: Content) -> str:
    """Test accuracy of the recipes of one, two and four times the cost of that of 0.1."""
    rows = []
    ratio = content["cost"].get("ratio", {})
    for row in content["rows"]:
        if row["part"] in ("cifar", "few"):
            where = "1,600 images" if row["part"] == "cifar" else "500 images"
            cost = ratio.get(row["arm"]) if row["part"] == "cifar" else None
            recipe = "0.1" if row["arm"] == "old" else "current"
            length = ", ".join(map(str, sorted(set(row["epochs"]))))
            rows.append((where, recipe, row["model"], length, f"{cost:.2f}" if cost else "",
                         spread(row["test"]), str(len(row["test"]["values"]))))  # fmt: skip
    head = ("CIFAR-10", "recipe", "network", "epochs", "cost", "test accuracy (%)", "seeds")
    return table(head, rows)


def worth(content: Content) -> str:
    """What augmentation is worth under the recipe of 0.1 and under the current one."""
    rows = content["rows"]
    found = {(row["policy"], row["arm"]): row for row in rows if row["part"] == "worth"}
    # The strong policy under the recipe of 0.1 is stored with the frontier.
    found |= {(r["policy"], "old"): r for r in rows if (r["part"], r["arm"]) == ("cifar", "old")}
    rows = []
    for policy in dict.fromkeys(policy for policy, _ in found):
        cells = []
        for arm in ("old", "new"):
            row = found.get((policy, arm))
            if row is None:
                cells += ["", ""]
                continue
            cells += [reach(row["epochs"]), spread(row["test"])]
        rows.append((f"`{policy}`", *cells))
    head = ("policy", "epochs, 0.1", "test accuracy (%), 0.1", "epochs", "test accuracy (%)")
    return table(head, rows)


def photographs(content: Content) -> str:
    """Test accuracy of each policy from scratch, on frozen features and when fine-tuning."""
    found = {(row["data"], row["regime"], row["policy"]): row for row in content["rows"]}
    policies = list(dict.fromkeys(policy for _, _, policy in found))
    rows = []
    for data, regime in product(sorted({data for data, _, _ in found}), REGIMES):
        own = [row for policy in policies if (row := found.get((data, regime, policy)))]
        if own:
            seconds = max(row["processor"] for row in own)
            cells = (spread(row["test"]) for row in own)
            rows.append((data, REGIMES[regime], *cells, f"{seconds:.0f}"))
    head = ("data", "network", *(f"`{policy}` (%)" for policy in policies), "processor s")
    return table(head, rows, align="ll" + "r" * (len(head) - 2))


def frozen_ranking(content: Content) -> str:
    """Test accuracy of each policy on frozen features and when fine-tuning, by set."""
    found = {(row["data"], row["policy"], row["regime"]): row["test"] for row in content["rows"]}
    sets = list(dict.fromkeys(data for data, _, _ in found))
    regimes = list(dict.fromkeys(regime for _, _, regime in found))
    rows = [
        (f"`{policy}`", *(spread(found[data, policy, one]) for data, one in product(sets, regimes)))
        for policy in dict.fromkeys(policy for _, policy, _ in found)
    ]
    return table(("policy", *(f"{data}, {one} (%)" for data, one in product(sets, regimes))), rows)


def published_searches(content: Content) -> str:
    """What each search costs and gains over the usual policy, by set."""
    rows = []
    for row in content["rows"]:
        usual = next(
            (r for r in content["rows"] if (r["data"], r["arm"]) == (row["data"], USUAL)), None
        )
        gain = "" if usual is None or row is usual else difference(
            row["test"]["values"], usual["test"]["values"]
        )  # fmt: skip
        search = f"{row['search']:.1f}" if row["search"] else ""
        cost = f"{row['training']:.1f}"
        rows.append((row["data"], row["arm"], search, cost, spread(row["test"]), gain))
    head = ("data", "arm", "search (trainings)", "training (trainings)", "test accuracy (%)",
            f"over `{USUAL}` {POINTS}")  # fmt: skip
    return table(head, rows, align="llrrrr")


def unlabelled(content: Content) -> str:
    """Test accuracy with and without unlabelled images."""
    rows = []
    for row in content["rows"]:
        cost = sum(row["core_seconds"]) / len(row["core_seconds"])
        rows.append(
            (f"`{row['policy']}`", reach(row["epochs"]), f"{cost:.0f}", spread(row["test"]))
        )
    return table(("policy", "epochs", "processor seconds", "test accuracy (%)"), rows)


def recipes_by_set(content: Content) -> str:
    """Test accuracy and processor time of both recipes on each set."""
    rows = []
    own = [row for row in content["rows"] if row["part"] in ("suite", "sizes", "fashion", "text")]
    found = {(row["part"], row["data"], row["arm"]): row for row in own}
    for part, data in dict.fromkeys((row["part"], row["data"]) for row in own):
        for arm in ("old", "new", "1x", "2x", "4x"):
            if row := found.get((part, data, arm)):
                rows.append(
                    (
                        data + {"suite": ", 32 px", "sizes": ", 64 px"}.get(part, ""),
                        "0.1" if arm == "old" else "current",
                        row["model"], reach(row["epochs"]),
                        f"{row['processor']:.0f}", spread(row["test"]),
                    )
                )  # fmt: skip
    head = ("data", "recipe", "network", "epochs", "processor s", "test accuracy (%)")
    return table(head, rows)


def isic_metrics(content: Content) -> str:
    """Each policy by five metrics, with differences from none and the leader by each metric."""
    policies = [row["policy"] for row in content["rows"]]
    lines = []
    for title, leader in content["leaders"].items():
        own = [
            {"value": row["accuracy"], "difference": row["difference"]}
            if title == "accuracy" else row["also"][title]
            for row in content["rows"]
        ]  # fmt: skip
        cells = [
            spread(one["value"]) + (f"; {points(one['difference'])}" if one["difference"] else "")
            for one in own
        ]
        lines.append((title, *cells, f"`{leader}`"))
    names = [marked(name, content) for name in policies]
    return table(("metric", *names, "leader"), lines, align=f"l{'r' * len(names)}l")


def target(content: Content) -> str:
    """Each policy by the metric of another target than classes, with its difference from none."""
    rows = content["rows"]
    share = all(0 <= value <= 1 for row in rows for value in row["accuracy"]["values"])
    scale, digits = (100, 1) if share else (1, 2)
    lines = []
    for row in rows:
        mean, se, gap = row["accuracy"]["mean"], row["accuracy"]["se"], row["difference"]
        cell = f"{scale * mean:.{digits}f}" + ("" if se is None else f" ± {scale * se:.{digits}f}")
        change = ""
        if gap:
            ends = "" if gap["low"] is None else (
                f" ({scale * gap['low']:+.{digits}f} to {scale * gap['high']:+.{digits}f})"
            )  # fmt: skip
            change = f"{scale * gap['mean']:+.{digits}f}{ends}"
        lines.append(
            (marked(row["policy"], content), str(len(row["accuracy"]["values"])), cell, change)
        )
    unit = " (%)" if share else ""
    head = ("policy", "seeds", f"test value{unit}", "difference from `none`")
    return table(head, lines)


def folds(content: Content) -> str:
    """How often intervals of cross-validation exclude a true difference of zero."""
    head = ("set", "repeats of 5 folds", "intervals", "exclude zero", "mean half width (points)")
    rows = [
        (row["set"], str(row["repeats"]), "corrected" if row["corrected"] else "Student's t",
         f"{row['excluded']} of {row['draws']}", f"{100 * row['half width']:.1f}")
        for row in content["rows"]
    ]  # fmt: skip
    return table(head, rows)


def search_methods(content: Content) -> str:
    """Final accuracy of the policy that each search found, and the cost of the search."""
    base = next(row for row in content["rows"] if row["policy"] == "none")["accuracy"]["values"]
    rows: list[Sequence[Any]] = []
    outdated = outdated_arms(content)
    for row in content["rows"]:
        if (arm := row["policy"]) in outdated:
            rows.append((arm, "", f"{AGAIN} ({outdated[arm]})", ""))
            continue
        cost = f"{row['search']['trainings']:.1f}" if row["search"] else ""
        gain = "" if row["policy"] == "none" else difference(row["accuracy"]["values"], base)
        rows.append((row["policy"], cost, spread(row["accuracy"]), gain))
    heads = ("arm", "cost of the search (trainings)", "test accuracy (%)",
             f"difference from `none` {POINTS}")  # fmt: skip
    return table(heads, rows)


def search_density(content: Content) -> str:
    """Accuracy and density-matching scores of policies from weak to strong."""
    rows = [
        (row["policy"], f"{100 * row['accuracy']:.1f}", f"{row['any']:.3f}", f"{row['loss']:.3f}")
        for row in content["rows"]
    ]
    heads = "policy", "test accuracy (%)", "score (any pass correct)", "score (mean loss)"
    return table(heads, rows)


def explain_judged(*contents: Content) -> str:
    """Correlation of every column with measured gains; one column per data set."""
    rows = []
    for column in contents[0]["correlations"]:
        found = [content["correlations"][column] for content in contents]
        cells = [
            f"{one['value']:+.2f} ({one['interval'][0]:+.2f} to {one['interval'][1]:+.2f})"
            for one in found
        ]
        rows.append((column.replace("_", " "), *cells))
    heads = [f"{content['data']} (seeds: {content['seeds']})" for content in contents]
    return table(("column of `explain`", *heads), rows)


def explain_backbone(content: Content) -> str:
    """Correlation of predicted with measured changes by kind of features; one row per set."""
    shown = {
        "random": "random convolutions", "backbone": "pretrained network", "both": "both",
        "deep": "own network, trained",
    }  # fmt: skip
    rows = []
    for source, facts in content["sets"].items():
        found = [facts["correlations"][name] for name in shown]
        cells = [
            f"{one['value']:+.2f} ({one['interval'][0]:+.2f} to {one['interval'][1]:+.2f})"
            for one in found
        ]
        name = f"{source.replace('_', ' ')} (seeds: {facts['seeds']})"
        rows.append((name, *cells, f"{facts['reliability']:.2f}"))
    heads = "data", *shown.values(), "reliability of the measured changes"
    return table(heads, rows)


def instant(*contents: Content) -> str:
    """Test accuracy of the policies that need no training, by data set."""
    shown = {"none": "none", "random": "random", "TrivialAugment": "trivialaugment"}
    found: dict[str, list[str]] = {}
    for content in contents:
        names = {
            **shown, "RandAugment at its best of four": content["randaugment"],
            "instant": content["policies"]["instant"],
            "instant, RandAugment's space": content["policies"]["instant-randaugment"],
        }  # fmt: skip
        accuracy = {row["policy"]: row["accuracy"] for row in content["rows"]}
        for label, name in names.items():
            found.setdefault(label, []).append(spread(accuracy[name]))
    rows = [(label, *cells) for label, cells in found.items()]
    return table(("policy", *(content["data"] for content in contents)), rows)


def pruned(*contents: Content) -> str:
    """Test accuracy of random search on the whole space and on the space that explain selects."""
    rows = [
        (lines[0]["arm"],
         *(f"{spread(row['accuracy'])} ({row['operations']} operations)" for row in lines))
        for lines in zip(*(content["rows"] for content in contents), strict=True)
    ]  # fmt: skip
    return table(("search", *(content["data"] for content in contents)), rows)


def texts(*contents: Content) -> str:
    """Accuracy without augmentation, and gains over it in points, by data set."""
    return by_arm({part_of(content): content for content in contents}, base="none")


def reproduction(*contents: Content) -> str:
    """Paper by paper: how our setting differs, the command, our figures next to the published."""
    found = {content["name"]: content for content in contents}
    heads = "what", "published", "source", "measured here (95 % interval)", "same direction"
    parts = []
    for paper in PAPERS:
        rows = [(one.what, one.published, one.sure, *_ours(one, found)) for one in paper.lines]
        made = ", ".join(f"`benchmarks/{command}`" for command in paper.commands)
        parts += [f"## {paper.title}", paper.setting.strip()]
        parts += [f"Measured by {made}."] if made else []
        parts.append(table(heads, rows, align="llllr"))
    return "\n\n".join(parts)


def _ours(line: Line, found: dict[str, Content]) -> tuple[str, str]:
    """Our figure with its interval, and whether its direction matches the published one."""
    if line.ours is None:
        return "not attempted", ""
    claim = line.ours.read(found[line.result]) if line.result in found else None
    if claim is None or claim["value"] is None:
        return "not measured yet", ""
    about = f"{line.ours.arm}, {line.ours.base}" if isinstance(line.ours, Gap) else claim["text"]
    if mentioned(outdated_arms(found[line.result]), about):
        return AGAIN, ""
    sign = "+" if line.bar == 0 else ""
    form = f"{sign}.1f" if "(points" in claim["text"] else f"{sign}.3g"
    value, interval = claim["value"], claim["interval"]
    if interval is None:
        holds = {True: "yes", False: "no", None: "inconclusive"}[claim["holds"]]
        return f"{value:{form}}", holds if line.sign else ""
    low, high = sorted(line.sign * (end - line.bar) for end in interval)
    same = "yes" if low > 0 else "no" if high < 0 else "inconclusive"
    span = f" ({interval[0]:{form}} to {interval[1]:{form}})"
    return f"{value:{form}}{span}", same if line.sign else ""


def _arms_by_set(content: Content) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of each set, by arm."""
    for source in by_set(content["rows"]):
        yield source, {row["arm"]: row for row in content["rows"] if row["data"] == source}


def suite(content: Content) -> str:
    """Test accuracy on every set: the pick of the search, and what one would use without it."""
    rows = []
    for source, own in _arms_by_set(content):
        pick, usual = own["pick"], own[USUAL]
        rows.append(
            (
                source, f"`{pick['policy']}`", spread(pick["test"]), spread(usual["test"]),
                difference(pick["test"]["values"], usual["test"]["values"]),
                *(spread(own[arm]["test"]) for arm in ("none", "flip-crop", "random")),
                f"{spread(own['fixed']['test'])} (`{own['fixed']['policy']}`)",
                spread(own["longer"]["test"]) if "longer" in own else "",
            )
        )  # fmt: skip
    head = ("set", "pick", "its accuracy %", f"`{USUAL}`", f"difference {POINTS}", "`none`",
            "`flip-crop`", "random", "best fixed on other sets", "`flip-crop`, longer")  # fmt: skip
    return table(head, rows, align="ll" + "r" * 8)


def suite_brief(content: Content) -> str:
    """Test accuracy of the usual policies, a random one and the pick, on every set."""
    rows = []
    for source, own in _arms_by_set(content):
        arms = ("none", "flip-crop", USUAL, "random", "pick")
        means = (f"{100 * own[arm]['test']['mean']:.1f}" for arm in arms)
        rows.append((source, *means, f"`{own['pick']['policy']}`"))
    head = ("set", "`none`", "`flip-crop`", f"`{USUAL}`", "random", "search", "what it found")
    return table(head, rows, align="l" + "r" * 5 + "l")


def search_cost(content: Content) -> str:
    """What the whole command takes, against what it took."""
    rows = [
        (
            row["data"],
            *(f"{row[code]['seconds'] / 60:.0f}" for code in ("former", "current")),
            f"{row['current']['seconds'] / row['former']['seconds']:.2f}",
            f"{row['current']['processor'] / row['former']['processor']:.2f}",
            *(f"{row[code]['trainings']:.1f}" for code in ("former", "current")),
        )
        for row in content["rows"]
    ]
    head = ("set", "formerly (minutes)", "now (minutes)", "ratio", "ratio of processor time",
            "trainings of the search, formerly", "now")  # fmt: skip
    return table(head, rows)
