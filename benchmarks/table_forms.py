"""Format the content of result files as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from automorph.experiments import paired_difference
from patching_arms import mentions, to_measure_again
from published import PAPERS, Gap, Line
from record import mean_of, paired

Content = dict[str, Any]
"""One file of benchmarks/results."""


POINTS = "(points, 95 % interval)"
AGAIN = "to be measured again"


def policies(content: Content) -> str:
    """Accuracy by policy, with paired differences from the baseline."""
    rows = [
        (f"`{row['policy']}`", _spread(row["accuracy"]), _points(row["difference"]))
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
                         _spread(row["test"]), str(len(row["test"]["values"]))))  # fmt: skip
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
            low, high = min(row["epochs"]), max(row["epochs"])
            cells += [f"{low}" if low == high else f"{low} to {high}", _spread(row["test"])]
        rows.append((f"`{policy}`", *cells))
    head = ("policy", "epochs, 0.1", "test accuracy (%), 0.1", "epochs", "test accuracy (%)")
    return table(head, rows)


def photographs(content: Content) -> str:
    """Test accuracy of each policy from scratch, on frozen features and when fine-tuning."""
    found = {(row["data"], row["regime"], row["policy"]): row for row in content["rows"]}
    policies = list(dict.fromkeys(policy for _, _, policy in found))
    rows = []
    for data, regime in dict.fromkeys((data, regime) for data, regime, _ in sorted(found)):
        own = [found.get((data, regime, policy)) for policy in policies]
        seconds = max(row["processor"] for row in own if row)
        cells = (_spread(row["test"]) if row else "" for row in own)
        rows.append((data, regime, *cells, f"{seconds:.0f}"))
    head = ("data", "network", *(f"`{policy}` (%)" for policy in policies), "processor s")
    return table(head, rows)


def unlabelled(content: Content) -> str:
    """Test accuracy with and without unlabelled images."""
    rows = []
    for row in content["rows"]:
        low, high = min(row["epochs"]), max(row["epochs"])
        cost = sum(row["core_seconds"]) / len(row["core_seconds"])
        rows.append((f"`{row['policy']}`", f"{low}" if low == high else f"{low} to {high}",
                     f"{cost:.0f}", _spread(row["test"])))  # fmt: skip
    return table(("policy", "epochs", "processor seconds", "test accuracy (%)"), rows)


def recipes_by_set(content: Content) -> str:
    """Test accuracy and processor time of both recipes on each set."""
    rows = []
    own = [row for row in content["rows"] if row["part"] in ("suite", "sizes", "fashion", "text")]
    found = {(row["part"], row["data"], row["arm"]): row for row in own}
    for part, data in dict.fromkeys((row["part"], row["data"]) for row in own):
        for arm in ("old", "new", "1x", "2x", "4x"):
            if row := found.get((part, data, arm)):
                low, high = min(row["epochs"]), max(row["epochs"])
                rows.append(
                    (
                        data + {"suite": ", 32 px", "sizes": ", 64 px"}.get(part, ""),
                        "0.1" if arm == "old" else "current",
                        row["model"], f"{low}" if low == high else f"{low} to {high}",
                        f"{row['processor']:.0f}", _spread(row["test"]),
                    )
                )  # fmt: skip
    head = ("data", "recipe", "network", "epochs", "processor s", "test accuracy (%)")
    return table(head, rows)


def throughput(content: Content) -> str:
    """Images per second and speed ratios of RandAugment(2, 9) on one thread."""
    peers = ["timm", "albumentations", "torchvision on PIL", "torchvision on tensors*", "kornia*"]
    rows = []
    for row in content["rows"]:
        if row.get("policy") != "RandAugment(2, 9)":
            continue
        kind = "" if row["interpolation"] == "nearest" else ", bilinear"
        ratios = [row["ratio"].get(peer) for peer in peers]
        speed = f"{row['images_per_second']['automorph']:,.0f}"
        cells = [f"{r['median']:.1f}" if r else "" for r in ratios]
        rows.append((f"{row['size']} px{kind}", speed, *cells))
    return table(("images", "Automorph (images/s)", *(f"x {peer}" for peer in peers)), rows)


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
        (row["network"], row["arm"], *(_with_interval(row[what]) for what in
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
        (row["kernel"], *(_with_interval(row[what]) for what in whats),
         *(f"{100 * mean_of(row['accuracy'][order])['mean']:.1f}" for order in orders))
        for row in content["rows"]
        if "kernel" in row
    ]  # fmt: skip
    gains = ("uncentred alignment gain", "centred", "regulariser R", "R / (exact - first)")
    return table(("operation", *gains, *(f"{order} (%)" for order in orders)), rows)


def _with_interval(values: Sequence[float]) -> str:
    """Mean and 95 % interval over seeds."""
    found = paired_difference(values, [0.0] * len(values))
    half = "" if found.low is None else f" ± {found.mean - found.low:.4f}"
    return f"{found.mean:.4f}{half}"


def folds(content: Content) -> str:
    """How often intervals of cross-validation exclude a true difference of zero."""
    head = ("set", "repeats of 5 folds", "intervals", "exclude zero", "mean half width (points)")
    rows = [
        (row["set"], str(row["repeats"]), "corrected" if row["corrected"] else "Student's t",
         f"{row['excluded']} of {row['draws']}", f"{100 * row['half width']:.1f}")
        for row in content["rows"]
    ]  # fmt: skip
    return table(head, rows)


def claims(*contents: Content) -> str:
    """Every claim made before the run, with its value, interval and outcome."""
    rows = []
    for content, row in ((c, one) for c in contents for one in c["claims"]):
        if _mentioned(_outdated(content), row["text"]):
            rows.append((row["text"], AGAIN, "", ""))
            continue
        low, high = row["interval"] or (None, None)
        interval = "" if low is None else f"{low:+.3g} to {high:+.3g}"
        unknown = "cannot be told" if low is not None and low <= 0 <= high else "not judged"
        holds = {True: "yes", False: "no", None: unknown}[row["holds"]]
        value = "" if row["value"] is None else f"{row['value']:+.3g}"
        rows.append((row["text"], value, interval, holds))
    return table(("claim", "value", "95 % interval", "holds"), rows, align="lrrl")


def online_map(*contents: Content) -> str:
    """The gain of each online method over RandAugment, in points, by regime."""
    return by_arm({_part(content): content for content in contents}, base="randaugment")


def texts(*contents: Content) -> str:
    """Accuracy without augmentation, and gains over it in points, by data set."""
    return by_arm({_part(content): content for content in contents}, base="none")


def by_arm(contents: dict[str, Content], *, base: str) -> str:
    """One row per arm, one column per content: accuracy of ``base``, differences of the others."""
    found = {
        name: {row["arm"]: row["accuracy"]["values"] for row in content["rows"]}
        for name, content in contents.items()
    }

    def cell(values: dict[str, Any], arm: str) -> str:
        if arm not in values or base not in values:
            return ""
        if arm == base:
            return f"{100 * sum(values[arm]) / len(values[arm]):.1f} %"
        return difference(values[arm], values[base])

    arms = dict.fromkeys(arm for values in found.values() for arm in values)
    rows = [(arm, *(cell(values, arm) for values in found.values())) for arm in arms]
    return table(("arm", *found), rows)


def dauphin(content: Content) -> str:
    """Uncertainty sampling by the released recipe, and its lead over RandAugment, by network."""
    rows = []
    for model in dict.fromkeys(row["model"] for row in content["rows"]):
        test = {r["arm"]: r["test"]["values"] for r in content["rows"] if r["model"] == model}
        mine = test["proportional"]
        if mine:
            leads = [difference(mine, test[than]) for than in ("same tail", "own tail")]
            rows.append((model, str(len(mine)), f"{100 * sum(mine) / len(mine):.1f}", *leads))
    head = ("network", "pairs", "test accuracy (%)", "over RandAugment, the same tail",
            "over RandAugment, its own tail")  # fmt: skip
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
    outdated = _outdated(content)
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
             _spread(row["robust_accuracy"]), _spread(row["accuracy"]),
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
        cells = [_spread(row["groups"][group]) for group in groups]
        by_seed = zip(*(row["groups"][group]["values"] for group in groups), strict=True)
        # Every group right or wrong as a whole: the network predicts one class.
        alike = [str(n) for n, shares in enumerate(by_seed) if set(shares) <= {0, 1}]
        words = f" (seeds {', '.join(alike)} predict one class)" if alike else ""
        rows.append((row["arm"] + words, *cells, _spread(row["flips"]), saliency))
    heads = "objective", *groups, "flipped predictions", "saliency on the sticker"
    return table(heads, rows)


def tanda(content: Content) -> str:
    """Test accuracy by arm, and the generators' percentage of destructive operations."""
    rows: list[Sequence[Any]] = []
    outdated = _outdated(content)
    for row in content["rows"]:
        if (arm := row["arm"]) in outdated:
            rows.append((arm, f"{AGAIN} ({outdated[arm]})", ""))
            continue
        learned = row["destructive"]
        share = f"{100 * sum(learned) / len(learned):.1f}" if learned else row["usual"]
        rows.append((row["arm"], _spread(mean_of(row["accuracy"])), share))
    heads = "sequences", "test accuracy (%)", "destructive operations (%)"
    return table(heads, rows)


