"""A program with slow-starting workers, to be stopped by Ctrl-C while they start."""

from __future__ import annotations

import os
import time
from pathlib import Path

FOLDER = Path(os.environ["STOPPED_WORKERS"])
# Every process imports this file first.
(FOLDER / str(os.getpid())).touch()
if __name__ != "__main__":
    time.sleep(2)


def nothing(*_: object) -> None:
    """Return the results of all jobs."""


if __name__ == "__main__":
    from automorph.experiments.workers import Workers

    try:
        with Workers(2, nothing, ()) as workers:
            try:
                list(workers.run(nothing, [()] * 4))
            finally:
                time.sleep(1)  # Give late error messages time to appear.
    except KeyboardInterrupt:
        print("stopped", flush=True)
