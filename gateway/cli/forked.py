"""A process forked from this one: what is loaded is shared, and it begins at once."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from gateway import clock

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Forked:
    """One forked process; `returncode` is None while it runs, negative for the signal that ended it."""

    def __init__(self, run: Callable[[], None], log: Path) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        # A signal that comes before the child has its own handlers must wait, or the parent's would swallow it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self.pid = os.fork()
        if not self.pid:
            _be_child(run, log, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, seconds: float) -> bool:
        """Wait for the end at most so long; return whether it came."""
        deadline = clock.monotonic() + seconds
        while self.poll() is None and clock.monotonic() < deadline:
            clock.sleep(0.01)
        return self.returncode is not None

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _be_child(run: Callable[[], None], log: Path, mask: set[int | signal.Signals]) -> None:
    """Run in the forked process and end it there: nothing of the parent's own work may go on in it."""
    code = 1
    try:
        _become(log)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(log: Path) -> None:
    """Let words go to the log and signals mean what they mean to a new process."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    words = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    silence = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, silence), (1, words), (2, words)):
        os.dup2(source, target)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
