"""One thread that commits what all listeners received, as many messages at a time as have come."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from gateway import clock

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST = 256  # messages of one transaction
MOST_BYTES = 32 * 1024 * 1024  # of one transaction, or a single message


class Writer(Generic[T]):
    """Feeds jobs to `serve` in groups: everything that waits, at once, and never waiting for more.

    While one group is being committed the next one gathers, so groups grow with the load by themselves
    and a lone message is committed at once.
    """

    def __init__(
        self, serve: Callable[[list[T]], None], *, most: int = MOST, weigh: Callable[[T], int] | None = None
    ) -> None:
        self._serve = serve
        self._most = most
        self._weigh = weigh or (lambda job: 0)
        self._since: float | None = None
        self._jobs: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, job: T) -> None:
        """Hand over one job; returns at once, any thread may call."""
        self._jobs.put(job)

    def stop(self, grace: float) -> bool:
        """Serve what was handed over, then end; return whether that took at most `grace` seconds."""
        self._jobs.put(None)
        self._thread.join(grace)
        return not self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Return about how many jobs wait."""
        return self._jobs.qsize()

    def busy_for(self, now: float) -> float:
        """Return how many seconds the present group has taken so far, 0 without one."""
        since = self._since
        return 0.0 if since is None else now - since

    def _run(self) -> None:
        going = True
        while going:
            group, going = self._collect()
            if group:
                self._serve_safely(group)

    def _collect(self) -> tuple[list[T], bool]:
        job = self._jobs.get()
        group: list[T] = []
        weight = 0
        while job is not None:
            group.append(job)
            weight += self._weigh(job)
            if len(group) == self._most or weight >= MOST_BYTES:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _serve_safely(self, group: list[T]) -> None:
        self._since = clock.monotonic()
        try:
            self._serve(group)
        except Exception:  # the thread must outlive any fault: without it nobody is answered again
            log.exception("a group of %d received messages could not be served", len(group))
        finally:
            self._since = None
