"""Waits for what the worker makes of stored messages, for answers that depend on it."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from gateway import clock
from gateway.errors import GatewayError
from gateway.store.engine import Store
from gateway.store.values import State, WorkRow, arrival_of, item_id

log = logging.getLogger(__name__)
_POLL = 0.05  # seconds between looks while somebody waits
_MOST = 500  # messages asked about in one look


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one message of an arrival: AA applied, AE parked for its content, AR refused."""

    arrival: int
    index: int
    code: str
    text: str = ""


Key = tuple[int, int]  # an arrival and the place of one message in it, from 0
Ask = Callable[[Collection[Key]], Iterable[Outcome]]


@dataclass(slots=True)
class Wait:
    """Somebody who waits for all messages of some arrivals, until `limit` on the monotonic clock."""

    missing: set[Key]
    limit: float
    tell: Callable[[dict[Key, Outcome]], None]
    found: dict[Key, Outcome] = field(default_factory=dict)

    def settle(self, outcomes: dict[Key, Outcome], now: float) -> bool:
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

    def _known(self) -> dict[Key, Outcome]:
        keys = sorted({key for wait in self._waits for key in wait.missing})
        found: dict[Key, Outcome] = {}
        try:
            for start in range(0, len(keys), _MOST):
                for outcome in self._ask(keys[start : start + _MOST]):
                    found[outcome.arrival, outcome.index] = outcome
        except GatewayError as fault:  # the next look may succeed; the limit ends the wait otherwise
            log.warning("outcomes cannot be read: %s", fault.text)
        return found

    def _settled(self, wait: Wait, outcomes: dict[Key, Outcome], now: float) -> bool:
        try:
            return wait.settle(outcomes, now)
        except Exception:  # one listener's fault must not silence the others
            log.exception("an outcome could not be told")
            return True


def of_store(store: Store) -> Ask:
    """Return the question to a store's work rows, of which ended and parked ones are outcomes."""

    def ask(keys: Collection[Key]) -> list[Outcome]:
        with store.read() as tx:
            rows = tx.work_rows(item_id(arrival, index) for arrival, index in keys)
        return [outcome for row in rows.values() if (outcome := _outcome(row)) is not None]

    return ask


def _outcome(row: WorkRow) -> Outcome | None:
    arrival = arrival_of(row.item_id)
    index = row.item_id - item_id(arrival, 0)
    match row.state:
        case State.APPLIED:
            return Outcome(arrival, index, "AA")
        case State.PARKED:
            code = "AR" if row.reason == "refused" else "AE"
            return Outcome(arrival, index, code, f"{row.reason}: {_first_finding(row.issues)}".rstrip(": "))
        case State.DISCARDED:
            return Outcome(arrival, index, "AR", f"Discarded by a person: {row.reason}".rstrip(": "))
    return None


def _first_finding(issues: str) -> str:
    try:
        found = json.loads(issues)
    except ValueError:
        return ""
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return str(found[0].get("text", ""))
    return ""
