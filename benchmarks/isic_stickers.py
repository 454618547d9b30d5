"""Do stickers hide malignant lesions from a network that was mended by the translator `inpaint`?

The data of `isic.py` at 128 px: in the training part 109 benign images show a coloured sticker, and
no malignant one (the single one is left out). The translator learns the colours of stickers, fills
them and pastes those of other images; malignant images with stickers are an extrapolation. It is
fitted by code of its own; the test pastes real stickers of test images with the rules of `isic.py`
(masks found at 64 px, enlarged).

What counts: at a specificity of 80 % (the threshold is fixed on the benign validation images), the
recall of the 103 malignant test images with pasted stickers and without; AUROC of the test part;
robust accuracy over the three real groups and the pasted one.

Arms: balanced, sgdro, lisa, and camel with the weights 1 and 5 (the better by robust validation
accuracy of seed 100 is used). Networks: frozen EfficientNet-Lite0 (pretrained), whose head is
trained for 20 epochs; and, for balanced and camel, ResNet-9 of width 8 from scratch for 12 epochs
with flips and crops. Five paired seeds. The epoch is that of the best balanced accuracy in the
worst subgroup of the validation part, the default metric of such data. Pictures of eight malignant
test images before and after pasting, with the saliency of balanced and of camel (ResNet-9, seed 0),
go to work/isic-stickers.

Expected before the run: the translator passes all checks towards stickers, and those towards clean
images not, since the validation part has 16 images with stickers (tried on it: 82 % are recognised
after removal, relative to real images, of the 90 wanted; diversity 0.55 of 0.6). This was written
after the judge of classes was corrected (see the guide); as `automorph patch` does, the translator
is used in the directions that pass. One that had seen stickers on benign images alone took
them for a sign of this class, and blamed the translation (0.27 of 0.10). Recall with pasted
stickers: of balanced below 20 %, of camel at most 5 points below that without. AUROC of camel
within 0.03 of balanced. Robust accuracy of camel over sgdro at least 11.7 points (published, 224
px).

After the run, other weights were tried for the head, on the validation part alone, since pasted
stickers still cost recall: 1, 5, 20 and 80 (seeds 100 and 101) have 59, 55, 57 and 52 % in the
worst group of validation images and their translations, the criterion of `automorph patch`. The
weight of 1 remains.

n: 4 arms x 5 seeds on frozen features and 2 x 5 trainings of ResNet-9. Hardware: CPU; a head takes
10 to 40 seconds of a core, ResNet-9 4 minutes (camel 11), in total about 1.5 core-hours. Finished
work is in results/isic_stickers.jsonl, and the same command does only what is missing.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/isic_stickers.py [--jobs 2] [--seeds 5]
       [--try] (tiny: does it run?)
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from automorph.data import Dataset, Split, load_data
from automorph.robustness import Panel, check_translator, train_robust, translate_part
from automorph.robustness.saliency import available, saliency
from automorph.robustness.translators.base import SomeDirections, all_pairs
from automorph.robustness.translators.checks import Check, Checked
from automorph.robustness.translators.inpainting import fit_inpainting
from automorph.robustness.translators.selection import judging_parts
from automorph.training import as_task, evaluate, head_task
from cells import WORK, Cells, cells_parser
from isic import masks_of
from record import claim, judged, mean_of, write_result

SIDE = 128
SPECIFICITY = 0.8
FROZEN = ("balanced", "sgdro", "lisa", "camel")
TRAINED = ("balanced", "camel")
WEIGHTS = (1, 5)

Images = NDArray[np.uint8]


def data_of(tiny: bool) -> Dataset:
    """The data, without the one malignant training image that has a sticker."""
    data = load_data(
        "parquet:isic_artifacts", label="label", subgroup="patch_colored", leakage="drop",
        size=64 if tiny else SIDE,
    )  # fmt: skip
    alone = (data.train.labels == 1) & (data.train.subgroups == 1)
    train = data.train.take(np.flatnonzero(~alone))
    return data.replace(train=train.take(np.arange(0, len(train), 4)) if tiny else train)


def pasted(part: Split) -> tuple[Split, Split]:
    """The malignant images of a part, and the same with stickers of its benign images."""
    assert part.subgroups is not None
    donors = part.data[(part.labels == 0) & (part.subgroups == 1)]
    small = np.stack([cv2.resize(one, (64, 64), interpolation=cv2.INTER_AREA) for one in donors])
    size = donors.shape[2], donors.shape[1]
    masks = np.stack([cv2.resize(mask, size) for mask in masks_of(small)])
    good = masks.any(axis=(1, 2))
    donors, masks = donors[good], masks[good]
    malignant = part.take((part.labels == 1) & (part.subgroups == 0))
    chosen = np.arange(len(malignant)) % len(donors)
    m = masks[chosen][..., None]
    mixed = ((1 - m) * malignant.data + m * donors[chosen]).round().astype(np.uint8)
    return malignant, Split(np.ascontiguousarray(mixed), malignant.labels)


_shared: dict[str, Any] = {}


def prepare(work: Path, tiny: bool, ways: frozenset[tuple[int, int]]) -> None:
    """Prepare this process for cells."""
    if _shared:
        return
    data = data_of(tiny)
    translator = SomeDirections(fit_inpainting(data.train), ways)
    _shared["renderings"] = translate_part(translator, data.train, folder=work)
    name = "test_efficientnet:untrained" if tiny else "tf_efficientnet_lite0"
    _shared["frozen"] = head_task(
        as_task(data, model=f"features:timm:{name}"), epochs=2 if tiny else 20
    )
    recipe = {"epochs": 1 if tiny else 12, "batch_size": 32, "lr": 0.05, "defaults": "0.1"}
    _shared["trained"] = as_task(data, model="resnet9:2" if tiny else "resnet9:8", recipe=recipe)
    _shared["tests"] = pasted(data.parts["test"])


def cell(kind: str, objective: str, seed: int, work: Path) -> dict[str, Any]:
    """Run one training and return its numbers."""
    task, (malignant, stickers) = _shared[kind], _shared["tests"]
    run = train_robust(
        task, objective, renderings=_shared["renderings"], seed=seed, progress=False,
        policy="flip-crop" if kind == "trained" else None,
    )  # fmt: skip
    validation, test = run.seen["validation"], run.seen["test"]
    benign = validation.probabilities[validation.labels == 0, 1]
    threshold = float(np.quantile(benign, SPECIFICITY))
    found = {
        name: evaluate(run.model, part, encoder=task.encoder).probabilities[:, 1]
        for name, part in (("plain", malignant), ("pasted", stickers))
    }
    groups = run.group_accuracy("test")
    worst = min(float(np.nanmin(groups)), float((found["pasted"] > 0.5).mean()))
    if kind == "trained" and seed == 0 and available():
        _picture(run.model, task, work / f"{objective.partition('(')[0]}.png")
    return {
        "validation": run.validation_robust_accuracy,
        "recall": float((found["plain"] > threshold).mean()),
        "recall, pasted": float((found["pasted"] > threshold).mean()),
        "specificity": float((test.probabilities[test.labels == 0, 1] <= threshold).mean()),
        "auroc": float(roc_auc_score(test.labels, test.probabilities[:, 1])),
        "robust with pasted": worst,
        "died": run.died,
        "seconds": run.seconds,
    }


def _picture(model: torch.nn.Module, task: Any, path: Path) -> None:
    """Eight malignant test images before and after pasting, each above its saliency."""
    rows = []
    for part in _shared["tests"]:
        images, labels = part.data[:8], part.labels[:8]
        maps = saliency(model, images, labels, encoder=task.encoder)
        bright = np.rint(255 * maps / np.maximum(maps.max((1, 2), keepdims=True), 1e-9))
        shown = np.repeat(bright[..., None], 3, axis=3).astype(np.uint8)
        rows += [np.concatenate(list(images), 1), np.concatenate(list(shown), 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path)


def checks(tiny: bool) -> dict[str, Any]:
    """The checks of the translator."""
    data = data_of(tiny)
    part, judges = judging_parts(data)
    return check_translator(fit_inpainting(data.train), part, Panel(judges)).to_dict()


def passed_ways(checked: dict[str, Any]) -> frozenset[tuple[int, int]]:
    """The directions in which the translator passed, from the stored checks."""
    rows = [Check(**{**one, "direction": tuple(one["direction"])}) for one in checked["checks"]]
    return Checked(checked["translator"], tuple(rows)).directions


def run(cells: Cells, seeds: int, jobs: int, work: Path, tiny: bool) -> dict[str, Any]:
    """All cells: the weight of camel by a seed of its own, then the seeds."""
    cells.run(checks, {"checks": (tiny,)})
    ready = partial(prepare, work, tiny, passed_ways(cells["checks"]) or all_pairs(2))
    trials = {
        f"tune {kind} camel(weight={weight})": (kind, f"camel(weight={weight})", 100, work)
        for kind in ("frozen", "trained")
        for weight in WEIGHTS[: 1 if tiny else None]
    }
    if any(name not in cells for name in trials):
        ready()  # Renders the training part once; other processes read it.
    cells.run(cell, trials, jobs=jobs, prepare=ready)
    best = {
        kind: max(
            (name for name, given in trials.items() if given[0] == kind),
            key=lambda name: cells[name]["validation"],
        )
        for kind in ("frozen", "trained")
    }
    todo = {
        f"{kind} {arm} seed {seed}": (
            kind, trials[best[kind]][1] if arm == "camel" else arm, seed, work,
        )
        for seed in range(seeds)
        for kind, arms in (("frozen", FROZEN), ("trained", TRAINED))
        for arm in arms
    }  # fmt: skip
    cells.run(cell, todo, jobs=jobs, prepare=ready)
    arms = {
        f"{kind} {arm}": [cells[f"{kind} {arm} seed {seed}"] for seed in range(seeds)]
        for kind, names in (("frozen", FROZEN), ("trained", TRAINED))
        for arm in names
    }
    return {"arms": arms, "weights": best, "checks": cells["checks"]}


def rows_of(arms: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per arm: the test part."""
    keys = ("recall", "recall, pasted", "specificity", "auroc", "robust with pasted", "seconds")
    return [
        {"arm": name, **{key: mean_of([run[key] for run in runs]) for key in keys}}
        for name, runs in arms.items()
    ]


