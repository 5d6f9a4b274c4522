"""Decides when every listener stops reading: disk nearly full, backlog or memory too high."""

import shutil
from collections.abc import Callable
from pathlib import Path

from gateway.errors import GatewayError
from gateway.listeners.options import GateOptions

Backlog = Callable[[], int]


class Gate:
    """Open while there is room; holds a sentence per reason while it is shut."""

    __slots__ = ("_backlog", "_folder", "_held_shut", "_options", "free", "held", "reasons", "waiting")

    def __init__(self, options: GateOptions, folder: Path, backlog: Backlog | None = None) -> None:
        self._options = options
        self._folder = folder
        self._backlog = backlog
        self._held_shut = False
        self.reasons: dict[str, str] = {}
        self.held = 0  # bytes taken from senders and not yet stored
        self.free = 0  # bytes free on the disk at the last look
        self.waiting = 0  # arrivals not picked up at the last look

    @property
    def shut(self) -> bool:
        """Return whether listeners must stop reading."""
        return bool(self.reasons)

    def hold(self, size: int) -> bool:
        """Note `size` more bytes held (negative: let go); return whether the gate moved."""
        self.held += size
        if self._held_shut:
            if self.held <= self._options.max_held // 2:
                self._held_shut = False
                del self.reasons["memory"]
                return True
        elif self.held > self._options.max_held:
            self._held_shut = True
            self.reasons["memory"] = f"{self.held:,} bytes from senders wait to be stored."
            return True
        return False

    def look(self) -> None:
        """Look at the disk and the backlog; call about once a second."""
        self._look_at_disk()
        if self._backlog is not None:
            self._look_at_backlog(self._backlog)

    def _look_at_disk(self) -> None:
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError as fault:
            self.reasons["disk"] = f"The data folder {self._folder} cannot be looked at: {fault.strerror}."
            return
        self.free = usage.free
        options = self._options
        share = min(int(usage.total * options.min_free_share), options.most_free_bytes)
        floor = max(options.min_free_bytes, share)
        if usage.free < floor:
            self.reasons["disk"] = (
                f"Only {usage.free:,} bytes are free for {self._folder}; "
                f"reading resumes at {floor:,}. Free some space or move the data folder."
            )
        else:
            self.reasons.pop("disk", None)

    def _look_at_backlog(self, backlog: Backlog) -> None:
        try:
            self.waiting = backlog()
        except GatewayError as fault:
            self.reasons["store"] = fault.text
            return
        self.reasons.pop("store", None)
        high = self._options.max_backlog
        low = high // 10 * 9 if "backlog" in self.reasons else high
        if self.waiting > low:
            self.reasons["backlog"] = (
                f"{self.waiting:,} messages wait for a worker; reading resumes below {high // 10 * 9:,}."
            )
        else:
            self.reasons.pop("backlog", None)
