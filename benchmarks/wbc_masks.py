"""What do flips and rotations do for masks of blood cells?

Cell images with a class for each pixel (background, cytoplasm, nucleus), 120 px: of 100 training
images chosen by hash 80 train and 20 validate, the published 120 test. A small U-Net with the
default recipe, for a fixed number of epochs. Policies: none; flips in both directions and rotations
by up to 135 degrees, each with probability 1/2; and, as TrivialAugment does, one operation at one
of 31 magnitudes, of its five geometric ones. Five paired seeds; judged by the mean IoU over all
pixels of the part.

Before the run, two networks were trained once with flip-crop under a seed that is not used here, to
choose the default network and the number of epochs by their validation part (see
`automorph.training.task_defaults`).

Expected before the run:
- cells have no direction: flips and rotation gain some two points of mean IoU over none, interval
  above 0;
- the geometry of TrivialAugment gains, too, but less than flips and rotation;
- the nucleus, which is dark and compact, is easier than the cytoplasm: its IoU is higher for every
  policy.

The pick of the default search (`picks.py`, one search) was added later. Expected before: within a
point of the best other policy in hindsight, and no worse than none.

n: 3 policies x 5 seeds = 15 trainings. Hardware: one CPU thread; about 15 core-minutes.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/wbc_masks.py [--jobs 1]
       [--seeds 5] [--picture FILE.png] [--try] (tiny: does it run?)
Finished trainings are lines of results/wbc-masks.jsonl and are not repeated.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph.data import open_test
from automorph.experiments import Comparison
from automorph.operations import SearchSpace, named_space
from automorph.policies import Policy, Uniform, load_policy
from automorph.report import beside, contact_sheet
from automorph.training import Task, as_task
from cells import Cells, cells_parser
from picks import claims_on_pick, means_of, with_pick
from record import claim, judged, write_result
from trainings import compared

LIMIT, EPOCHS = 100, 24
ALSO = "dice", "iou:class 1", "iou:class 2"
CYTOPLASM, NUCLEUS = "IoU of class 1", "IoU of class 2"


def policies() -> dict[str, Policy]:
    """Return the policies by the names of the tables."""
    everything, trivial = named_space("everything"), named_space("trivialaugment")
    flips = ("HorizontalFlip", "VerticalFlip", "Rotate")
    moves = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
    return {
        "none": load_policy("none"),
        "flips and rotation": Uniform(
            operations=SearchSpace("flips-rotation", tuple(everything[name] for name in flips)),
            length=3, probability=0.5,
        ),
        "geometry of TrivialAugment": Uniform(
            operations=SearchSpace("geometry", tuple(trivial[name] for name in moves)), levels=31
        ),
    }  # fmt: skip


def task_of(*, tiny: bool = False) -> Task:
    """Return the task of all trainings."""
    return as_task(
        "parquet:special/wbc_masks", image="image", label="mask", target="masks",
        limit=12 if tiny else LIMIT, model="unet:4/4" if tiny else None,
        recipe={"epochs": 1 if tiny else EPOCHS}, metric="mean-iou", also=ALSO,
    )  # fmt: skip


def claims_of(found: Comparison, names: dict[str, Policy]) -> list[dict[str, Any]]:
    """Judge the expectations."""
    none, turned, moved = (
        found[policy.name].accuracy.values  # type: ignore[union-attr]
        for policy in names.values()
    )
    claims = [
        judged("flips and rotation are ahead of none by mean IoU (points)", turned, none),
        judged("the geometry of TrivialAugment is ahead of none (points)", moved, none),
        judged("flips and rotation are ahead of that geometry (points)", turned, moved),
    ]
    gaps = {
        name: found[policy.name].also[NUCLEUS].value.mean
        - found[policy.name].also[CYTOPLASM].value.mean
        for name, policy in names.items()
    }
    least = min(gaps.values())
    text = "the IoU of the nucleus is above that of the cytoplasm for every policy (least, points)"
    return [*claims, claim(text, round(100 * least, 2), None, least > 0)]


def draw(found: Comparison, names: dict[str, Policy], task: Task, path: Path) -> None:
    """Draw test images on which flips and rotation change most, under the first seed.

    Columns: the image, its mask, and what was predicted after training without augmentation and
    with flips and rotation.
    """
    part = open_test(task.data)
    masks = [found.predictions[names[name].name][0] for name in ("none", "flips and rotation")]
    right = [task.target.correct(one, part.expected) for one in masks]
    rows = np.argsort(-np.abs(right[1] - right[0]), kind="stable")[:6]
    labels = [f"{100 * right[0][row]:.0f} % to {100 * right[1][row]:.0f} %" for row in rows]
    shown = beside(part.data[rows], part.expected[rows], *(one[rows] for one in masks))
    columns = ("image", "mask, predicted by none, by flips and rotation")
    contact_sheet(shown, labels, columns=columns).save(path)


def main() -> None:
    parser = cells_parser(__doc__)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    task, names = task_of(tiny=asked.tiny), policies()
    given = list(names.values())
    if asked.tiny:
        with TemporaryDirectory() as place:
            found = compared(Cells("wbc-masks", Path(place)), task, given, seeds=2)
            print(claims_of(found, names), *found.remarks, sep="\n")
        if asked.picture:
            draw(found, names, task, asked.picture)
        return
    cells = Cells("wbc-masks")
    every, pick = with_pick(cells, task, given, asked.jobs)
    found = compared(cells, task, every, seeds=asked.seeds, jobs=asked.jobs)
    print(found, *found.remarks, sep="\n")
    if asked.picture:
        draw(found, names, task, asked.picture)
    write_result(
        "wbc-masks", rows=found.to_dict()["rows"], pick=pick,
        claims=claims_of(found, names) + claims_on_pick(means_of(found), pick, 1, "points"),
        names={policy.name: name for name, policy in names.items()},
        remarks=list(found.remarks), verdict=found.verdict.text, data="wbc_masks",
        model=task.network, limit=LIMIT, seeds=asked.seeds, recipe=task.recipe.to_dict(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
