"""A search as a value: what a client asked, parsed and checked before any table is touched (R4 search.html)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple, cast

from gateway import clock
from gateway.errors import GatewayError
from gateway.search import compartments, include, parameters
from gateway.search.criteria import AnyCriterion, criterion, truth
from gateway.search.extract import answerable
from gateway.search.include import Include
from gateway.search.kinds.date import Zone
from gateway.search.parameters import Parameter
from gateway.search.refusals import UNSUPPORTED, Unknown, known, uncommon, unsortable, unsupported

COUNT = 20
MOST = 1000
MOST_KEYS = 8

SortValue = int | float | str | None
Total = Literal["none", "estimate", "accurate"]
Pairs = Sequence[tuple[str, str]]

_SUMMARIES = ("true", "text", "data", "count", "false")
_LOOKS = ("_format", "_pretty", "_elements")


class Sort(NamedTuple):
    """One sort key: any parameter that has an order."""

    parameter: Parameter
    descending: bool


class Cursor(NamedTuple):
    """Where the last page ended: the value of each sort key (None for one it lacks) and the pid."""

    values: tuple[SortValue, ...]
    pid: int


class Owner(NamedTuple):
    """Whose compartment is searched."""

    type: str
    fid: str


class Within(NamedTuple):
    """A compartment: any of the parameters refers to its owner; `itself` says that the owner is a member too."""

    owner: Owner
    parameters: tuple[Parameter, ...]
    itself: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """One search of one type; `ignored` are the parameters that a lenient client lets pass unanswered."""

    type: str
    criteria: tuple[AnyCriterion, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = COUNT
    total: Total = "none"
    include: tuple[Include, ...] = ()
    linked: bool = True
    cursor: Cursor | None = None
    within: Within | None = None
    ignored: tuple[str, ...] = ()


def parse(
    type_name: str,
    pairs: Iterable[tuple[str, str]],
    zone: Zone,
    cursor: Cursor | None = None,
    *,
    lenient: bool = False,
    owner: Owner | None = None,
) -> Search:
    """Return the search that name-value pairs ask for, of all resources of a type or of those in a compartment.

    Dates without an offset stand in `zone`. Raises GatewayError for an unknown parameter (with the list of known
    ones; a `lenient` client has them listed as ignored), a value that is not of the parameter's kind, a cursor of
    another sort, and features this server does not have yet.
    """
    return _read((type_name,), type_name, parameters.for_type(type_name), pairs, zone, cursor, lenient, owner)


def parse_all(
    types: Sequence[str],
    pairs: Pairs,
    zone: Zone,
    cursor: Cursor | None = None,
    *,
    lenient: bool = False,
    owner: Owner | None = None,
) -> tuple[Search, ...]:
    """Return the searches, one for each type, that pairs ask of several types at once.

    Parameters are those that all the types have. Raises GatewayError as `parse` does.
    """
    names = common(tuple(types))
    return tuple(_read(types, each, names, pairs, zone, cursor, lenient, owner) for each in types)


def named_types(pairs: Pairs) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the types that `_type` names, () where it names none, and the other pairs.

    Raises GatewayError for a type that R4 does not have.
    """
    named = dict.fromkeys(each for name, value in pairs if name == "_type" for each in value.split(","))
    for each in named:
        if each not in parameters.types():
            raise GatewayError(f"_type: R4 has no resource type {each[:64]!r}.", where="_type")
    return tuple(named), tuple(pair for pair in pairs if pair[0] != "_type")


@cache
def common(types: tuple[str, ...]) -> Mapping[str, Parameter]:
    """Return the parameters that every one of some types has, as those of the first."""
    first, *others = types
    return {
        name: parameter
        for name, parameter in parameters.for_type(first).items()
        if all(name in parameters.for_type(other) for other in others)
    }


def _read(
    types: Sequence[str],
    type_name: str,
    names: Mapping[str, Parameter],
    pairs: Iterable[tuple[str, str]],
    zone: Zone,
    cursor: Cursor | None,
    lenient: bool,
    owner: Owner | None,
) -> Search:
    reader = _Reader(types, type_name, names, zone)
    for name, value in pairs:
        try:
            reader.take(name, value)
        except Unknown:
            if not lenient:
                raise
            reader.ignored.append(name)
    if cursor is not None and len(cursor.values) != len(reader.sort):
        raise GatewayError(
            "This page link is of another search. Run the search again from its first page.", where="_page"
        )
    count = 0 if reader.counted else reader.count
    return Search(
        type=type_name,
        criteria=tuple(reader.criteria),
        sort=tuple(reader.sort.values()),
        count=count,
        total="accurate" if reader.total == "none" and not count else reader.total,
        include=tuple(dict.fromkeys(reader.include)),
        linked=reader.linked,
        cursor=cursor,
        within=_within(owner, type_name) if owner else None,
        ignored=tuple(dict.fromkeys(reader.ignored)),
    )


