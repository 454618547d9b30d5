#!/bin/bash
# torchmetrics 1.9.0 (torch 2.15.0): logits, and the batches in which they arrive.
#
# Good guess: a metric over a data set does not depend on how the rows are cut into batches; logits may be given, and
# a ranking (AUROC) is the same for logits and probabilities.
# Seen: every update decides for itself whether it sees logits: only if a score of that batch lies outside [0, 1] is
# the sigmoid taken. A batch whose logits all lie between 0 and 1 is kept as it is, so its scores are mixed with those
# of other batches on another scale. The same 400 rows have an AUROC of 0.865 in one batch, 0.860 in batches of 4 and
# 0.790 one by one; accuracies differ likewise, since a logit of 0.3 is then below the threshold 0.5.
# So a small last batch, or validation in small batches, moves the score. Give it probabilities.
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

import numpy as np
import torch
import torchmetrics
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

generator = np.random.default_rng(0)
numbers = generator.normal(size=400)
logits = torch.from_numpy(numbers).float()
labels = torch.from_numpy(generator.uniform(size=400) < 1 / (1 + np.exp(-2 * numbers))).long()


def score(metric, scores, size):
    for rows, targets in zip(scores.split(size), labels.split(size), strict=True):
        metric.update(rows, targets)
    return round(float(metric.compute()), 3)


print("torchmetrics", torchmetrics.__version__, "torch", torch.__version__)
found = {}
for size in (400, 16, 4, 1):
    found[size] = [
        score(metric(), scores, size)
        for metric in (BinaryAUROC, BinaryAccuracy)
        for scores in (logits, logits.sigmoid())
    ]
    areas, accuracies = found[size][:2], found[size][2:]
    print(f"batches of {size:3}: AUROC of logits, probabilities {areas}; accuracy {accuracies}")
same = all(row[1::2] == found[400][1::2] for row in found.values())
changes = all(found[1][i] < found[400][i] - 0.02 for i in (0, 2))
sys.exit(0 if same and changes and found[400][0] == found[400][1] else 1)
PYTHON
