#!/bin/bash
# torchmetrics 1.9.0 (torch 2.15.0): metrics with different arguments in one MetricCollection.
#
# Good guess: a collection gives what its metrics give alone; its compute groups save work and change no number.
# Seen: after the first batch, metrics whose states are equal by chance are merged for good. From then on only the
# first of them is updated, and the others return its value, without a warning:
# - accuracy at the thresholds 0.5 and 0.9, where no score of the first batch lies between them;
# - accuracy with and without an ignored class, where that class is absent from the first batch.
# So an operating point, or a class that is left out, silently has no effect, depending on the order of the data.
# compute_groups=False gives the right numbers.
# Automorph computes its metrics with scikit-learn (metrics/).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    torchmetrics==1.9.0 torch==2.15.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import torch
import torchmetrics
from torch import tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryAccuracy, MulticlassAccuracy

thresholds = {"p50": BinaryAccuracy(threshold=0.5), "p90": BinaryAccuracy(threshold=0.9)}
confident = tensor([0.95, 0.05]), tensor([1, 0])
unsure = tensor([0.6, 0.7, 0.8, 0.85]), tensor([0, 0, 0, 0])

micro = {"num_classes": 3, "average": "micro"}
ignored = {"all": MulticlassAccuracy(**micro), "but 2": MulticlassAccuracy(**micro, ignore_index=2)}
without_two = tensor([0, 1]), tensor([0, 1])
with_two = tensor([0, 0, 0, 0]), tensor([2, 2, 2, 0])


def scores(metrics, batches, grouped):
    collection = MetricCollection(metrics, compute_groups=grouped).clone()
    for batch in batches:
        collection.update(*batch)
    return [round(float(value), 3) for value in collection.compute().values()]


print("torchmetrics", torchmetrics.__version__, "torch", torch.__version__)
found = {}
for name, metrics, first, second in (
    ("thresholds .5, .9", thresholds, confident, unsure),
    ("class 2 in, out", ignored, without_two, with_two),
):
    found[name] = grouped, alone = [scores(metrics, (first, second), on) for on in (True, False)]
    print(f"{name:18} grouped {grouped}  alone {alone}  other order {scores(metrics, (second, first), True)}")
expected = {
    "thresholds .5, .9": [[0.333, 0.333], [0.333, 1.0]],
    "class 2 in, out": [[0.5, 0.5], [0.5, 1.0]],
}
sys.exit(0 if found == expected else 1)
PYTHON
