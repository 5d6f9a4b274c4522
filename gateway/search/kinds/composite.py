"""Composites: values that stand together in one element, such as a component's code and quantity.

Where the composite's element is the resource itself its parts are ordinary parameters and no row is needed. Other
composites have a row `(param, first, second)`, each part a row of its own kind without the parameter
(R4 search.html §3.1.1.4.14).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from gateway.search.kinds.text import split, wrong

Row = tuple[int, tuple[Any, ...], tuple[Any, ...]]
Sink = list[Row]

PAIRS = {("token", "token"), ("token", "quantity"), ("reference", "token")}
"""The kinds of pair that get rows; the rest of R4's inner composites are three-part gene coordinates."""


def add(param: int, firsts: list[tuple[Any, ...]], seconds: list[tuple[Any, ...]], sink: Sink) -> None:
    """Append a row for each first with each second part found in one element."""
    for first, second in product(firsts, seconds):
        sink.append((param, first[1:], second[1:]))


@dataclass(frozen=True, slots=True)
class Composite:
    """What a query asks of each part, in order."""

    parts: tuple[Any, ...]

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        first, second = self.parts
        return bool(first.matches((found[0], *found[1])) and second.matches((found[0], *found[2])))


def parse(name: str, text: str, readers: list[Callable[[str], Any]]) -> Composite:
    """Return the value of `first$second`; `readers` parse each part; GatewayError for another number of parts."""
    parts = split(text, "$")
    if len(parts) != len(readers):
        raise wrong(name, text, f"{len(readers)} values joined by $")
    return Composite(tuple(read(part) for read, part in zip(readers, parts, strict=True)))
