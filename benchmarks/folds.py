"""Are the intervals of cross-validation honest? Differences that are truly zero.

200 examples of a set, the same number of each class, are drawn 50 times. Each time, two arms are
compared by 5 folds and one or two repeats: the same policy (flip-crop + trivialaugment) under two
seeds. Their true difference is zero, because the seeds are drawn for each subset. As with cached
features, the augmented copies of an example are drawn once for each arm, so the same copies train
in several folds: the overlap of training sets that the corrected resampled t-test (Nadeau and
Bengio 2003) is there for. The classifier is a ridge regression on random convolutions of eight
copies; the test examples are not augmented. Nothing is chosen: validation folds do not train and
are not looked at.

Expected before the run:
- with the correction, intervals (95 %) of 5 folds x 2 repeats exclude zero at most 5 times out of
  50 on each set;
- without it (Student's t over the ten trainings), they exclude zero more often than that on at
  least one set.

n: 2 sets x 50 draws. Hardware: 2 CPU cores, one thread for each draw; about five minutes.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/folds.py [--jobs 2] [--try] (tiny: does it
       run?)
Finished draws are lines of results/folds.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import binomtest
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from automorph import load_policy
from automorph.data import Dataset, Split, from_arrays, limited, load_data, with_folds
from automorph.diagnostics import random_convolutions
from automorph.experiments import paired_difference
from cells import Cells, Content
from record import claim, write_result

SETS = "satellite_rsscn7", "red_cells"
POLICY = "flip-crop + trivialaugment"
N, DRAWS, COPIES, FOLDS, REPEATS = 200, 50, 8, 5, 2
MOST = 5
"""Of 50 intervals at 95 %, 2.5 exclude a true difference by chance; more than 5 in 4 % of runs."""


@cache
def pool_of(source: str) -> Split:
    """Return all examples of a set that are not in its test part."""
    folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / source
    return load_data(f"parquet:{folder}", label="label", size=32).train


def subset(source: str, draw: int, n: int) -> Dataset:
    """Return ``n`` examples of a set; another draw gives others."""
    pool = pool_of(source)
    return limited(from_arrays(pool.data, pool.labels, leakage="keep"), n, seed=draw, balance=True)


def compared(source: str, draw: int, n: int, copies: int) -> Content:
    """Return the accuracies of both arms in every training: ``[[arm 0], [arm 1]]``."""
    data = with_folds(subset(source, draw, n), FOLDS, repeats=REPEATS, seed=draw)
    images, labels, folds = data.train.data, data.train.labels, data.folds
    assert folds is not None
    features = random_convolutions(images, filters=16, seed=draw)
    plain, policy = features(images), load_policy(POLICY)
    accuracies = []
    for arm in (0, 1):
        drawn = np.stack(
            [features(policy.augment(images, seed=2 * draw + arm, copy=k)) for k in range(copies)]
        )
        scores = []
        for cell in range(folds.cells):
            rows = folds.rows(cell)
            train = rows["train"]
            head = make_pipeline(StandardScaler(), RidgeClassifier(alpha=100.0))
            head.fit(np.concatenate(drawn[:, train]), np.tile(labels[train], copies))
            scores.append(float(head.score(plain[rows["test"]], labels[rows["test"]])))
        accuracies.append(scores)
    return {"accuracies": accuracies, "overlap": folds.overlap}


def row_of(source: str, repeats: int, corrected: bool, found: list[Content]) -> Content:
    """Return how many intervals exclude zero, and their mean half width in points."""
    excluded, widths, means = 0, [], []
    for one in found:
        a, b = (values[: repeats * FOLDS] for values in one["accuracies"])
        gap = paired_difference(a, b, overlap=one["overlap"] if corrected else 0.0)
        means.append(gap.mean)
        if gap.low is None or gap.high is None:
            continue  # Equal in every training: nothing is excluded.
        excluded += not gap.low <= 0 <= gap.high
        widths.append((gap.high - gap.low) / 2)
    share = binomtest(int(excluded), len(found)).proportion_ci(method="wilson")
    return {
        "set": source,
        "repeats": repeats,
        "corrected": corrected,
        "draws": len(found),
        "excluded": int(excluded),
        "share": [float(share.low), float(share.high)],
        "half width": float(np.mean(widths)) if widths else None,
        "deviation of the difference": float(np.std(means, ddof=1)) if len(means) > 1 else None,
        "accuracy": float(np.mean([one["accuracies"] for one in found])),
    }


def claims_of(rows: list[Content]) -> list[Content]:
    """Return the expectations of the header and whether they hold."""
    whole = [row for row in rows if row["repeats"] == REPEATS]
    found = [
        claim(
            f"of {row['draws']} corrected intervals on {row['set']}, at most {MOST} exclude zero",
            row["excluded"], None, row["excluded"] <= MOST,
        )
        for row in whole if row["corrected"]
    ]  # fmt: skip
    plain = max(row["excluded"] for row in whole if not row["corrected"])
    text = f"of the uncorrected intervals, more than {MOST} exclude zero on at least one set"
    return [*found, claim(text, plain, None, plain > MOST)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    draws, n, copies = (2, 60, 2) if given.tiny else (DRAWS, N, COPIES)
    if given.tiny:
        with TemporaryDirectory() as folder:
            print(measured(Cells("folds", Path(folder)), draws, n, copies, given.jobs))
        return
    rows = measured(Cells("folds"), draws, n, copies, given.jobs)
    write_result("folds", rows=rows, claims=claims_of(rows))


def measured(cells: Cells, draws: int, n: int, copies: int, jobs: int) -> list[Content]:
    """Do the missing draws, and return the rows of the table."""
    work = {
        f"{source}/{draw}": (source, draw, n, copies)
        for draw in range(draws)
        for source in SETS
    }  # fmt: skip
    cells.run(compared, work, jobs=jobs)
    return [
        row_of(source, repeats, corrected, [cells[f"{source}/{draw}"] for draw in range(draws)])
        for source in SETS
        for repeats in (1, REPEATS)
        for corrected in (True, False)
    ]


if __name__ == "__main__":
    main()
