"""The data of the county, read once from gateway/simulate/data: names, places, clinical items, rates, headers."""

from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

Book = dict[str, Any]


@lru_cache(maxsize=8)
def book(name: str) -> Book:
    """Return one data file as read: names, county, clinic, rates or tables."""
    text = resources.files("gateway.simulate").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    found: Book = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe either way
    return found


def rates() -> Book:
    """Return how often things happen."""
    return book("rates")


def columns(table: str) -> tuple[str, ...]:
    """Return the header of an export, in order."""
    return _columns()[table]


@lru_cache(maxsize=1)
def _columns() -> dict[str, tuple[str, ...]]:
    return {name: tuple(entry["columns"].split(",")) for name, entry in book("tables").items()}
