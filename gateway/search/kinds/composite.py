"""Composites: values that stand together in one element, such as a component's code and quantity.

Where the composite's element is the resource itself its parts are ordinary parameters and no row is needed. Other
composites have a row `(param, first, second[, third])`, each part a row of its own kind without the parameter
(R4 search.html §3.1.1.4.14).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from gateway.search.kinds.text import split, wrong

Row = tuple[Any, ...]
Sink = list[Row]

GROUPS = {("token", "token"), ("token", "quantity"), ("reference", "token"), ("token", "number", "number")}
"""The kinds of parts that composites of R4 have in elements below the resource."""


def add(param: int, found: list[list[tuple[Any, ...]]], sink: Sink) -> None:
    """Append a row for each way of taking one of each part's values found in one element."""
    for parts in product(*found):
        sink.append((param, *(part[1:] for part in parts)))


@dataclass(frozen=True, slots=True)
class Composite:
    """What a query asks of each part, in order."""

    parts: tuple[Any, ...]

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return all(part.matches((found[0], *held)) for part, held in zip(self.parts, found[1:], strict=True))


def parse(name: str, text: str, readers: list[Callable[[str], Any]]) -> Composite:
    """Return the value of `first$second`; `readers` parse each part; GatewayError for another number of parts."""
    parts = split(text, "$")
    if len(parts) != len(readers):
        raise wrong(name, text, f"{len(readers)} values joined by $")
    return Composite(tuple(read(part) for read, part in zip(readers, parts, strict=True)))
