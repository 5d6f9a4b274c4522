"""Help for SQLite writers: a lock that serves in order of arrival, and the length of the write-ahead log."""

import os
import struct
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

_HEADER = 32
_FRAME_HEADER = 24


class FairLock:
    """A mutex handed on in order of arrival, so that no thread of the process waits for ever."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for the lock, at most `timeout` seconds (-1: for ever); say whether it is ours."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        return turn.acquire(timeout=timeout) or not self._gave_up(turn)

    def release(self) -> None:
        """Hand the lock to whoever waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    def _gave_up(self, turn: threading.Lock) -> bool:
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return True
            return False  # it was handed to us while we left

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def wal_bytes(database: Path) -> int:
    """Return the bytes of the log's present generation (https://www.sqlite.org/walformat.html).

    The file keeps its size when the log starts again, so the frames that bear the header's salts are counted, by
    bisection. Reading this file is safe: SQLite's locks are on the other two.
    """
    try:
        handle = os.open(database.with_name(database.name + "-wal"), os.O_RDONLY)
    except OSError:
        return 0
    try:
        return _live_bytes(handle)
    finally:
        os.close(handle)


def _live_bytes(handle: int) -> int:
    header = os.pread(handle, _HEADER, 0)
    if len(header) < _HEADER:
        return 0
    frame = _FRAME_HEADER + int(struct.unpack(">I", header[8:12])[0])
    salts = header[16:24]
    low, high = 0, (os.fstat(handle).st_size - _HEADER) // frame
    while low < high:
        middle = (low + high) // 2
        if os.pread(handle, 8, _HEADER + middle * frame + 8) == salts:
            low = middle + 1
        else:
            high = middle
    return _HEADER + low * frame