def claims_of(rows: list[dict[str, Any]], checked: dict[str, Any]) -> list[dict[str, Any]]:
    """Judge the expectations."""
    by_arm = {row["arm"]: row for row in rows}
    claims = []
    for arm in ("frozen camel", "trained camel"):
        row = by_arm[arm]
        claims.append(
            judged(f"{arm}: recall with pasted stickers is at most 5 points below that without "
                   "(points)", row["recall, pasted"]["values"], row["recall"]["values"], above=-5)
        )  # fmt: skip
    pairs = [("frozen camel", "frozen balanced", 0.0), ("frozen camel", "frozen sgdro", 11.7),
             ("trained camel", "trained balanced", 0.0)]  # fmt: skip
    for arm, base, above in pairs:
        text = f"{arm} is more than {above:g} points ahead of {base}: robust accuracy with pasted"
        values = [by_arm[one]["robust with pasted"]["values"] for one in (arm, base)]
        claims.append(judged(f"{text} (points)", *values, above=above))
    passed = bool(passed_ways(checked))
    claims.append(claim("the translator passes its checks in a direction", None, None, passed))
    return claims


def main() -> None:
    asked = cells_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    if asked.tiny:
        with TemporaryDirectory() as place:
            found = run(Cells("isic_stickers", Path(place)), 2, asked.jobs, Path(place), tiny=True)
            print(len(claims_of(rows_of(found["arms"]), found["checks"])), "claims")
        return
    work = WORK / "isic-stickers"
    work.mkdir(parents=True, exist_ok=True)
    found = run(Cells("isic_stickers"), asked.seeds, asked.jobs, work, tiny=False)
    rows = rows_of(found["arms"])
    write_result(
        "isic_stickers", rows=rows, claims=claims_of(rows, found["checks"]), side=SIDE,
        data="isic_artifacts", seeds=asked.seeds, weights=found["weights"],
        checks=found["checks"], specificity=SPECIFICITY,
    )  # fmt: skip
    for row in rows:
        print(row["arm"], {key: round(row[key]["mean"], 3) for key in row if key != "arm"})


if __name__ == "__main__":
    main()
