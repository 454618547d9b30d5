"""A program whose workers take their time to start, to be stopped by Ctrl-C meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

FOLDER = Path(os.environ["STOPPED_WORKERS"])
# Every process imports this file before it does anything else.
(FOLDER / str(os.getpid())).touch()
if __name__ != "__main__":
    time.sleep(2)


def nothing() -> None:
    """All that is asked for."""


if __name__ == "__main__":
    from automorph.training.workers import Workers

    try:
        with Workers(2, nothing, ()) as workers:
            try:
                list(workers.run(nothing, [()] * 4))
            finally:
                time.sleep(1)  # Whoever wants to complain has the time.
    except KeyboardInterrupt:
        print("stopped", flush=True)
