#!/bin/bash
# NumPy 2.0.0, 2.0.2, 2.1.3, 2.3.1 and 2.3.2: rows of arrays of strings (StringDType).
#
# Good guess: rows of such arrays are read, assigned and repeated like rows of other arrays, or refused.
# Seen: only from 2.3.2 on. Before, no error is raised, and texts of more than 15 bytes get lost or
# become pieces of other texts:
# - 2.0.0: assigning to rows, `texts[numbers] = new`. A mask works; 2.0.2 assigns.
# - Until 2.1.3: np.repeat. The copies usually raise MemoryError when they are read.
# - Until 2.3.1: a number and a mask (or numbers) together, `table[1, mask]`, read and assigned.
#   `table[1][mask]` works.
# So edited texts come back as they were or damaged. Automorph needs NumPy 2.3.2 (pyproject.toml).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/strings.py" <<'PYTHON'
import numpy as np

lists = [[f"row {row}, a text of more than fifteen bytes, {i}" for i in range(50)] for row in "01"]
table = np.array(lists, "T")
mask = np.arange(50) % 3 == 0
numbers = np.flatnonzero(mask)
new = "another text of more than fifteen bytes"
wanted = [new if marked else text for text, marked in zip(lists[1], mask, strict=True)]


def assigned(places):
    texts = table[1].copy()
    texts[places] = [new] * len(numbers)
    return texts.tolist() == wanted


def assigned_in_table():
    copy = table.copy()
    copy[1, mask] = [new] * len(numbers)
    return copy.tolist() == [lists[0], wanted]


cases = {
    "assign[mask]": lambda: assigned(mask),
    "assign[numbers]": lambda: assigned(numbers),
    "repeat": lambda: np.repeat(table[1], 2).tolist() == [t for t in lists[1] for _ in range(2)],
    "read[1][mask]": lambda: table[1][mask].tolist() == [lists[1][i] for i in numbers],
    "read[1, mask]": lambda: table[1, mask].tolist() == [lists[1][i] for i in numbers],
    "assign[1, mask]": assigned_in_table,
}
wrong = []
for name, right in cases.items():
    try:
        wrong += [] if right() else [name]
    except Exception:  # Any: what is read is not a text any more.
        wrong.append(name)
print(", ".join(wrong) or "all right")
PYTHON
for version in 2.0.0 2.0.2 2.1.3 2.3.1 2.3.2; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install --quiet --disable-pip-version-check numpy==$version
    echo "$version: $("$folder/$version/bin/python" "$folder/strings.py" 2>/dev/null)"
done | tee "$folder/found"
cat >"$folder/expected" <<'TEXT'
2.0.0: assign[numbers], repeat, read[1, mask], assign[1, mask]
2.0.2: repeat, read[1, mask]
2.1.3: repeat, read[1, mask]
2.3.1: read[1, mask], assign[1, mask]
2.3.2: all right
TEXT
cmp -s "$folder/found" "$folder/expected"
