#!/bin/bash
# torchmetrics 1.9.0 and scikit-learn 1.9.1 (torch 2.15.0): Matthews correlation of a constant answer.
#
# Good guess: a model that gives one answer for everything has a correlation of 0 (0/0 by convention), in both.
# Seen: 0 in scikit-learn. In torchmetrics it depends on how rare the other class is: where 99 of 100 rows are
# negative, "always negative" scores 0.985, and "always positive" -0.985; at 90 of 100 it is 0.267, at half and half
# 0. With a third class that never occurs it is 0 again.
# So a network that has learnt nothing but the majority looks nearly perfect, in the score that is taken for rare
# classes because it cannot be fooled that way; a search for the best epoch picks such an epoch.
# Automorph does not use this metric.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    torchmetrics==1.9.0 torch==2.15.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys

import sklearn
import torch
import torchmetrics
from sklearn.metrics import matthews_corrcoef
from torchmetrics.classification import BinaryMatthewsCorrCoef, MulticlassMatthewsCorrCoef

print("torchmetrics", torchmetrics.__version__, "scikit-learn", sklearn.__version__)
found = {}
for positives in (1, 10, 50):
    labels = torch.zeros(100, dtype=torch.long)
    labels[:positives] = 1
    for answer in (0, 1):
        answers = torch.full((100,), answer)
        values = (
            BinaryMatthewsCorrCoef()(answers, labels),
            MulticlassMatthewsCorrCoef(2)(answers, labels),
            MulticlassMatthewsCorrCoef(3)(answers, labels),
            matthews_corrcoef(labels, answers),
        )
        found[positives, answer] = row = [round(float(value), 3) for value in values]
        print(
            f"{positives:2} of 100 positive, always {answer}: binary {row[0]:6} two classes {row[1]:6} "
            f"three {row[2]:4} scikit-learn {row[3]}"
        )
expected = {
    (1, 0): [0.985, 0.985, 0.0, 0.0],
    (1, 1): [-0.985, -0.985, 0.0, 0.0],
    (10, 0): [0.267, 0.267, 0.0, 0.0],
    (10, 1): [-0.267, -0.267, 0.0, 0.0],
    (50, 0): [0.0, 0.0, 0.0, 0.0],
    (50, 1): [0.0, 0.0, 0.0, 0.0],
}
sys.exit(0 if found == expected else 1)
PYTHON
