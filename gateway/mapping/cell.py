"""Cells: what a conversion of one raw text yields, shared between messages and never changed."""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.fhir.issues import Severity
from gateway.mapping.draft import Key


class Note(NamedTuple):
    """A finding about one value; `left` is set when a component had no place, else it is an issue."""

    text: str
    code: str = "value"
    severity: Severity = "warning"
    component: str = ""
    left: bool = False


class Proto(NamedTuple):
    """A resource that one field tells of (a Practitioner, a Location), as a pattern for drafts."""

    type: str
    body: dict[str, Any]
    keys: tuple[Key, ...]
    display: str = ""
    refs: tuple["Ref", ...] = ()


class Ref(NamedTuple):
    """A reference to put at the top-level `element` of a value or body (`many`: the element is a list)."""

    element: str
    many: bool
    proto: Proto


class Cell(NamedTuple):
    """A converted value (None: nothing to write), notes about it, and references it needs.

    `beside` holds elements to write next to the value, such as an original code as an extension.
    """

    value: Any
    notes: tuple[Note, ...] = ()
    refs: tuple[Ref, ...] = ()
    beside: dict[str, Any] | None = None


Convert = Callable[[str], Cell]
EMPTY = Cell(None)
CACHE_SIZE = 4096
CACHE_TEXT = 256


class Memo(dict[str, Cell]):
    """A bounded cache of conversions: `memo[raw]` converts on the first sight of a raw text."""

    __slots__ = ("_convert",)

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, raw: str) -> Cell:
        cell = self._convert(raw)
        if len(raw) <= CACHE_TEXT:
            if len(self) >= CACHE_SIZE:
                self.clear()
            self[raw] = cell
        return cell
