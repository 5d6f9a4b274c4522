"""Numbers of the receive process: plain counts that cost a dictionary step each."""

from bisect import bisect_left
from collections import Counter
from threading import Lock
from typing import Any

# Upper bounds in seconds of the acknowledgement-time classes; one more class holds the rest.
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Times:
    """Waiting times in fixed classes, so that any number of them takes the same room."""

    __slots__ = ("classes", "count", "total")

    def __init__(self) -> None:
        self.classes = [0] * (len(BOUNDS) + 1)
        self.count = 0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one waiting time."""
        self.classes[bisect_left(BOUNDS, seconds)] += 1
        self.count += 1
        self.total += seconds

    def snapshot(self) -> dict[str, Any]:
        """Return cumulative counts by upper bound in seconds, as Prometheus expects a histogram."""
        running, buckets = 0, {}
        for bound, number in zip((*map(str, BOUNDS), "+Inf"), self.classes, strict=True):
            running += number
            buckets[bound] = running
        return {"buckets": buckets, "count": self.count, "sum": round(self.total, 6)}


class Counters:
    """Counts by name, and by feed and name; any thread may count."""

    __slots__ = ("_lock", "feeds", "last_us", "plain")

    def __init__(self) -> None:
        self._lock = Lock()
        self.plain: Counter[str] = Counter()
        self.feeds: dict[str, Counter[str]] = {}
        self.last_us: dict[str, int] = {}

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more of `name`."""
        with self._lock:
            self.plain[name] += number

    def feed(self, feed: str, name: str, received_us: int = 0) -> None:
        """Count one more of `name` for `feed` and remember when its last message came."""
        with self._lock:
            self.feeds.setdefault(feed, Counter())[name] += 1
            if received_us:
                self.last_us[feed] = received_us

    def snapshot(self) -> dict[str, Any]:
        """Return the counts as plain values; `last_us` is microseconds since 1970."""
        with self._lock:
            feeds = {name: {**counts, "last_us": self.last_us.get(name, 0)} for name, counts in self.feeds.items()}
            return {"counts": dict(self.plain), "feeds": feeds}