def search_methods(content: Content) -> str:
    """Final accuracy of the policy that each search found, and the cost of the search."""
    base = next(row for row in content["rows"] if row["policy"] == "none")["accuracy"]["values"]
    rows: list[Sequence[Any]] = []
    outdated = _outdated(content)
    for row in content["rows"]:
        if (arm := row["policy"]) in outdated:
            rows.append((arm, "", f"{AGAIN} ({outdated[arm]})", ""))
            continue
        cost = f"{row['search']['trainings']:.1f}" if row["search"] else ""
        gain = "" if row["policy"] == "none" else difference(row["accuracy"]["values"], base)
        rows.append((row["policy"], cost, _spread(row["accuracy"]), gain))
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
            found.setdefault(label, []).append(_spread(accuracy[name]))
    rows = [(label, *cells) for label, cells in found.items()]
    return table(("policy", *(content["data"] for content in contents)), rows)


def pruned(*contents: Content) -> str:
    """Test accuracy of random search on the whole space and on the space that explain selects."""
    rows = [
        (lines[0]["arm"],
         *(f"{_spread(row['accuracy'])} ({row['operations']} operations)" for row in lines))
        for lines in zip(*(content["rows"] for content in contents), strict=True)
    ]  # fmt: skip
    return table(("search", *(content["data"] for content in contents)), rows)