@cache
def _placing(compartment: str, type_name: str) -> tuple[Parameter, ...]:
    found = parameters.for_type(type_name)
    return tuple(found[name] for name in compartments.parameters_of(compartment, type_name))


def _within(owner: Owner, type_name: str) -> Within:
    return Within(owner, _placing(owner.type, type_name), itself=owner.type == type_name)


@dataclass(slots=True)
class _Reader:
    """Collects the parts of one search; `names` are the parameters it may use."""

    types: Sequence[str]
    type: str
    names: Mapping[str, Parameter]
    zone: Zone
    now_us: int = field(default_factory=clock.now_us)
    criteria: list[AnyCriterion] = field(default_factory=list)
    include: list[Include] = field(default_factory=list)
    sort: dict[str, Sort] = field(default_factory=dict)
    count: int = COUNT
    total: Total = "none"
    linked: bool = True
    counted: bool = False
    ignored: list[str] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        """Read one pair."""
        base, _, modifier = name.partition(":")
        if base in UNSUPPORTED:
            raise unsupported(base, self.names)
        if "\0" in value or not _encodable(value):
            raise GatewayError(f"The value of {base!r} holds a character no text may hold.", where=base)
        control = _CONTROLS.get(base) or _OTHERS.get(base)
        if control is not None:
            control(self, base, modifier, value)
        elif base not in _LOOKS:
            self._criterion(base, name, value)

    def _criterion(self, base: str, name: str, value: str) -> None:
        first = base.partition(".")[0]
        if len(self.types) > 1 and first not in self.names and first != "_has":
            raise uncommon(first, self.types, self.names)
        self.criteria.append(criterion(self.type, name, value, self.zone, self.now_us))

    def set_count(self, _: str, __: str, value: str) -> None:
        """`_count`: R4 lets a server return fewer, so large ones are capped; 0 asks for the total alone."""
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise GatewayError(f"_count is a whole number, not {value!r}.", where="_count")
        self.count = min(int(value), MOST)

    def set_total(self, _: str, __: str, value: str) -> None:
        """`_total`: none, estimate (counted so far and no further) or accurate."""
        if value not in ("none", "estimate", "accurate"):
            raise GatewayError(f"_total is none, estimate or accurate, not {value!r}.", where="_total")
        self.total = cast(Total, value)

    def set_method(self, _: str, __: str, value: str) -> None:
        """`_totalMethod`: how the client `fhirpy` asks for a total, which no standard has."""
        self.set_total("_total", "", {"count": "accurate"}.get(value, "estimate"))

    def set_summary(self, _: str, __: str, value: str) -> None:
        """`_summary`: `count` asks for the total alone; the others say how resources look."""
        if value not in _SUMMARIES:
            raise GatewayError(f"_summary is one of {', '.join(_SUMMARIES)}, not {value!r}.", where="_summary")
        if value == "count":
            self.counted = True

    def set_sort(self, _: str, __: str, value: str) -> None:
        """`_sort`: parameters in order of weight, `-` before those that descend."""
        for key in value.split(","):
            name = key.removeprefix("-")
            if name not in self.names:
                raise known(name, self.type, self.names)
            parameter = parameters.for_type(self.type)[name]
            if parameter.kind == "composite" or not answerable(parameter):
                raise unsortable(parameter)
            self.sort.setdefault(name, Sort(parameter, key.startswith("-")))
        if len(self.sort) > MOST_KEYS:
            raise GatewayError(f"_sort takes {MOST_KEYS} keys at most.", where="_sort")

    def set_include(self, name: str, modifier: str, value: str) -> None:
        """`_include` and `_revinclude`."""
        self.include.append(include.parse(name, modifier, value, self.types))

    def set_linked(self, _: str, __: str, value: str) -> None:
        """`_linked=false`: a patient's own records only, not those of linked patients."""
        self.linked = truth("_linked", value)


_CONTROLS = {
    "_count": _Reader.set_count,
    "_total": _Reader.set_total,
    "_summary": _Reader.set_summary,
    "_sort": _Reader.set_sort,
    "_include": _Reader.set_include,
    "_revinclude": _Reader.set_include,
    "_linked": _Reader.set_linked,
}

_OTHERS = {"_totalMethod": _Reader.set_method}

CONTROLS: Sequence[str] = tuple(_CONTROLS)
"""Names that steer a search rather than filter it; the CapabilityStatement lists them."""


def _encodable(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)
