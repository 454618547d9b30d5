"""Runs a command and writes its seconds by the clock and on the processor: timed.py FILE COMMAND..

It imports nothing of the package, so that timing a training costs almost nothing.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    began = time.perf_counter()
    status = subprocess.run(sys.argv[2:], check=False).returncode
    wall, own = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    text = json.dumps({"wall": wall, "processor": own.ru_utime + own.ru_stime})
    Path(sys.argv[1]).write_text(text)
    sys.exit(status)


if __name__ == "__main__":
    main()
