#!/bin/bash
# NumPy 2.0.0, 2.0.2, 2.1.3 and 2.2.0: rows of arrays of strings (StringDType).
#
# Good guess: rows of such arrays are assigned and repeated like rows of other arrays, or refused.
# Seen: only from 2.2.0 on.
# - 2.0.0: `out[rows] = texts` changes nothing, without a word, when rows is an array of numbers;
#   with a mask it works. 2.0.2 assigns the texts.
# - Until 2.1.3: np.repeat(texts, 2) returns an array whose texts cannot be read (MemoryError), since
#   it copies addresses of texts longer than 15 bytes instead of the texts.
# So edits of texts leave them as they were, and repeated texts are lost.
# Automorph needs NumPy 2.2 (pyproject.toml).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/strings.py" <<'PYTHON'
import numpy as np

texts = np.array([f"a text that is longer than fifteen bytes, {i}" for i in range(50)], "T")
rows = np.arange(0, 50, 3)
wanted = ["another text of more than fifteen bytes" if i in rows else t for i, t in enumerate(texts)]


def assigned(places):
    out = texts.copy()
    out[places] = ["another text of more than fifteen bytes"] * len(rows)
    kept = out.tolist() == texts.tolist()
    return "right" if out.tolist() == wanted else "unchanged" if kept else "wrong"


def repeated():
    try:
        out = np.repeat(texts, 2).tolist()
    except Exception:  # Often MemoryError, but it reads memory that it does not own.
        return "lost"
    return "right" if out == [text for text in texts for _ in range(2)] else "lost"


mask = np.isin(np.arange(50), rows)
print("numbers", assigned(rows), "mask", assigned(mask), "repeat", repeated())
PYTHON
for version in 2.0.0 2.0.2 2.1.3 2.2.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install --quiet --disable-pip-version-check numpy==$version
    echo "$version $("$folder/$version/bin/python" "$folder/strings.py" 2>/dev/null)"
done | tee "$folder/found"
cat >"$folder/expected" <<'TEXT'
2.0.0 numbers unchanged mask right repeat lost
2.0.2 numbers right mask right repeat lost
2.1.3 numbers right mask right repeat lost
2.2.0 numbers right mask right repeat right
TEXT
cmp -s "$folder/found" "$folder/expected"
