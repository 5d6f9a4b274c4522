"""MLLP framing without I/O: bytes in as they arrive, frames out; tolerant, linear, bounded (HL7 MLLP release 1)."""

import re
from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c"
TRAILER = b"\x1c\r"
MAX_SIZE = 32 * 1024 * 1024
HEAD = 4096
_EDGE = re.compile(rb"[\x0b\x1c]")
_NO_JUNK = (b"\r", b"\n", END)
_HEADERS = (b"MSH", b"FHS", b"BHS")
_LOOK = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """What arrived between two markers; `size` counts all its bytes, `junk` the stray bytes skipped before it.

    `kind`: `message`; `oversize` (`payload` is its first 4 KiB); `aborted` (a new frame began, or the connection ended,
    before the end marker: `payload` is what had arrived, at most 4 KiB if it was oversize too).
    """

    payload: bytes
    kind: str
    size: int
    junk: int = 0


def wrap(payload: bytes) -> bytes:
    """Return the payload as one frame: VT, bytes, FS, CR."""
    return START + payload + TRAILER


class Decoder:
    """Cuts one connection's bytes into frames; the cut never depends on how the bytes were split on their way.

    A frame runs from VT to FS; the CR after FS may be missing. A VT directly followed by MSH, FHS or BHS starts the
    frame anew (the sender was restarted) and the half frame is reported as aborted; any other VT is content.
    """

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self.max_size = max_size
        self._head_size = min(HEAD, max_size)
        self.junk = 0
        self._buffer = bytearray()
        self._scanned = 0
        self._open = False
        self._dropped = 0
        self._head = b""
        self._junk_before = 0

    @property
    def in_frame(self) -> bool:
        """Say whether a frame has begun and not ended, so that a deadline can run."""
        return self._open

    @property
    def pending(self) -> int:
        """Return how many bytes of the present frame have arrived."""
        return self._dropped + len(self._buffer) if self._open else 0

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete, in order."""
        frames: list[Frame] = []
        self._buffer += data
        while self._step(frames):
            pass
        self._shed()
        return frames

    def finish(self) -> Frame | None:
        """Return the half frame left when the connection ends, None if there is none."""
        if not self._open or not (self._dropped or self._buffer):
            return None
        self._open = False
        return self._frame(len(self._buffer), "aborted")

    def _step(self, frames: list[Frame]) -> bool:
        """Handle the next marker; say whether there may be another one."""
        if not self._open:
            return self._seek_start()
        edge = _EDGE.search(self._buffer, self._scanned)
        if edge is None:
            self._scanned = len(self._buffer)
            return False
        at = edge.start()
        if edge.group() == END:
            frames.append(self._frame(at, "oversize" if self._dropped + at > self.max_size else "message"))
            self._consume(at + 1, open_=False)
            return True
        return self._start_within(at, frames)

    def _seek_start(self) -> bool:
        at = self._buffer.find(START)
        stop = len(self._buffer) if at < 0 else at
        skipped = stop - sum(self._buffer.count(byte, 0, stop) for byte in _NO_JUNK)
        self.junk += skipped
        self._junk_before += skipped
        self._consume(stop + (at >= 0), open_=at >= 0)
        return at >= 0

    def _start_within(self, at: int, frames: list[Frame]) -> bool:
        """Decide whether a VT inside a frame starts a new one; wait when too little of what follows has arrived."""
        after = bytes(self._buffer[at + 1 : at + 1 + _LOOK])
        if len(after) < _LOOK and any(header.startswith(after) for header in _HEADERS):
            self._scanned = at
            return False
        if after not in _HEADERS:
            self._scanned = at + 1
            return True
        if self._dropped + at:
            frames.append(self._frame(at, "aborted"))
        self._consume(at + 1, open_=True)
        return True

    def _frame(self, end: int, kind: str) -> Frame:
        size = self._dropped + end
        payload = bytes(self._buffer[:end]) if size <= self.max_size else self._beginning(end)
        frame = Frame(payload, kind, size, self._junk_before)
        self._junk_before = 0
        return frame

    def _beginning(self, end: int) -> bytes:
        return self._head or bytes(self._buffer[: min(self._head_size, end)])

    def _consume(self, count: int, *, open_: bool) -> None:
        del self._buffer[:count]
        self._scanned = 0
        self._dropped = 0
        self._head = b""
        self._open = open_

    def _shed(self) -> None:
        """Forget what an oversize frame has brought so far, but for its head."""
        if not self._open or self._dropped + self._scanned <= self.max_size:
            return
        if not self._dropped:
            self._head = bytes(self._buffer[: self._head_size])
        self._dropped += self._scanned
        del self._buffer[: self._scanned]
        self._scanned = 0
