"""Limits around mapping: processor time a batch, and memory of the worker process (reliability 1.4)."""

import gc
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

CPU_SECONDS = 5.0
MEMORY_BYTES = 512 * 1024 * 1024


class Overtime(BaseException):
    """The batch used more processor time than any honest message needs; no `except Exception` stops it."""


@contextmanager
def processor_time(seconds: float = 0.0) -> Iterator[None]:
    """Raise Overtime inside the block once it has used `seconds` (0: CPU_SECONDS); main thread only.

    A block that does not end even then, such as a loop inside an extension module, ends the process at twice that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _overtime)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds or CPU_SECONDS)
    signal.setitimer(signal.ITIMER_PROF, 2 * (seconds or CPU_SECONDS))  # SIGPROF ends a process by default
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGVTALRM, before)


def cap_memory(extra: int = MEMORY_BYTES) -> None:
    """Let this process grow by `extra` bytes at most: a runaway definition gets a MemoryError, not the machine."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + extra
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


class Collector:
    """Collects garbage between batches only: a collection inside one walks every resource under way for nothing."""

    def __init__(self, every: int = 16) -> None:
        self._every = every
        self._batches = 0

    def start(self) -> None:
        """Keep what is loaded by now out of every later collection."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def between(self) -> None:
        """Collect after every few batches."""
        self._batches += 1
        if self._batches % self._every == 0:
            gc.collect(1)

    def stop(self) -> None:
        """Let the interpreter collect by itself again."""
        gc.enable()
        gc.unfreeze()


class Appetite:
    """How many items to take at once: twice the batch size while more wait than that.

    A page of the store is then written once for more of them; without a backlog batches stay small, and so do the
    transactions other writers wait for.
    """

    def __init__(self, batch_size: int) -> None:
        self._least = batch_size
        self.limit = batch_size

    def took(self, count: int) -> None:
        """Note how many there were to take."""
        self.limit = 2 * self._least if count >= self.limit else self._least

    def seconds(self, count: int) -> float:
        """Return the processor time so many items may use: CPU_SECONDS for each batch size of them."""
        return CPU_SECONDS * max(1.0, count / self._least)


def _overtime(number: int, frame: FrameType | None) -> None:
    raise Overtime(f"more than {CPU_SECONDS:g} s of processor time")
