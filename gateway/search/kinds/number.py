"""Numbers: compared within the precision the query was written in (R4 search.html §3.1.1.4.6).

A row is `(param, low, high)`; a plain number is one point.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.search.kinds.ordered import Prefix, cut, holds
from gateway.search.kinds.text import wrong

Row = tuple[int, float, float]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]

INFINITY = 1e308
"""Beyond any measurement: an open end of a range."""
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?")


def _point(param: int, value: Any, sink: Sink) -> None:
    sink.append((param, float(value), float(value)))


def _range(param: int, value: Any, sink: Sink) -> None:
    low, high = (value.get("low") or {}).get("value"), (value.get("high") or {}).get("value")
    if low is not None or high is not None:
        bottom = float(low) if low is not None else -INFINITY
        sink.append((param, bottom, float(high) if high is not None else INFINITY))


INDEX: dict[str, Indexer] = {
    "decimal": _point,
    "integer": _point,
    "positiveInt": _point,
    "unsignedInt": _point,
    "Range": _range,
}


@dataclass(frozen=True, slots=True)
class Number:
    """What a query asks: a prefix, the number as written and the range its precision covers."""

    prefix: Prefix
    at: float
    low: float
    high: float

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return satisfied(self.prefix, self.at, self.low, self.high, found[1], found[2])


def satisfied(prefix: Prefix, at: float, low: float, high: float, from_: float, to: float) -> bool:
    """Compare by the range for `eq`, `ne` and `ap`; all other prefixes take the number as exact, as R4 says."""
    if prefix in ("eq", "ne"):
        return (low <= from_ and to < high) == (prefix == "eq")
    if prefix == "sa":
        return from_ > at
    if prefix == "eb":
        return to < at
    return holds(prefix, low, high, from_, to) if prefix == "ap" else holds(prefix, at, at, from_, to)


def span(text: str) -> tuple[Decimal, Decimal, Decimal] | None:
    """Return the number and the half-digit range around it (100 is 99.5 to 100.5), or None if it is no number."""
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    return number, number - half, number + half


def prefixed(name: str, text: str) -> tuple[Prefix, Decimal, Decimal, Decimal]:
    """Return prefix, number and range of `[prefix]number`; GatewayError where it is no number."""
    prefix, rest = cut(text)
    found = span(rest)
    if found is None:
        raise wrong(name, text, "a number such as 5.4 or gt100")
    number, low, high = found
    if prefix == "ap":
        slack = abs(number) / 10
        low, high = min(low, number - slack), max(high, number + slack)
    return prefix, number, low, high


def parse(name: str, text: str) -> Number:
    """Return the value of `[prefix]number`."""
    prefix, number, low, high = prefixed(name, text)
    return Number(prefix, float(number), float(low), float(high))
