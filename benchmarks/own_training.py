"""Does `search --command` find a policy without flips where flips are wrong, at little overhead?

The training script is examples/training_scripts/plain_loop.py, unchanged: a plain PyTorch loop with
its own data loader and network. The data are German traffic signs (suite/traffic_signs): 40
classes, arrows that point left and right among them, resized to 24x24. A quarter of the
photographed signs (tracks) of the training part is set aside for validation; the search sees
nothing else.

The space has four operations, half of them flips: HorizontalFlip, VerticalFlip, TranslateX and
Brightness. Random search draws policies of one sub-policy with two of them, so a policy without a
flip is the exception (about three in ten; a step with probability 0 does nothing).

The overhead is what the same search costs (start, trials, store, final table, supervised commands)
if its script does nothing but write a result, in seconds of the processor and of the clock; it is
compared with the seconds of the real script, which timed.py measures in every training. So both are
sums over the same trainings, and a shared machine cannot make one look cheap.

Expected before the run:
- the policy found never flips, in every search (by chance alone: about 0.3 to the power of 3);
- trials that flip have lower validation accuracy than trials that do not (pooled over searches);
- the overhead is less than 5 % of the script's processor time, and of its wall time, as one
  training runs at a time.

In the first run, the file that measured a training imported the package itself, about five
seconds for each; its figures of the overhead were dropped, and the overhead has been measured as
above since then. Searches 0 and 1 are of that run. The package also got
lighter in between: a script that writes its result no longer imports the rest of the package.

After that run: one of three searches found a policy that flips, because 8 trials of 6 epochs are
too noisy to tell policies of two random steps apart. A second design was written down before it
ran, with --length 1 --trials 12 --epochs 12: one step a policy, twice the epochs, so that a flip
shows alone and about half of the trials have none. Expected: the same three claims hold. The claims
of the first design stay.

n: 3 searches x (8 trials + final table with 1 seed), 3 searches with the empty script. 6 epochs; 1
core; about 4 minutes of an idle core for a search. Test accuracies are stored in the final tables
and judged by no claim.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/own_training.py
       [--first 0] [--searches 3] [--length 2] [--trials 8] [--epochs 6] [--runs FOLDER]
Finished trainings are kept in FOLDER and finished searches in results/own-training.jsonl.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cells import WORK, Cells
from record import claim, write_result

SCRIPT = Path(__file__).parents[1] / "examples" / "training_scripts" / "plain_loop.py"
FLIPS = ("HorizontalFlip", "VerticalFlip")
OTHERS = ("TranslateX", "Brightness")
PARTS = ("train", "test")
SIDE = 24


def prepare(path: Path) -> Path:
    """Write the data of the script: uint8 images, a quarter of the tracks for validation."""
    import pyarrow.parquet as parquet
    from PIL import Image

    folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / "traffic_signs"
    arrays: dict[str, Any] = {}
    tables = {part: parquet.read_table(next(folder.glob(f"{part}-*"))) for part in PARTS}
    for name, table in tables.items():
        images = [
            Image.open(io.BytesIO(one)).convert("RGB").resize((SIDE, SIDE), 2)
            for one in table["image"].to_pylist()
        ]
        arrays[f"{name}_images"] = np.stack([np.asarray(image) for image in images])
        arrays[f"{name}_labels"] = np.array(table["label"].to_pylist(), np.int64)
    labels, tracks = arrays["train_labels"], np.array(tables["train"]["track"].to_pylist())
    held: list[str] = []
    for label in np.unique(labels):
        own = np.unique(tracks[labels == label])
        chosen = np.random.default_rng(int(label)).permutation(own)[: max(1, len(own) // 4)]
        held += chosen.tolist()
    validation = np.isin(tracks, held)
    for what in ("images", "labels"):
        whole = arrays[f"train_{what}"]
        arrays[f"train_{what}"] = whole[~validation]
        arrays[f"validation_{what}"] = whole[validation]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


EMPTY = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
(out / "result.json").write_text(json.dumps({"validation": 0.5, "test": 0.5, "passes": 1}))
"""
"""A script that does nothing: what is left of a search is the overhead."""


def search_once(
    seed: int, length: int, trials: int, epochs: int, script: Path, data: Path, run: Path
) -> None:
    """One search in a process of its own; write its result to RUN/found.json."""
    from automorph import search
    from automorph.experiments import Command
    from automorph.operations import SearchSpace, find_operation
    from automorph.policies import drawn_subpolicies

    space = SearchSpace("flips-and-others", tuple(map(find_operation, (*FLIPS, *OTHERS))))
    python = shlex.quote(sys.executable)
    timer = shlex.quote(str(Path(__file__).with_name("timed.py").resolve()))
    values = "--policy {policy} --seed {seed} --epochs {epochs} --out {out}"
    command = Command(
        f"{python} {timer} {{out}}/seconds.json {python} {shlex.quote(str(script.resolve()))} "
        f"{values} --data {shlex.quote(str(data.resolve()))}"
    )
    found = search(
        objective=command, method=f"random(count=1,length={length})", space=space,
        post_policy="none", trials=trials, seed=seed, seeds=1, controls="all", epochs=epochs,
        folder=run,
    )  # fmt: skip
    tried = [
        drawn_subpolicies(space, 1, length, (seed << 32) + trial)[0] for trial in range(trials)
    ]
    [steps] = found.found.subpolicies  # type: ignore[union-attr]
    content = {
        "policy": [vars(step) for step in steps],
        "trials": [
            {"score": one["score"], "flips": _flips(drawn)}
            for one, drawn in zip(found.trace, tried, strict=True)
        ],
        "table": found.to_dict(),
    }
    (run / "found.json").write_text(json.dumps(content))


