#!/bin/bash
# datasets 5.2.0: Dataset.from_generator, and data that have changed since.
#
# Good guess: from_generator runs the generator. (It is given a function, not a file whose age could be compared.)
# Seen: it runs it only once on a machine. The rows are kept under a hash of the function and its arguments; what the
# function reads is no part of it. After the file has changed, the same call gives the old rows, in the same process
# and in a new one, without a message. Only other code, other gen_kwargs, another cache_dir or an emptied cache read
# it anew. load_dataset("text") of the same file does see the change.
# So labels that have been corrected, or images added since the last run, are not trained on. Put the file's time or
# checksum into gen_kwargs.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6
cd "$folder"
cat >read.py <<'PYTHON'
from datasets import Dataset, __version__, load_dataset


def rows():
    with open("labels.txt") as file:
        for line in file:
            yield {"text": line.strip()}


generated = Dataset.from_generator(rows)["text"][:]
loaded = load_dataset("text", data_files="labels.txt", split="train")["text"][:]
print(f"datasets {__version__} from_generator {','.join(generated)} load_dataset {','.join(loaded)}")
PYTHON
run() { HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 env/bin/python read.py 2>/dev/null; }
printf 'cat\ndog\n' >labels.txt
before=$(run)
printf 'cat\ncat\nhorse\n' >labels.txt
after=$(run)
echo "before: $before"
echo "after:  $after"
[ "$before" = "datasets 5.2.0 from_generator cat,dog load_dataset cat,dog" ]
[ "$after" = "datasets 5.2.0 from_generator cat,dog load_dataset cat,cat,horse" ]