def faults(content: Content) -> str:
    """Each fault, how it is provoked, the expected outcome, and how many tests passed."""
    rows = []
    for row in content["rows"]:
        tests = row["passed"] + row["failed"] + row["error"]
        passed = f"{row['passed']} of {tests} tests"
        if row["skipped"]:
            passed += f", {row['skipped']} skipped"
        rows.append((row["fault"], f"`{row['tests']}`", row["count"], row["outcome"], passed))
    heads = "fault", "provoked by", "count", "what happens", "passed"
    return table(heads, rows, align="lllll")


def memory(content: Content) -> str:
    """Peak memory and speed of training on a data set and on one ten times as large."""
    rows = [
        (f"{row['images']:,}", row["pixels"], f"{row['peak_mib']:.0f}",
         f"{row['images_per_second']:,.0f}", f"{row['decoding_cores']:.2f}")
        for row in content["rows"]
    ]  # fmt: skip
    heads = ("images", "pixels", "peak memory of all processes (MiB)", "images/s",
             "decoding load (cores)")  # fmt: skip
    return table(heads, rows, align="rrrrr")


def load(content: Content) -> str:
    """Each load, its limit and the measured value."""
    rows = [(row["load"], row["limit"], row["measured"]) for row in content["rows"]]
    return table(("load", "limit", "measured"), rows)


def scaling(content: Content) -> str:
    """Simulated duration and speed-up of a search by number of workers."""
    rows = [
        (row["workers"],
         *(f"{row[key]['hours']:,.1f} h (x {row[key]['speed_up']:.0f})" for key in WIDTHS))
        for row in content["scaling"]
    ]  # fmt: skip
    heads = "workers", "generations of 8", "of 64", "of 256"
    return table(heads, rows, align="rrrr")


def costs(content: Content) -> str:
    """ImageNet-sized images per second on one core, and the cores that keep an accelerator busy."""
    found = content["costs"]
    words = {
        "decode": "decode a JPEG of 500 x 375, random crop to 224",
        "augment": "RandAugment(2, 9) at 224",
        "train": "train ResNet-50 at 224 (for comparison)",
    }
    rows = [
        (text, f"{found[name]:,.4g}", f"{2500 / found[name]:,.1f}") for name, text in words.items()
    ]
    return table(("on one core", "images/s", "cores for 2,500 images/s"), rows)


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
    if _mentioned(_outdated(found[line.result]), about):
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


def _outdated(content: Content) -> dict[str, str]:
    """Why figures of a result must not be shown, by arm."""
    name = content["name"]
    if name == "patching":
        return to_measure_again(content["rows"])
    if content.get("outside") == "edge":
        return {}
    # TANDA's operations painted what came in from outside black.
    if name.startswith("tanda-"):
        arms = {row["arm"] for row in content["rows"]} - {"none"}
    else:
        arms = {"tanda"} if name == "search-methods" else set[str]()
    return dict.fromkeys(arms, "moved images had black borders")


def _mentioned(arms: Iterable[str], text: str) -> bool:
    return any(mentions(text, arm) for arm in arms)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, align: str = "") -> str:
    """A Markdown table; ``align`` has l or r per column (default: first left, others right)."""
    marks = {"l": "---", "r": "---:"}
    align = align or "l" + "r" * (len(heads) - 1)
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(marks[a] for a in align)}|"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def difference(values: Any, others: Any) -> str:
    """Mean paired difference in points, with its interval."""
    return _points(vars(paired_difference(*paired(values, others))))


def _points(d: dict[str, Any] | None) -> str:
    if not d:
        return ""
    span = "" if d["low"] is None else f" ({100 * d['low']:+.1f} to {100 * d['high']:+.1f})"
    return f"{100 * d['mean']:+.1f}{span}"


def _spread(summary: dict[str, Any]) -> str:
    """Mean and standard error of fractions, in percent."""
    se = summary["se"]
    return f"{100 * summary['mean']:.1f}" + ("" if se is None else f" ± {100 * se:.1f}")


def _part(content: Content) -> str:
    """The part of a result's name after the benchmark: `short` of `online-short`."""
    return str(content["name"].split("-", 1)[1])


WIDTHS = ("8", "64", "256")
"""Jobs per generation, as keyed in the scaling rows of load.json."""
