"""Conditions of a search as SQL: how each is checked for one resource, and where its matches can be read off."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.search.hashes import hash64
from gateway.search.kinds.date import Date
from gateway.search.kinds.number import Number
from gateway.search.kinds.ordered import Prefix
from gateway.search.kinds.quantity import Ask, Quantity
from gateway.search.kinds.string import LONGEST, String, exactly, fold
from gateway.search.kinds.uri import Uri
from gateway.store.index_tables import LONG_US, bucket

LAST = "\U0010ffff"


class Sql(NamedTuple):
    """A piece of SQL with its parameters in order."""

    text: str
    params: tuple[Any, ...] = ()


class Span(NamedTuple):
    """A stretch of one table's index, over alias `t`; `ordered` means its pids come sorted and only once."""

    table: str
    where: Sql
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition: `check` holds for a resource `r`; `spans` together cover all matches, None where none do.

    `exact` says that the spans hold nothing else, so that what they yield needs no check.
    """

    check: Sql
    spans: tuple[Span, ...] | None = None
    exact: bool = True

    @property
    def ordered(self) -> bool:
        """Say whether every span yields pids in order, so that it can be walked newest first."""
        return bool(self.spans) and all(span.ordered for span in self.spans or ())


NEVER = Predicate(Sql("1=0"), ())
ALWAYS = Sql("1=1")


def all_of(parts: Iterable[Sql]) -> Sql:
    """Join conditions by AND."""
    return _joined(list(parts), " AND ") or ALWAYS


def any_of(parts: Iterable[Sql]) -> Sql:
    """Join conditions by OR; none of them is never."""
    return _joined(list(parts), " OR ") or NEVER.check


def _joined(parts: list[Sql], word: str) -> Sql | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return Sql("(" + word.join(part.text for part in parts) + ")", tuple(p for part in parts for p in part.params))


def exists(table: str, where: Sql) -> Sql:
    """Say that the resource `r` has such a row; a scalar subquery, so that no planner drives the query from it."""
    found = f"(SELECT 1 FROM {table} t WHERE t.pid=r.pid AND {where.text} LIMIT 1)"  # noqa: S608  constants
    return Sql(f"{found} IS NOT NULL", where.params)


def negated(check: Sql) -> Sql:
    """Return the opposite."""
    return Sql(f"NOT ({check.text})", check.params)


def of_param(param: int, where: Sql) -> Sql:
    """Narrow a condition over `t` to one parameter's rows."""
    return Sql(f"t.param=? AND {where.text}", (param, *where.params))


def from_spans(spans: Sequence[Span]) -> Predicate:
    """Return the predicate of spans that hold exactly the matches."""
    return Predicate(any_of(exists(span.table, span.where) for span in spans), tuple(spans))


def union(parts: Sequence[Predicate]) -> Predicate:
    """Return the predicate that holds where any of some does."""
    if len(parts) == 1:
        return parts[0]
    known = [part.spans for part in parts if part.spans is not None]
    spans = tuple(dict.fromkeys(span for each in known for span in each)) if len(known) == len(parts) else None
    return Predicate(any_of(part.check for part in parts), spans, all(part.exact for part in parts))


def in_list(column: str, values: Sequence[Any]) -> Sql:
    """Say that a column has one of some values."""
    if len(values) == 1:
        return Sql(f"{column}=?", tuple(values))
    return Sql(f"{column} IN ({','.join('?' * len(values))})", tuple(values)) if values else NEVER.check


# --- dates: low and high are [from, to) of the row; ? are the search's --------------------------------------------

_DATE: dict[Prefix, tuple[str, str]] = {
    "eq": ("t.low>=? AND t.high<=?", "LH"),
    "ne": ("(t.low<? OR t.high>?)", "LH"),
    "gt": ("t.high>?", "H"),
    "lt": ("t.low<?", "L"),
    "ge": ("(t.high>? OR (t.low>=? AND t.high<=?))", "HLH"),
    "le": ("(t.low<? OR (t.low>=? AND t.high<=?))", "LLH"),
    "sa": ("t.low>=?", "H"),
    "eb": ("t.high<=?", "L"),
    "ap": ("(t.low<? AND t.high>?)", "HL"),
}
_LONG = f"t.high - t.low > {LONG_US}"


def date_check(value: Date) -> Sql:
    """Return the condition of a date value over `t`."""
    text, marks = _DATE[value.prefix]
    return Sql(text, tuple(value.low if mark == "L" else value.high for mark in marks))


def date_spans(table: str, param: int, value: Date) -> list[Span] | None:
    """Return the stretches that hold a date value's matches: near `low` for short ranges, by `high` for long ones."""
    check = date_check(value)
    after, before = _date_edges(value)
    if after is None and before is None:
        return None
    edges = [Sql("t.low>?", (after,))] if after is not None else []
    edges += [Sql("t.low<?", (before,))] if before is not None else []
    spans = [Span(table, of_param(param, all_of([*edges, check])))]
    if value.prefix in ("gt", "ge", "ap"):
        start = value.low if value.prefix == "ap" else value.high
        by_end = Sql(f"t.high>? AND {_LONG}", (start,))
        spans.append(Span(table, of_param(param, all_of([by_end, check]))))
    return spans


