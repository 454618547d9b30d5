"""The form of each table: the content of result files as Markdown."""

from __future__ import annotations

from typing import Any

from record import paired

Content = dict[str, Any]
"""One file of benchmarks/results."""


def policies(content: Content) -> str:
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


def throughput(content: Content) -> str:
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


def theory_figures(content: Content) -> str:
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


def claims(*contents: Content) -> str:
    """Every claim made before the run, its value and interval, and whether it holds."""
    lines = ["| claim | value | 95 % interval | holds |", "|---|---:|---:|---|"]
    for row in (one for content in contents for one in content["claims"]):
        low, high = row["interval"] or (None, None)
        interval = "" if low is None else f"{low:+.3g} to {high:+.3g}"
        holds = {True: "yes", False: "no", None: "cannot be told"}[row["holds"]]
        value = "" if row["value"] is None else f"{row['value']:+.3g}"
        lines.append(f"| {row['text']} | {value} | {interval} | {holds} |")
    return "\n".join(lines)


def online_map(*contents: Content) -> str:
    """Where each online method helps: points above RandAugment, by regime."""
    found = {content["name"].removeprefix("online-"): content for content in contents}
    regimes = list(found)
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
                cells.append(difference(values[arm], values["randaugment"]))
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def online_cost(content: Content) -> str:
    """Seconds of an epoch over those of plain training, with quartiles."""
    lines = ["| arm | time of an epoch over plain training (median, quartiles) |", "|---|---:|"]
    for row in content["rows"]:
        low, middle, high = row["ratio"]
        lines.append(f"| {row['arm']} | {middle:.2f} ({low:.2f} to {high:.2f}) |")
    return "\n".join(lines)


def patching(content: Content) -> str:
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


def isic(content: Content) -> str:
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


def tanda(content: Content) -> str:
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


def search_methods(content: Content) -> str:
    """Final accuracy of what each search found, beside what the search cost."""
    base = next(row for row in content["rows"] if row["policy"] == "none")["accuracy"]["values"]
    lines = [
        "| arm | cost of the search (trainings) | test accuracy (%) | difference from `none` "
        "(points, 95 % interval) |",
        "|---|---:|---:|---:|",
    ]
    for row in content["rows"]:
        cost = f"{row['search']['trainings']:.1f}" if row["search"] else ""
        gain = "" if row["policy"] == "none" else difference(row["accuracy"]["values"], base)
        lines.append(f"| {row['policy']} | {cost} | {_spread(row['accuracy'])} | {gain} |")
    return "\n".join(lines)


def search_density(content: Content) -> str:
    """Accuracy of policies from weak to strong, and what density matching says of them."""
    lines = [
        "| policy | test accuracy (%) | score (any pass right) | score (mean loss) |",
        "|---|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['policy']} | {100 * row['accuracy']:.1f} | {row['any']:.3f} | "
            f"{row['loss']:.3f} |"
        )
    return "\n".join(lines)


def explain_judged(*contents: Content) -> str:
    """How every column ranks operations, held against trainings; one data set a column."""
    columns = list(contents[0]["correlations"])
    heads = [f"{content['data']} (seeds: {content['seeds']})" for content in contents]
    lines = [
        f"| column of `explain` | {' | '.join(heads)} |",
        f"|---|{'---:|' * len(contents)}",
    ]
    for column in columns:
        found = [content["correlations"][column] for content in contents]
        cells = [
            f"{one['value']:+.2f} ({one['interval'][0]:+.2f} to {one['interval'][1]:+.2f})"
            for one in found
        ]
        lines.append(f"| {column.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def instant(*contents: Content) -> str:
    """Test accuracy of the policies that need no training, by data set."""
    lines = [
        f"| policy | {' | '.join(content['data'] for content in contents)} |",
        f"|---|{'---:|' * len(contents)}",
    ]
    shown = {"none": "none", "random": "random", "TrivialAugment": "trivialaugment"}
    table: dict[str, list[str]] = {}
    for content in contents:
        best = content["randaugment"]
        for label, name in {
            **shown, "RandAugment at its best of four": best,
            "instant": content["policies"]["instant"],
            "instant, RandAugment's space": content["policies"]["instant-randaugment"],
        }.items():  # fmt: skip
            row = next(row for row in content["rows"] if row["policy"].startswith(name))
            table.setdefault(label, []).append(_spread(row["accuracy"]))
    lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in table.items()]
    return "\n".join(lines)


