"""Tables of speed, memory and failures."""

from __future__ import annotations

from table_layout import Content, table

WIDTHS = ("8", "64", "256")
"""Jobs per generation, as keyed in the scaling rows of load.json."""


def throughput(content: Content) -> str:
    """Images per second and speed ratios of RandAugment(2, 9) on one thread."""
    peers = ["timm", "albumentations", "torchvision on PIL", "torchvision on tensors*", "kornia*"]
    rows = []
    for row in content["rows"]:
        if row.get("policy") != "RandAugment(2, 9)" or "ratio" not in row:
            continue
        kind = "" if row["interpolation"] == "nearest" else ", bilinear"
        ratios = [row["ratio"].get(peer) for peer in peers]
        speed = f"{row['images_per_second']['automorph']:,.0f}"
        cells = [f"{r['median']:.1f}" if r else "" for r in ratios]
        rows.append((f"{row['size']} px{kind}", speed, *cells))
    return table(("images", "Automorph (images/s)", *(f"x {peer}" for peer in peers)), rows)


def operations(content: Content) -> str:
    """Microseconds of each operation, those of the OpenCV calls for it, and their ratio."""
    engines = {"avx2": "AVX2", "avx512": "AVX-512"}
    rows: dict[str, dict[str, tuple[str, str, str]]] = {}
    for row in content["rows"]:
        kind = f", {row['interpolation']}" if row["interpolation"] else ""
        ratio = row["ratio"]
        rows.setdefault(row["operation"] + kind, {})[row["engine"]] = (
            f"{row['microseconds']:.0f}", f"{row['microseconds_opencv']:.0f}",
            f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})",
        )  # fmt: skip
    heads = [
        f"{head} ({name})" for name in engines.values() for head in ("Automorph", "OpenCV", "ratio")
    ]
    cells = [
        (name, *(one for engine in engines for one in measured.get(engine, ("", "", ""))))
        for name, measured in rows.items()
    ]
    return table(("operation", *heads), cells)


def single_images(content: Content) -> str:
    """Images per second of RandAugment(2, 9) on one image at a time, and the ratio to timm."""
    rows = [
        (f"{row['size']} px, {row['form']}", f"{row['images_per_second']['automorph']:,.0f}",
         f"{row['images_per_second']['timm']:,.0f}", f"{row['ratio']['timm']['median']:.1f}")
        for row in content["rows"] if "form" in row
    ]  # fmt: skip
    if not rows:
        return "Not measured since the last change."
    return table(("images", "Automorph (images/s)", "timm (images/s)", "x timm"), rows)


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


def files(content: Content) -> str:
    """Seconds of reading image files, and how much slower others are."""
    rows = [
        (f"{row['cores']}" + (", finer JPEG files" if "quality" in row["name"] else ""),
         *(f"{row['seconds'][arm]['median']:.2f}" for arm in ("now", "first", "again")),
         *(f"{row['ratio'][name]['median']:.2f}" for name in ("before", "ImageFolder")))
        for row in content["rows"] if row["name"].startswith("read")
    ]  # fmt: skip
    heads = ("cores", "without a cache (s)", "first command (s)", "second command (s)",
             "x the version before", "x ImageFolder")  # fmt: skip
    return table(heads, rows)


def files_pixels(content: Content) -> str:
    """How far pixels of reduced decoding are from those decoded in full."""
    (found,) = (row["levels"] for row in content["rows"] if row["name"] == "differences")
    rows = [
        (f"{row['size']} px", f"{row['mean']:.2f}", f"{row['99 %']:.0f}", row["most"])
        for row in found
    ]
    heads = "size", "levels of 255 that pixels differ", "99 % differ by at most", "largest"
    return table(heads, rows)


def files_explain(content: Content) -> str:
    """Seconds of explaining the catalogue, and how much slower it was before."""
    rows = [
        (f"{row['examples']:,.0f} of {row['size']} px", row["cores"],
         f"{row['seconds']['now']['median']:.1f}", f"{row['ratio']['before']['median']:.1f}")
        for row in content["rows"] if row["name"].startswith("explain")
    ]  # fmt: skip
    return table(("images", "cores", "seconds", "x before"), rows)


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
