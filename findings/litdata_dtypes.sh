#!/bin/bash
# litdata 0.2.76 (torch 2.15.0): vectors of several dtypes in one field of a streaming data set.
#
# Good guess: each row comes back as it was written, or optimize refuses a row whose dtype is not that of the first.
# Seen: for tensors and arrays of one dimension, the dtype of the first row is noted once, for all rows. The bytes of
# the other rows are stored as they are and read as that dtype: float64 0, 1, 2 after a float32 row comes back as six
# float32 values 0, 0, 0, 1.875, 0, 2; integers come back as values near 0. Nothing is said on writing or reading.
# Matrices keep their dtypes (they are stored with a header each).
# So embeddings or series from two sources (pandas gives float64, a network float32) are turned into noise of twice
# the length; where rows are padded or averaged, even the length is not noticed. Cast every row.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" litdata==0.2.76 torch==2.15.0 numpy==2.4.6
cd "$folder"
cat >rows.py <<'PYTHON'
import sys

import numpy as np
import torch
from litdata import StreamingDataset, __version__, optimize

ROWS = [
    {"array": np.arange(3, dtype="float32"), "tensor": torch.arange(3.0), "matrix": torch.arange(3.0)[None]},
    {"array": np.arange(3, dtype="float64"), "tensor": torch.arange(3), "matrix": torch.arange(3)[None]},
]


def row(number):
    return ROWS[number]


if __name__ == "__main__":
    optimize(row, [0, 1], "rows", num_workers=1, chunk_size=2, verbose=False)
    read = StreamingDataset("rows")
    found = [{name: torch.as_tensor(x).flatten().tolist() for name, x in read[i].items()} for i in range(2)]
    print("RESULT litdata", __version__)
    for i, written in enumerate(ROWS):
        for name, x in written.items():
            print(f"RESULT row {i}, {name}: written {x.flatten().tolist()} ({x.dtype}), read {found[i][name]}")
    right, second = [0.0, 1.0, 2.0], found[1]
    as_seen = list(found[0].values()) == [right] * 3 and second["matrix"] == right
    as_seen &= second["array"] == [0.0, 0.0, 0.0, 1.875, 0.0, 2.0]
    as_seen &= len(second["tensor"]) == 6 and max(second["tensor"]) < 1e-40
    sys.exit(0 if as_seen else 1)
PYTHON
env/bin/python rows.py >log 2>&1 && code=0 || code=$?
grep RESULT log || cat log
exit "$code"