def pruned(*contents: Content) -> str:
    """Test accuracy of what random search finds on the whole and on the explained space."""
    lines = [
        f"| search | {' | '.join(content['data'] for content in contents)} |",
        f"|---|{'---:|' * len(contents)}",
    ]
    for rows in zip(*(content["rows"] for content in contents), strict=True):
        cells = [f"{_spread(row['accuracy'])} ({row['operations']} operations)" for row in rows]
        lines.append(f"| {rows[0]['arm']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def texts(*contents: Content) -> str:
    """Accuracy without augmentation, and points above it, by set."""
    found = {content["name"].removeprefix("text-"): content for content in contents}
    arms = {row["arm"]: None for content in contents for row in content["rows"]}
    lines = [f"| arm | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    for arm in arms:
        cells = []
        for content in contents:
            values = {row["arm"]: row["accuracy"]["values"] for row in content["rows"]}
            if arm not in values:
                cells.append("")
            elif arm == "none":
                cells.append(f"{100 * sum(values[arm]) / len(values[arm]):.1f} %")
            else:
                cells.append(difference(values[arm], values["none"]))
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def difference(values: Any, others: Any) -> str:
    """Mean paired difference in points, with its interval."""
    from automorph.comparison import paired_difference

    d = paired_difference(*paired(values, others))
    span = f" ({100 * d.low:+.1f} to {100 * d.high:+.1f})" if d.low is not None else ""
    return f"{100 * d.mean:+.1f}{span}"


def faults(content: dict[str, Any]) -> str:
    """Each fault, how it was provoked, what is to come of it, and how often that came."""
    lines = [
        "| fault | provoked by | count | what happens | as it should |",
        "|---|---|---|---|---|",
    ]
    for row in content["rows"]:
        tests = row["passed"] + row["failed"] + row["error"]
        as_it_should = f"{row['passed']} of {tests} tests"
        if row["skipped"]:
            as_it_should += f", {row['skipped']} skipped"
        lines.append(
            f"| {row['fault']} | `{row['tests']}` | {row['count']} | {row['outcome']} | "
            f"{as_it_should} |"
        )
    return "\n".join(lines)


def memory(content: dict[str, Any]) -> str:
    """Peak memory and speed of a training on a set, and on one ten times as large."""
    lines = [
        "| images | peak memory of all processes (MiB) | images/s | decoding busy (cores) |",
        "|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['images']:,} | {row['peak_mib']:.0f} | {row['images_per_second']:,.0f} | "
            f"{row['decoding_cores']:.2f} |"
        )
    return "\n".join(lines)


def load(content: dict[str, Any]) -> str:
    """Each load, its limit, and what was measured."""
    lines = ["| load | limit | measured |", "|---|---:|---:|"]
    for row in content["rows"]:
        lines.append(f"| {row['load']} | {row['limit']} | {row['measured']} |")
    return "\n".join(lines)


def scaling(content: dict[str, Any]) -> str:
    """Simulated hours and speed-up of a search by the number of workers."""
    lines = ["| workers | generations of 8 | of 64 | of 256 |", "|---:|---:|---:|---:|"]
    for row in content["scaling"]:
        cells = [f"{row[key]['hours']:,.1f} h (x {row[key]['speed_up']:.0f})" for key in WIDTHS]
        lines.append(f"| {row['workers']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def costs(content: dict[str, Any]) -> str:
    """Images of ImageNet's size a second on one core, and the cores that feed an accelerator."""
    found = content["costs"]
    lines = ["| on one core | images/s | cores for 2,500 images/s |", "|---|---:|---:|"]
    for name, words in (
        ("decode", "decode a JPEG of 500 x 375, random crop to 224"),
        ("augment", "RandAugment(2, 9) at 224"),
        ("train", "train ResNet-50 at 224 (for comparison)"),
    ):
        lines.append(f"| {words} | {found[name]:,.4g} | {2500 / found[name]:,.1f} |")
    return "\n".join(lines)


WIDTHS = ("8", "64", "256")
"""Jobs that a method asks for at a time, as scaling.json has them."""
