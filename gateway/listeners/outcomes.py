"""Waits for what the worker makes of stored messages, for answers that depend on it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from gateway import clock
from gateway.errors import GatewayError

log = logging.getLogger(__name__)
_POLL = 0.05  # seconds between looks while somebody waits
_MOST = 500  # arrivals asked about in one look


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one message of an arrival: AA applied, AE parked for its content, AR refused."""

    arrival: int
    index: int
    code: str
    text: str = ""


Ask = Callable[[Collection[int]], Iterable[Outcome]]


@dataclass(slots=True)
class Wait:
    """Somebody who waits for all messages of some arrivals, until `limit` on the monotonic clock."""

    missing: set[tuple[int, int]]
    limit: float
    tell: Callable[[dict[tuple[int, int], Outcome]], None]
    found: dict[tuple[int, int], Outcome] = field(default_factory=dict)

    def settle(self, outcomes: dict[tuple[int, int], Outcome], now: float) -> bool:
        """Take what is known now; tell and return True when complete or out of time."""
        for key in self.missing & outcomes.keys():
            self.found[key] = outcomes[key]
            self.missing.discard(key)
        if self.missing and now < self.limit:
            return False
        self.tell(self.found)
        return True


class Watcher:
    """A thread that asks the store about all waiting arrivals at once, and only while any wait."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._fresh: deque[Wait] = deque()
        self._waits: list[Wait] = []
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outcome-watcher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def add(self, wait: Wait) -> None:
        """Wait for `wait.missing`; `wait.tell` is called once, on this thread."""
        self._fresh.append(wait)
        self._wake.set()

    def stop(self, grace: float) -> None:
        """Tell everyone who still waits what is known, then end."""
        self._stopping = True
        self._wake.set()
        self._thread.join(grace)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(_POLL if self._waits else None)
            self._wake.clear()
            self._look(clock.monotonic())
        self._look(float("inf"))

    def _look(self, now: float) -> None:
        while self._fresh:
            self._waits.append(self._fresh.popleft())
        outcomes = self._known()
        self._waits = [wait for wait in self._waits if not self._settled(wait, outcomes, now)]

    def _known(self) -> dict[tuple[int, int], Outcome]:
        arrivals = sorted({arrival for wait in self._waits for arrival, _ in wait.missing})
        found: dict[tuple[int, int], Outcome] = {}
        try:
            for start in range(0, len(arrivals), _MOST):
                for outcome in self._ask(arrivals[start : start + _MOST]):
                    found[outcome.arrival, outcome.index] = outcome
        except GatewayError as fault:  # the next look may succeed; the limit ends the wait otherwise
            log.warning("outcomes cannot be read: %s", fault.text)
        return found

    def _settled(self, wait: Wait, outcomes: dict[tuple[int, int], Outcome], now: float) -> bool:
        try:
            return wait.settle(outcomes, now)
        except Exception:  # one listener's fault must not silence the others
            log.exception("an outcome could not be told")
            return True
