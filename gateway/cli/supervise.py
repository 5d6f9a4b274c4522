"""The supervisor of `gateway serve`: receive, web and workers, restarted when they fall, stopped together.

The processes are forked from the supervisor, which has loaded what they share: they start at once and share memory.
"""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from gateway import clock
from gateway.cli.forked import Forked

ROLES = ("_receive", "_worker", "_web")
_BACKOFF = (0.2, 1.0, 5.0, 15.0)
_STEADY_SECONDS = 30.0
_STOP_SECONDS = 15.0


Run = Callable[[str, str], None]
"""Runs a role under a name in a process of its own, until it ends."""


@dataclass(slots=True)
class Child:
    """One supervised process and how often it fell lately."""

    role: str
    name: str = ""
    process: Forked | None = None
    started: float = 0.0
    falls: int = 0
    restart_at: float = field(default=0.0)


class Supervisor:
    """Starts the processes, restarts the fallen with growing pauses, stops them together."""

    def __init__(self, run: Run, log: Path, say: Callable[[str], None], workers: int = 1) -> None:
        self._run = run
        self._log = log
        self._say = say
        more = [Child("_worker", f"worker-{number}") for number in range(2, workers + 1)]
        self._children = [*(Child(role) for role in ROLES), *more]
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start every process."""
        for child in self._children:
            self._launch(child)

    def watch(self) -> None:
        """Keep the processes alive until `stop` is called."""
        while not self._stopping.wait(0.2):
            for child in self._children:
                self._tend(child)

    def stop(self) -> None:
        """Ask every process to end, and end those that do not within 15 s."""
        self._stopping.set()
        running = [child.process for child in self._children if child.process and child.process.poll() is None]
        for process in running:
            process.send(signal.SIGTERM)
        deadline = clock.monotonic() + _STOP_SECONDS
        for process in running:
            if not process.wait(max(0.1, deadline - clock.monotonic())):
                process.send(signal.SIGKILL)
                process.wait(_STOP_SECONDS)

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT stop the whole gateway."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def pids(self) -> dict[str, int]:
        """Return the process id of each role that runs."""
        return {f"{child.role} {child.name}".strip(): child.process.pid for child in self._children if child.process}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _launch(self, child: Child) -> None:
        child.process = Forked(partial(self._run, child.role, child.name), self._log)
        child.started = clock.monotonic()

    def _tend(self, child: Child) -> None:
        if child.process is None or child.process.poll() is None:
            return
        if not child.restart_at:
            self._fell(child)
        elif clock.monotonic() >= child.restart_at:
            child.restart_at = 0.0
            self._launch(child)

    def _fell(self, child: Child) -> None:
        code = child.process.returncode if child.process else 0
        steady = clock.monotonic() - child.started > _STEADY_SECONDS
        child.falls = 1 if steady else child.falls + 1
        pause = _BACKOFF[min(child.falls, len(_BACKOFF)) - 1]
        self._say(
            f"{child.role.lstrip('_')} ended with code {code}; starting it again in {pause:g} s (see {self._log})"
        )
        child.restart_at = clock.monotonic() + pause
