"""What the package did before the great rename, replayed; see ``golden_record.py``.

A difference is a finding, and no reason to record anew.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import golden_record as record
import numpy as np
import pytest
import record_runs

HERE = Path(__file__).parent
KEPT_HERE = record.machine()
"""What floats depend on, here."""
LIKE = 1
"""Levels by which the means of blocks may differ on another machine."""

BY_BOTH = ("small", "following", "own", "files")
"""Groups in which the engine does the work; the others are measured with the compiled one alone."""
QUICK = ("small", "large", "draws", "mixing", "vectors", "following", "texts", "own", "files",
         "names", "exports")  # fmt: skip
GROUPS = [
    *(pytest.param("native", group, id=f"{group}-native") for group in QUICK),
    *(pytest.param("reference", group, id=f"{group}-reference") for group in BY_BOTH),
    *(pytest.param(engine, group, id=f"{group}-{engine}", marks=pytest.mark.slow)
      for engine, group in (("native", "adapters"), ("reference", "adapters"),
                            ("reference", "large"), ("reference", "mixing"))),
]  # fmt: skip


def measured(engine: str, group: str) -> dict[str, Any]:
    """What the package gives today; the quick groups of an engine are measured together."""
    if engine == "native" and not compiled():
        pytest.skip("the compiled engine is not built here")
    together = {"native": QUICK, "reference": BY_BOTH}[engine]
    return _measured(engine, together if group in together else (group,))


def compiled() -> bool:
    """Whether the package holds any compiled library."""
    package = Path(record.automorph.__file__).parent
    return any(path.suffix in (".so", ".pyd") for path in package.rglob("*"))


@cache
def _measured(engine: str, groups: tuple[str, ...]) -> dict[str, Any]:
    return record.measured(list(groups), engine)


def kept(group: str) -> tuple[dict[str, Any], bool]:
    """The recorded cases, and whether they were recorded on a machine like this one."""
    content = record.recorded(f"{group}.json")
    return content["cases"], content["about"]["machine"] == KEPT_HERE


@pytest.mark.parametrize(("engine", "group"), GROUPS)
def test_everything_is_as_it_was(engine: str, group: str) -> None:
    before, same_machine = kept(group)
    now = json.loads(json.dumps(measured(engine, group)[group]))
    assert now.keys() == before.keys()
    different = [
        f"{key}: was {str(before[key])[:150]}, is {str(now[key])[:150]}"
        for key in before
        if not alike(group, before[key], now[key], same_machine=same_machine)
    ]
    assert not different, f"{len(different)} of {len(before)} differ:\n" + "\n".join(different[:20])


def alike(group: str, before: dict[str, Any], now: dict[str, Any], *, same_machine: bool) -> bool:
    """Whether a case is what it was: to the bit, but for floats of another machine."""
    if group == "names" and now.get("version", 1) != before.get("version", 1):
        # A later version of policy files is written otherwise; the rest is as it was.
        before, now = ({**side, "form": "", "version": 0} for side in (before, now))
    if group == "files" and before["name"] != now["name"]:
        before = {**before, "name": with_nearest(before["name"])}
    if before == now:
        return True
    strict = ("names", "texts", "own")
    if same_machine or group in strict or before.get("exact") or before.keys() != now.keys():
        return False
    return all(_close(group, key, value, now[key]) for key, value in before.items())


def with_nearest(name: str) -> str:
    """The name that a recorded name with AugMix has today: AugMix is bilinear by default."""
    own = "" if "space=own:few" in name else ",space=own:augmix"
    return re.sub(r"(augmix\([^)]*)\)", rf"\1{own},interpolation=nearest)", name)


def _close(group: str, key: str, before: Any, now: Any) -> bool:
    if key.startswith("blocks"):
        return bool(np.abs(record.levels(before) - record.levels(now)).max() <= LIKE)
    if isinstance(before, str):
        # A digest says nothing of how far off it is; names, and draws of whole numbers, are exact.
        loose = group != "draws" or key == "magnitude"
        return before == now or (loose and len(before) == 16)
    if isinstance(before, float):
        return isinstance(now, (int, float)) and math.isclose(before, now, abs_tol=1e-2)
    if isinstance(before, list):
        return len(before) == len(now) and all(
            _close(group, key, *pair) for pair in zip(before, now, strict=True)
        )
    return bool(before == now)


def test_the_way_to_compare_sees_what_is_wrong() -> None:
    """On another machine, too: an inverted image is no float's last bit."""
    images = record.images(*record.BATCHES["colour32"])
    first, other = (record.case(side, exact=False) for side in (images, 255 - images))
    nearly = record.case(images ^ 1, exact=False)
    assert not alike("small", first, other, same_machine=False)
    assert alike("small", first, nearly, same_machine=False)
    assert not alike("small", first, nearly, same_machine=True)
    assert not alike("small", first | {"exact": True}, nearly, same_machine=False)


