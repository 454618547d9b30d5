#!/bin/bash
# datasets 5.2.0: casting a column of class labels to other names.
#
# Good guess: a ClassLabel column knows its names, so a cast to the same names in another order gives every row the
# number of its name, as a cast of texts does, or is refused; numbers beyond the names are refused, as everywhere
# else.
# Seen:
# - concatenate_datasets refuses two data sets that number the same names differently. The cast that makes it accept
#   them, cast or cast_column to the other one's features, keeps the numbers: dogs are cats from then on, without a
#   word.
# - A cast to too few names accepts the numbers beyond them; from_dict with the same feature raises ValueError.
# So two sources of the same classes are joined with swapped labels. Use align_labels_with_mapping, or cast to texts
# (int2str) and from texts to the new feature.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6
HF_HOME="$folder" HF_HUB_OFFLINE=1 "$folder/env/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import datasets
from datasets import ClassLabel, Dataset, Features, concatenate_datasets

ours, theirs = (Features(label=ClassLabel(names=names)) for names in (["cat", "dog"], ["dog", "cat"]))
mine = Dataset.from_dict({"label": [0, 1]}, features=ours)
other = Dataset.from_dict({"label": [0, 1]}, features=theirs)


def names(data):
    return [data.features["label"].int2str(number) for number in data["label"][:]]


def outcome(function):
    try:
        return names(function())
    except ValueError:
        return "ValueError"


numbers = [0, 1, 2]
two = Features(label=ClassLabel(names=["cat", "dog"]))
texts = Dataset.from_dict({"label": names(other)})
found = {
    "before": names(other),
    "joined as they are": outcome(lambda: concatenate_datasets([mine, other])),
    "after cast": outcome(lambda: other.cast(ours)),
    "after cast_column": outcome(lambda: other.cast_column("label", ours["label"])),
    "joined after the cast": outcome(lambda: concatenate_datasets([mine, other.cast(ours)])),
    "texts after cast": outcome(lambda: texts.cast(ours)),
    "aligned": outcome(lambda: other.align_labels_with_mapping({"cat": 0, "dog": 1}, "label")),
    "0, 1, 2 made as two names": outcome(lambda: Dataset.from_dict({"label": numbers}, features=two)),
    "0, 1, 2 cast to two names": Dataset.from_dict({"label": numbers}).cast(two)["label"][:],
}
print("datasets", datasets.__version__)
for name, value in found.items():
    print(f"{name:27} {value}")
expected = [
    ["dog", "cat"],
    "ValueError",
    ["cat", "dog"],
    ["cat", "dog"],
    ["cat", "dog", "cat", "dog"],
    ["dog", "cat"],
    ["dog", "cat"],
    "ValueError",
    [0, 1, 2],
]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
