"""Histories: versions in the order they were made, of everything, of one type or of one resource.

Each statement walks one index between two numbers: of a resource the keys of its versions, else the numbers of
changes. Changes from the watermark on are left out, for transactions may still end there; so what a reader has passed
never changes, and moments rise with the numbers (docs/decisions/0008).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.search.scope import Scope
from gateway.store import outbox
from gateway.store.predicates import Sql, all_of, in_list
from gateway.store.resources import SELECT_STORED, stored_of
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID
from gateway.store.values import VERSION_BITS, Stored, version_id

_CHANGES = "change c CROSS JOIN version v"
_JOINED = " AND v.vid=c.vid"
_NEXT = " LEFT JOIN version n ON n.vid=v.vid+1 AND n.seq<?"


class Past(NamedTuple):
    """What a history is of: of everything (no `kind`), of a type (no `pid`) or of one resource."""

    kind: str = ""
    pid: int = 0


class Stretch(NamedTuple):
    """The numbers of a history to read: above `after`, below `before`."""

    after: int
    before: int


class Period(NamedTuple):
    """Microseconds since 1970, `start` within, `end` past it."""

    start: int
    end: int


def number(past: Past, version: Stored) -> int:
    """Return the number of a version in a history."""
    return version_id(version.pid, version.ver) if past.pid else version.seq


def end(tx: Tx, past: Past) -> int:
    """Return the number from which on a history may still grow; everything below it is settled."""
    if past.pid:
        first, last = version_id(past.pid, 0), version_id(past.pid + 1, 0)
        return int(tx.session.value("SELECT max(vid) FROM version WHERE vid>? AND vid<?", (first, last)) or first) + 1
    if tx.session.name == "postgresql":
        return outbox.watermark(tx.session)
    return int(tx.session.value("SELECT coalesce(max(seq), 0) FROM change")) + 1


def beginning(past: Past) -> int:
    """Return the number below the first of a history."""
    return version_id(past.pid, 0)


def since(tx: Tx, past: Past, moment_us: int, within: Stretch) -> int:
    """Return the least number of which on all versions are of a moment or later: found by halving."""
    low, high = within.after + 1, within.before
    if past.pid:
        sql = "SELECT vid, updated_us FROM version WHERE vid>=? AND vid<? ORDER BY vid LIMIT 1"
    else:
        sql = (
            "SELECT c.seq, v.updated_us FROM change c CROSS JOIN version v"
            " WHERE c.seq>=? AND c.seq<? AND v.vid=c.vid ORDER BY c.seq LIMIT 1"
        )
    while low < high:
        middle = (low + high) // 2
        found = tx.session.one(sql, (middle, high))
        if found is None or found[1] >= moment_us:
            high = middle
        else:
            low = found[0] + 1
    return low


def read(
    tx: Tx,
    past: Past,
    scope: Scope,
    within: Stretch,
    limit: int,
    *,
    at: Period | None = None,
    oldest_first: bool = False,
) -> list[Stored]:
    """Return up to `limit` versions a scope may see, deletions too, the newest first unless asked otherwise.

    With `at` only those that were current at some moment of the period, and the deletions made in it.
    """
    seen = _seen(tx, scope)
    if seen is None or within.before - within.after < 2:
        return []
    statement = _statement(past, within, seen, at, oldest_first=oldest_first)
    rows = tx.session.run(statement.text, (*statement.params, limit))
    return [stored_of(row, tx.names) for row in rows]


def _statement(past: Past, within: Stretch, seen: Sql, at: Period | None, *, oldest_first: bool) -> Sql:
    column, tables, joined = ("v.vid", "version v", "") if past.pid else ("c.seq", _CHANGES, _JOINED)
    conditions, params = _which(past, within, column)
    following = _NEXT if at else ""
    first: Sequence[Any] = () if at is None else (1 << 62 if past.pid else within.before,)
    then = _current_at(at) if at else Sql("")
    text = (
        f"{SELECT_STORED} FROM {tables} CROSS JOIN resource r{following}"
        f" WHERE {conditions}{joined} AND r.pid=(v.vid >> {VERSION_BITS}) AND {seen.text}{then.text}"
        f" ORDER BY {column}{'' if oldest_first else ' DESC'} LIMIT ?"
    )
    return Sql(text, (*first, *params, *seen.params, *then.params))


def _which(past: Past, within: Stretch, column: str) -> tuple[str, tuple[int, ...]]:
    text, params = f"{column}>? AND {column}<?", (within.after, within.before)
    if past.pid or not past.kind:
        return text, params
    return f"c.type_id=? AND {text}", (TYPE_ID[past.kind], *params)


def _current_at(at: Period) -> Sql:
    text = (
        " AND v.updated_us<? AND (n.vid IS NULL OR (n.updated_us>? AND n.updated_us>v.updated_us))"
        " AND (v.op<>3 OR v.updated_us>=?)"
    )
    return Sql(text, (at.end, at.start, at.start))


def _seen(tx: Tx, scope: Scope) -> Sql | None:
    """Return the condition that a scope may see the resource `r`, deleted or not; None where it sees nothing."""
    parts = [Sql("r.test=?", (int(scope.test),))]
    if scope.hidden:
        parts.append(Sql("(r.sensitivity & ?)=0", (scope.hidden,)))
    if scope.sites is not None:
        sites = [number for name in scope.sites if (number := tx.names.find("site", name)) is not None]
        if not sites:
            return None
        parts.append(in_list("r.site_id", sorted(sites)))
    return all_of(parts)