def _date_edges(value: Date) -> tuple[int | None, int | None]:
    """Return what `low` lies between (exclusive) in every match that is not longer than LONG_US."""
    edges: dict[Prefix, tuple[int | None, int | None]] = {
        "eq": (value.low - 1, value.high),
        "gt": (value.high - LONG_US - 1, None),
        "lt": (None, value.low),
        "ge": (min(value.high - LONG_US, value.low) - 1, None),
        "le": (None, value.high),
        "sa": (value.high - 1, None),
        "eb": (None, value.low),
        "ap": (value.low - LONG_US - 1, value.high),
    }
    return edges.get(value.prefix, (None, None))


# --- numbers and quantities ---------------------------------------------------------------------------------------

_NUMBER: dict[Prefix, tuple[str, str]] = {
    "eq": ("t.low>=? AND t.high<?", "LH"),
    "ne": ("(t.low<? OR t.high>=?)", "LH"),
    "gt": ("t.high>?", "A"),
    "lt": ("t.low<?", "A"),
    "ge": ("(t.high>? OR (t.low>=? AND t.high<=?))", "AAA"),
    "le": ("(t.low<? OR (t.low>=? AND t.high<=?))", "AAA"),
    "sa": ("t.low>?", "A"),
    "eb": ("t.high<?", "A"),
    "ap": ("(t.low<=? AND t.high>=?)", "HL"),
}
_NUMBER_EDGES: dict[Prefix, tuple[str, str]] = {
    "eq": ("t.low<?", "H"),
    "lt": ("t.low<?", "A"),
    "le": ("t.low<=?", "A"),
    "sa": ("t.low>?", "A"),
}


def number_check(prefix: Prefix, value: Number | Ask) -> Sql:
    """Return the condition of a number over `t`."""
    text, marks = _NUMBER[prefix]
    return Sql(text, tuple(_bound(value, mark) for mark in marks))


def number_spans(table: str, param: int, prefix: Prefix, value: Number | Ask, check: Sql) -> list[Span] | None:
    """Return the stretch by `low` that holds a number's matches, where there is one."""
    edge = _NUMBER_EDGES.get(prefix)
    if edge is None:
        return None
    bound = Sql(edge[0], (_bound(value, edge[1]),))
    return [Span(table, of_param(param, all_of([bound, check])))]


_QUANTITY_EDGES: dict[Prefix, tuple[str, str]] = {
    "eq": ("t.bucket>=? AND t.bucket<=?", "LH"),
    "lt": ("t.bucket<=?", "A"),
    "le": ("t.bucket<=?", "A"),
    "sa": ("t.bucket>=?", "A"),
}


def quantity_spans(table: str, param: int, prefix: Prefix, value: Ask, check: Sql) -> list[Span] | None:
    """Return the stretch of buckets that holds a quantity's matches, where there is one."""
    if prefix not in _QUANTITY_EDGES:
        return None
    text, marks = _QUANTITY_EDGES[prefix]
    edges = Sql(text, tuple(bucket(_bound(value, mark)) for mark in marks))
    return [Span(table, of_param(param, all_of([edges, check])))]


def quantity_check(value: Quantity, ask: Ask, hash48: Callable[[str], int]) -> Sql:
    """Return the condition of a quantity in one unit over `t`."""
    parts = [number_check(value.prefix, ask)]
    if ask.unit is not None:
        parts.append(Sql("t.unit=?", (hash48(ask.unit),)))
    if ask.system is not None:
        parts.append(Sql("t.system=?", (hash48(ask.system),)))
    return all_of(parts)


def _bound(value: Number | Ask, mark: str) -> float:
    return value.at if mark == "A" else value.low if mark == "L" else value.high


# --- texts --------------------------------------------------------------------------------------------------------


def string_check(value: String) -> Sql:
    """Return the condition of a text over `t`."""
    if value.mode == "contains":
        escaped = value.text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        return Sql("t.folded LIKE ? ESCAPE '!'", (f"%{escaped}%",))
    if value.mode == "starts":
        return Sql("t.folded>=? AND t.folded<?", (value.text, value.text + LAST))
    folded = fold(value.text)[:LONGEST]
    return Sql("t.folded=? AND t.exact=?", (folded, "" if folded == value.text else exactly(value.text)))


def uri_check(value: Uri) -> Sql:
    """Return the condition of a URI over `t`."""
    same = in_list("t.value", [exactly(each) for each in value.texts])
    if not value.below:
        return same
    return any_of([same, Sql("(t.value>=? AND t.value<?)", (value.stem, value.stem + LAST))])


def interned_check(value: Uri) -> Sql:
    """Return the condition of a URI over `t`, where it stands as the hash of a text in `code`."""
    same = in_list("t.code", [hash64(each) for each in value.texts])
    if not value.below:
        return same
    known = "t.code IN (SELECT c.hash FROM code c WHERE c.text>=? AND c.text<?)"
    return any_of([same, Sql(known, (value.stem, value.stem + LAST))])


def point_check(value: Number, column: str) -> Sql:
    """Return the condition of a plain number that stands in one column."""
    check = number_check(value.prefix, value)
    return Sql(re.sub(r"t\.(low|high)", column, check.text), check.params)
