#!/bin/bash
# scikit-learn 1.9.1: repeats of StratifiedGroupKFold(shuffle=True) under different random states.
#
# Good guess: another random_state deals the groups out anew, as it does in GroupKFold and StratifiedKFold, so that
# a cross-validation that is repeated has other folds in each repeat.
# Seen: groups are dealt out in the order of how unequal their counts of labels are, and the shuffle only breaks ties
# of that order. Of 24 persons with one label each and 5 to 28 images, 20 random states give one and the same division;
# of eight persons with mixed labels, 40 to 2 images, 7. The numbers of the folds may change, their contents do not.
# An interval over such repeats holds no trace of the choice of the division.
# Automorph: counts how many divisions differ, and notes it where they are fewer than the repeats (data/cross_validation.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/divisions.py" <<'PYTHON'
import sys

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

STATES = 20


def divisions(kind, labels, groups):
    found = set()
    for state in range(STATES):
        folds = kind(n_splits=4, shuffle=True, random_state=state).split(labels, labels, groups)
        found.add(frozenset(frozenset(groups[test].tolist()) for _, test in folds))
    return len(found)


def persons(sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


one_label = persons(list(range(5, 29)))
mixed = persons([40, 30, 20, 10, 8, 6, 4, 2])
equal = persons([10] * 12)
cases = {
    "24 persons of one label each, 5 to 28 images": (one_label % 2, one_label, 1),
    "8 persons of mixed labels, 40 to 2 images": (np.random.default_rng(0).integers(0, 2, len(mixed)), mixed, 7),
    "12 persons of mixed labels, 10 images each": (np.random.default_rng(0).integers(0, 2, len(equal)), equal, STATES),
}
holds = True
for name, (labels, groups, expected) in cases.items():
    stratified, plain = (divisions(kind, labels, groups) for kind in (StratifiedGroupKFold, GroupKFold))
    print(f"{name}: {STATES} random states give {stratified} divisions; GroupKFold gives {plain}")
    holds &= stratified == expected and plain > stratified - (expected == STATES)
sys.exit(0 if holds else 1)
PYTHON
"$folder/env/bin/python" "$folder/divisions.py"
