"""Run one command, and end it and all its descendants when the caller ends or asks for it.

Usage: ``python -I -S supervise.py GRACE WORD...``. The caller keeps a pipe to the standard input of
this program open; when the pipe closes, for whatever reason, the process group of the command gets
SIGTERM, and SIGKILL after ``GRACE`` seconds. Descendants that outlive the command are killed. The
exit status is that of the command, or 128 plus the number of the signal that ended it.

This is a program of its own, without imports from automorph, because nothing else starts fast
enough or survives the SIGKILL of a driver.
"""

import os
import signal
import subprocess  # nosec B404
import sys
import threading
import time

CANNOT_START, NOT_STARTED = 126, "cannot start"
"""Exit status, and the begin of the line in the log; a command itself may end with 126 too."""


def main(grace: float, words: list[str]) -> int:
    """Run the command; return its exit status."""
    pipe = os.dup(0)
    os.set_inheritable(pipe, False)
    try:
        child = subprocess.Popen(  # nosec B603
            words, stdin=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        print(f"{NOT_STARTED} {words[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return CANNOT_START
    threading.Thread(target=_watch, args=(pipe, child, grace), daemon=True).start()
    if hasattr(os, "waitid"):
        # Not reaped yet: until then, no other process can get the number of its group.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        _kill(child, signal.SIGKILL)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _watch(pipe: int, child: "subprocess.Popen[bytes]", grace: float) -> None:
    """Wait until the caller closes the pipe, then end the command."""
    while os.read(pipe, 4096):
        pass
    _kill(child, signal.SIGTERM)
    time.sleep(grace)
    _kill(child, getattr(signal, "SIGKILL", signal.SIGTERM))


def _kill(child: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to the command's process group, which may be gone."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.terminate()
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
