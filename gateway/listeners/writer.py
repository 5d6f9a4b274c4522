"""One thread that commits what all listeners received, as many messages at a time as have come."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST = 256  # messages of one transaction


class Writer(Generic[T]):
    """Feeds jobs to `serve` in groups: everything that waits, at once, and never waiting for more.

    While one group is being committed the next one gathers, so groups grow with the load by themselves
    and a lone message is committed at once.
    """

    def __init__(self, serve: Callable[[list[T]], None], *, most: int = MOST) -> None:
        self._serve = serve
        self._most = most
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

    def _run(self) -> None:
        going = True
        while going:
            group, going = self._collect()
            if group:
                self._serve_safely(group)

    def _collect(self) -> tuple[list[T], bool]:
        job = self._jobs.get()
        group: list[T] = []
        while job is not None:
            group.append(job)
            if len(group) == self._most:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _serve_safely(self, group: list[T]) -> None:
        try:
            self._serve(group)
        except Exception:  # the thread must outlive any fault: without it nobody is answered again
            log.exception("a group of %d received messages could not be served", len(group))
