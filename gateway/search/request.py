"""A search as a value: what a client asked, parsed and checked before any table is touched (R4 search.html)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gateway import clock
from gateway.errors import GatewayError
from gateway.search import parameters
from gateway.search.criteria import AnyCriterion, criterion, truth
from gateway.search.kinds.date import Zone
from gateway.search.parameters import Parameter
from gateway.search.refusals import UNSUPPORTED, known, unsupported

COUNT = 20
MOST = 1000
SORTABLE = ("date", "string", "number", "quantity")

Total = Literal["none", "accurate"]


class Include(NamedTuple):
    """Follow a reference parameter of the matches, to targets of one type ("" for any)."""

    parameter: Parameter
    target: str


class Sort(NamedTuple):
    """One sort key: a parameter of a sortable kind."""

    parameter: Parameter
    descending: bool


class Cursor(NamedTuple):
    """Where the last page ended: sort value (None without a sort) and pid."""

    value: int | float | str | None
    pid: int


@dataclass(frozen=True, slots=True)
class Search:
    """One search of one type; `pairs` are the query as it came, for self links and page tokens."""

    type: str
    criteria: tuple[AnyCriterion, ...] = ()
    sort: Sort | None = None
    count: int = COUNT
    total: Total = "none"
    include: tuple[Include, ...] = ()
    linked: bool = True
    cursor: Cursor | None = None
    pairs: tuple[tuple[str, str], ...] = ()


def parse(type_name: str, pairs: Iterable[tuple[str, str]], zone: Zone, cursor: Cursor | None = None) -> Search:
    """Return the search that name-value pairs ask for.

    Dates without an offset stand in `zone`. Raises GatewayError for an unknown parameter (with the list of known
    ones), a value that is not of the parameter's kind, and features this server does not have yet.
    """
    given = tuple((name, value) for name, value in pairs if name not in ("_format", "_pretty"))
    reader = _Reader(type_name, zone)
    for name, value in given:
        reader.take(name, value)
    return Search(
        type=type_name,
        criteria=tuple(reader.criteria),
        sort=reader.sort,
        count=reader.count,
        total=reader.total,
        include=tuple(dict.fromkeys(reader.include)),
        linked=reader.linked,
        cursor=cursor,
        pairs=given,
    )


class _Reader:
    """Collects the parts of one search."""

    def __init__(self, type_name: str, zone: Zone) -> None:
        self.type = type_name
        self.names = parameters.for_type(type_name)
        self.zone = zone
        self.now_us = clock.now_us()
        self.criteria: list[AnyCriterion] = []
        self.include: list[Include] = []
        self.sort: Sort | None = None
        self.count = COUNT
        self.total: Total = "none"
        self.linked = True

    def take(self, name: str, value: str) -> None:
        """Read one pair."""
        base, _, modifier = name.partition(":")
        if base in UNSUPPORTED:
            raise unsupported(base, self.names)
        if "\0" in value or not _encodable(value):
            raise GatewayError(f"The value of {base!r} holds a character no text may hold.", where=base)
        control = _CONTROLS.get(base)
        if control is not None:
            control(self, modifier, value)
        else:
            self.criteria.append(criterion(self.type, name, value, self.zone, self.now_us))

    def set_count(self, _: str, value: str) -> None:
        """`_count`: R4 lets a server return fewer, so large ones are capped; 0 asks for the total alone."""
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise GatewayError(f"_count is a whole number, not {value!r}.", where="_count")
        self.count = min(int(value), MOST)
        if self.count == 0:
            self.total = "accurate"

    def set_total(self, _: str, value: str) -> None:
        """`_total`: an estimate is answered by the accurate number."""
        if value not in ("none", "estimate", "accurate"):
            raise GatewayError(f"_total is none, estimate or accurate, not {value!r}.", where="_total")
        self.total = "none" if value == "none" and self.count else "accurate"

    def set_summary(self, _: str, value: str) -> None:
        """`_summary`: `count` asks for the total alone, `false` changes nothing."""
        if value == "count":
            self.count, self.total = 0, "accurate"
        elif value != "false":
            raise GatewayError(
                f"_summary={value} is not supported yet; _summary=count and _summary=false are.", where="_summary"
            )

    def set_sort(self, _: str, value: str) -> None:
        """`_sort`: one key."""
        keys = value.split(",")
        if len(keys) > 1 or self.sort is not None:
            raise GatewayError("Only one _sort key is supported yet.", where="_sort")
        name = value.removeprefix("-")
        parameter = self.names.get(name)
        if parameter is None:
            raise known(name, self.type, self.names)
        if parameter.kind not in SORTABLE or len(parameters.stored(parameter)) > 1:
            usable = [n for n, p in self.names.items() if p.kind in SORTABLE]
            raise GatewayError(f"_sort by {name!r} is not supported; by {', '.join(usable)} it is.", where="_sort")
        self.sort = Sort(parameter, value.startswith("-"))

    def set_include(self, modifier: str, value: str) -> None:
        """`_include=Type:parameter[:target]`."""
        if modifier:
            raise GatewayError(f"_include:{modifier} is not supported yet; plain _include is.", where="_include")
        source, _, rest = value.partition(":")
        name, _, target = rest.partition(":")
        parameter = self.names.get(name) if source == self.type else None
        if parameter is None or parameter.kind != "reference":
            usable = ", ".join(f"{self.type}:{n}" for n, p in self.names.items() if p.kind == "reference")
            raise GatewayError(
                f"_include={value} names no reference parameter of {self.type}. Usable: {usable}.", where="_include"
            )
        if target and target not in parameters.types():
            raise GatewayError(f"_include={value}: R4 has no resource type {target!r}.", where="_include")
        self.include.append(Include(parameter, target))

    def set_linked(self, _: str, value: str) -> None:
        """`_linked=false`: a patient's own records only, not those of linked patients."""
        self.linked = truth("_linked", value)


_CONTROLS = {
    "_count": _Reader.set_count,
    "_total": _Reader.set_total,
    "_summary": _Reader.set_summary,
    "_sort": _Reader.set_sort,
    "_include": _Reader.set_include,
    "_linked": _Reader.set_linked,
}

CONTROLS: Sequence[str] = tuple(_CONTROLS)
"""Names that steer a search rather than filter it; the CapabilityStatement lists them."""


def _encodable(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)
