"""Quantities: numbers with a unit; the query is converted to each unit it is commensurable with (UCUM).

A row is `(param, low, high, system, unit)` with the number as sent; where the readable unit differs from the code
it has a row of its own, since R4's `number||unit` takes either (search.html §3.1.1.4.11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.search import ucum
from gateway.search.kinds.number import INFINITY, prefixed, satisfied
from gateway.search.kinds.ordered import Prefix
from gateway.search.kinds.text import plain, split, wrong

Row = tuple[int, float, float, str, str]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]

UCUM = "http://unitsofmeasure.org"
CURRENCY = "urn:iso:std:iso:4217"


def _number(value: Any) -> tuple[float, float]:
    at = float(value["value"])
    comparator = value.get("comparator", "")
    return (-INFINITY if comparator[:1] == "<" else at), (INFINITY if comparator[:1] == ">" else at)


def _add(param: int, low: float, high: float, value: Any, sink: Sink) -> None:
    code, unit = value.get("code") or "", value.get("unit") or ""
    sink.append((param, low, high, value.get("system") or "", code or unit))
    if code and unit and unit != code:
        sink.append((param, low, high, "", unit))


def _quantity(param: int, value: Any, sink: Sink) -> None:
    if "value" in value:
        low, high = _number(value)
        _add(param, low, high, value, sink)


def _money(param: int, value: Any, sink: Sink) -> None:
    if "value" in value:
        at = float(value["value"])
        sink.append((param, at, at, CURRENCY if value.get("currency") else "", value.get("currency") or ""))


def _range(param: int, value: Any, sink: Sink) -> None:
    low, high = value.get("low") or {}, value.get("high") or {}
    bottom = float(low["value"]) if "value" in low else -INFINITY
    top = float(high["value"]) if "value" in high else INFINITY
    if bottom > -INFINITY or top < INFINITY:
        _add(param, bottom, top, low or high, sink)


def _sampled(param: int, value: Any, sink: Sink) -> None:
    origin = value.get("origin") or {}
    low, high = value.get("lowerLimit"), value.get("upperLimit")
    if low is not None and high is not None:
        _add(param, float(low), float(high), origin, sink)
    else:
        _quantity(param, origin, sink)


INDEX: dict[str, Indexer] = {
    **dict.fromkeys(("Quantity", "SimpleQuantity", "Age", "Duration", "Count", "Distance"), _quantity),
    "Money": _money,
    "Range": _range,
    "SampledData": _sampled,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One unit's share of a query: `None` leaves system or unit open; the numbers are in that unit."""

    system: str | None
    unit: str | None
    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a query asks: a prefix, and the number in each unit it can be expressed in."""

    prefix: Prefix
    asks: tuple[Ask, ...]

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return any(
            (ask.system is None or ask.system == found[3])
            and (ask.unit is None or ask.unit == found[4])
            and satisfied(self.prefix, ask.at, ask.low, ask.high, found[1], found[2])
            for ask in self.asks
        )


def parse(name: str, text: str) -> Quantity:
    """Return the value of `[prefix]number`, `…|system|code` or `…||code`; GatewayError where it is none of them."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) not in (1, 3):
        raise wrong(name, text, "a number, number|system|code or number||code")
    prefix, *numbers = prefixed(name, parts[0])
    system = (parts[1] or None) if len(parts) == 3 else None
    unit = (parts[2] or None) if len(parts) == 3 else None
    return Quantity(prefix, tuple(_asks(system, unit, numbers)))


def _asks(system: str | None, unit: str | None, numbers: list[Decimal]) -> list[Ask]:
    asked = [Ask(system, unit, *map(float, numbers))]
    if unit is None or system not in (None, UCUM):
        return asked
    converted = [ucum.others(unit, number) for number in numbers]
    return asked + [Ask(UCUM, other, *(float(each[other]) for each in converted)) for other in converted[0]]
