"""Prefixes and ranges: how a value with a range compares with a range in a resource (R4 search.html §3.1.1.4.5)."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
PREFIXES: tuple[Prefix, ...] = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

Bound = TypeVar("Bound", int, float)


def cut(text: str) -> tuple[Prefix, str]:
    """Return the prefix (`eq` where none is written) and the rest of a value."""
    for prefix in PREFIXES:
        if text.startswith(prefix):
            return prefix, text[2:]
    return "eq", text


def holds(prefix: Prefix, low: Bound, high: Bound, from_: Bound, to: Bound) -> bool:
    """Say whether the target range [from_, to] satisfies the prefix for the search range [low, high]."""
    return bool(_TESTS[prefix](low, high, from_, to))


_TESTS: dict[Prefix, Callable[[Any, Any, Any, Any], bool]] = {
    "eq": lambda low, high, from_, to: low <= from_ and to <= high,
    "ne": lambda low, high, from_, to: not (low <= from_ and to <= high),
    "gt": lambda low, high, from_, to: to > high,
    "lt": lambda low, high, from_, to: from_ < low,
    "ge": lambda low, high, from_, to: to > high or (low <= from_ and to <= high),
    "le": lambda low, high, from_, to: from_ < low or (low <= from_ and to <= high),
    "sa": lambda low, high, from_, to: from_ >= high,
    "eb": lambda low, high, from_, to: to <= low,
    "ap": lambda low, high, from_, to: from_ <= high and to >= low,
}
