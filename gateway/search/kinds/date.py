"""Dates: moments and periods as ranges of microseconds (R4 search.html §3.1.1.4.7).

A row is `(param, from, to)`, from inclusive and to exclusive; an open end of a period is the end of time.
`eq` is containment, never mere overlap; a text without a zone stands in the zone of the gateway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from gateway.errors import GatewayError
from gateway.fhir.temporal import bounds
from gateway.search.kinds.ordered import Prefix, cut, holds
from gateway.search.kinds.text import wrong

Row = tuple[int, int, int]
Sink = list[Row]
Zone = tzinfo | str
Indexer = Callable[[int, Any, Sink, Zone], None]

EARLIEST = -(2**62)
LATEST = 2**62


def _moment(param: int, value: Any, sink: Sink, zone: Zone) -> None:
    low, high = bounds(value, zone)
    sink.append((param, low, high))


def _period(param: int, value: Any, sink: Sink, zone: Zone) -> None:
    start, end = value.get("start"), value.get("end")
    if start or end:
        low = bounds(start, zone)[0] if start else EARLIEST
        sink.append((param, low, bounds(end, zone)[1] if end else LATEST))


def _timing(param: int, value: Any, sink: Sink, zone: Zone) -> None:
    """Append the outer limits of a schedule, which are all of it that a search is about."""
    found: Sink = []
    for event in value.get("event") or ():
        _moment(param, event, found, zone)
    _period(param, (value.get("repeat") or {}).get("boundsPeriod") or {}, found, zone)
    if found:
        sink.append((param, min(row[1] for row in found), max(row[2] for row in found)))


INDEX: dict[str, Indexer] = {
    "date": _moment,
    "dateTime": _moment,
    "instant": _moment,
    "Period": _period,
    "Timing": _timing,
}


@dataclass(frozen=True, slots=True)
class Date:
    """What a query asks: a prefix and the range [low, high) its text covers, in microseconds."""

    prefix: Prefix
    low: int
    high: int

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        if self.prefix == "ap":
            return found[1] < self.high and found[2] > self.low
        return holds(self.prefix, self.low, self.high, found[1], found[2])


def parse(name: str, text: str, zone: Zone, now_us: int) -> Date:
    """Return the value of `[prefix]date`; `ap` widens by a tenth of the distance to `now_us`, as R4 suggests."""
    prefix, rest = cut(text)
    try:
        low, high = bounds(rest.replace(" ", "+"), zone)
    except GatewayError:
        raise wrong(name, text, "a date such as 2026-03, 2026-03-01 or 2026-03-01T08:30:00+08:00") from None
    if prefix == "ap":
        slack = abs(now_us - low) // 10
        low, high = low - slack, high + slack
    return Date(prefix, low, high)