def _flips(steps: Any) -> float:
    """The probability that a sub-policy flips an image at least once."""
    stays = math.prod(1 - step.probability for step in steps if step.operation in FLIPS)
    return 1 - stays


def one(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One search: what it found, and the seconds that its trainings took."""
    run = options.runs / f"search-{seed}{'' if options.length == 2 else '-single'}"
    _start(seed, options, SCRIPT, run)
    inside = [json.loads(path.read_text()) for path in run.glob("jobs/*/try-*/seconds.json")]
    return {
        **json.loads((run / "found.json").read_text()), "trainings": len(inside),
        "script": {key: sum(each[key] for each in inside) for key in ("wall", "processor")},
    }  # fmt: skip


def empty(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """The same search with a script that does nothing: seconds of all that is not the script."""
    with TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(EMPTY)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        _start(seed, options, script, Path(folder) / "run")
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
        trainings = len([*Path(folder).glob("run/jobs/*/try-*/seconds.json")])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"trainings": trainings, "wall": wall, "processor": processor}


def _start(seed: int, options: argparse.Namespace, script: Path, run: Path) -> None:
    words = [sys.executable, __file__, "--search", str(seed), "--script", str(script)]
    words += ["--trials", str(options.trials), "--epochs", str(options.epochs)]
    words += ["--length", str(options.length)]
    subprocess.run([*words, "--runs", str(options.runs), "--run", str(run)], check=True)


def judge(cells: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims of every design; see the top of this file."""
    designs = dict.fromkeys(name.partition(", ")[2] for name in cells)
    return [line for design in designs for line in _judged(cells, design)]


def _judged(cells: dict[str, dict[str, Any]], design: str) -> list[dict[str, Any]]:
    own = {name: cell for name, cell in cells.items() if name.endswith(f", {design}")}
    found = [cell for name, cell in own.items() if name.startswith("search")]
    alone = [cell for name, cell in own.items() if name.startswith("empty")]
    if not found:
        return []
    trials = [trial for each in found for trial in each["trials"]]
    with_flips = [t["score"] for t in trials if t["flips"] > 0]
    without = [t["score"] for t in trials if t["flips"] == 0]
    flipping = sum(_active(each["policy"]) for each in found)
    claims = [
        claim(
            f"{len(found)} searches, {design}: policies found that flip",
            flipping, None, flipping == 0,
        )
    ]  # fmt: skip
    if min(len(with_flips), len(without)) > 1:
        difference = float(np.mean(without) - np.mean(with_flips))
        error = math.sqrt(sum(np.var(x, ddof=1) / len(x) for x in (without, with_flips)))
        ends = [round(100 * (difference + z * error), 2) for z in (-2, 2)]
        text = (
            f"validation accuracy of {len(without)} trials without flips above that of "
            f"{len(with_flips)} with flips, {design} (points, two standard errors)"
        )
        claims.append(claim(text, round(100 * difference, 2), ends, bool(ends[0] > 0)))
    for what in ("processor", "wall"):
        # Trainings differ in number where a search finds one of its controls.
        each = [one[what] / one["trainings"] for one in alone]
        script = [one["script"][what] / one["trainings"] for one in found]
        if each and script:
            share = round(100 * max(each) / float(np.mean(script)), 2)
            text = (
                f"{what} time of the search itself, in % of the script's (largest of {len(each)} "
                f"searches, for each training), {design}"
            )
            claims.append(claim(text, share, None, share < 5))
    return claims


def _active(steps: list[dict[str, Any]]) -> bool:
    """Whether any step of a stored sub-policy flips."""
    return any(step["operation"] in FLIPS and step["probability"] > 0 for step in steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="seed of the first search")
    parser.add_argument("--searches", type=int, default=3)
    parser.add_argument("--length", type=int, default=2, help="steps of a policy")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--runs", type=Path, default=WORK / "own-training")
    for hidden, kind in (("--search", int), ("--script", Path), ("--run", Path)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = options.runs / "signs.npz"
    if options.search is not None:
        given = options.search, options.length, options.trials, options.epochs, options.script
        return search_once(*given, data, options.run)
    if not data.exists():
        prepare(data)
    cells = Cells("own-training")
    length = f"{options.trials} trials, {options.epochs} epochs"
    if options.length != 2:
        length += f", {options.length} step"
    for seed in range(options.first, options.first + options.searches):
        for kind, work in (("empty script", empty), ("search", one)):
            cells.kept(f"{kind} {seed}, {length}", work, seed, options)
            rows = [{"cell": name, **cell} for name, cell in cells.results.items()]
            claims = judge(cells.results)
            write_result(
                "own-training", rows=rows, claims=claims, data="traffic_signs",
                trials=options.trials, epochs=options.epochs,
            )  # fmt: skip
            print(json.dumps(claims, indent=1), flush=True)


if __name__ == "__main__":
    main()