def test_pictures_to_look_at_are_as_they_were() -> None:
    """The same as some of the digests, as arrays: here a debugger sees which pixels differ."""
    _, same_machine = kept("small")
    now = record.pictures()
    with np.load(HERE / "pictures.npz") as pictures:
        assert set(pictures.files) == set(now)
        for name in pictures.files:
            gap = np.abs(pictures[name].astype(int) - now[name].astype(int))
            assert gap.max() == 0 or (not same_machine and gap.mean() < 0.5), name


def test_every_name_that_is_listed_is_among_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    record_runs.command_line()(["list", "policies"])
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).splitlines()
    listed = {line.split()[0] for line in lines if line[:1].isalnum()} - {
        "policy",
        "Join",
        "strings",
    }
    known = {name.partition("(")[0] for name in record.NAMES}
    # These need a model from the network.
    unrecorded = {"masked-lm", "back-translation", "llm"}
    # These are younger than the recording; tests/policies hold them.
    unrecorded |= {"fast-autoaugment", "dada", "pba", "dauphin", "turns"}
    assert listed - unrecorded <= known
    assert len(listed) == 28 + 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the recorded runs, in a folder of its own."""
    folder = tmp_path_factory.mktemp("golden")
    shutil.copytree(record_runs.RUNS, folder / "runs")
    return folder


def test_recorded_runs_name_no_machine() -> None:
    for path in record_runs.RUNS.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".journal", ".md"):
            text = path.read_text("utf-8")
            assert not any(word in text for word in ("/tmp", "/home", "/root", "x86_64")), path


def test_pages_of_recorded_runs_are_made_again(runs: Path) -> None:
    before, _ = kept("runs")
    names = list(record_runs.COMMANDS)
    made = record_runs.in_process("pages", names, runs)
    for name in names:
        assert made[name]["json"] == {
            "report": f"runs/{name}/report.html", "runs": [f"runs/{name}"],
        }  # fmt: skip
        # A page may show more than it did, but nothing of this may be gone or changed.
        assert set(before[name]["shares"]) <= set(made[name]["shares"]), name


@pytest.mark.slow
def test_recorded_runs_are_finished_and_say_the_same(runs: Path) -> None:
    before, same_machine = kept("runs")
    names = list(record_runs.COMMANDS)
    now = record_runs.in_process("again", names, runs)
    assert now.keys() == before.keys()
    for name, case in before.items():
        shown = now[name]["json"]
        assert sorted(set(record_runs.key_paths(shown))) == case["keys"], name
        if name in names:
            assert record_runs.words_of(name) == case["words"]
            # What was trained is not trained again: no checkpoint, cell or journal is touched.
            # run.toml is younger than the recording.
            written = [path for path in now[name]["written"] if not path.endswith("run.toml")]
            assert written == case["written again"], name
            assert now[name]["gone"] == [], name
        now_result, then_result = record_runs.timeless(shown), record_runs.timeless(case["json"])
        if same_machine:
            assert now_result == then_result, name
        elif name not in ("explain", "patch"):
            # Explain and patch compute some of it again; audit evaluates a network again, whose
            # float32 sums differ by some 1e-8 between processors.
            assert equal_but_for_floats(now_result, then_result), name


def equal_but_for_floats(now: Any, before: Any) -> bool:
    """Whether two results are equal, floats to six decimals."""
    if isinstance(now, float) and isinstance(before, float):
        return math.isclose(now, before, abs_tol=1e-6)
    if isinstance(now, dict) and isinstance(before, dict):
        return now.keys() == before.keys() and all(
            equal_but_for_floats(now[key], before[key]) for key in now
        )
    if isinstance(now, list) and isinstance(before, list):
        return len(now) == len(before) and all(map(equal_but_for_floats, now, before))
    return bool(now == before)
