"""Shared by all benchmarks: where results are stored, and the format of claims and means."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automorph.experiments import paired_difference, summarise
from automorph.files import read_json, write_json

RESULTS = Path(__file__).parent / "results"


def claim(text: str, value: float | None, interval: Any, holds: bool | None) -> dict[str, Any]:
    """A claim made before the run, and its outcome; ``holds`` is None if it is not judged."""
    return {"text": text, "value": value, "interval": interval, "holds": holds}


def judged(
    text: str, mine: Sequence[float], theirs: Sequence[float], *, above: float = 0.0
) -> dict[str, Any]:
    """The claim that an arm is more than ``above`` points better than another, paired by seed."""
    d = paired_difference(*paired(mine, theirs))
    if len(paired(mine, theirs)[0]) < 2:
        return claim(text, round(100 * d.mean, 2), None, None)
    # If all seeds differ by the same amount (two names for one policy), the interval has no width.
    low, high = (d.mean if end is None else end for end in (d.low, d.high))
    interval = [round(100 * low, 2), round(100 * high, 2)]
    return claim(text, round(100 * d.mean, 2), interval, bool(100 * low > above))


def mean_of(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard error and the values themselves, as stored in rows."""
    return vars(summarise(values))


def paired(*arms: Sequence[float]) -> tuple[Sequence[float], ...]:
    """The values of several arms for the seeds they share: the first of each."""
    n = min(map(len, arms))
    return tuple(values[:n] for values in arms)


def write_result(name: str, *, rows: list[Any], claims: list[Any], **facts: Any) -> Path:
    """Write ``results/NAME.json`` atomically.

    If the rows have not changed, the file keeps the machine that they were measured on.
    """
    path = RESULTS / f"{name}.json"
    known = read_json(path) if path.exists() else {}
    unchanged = known.get("rows") == json.loads(json.dumps(rows))
    measured_on = known["machine"] if unchanged else machine()
    content = {"name": name, **facts, "machine": measured_on, "claims": claims, "rows": rows}
    write_json(path, content)
    return path


def machine() -> dict[str, Any]:
    """The hardware and its current load."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    return {"processor": model, "cores": os.cpu_count(), "load": load}
