#!/bin/bash
# pydicom 3.0.0 (3.0.1 and 3.0.2): importing the package and the network.
#
# Good guess: `import pydicom` opens no connection; example files are fetched when one asks for them.
# Seen: 3.0.0 looks up a host to download its larger example files as soon as it is imported. Without a
# network it tries each of them several times, with pauses of up to 12 seconds, and the import takes
# more than a minute. 3.0.1 and 3.0.2 do not.
# So the extra `dicom` of Automorph asks for 3.0.1, and the version is checked before the import
# (data/dicom.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
cat > "$folder/probe.py" <<'PYTHON'
import os
import sys


def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        print(f"import pydicom: {event} {arguments[0]!r:.60}", flush=True)
        os._exit(3)


sys.addaudithook(watch)
import pydicom

print(f"import pydicom: {pydicom.__version__} without a connection")
PYTHON
seen=""
for version in 3.0.0 3.0.1 3.0.2; do
    "$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check "pydicom==$version"
    code=0
    # A home of its own: files that were downloaded before are kept there.
    HOME="$folder" "$folder/env/bin/python" "$folder/probe.py" || code=$?
    seen="$seen $version:$code"
done
echo "exit codes:$seen"
[ "$seen" = " 3.0.0:3 3.0.1:0 3.0.2:0" ]
