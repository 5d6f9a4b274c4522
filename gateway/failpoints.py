"""Places where a test may kill this process, to prove that nothing is lost there."""

import os
import signal

_NAMES = tuple(f"fp{number}" for number in range(1, 15))


class Failpoints:
    """One armed point at most; `armed` is empty in every ordinary run."""

    __slots__ = ("armed", "left")

    def __init__(self) -> None:
        self.armed = ""
        self.left = 0

    def arm(self, setting: str) -> None:
        """Arm `fp3` (first hit) or `fp3:17` (17th hit); empty disarms; ValueError on any other text."""
        name, _, count = setting.partition(":")
        if name and name not in _NAMES:
            raise ValueError(f"Unknown failpoint {name!r}; known are {', '.join(_NAMES)}.")
        self.left = int(count) if count else 1
        self.armed = name

    def due(self, name: str) -> bool:
        """Count one arrival at `name` and say whether the process must die now."""
        if self.armed != name:
            return False
        self.left -= 1
        return self.left <= 0


_points = Failpoints()
arm = _points.arm
due = _points.due


def hit(name: str) -> None:
    """Kill this process with SIGKILL when the point `name` is armed and its count is reached."""
    if _points.armed and _points.due(name):
        die()


def die() -> None:
    """End this process at once, as a power cut or `kill -9` would: nothing is flushed or closed."""
    os.kill(os.getpid(), signal.SIGKILL)
