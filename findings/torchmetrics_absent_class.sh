#!/bin/bash
# torchmetrics 1.9.0 (torch 2.15.0): macro averages where a class has no examples.
#
# Good guess: the mean over classes treats a class that does not occur in one way: it is left out everywhere, or it
# counts as 0 everywhere.
# Seen, for perfect answers on two classes of three:
# - Multiclass accuracy, precision, recall, F1, specificity, average precision and IoU leave the class out: 1.0.
#   Multiclass AUROC counts it as 0: 0.667.
# - The same answers as three labels: precision, recall, F1, average precision, AUROC and IoU count it as 0 (0.667),
#   accuracy and specificity as 1.
# So in a fold or a subgroup without a rare class a perfect model has an AUROC of 0.667 beside an average precision
# of 1.0, and a score drops by half because a question was asked with labels instead of classes.
# Automorph averages over the classes that occur.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" torchmetrics==1.9.0 torch==2.15.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys
import warnings

import torch
import torchmetrics
from torch.nn.functional import one_hot
from torchmetrics import classification

warnings.simplefilter("ignore")
print("torchmetrics", torchmetrics.__version__)
names = "Accuracy Precision Recall F1Score Specificity AveragePrecision AUROC JaccardIndex".split()
true = torch.tensor([0, 1, 0, 1, 0, 1])
scores = torch.full((6, 3), 0.05)
scores[torch.arange(6), true] = 0.9
found = {}
for name in names:
    classes = getattr(classification, "Multiclass" + name)(num_classes=3, average="macro")
    labels = getattr(classification, "Multilabel" + name)(num_labels=3, average="macro")
    both = classes(scores, true), labels(scores, one_hot(true, 3))
    found[name] = tuple(round(float(one), 3) for one in both)
    print(f"{name}: as classes {found[name][0]}, as labels {found[name][1]}")
expected = dict.fromkeys(names, (1.0, 0.667))
expected |= {"Accuracy": (1.0, 1.0), "Specificity": (1.0, 1.0), "AUROC": (0.667, 0.667)}
sys.exit(0 if found == expected else 1)
PYTHON
