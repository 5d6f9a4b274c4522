"""Reading of a planned search: the SQL of a page and of a total."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.search.request import Cursor, Search, SortValue
from gateway.store.dialect import Session
from gateway.store.predicates import ALWAYS, Span, Sql, all_of, in_list
from gateway.store.sorting import Order, Road, edge, until

WALK = 10_000
"""Index entries a page may walk before the matches are gathered and sorted instead."""

GATHER = 50_000
"""Matches that are still gathered and sorted when a walk found too few."""


NEAR = 1000
"""Entries of a span that are walked newest first before another way is tried."""

NEWEST = 1 << 62
_PART = 512
_PADDED = 32


class Found(NamedTuple):
    """One match: its sort values (None for one it lacks) and pid."""

    values: tuple[SortValue, ...]
    pid: int


@dataclass(slots=True)
class Plan:
    """How one search is answered; `words` says it for people.

    `spans` drive a page; `whole` drives what needs all matches anyway: a total, and those without a sort value;
    each of `others` holds all matches too, in no order. `where` is what remains to be checked of what `spans` yield,
    `full` everything.
    """

    session: Session
    search: Search
    where: Sql
    full: Sql
    words: str
    order: Order = field(default_factory=Order)
    spans: Sequence[Span] | None = None
    walk: bool = False
    whole: Sequence[Span] | None = None
    others: Sequence[Sequence[Span]] = ()

    def page(self, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return up to `limit` matches after the cursor."""
        if self.spans is not None and not self.spans:
            return []
        if not self.order.keys:
            return self._by_pid(cursor, limit)
        if self.walk:
            return self._walked(cursor, limit)
        return self._sorted(self.order, self.spans, self.where, cursor, limit)

    def total(self) -> int:
        """Return how many resources match."""
        if self.spans is not None and not self.spans:
            return 0
        return int(self.session.value(*self._select(self.whole or self.spans, "count(*)", self.where)))

    def estimate(self, most: int) -> int:
        """Return how many resources match, counted no further than `most`."""
        if self.spans is not None and not self.spans:
            return 0
        sql, params = self._select(self.whole or self.spans, "1", self.where, " LIMIT ?", (most,))
        return int(self.session.value(f"SELECT count(*) FROM ({sql}) c", params))  # noqa: S608  constants

    # --- newest first ---

    def _by_pid(self, cursor: Cursor | None, limit: int) -> list[Found]:
        before = cursor.pid if cursor else NEWEST
        if self.walk:
            pids = self._newest(before, limit)
        elif self.others:
            pids = self._among_all(before, limit)
        else:
            pids = self._selected(Sql("r.pid<?", (before,)) if cursor else ALWAYS, limit)
        return [Found((), pid) for pid in pids]

    def _selected(self, within: Sql, limit: int) -> list[int]:
        where = all_of([self.where, within])
        rows = self.session.run(*self._select(self.spans, "r.pid", where, " ORDER BY r.pid DESC LIMIT ?", (limit,)))
        return [pid for (pid,) in rows]

    def _among_all(self, before: int, limit: int) -> list[int]:
        """Check every resource newest first; where few of many match, look through what holds all matches."""
        sql = "SELECT r.pid FROM resource r WHERE r.pid<? ORDER BY r.pid DESC LIMIT 1 OFFSET ?"
        edge = self.session.value(sql, (before, NEAR))
        near = self._selected(Sql("r.pid<? AND r.pid>=?", (before, edge or 0)), limit)
        if len(near) == limit or not edge:
            return near
        found = self._looked_through(before, limit)
        return self._selected(Sql("r.pid<?", (before,)), limit) if found is None else found

    def _newest(self, before: int, limit: int) -> list[int]:
        """Walk the spans newest first; where few of a long way match, look through what else holds all matches."""
        spans = self.spans or ()
        if self.others:
            edges = [self.session.value(*_edge(span, before)) or 0 for span in spans]
            near = self._along_spans(spans, before, limit, max(edges))
            if len(near) == limit or not any(edges):
                return near
            found = self._looked_through(before, limit)
            if found is not None:
                return found
        return self._along_spans(spans, before, limit)

    def _looked_through(self, before: int, limit: int) -> list[int] | None:
        """Return matches out of the entries of the shortest of the others, None where all are very long."""
        sizes = [self._entries(spans) for spans in self.others]
        if min(sizes, default=GATHER) >= GATHER:
            return None
        shortest = self.others[sizes.index(min(sizes))]
        return [each.pid for each in self._sorted(Order(), shortest, self.full, Cursor((), before), limit)]

    def _entries(self, spans: Sequence[Span]) -> int:
        """Return how many entries spans have, counted no further than GATHER."""
        one = "SELECT 1 AS n FROM {} t WHERE {}"
        rows = " UNION ALL ".join(one.format(span.table, span.where.text) for span in spans)
        params = tuple(value for span in spans for value in span.where.params)
        return int(self.session.value(f"SELECT count(*) FROM ({rows} LIMIT ?) c", (*params, GATHER)))  # noqa: S608

    def _along_spans(self, spans: Sequence[Span], before: int, limit: int, until_pid: int = 0) -> list[int]:
        pids: set[int] = set()
        for span in spans:
            where = all_of([span.where, self.where, Sql("t.pid<? AND t.pid>=?", (before, until_pid))])
            rows = self.session.run(
                f"SELECT t.pid FROM {span.table} t CROSS JOIN resource r WHERE r.pid=t.pid AND {where.text}"  # noqa: S608
                " ORDER BY t.pid DESC LIMIT ?",
                (*where.params, limit),
            )
            pids.update(pid for (pid,) in rows)
        return sorted(pids, reverse=True)[:limit]

    # --- by values ---

    def _sorted(
        self, order: Order, spans: Sequence[Span] | None, where: Sql, cursor: Cursor | None, limit: int
    ) -> list[Found]:
        """Return matches by their sort values: those of all that drives are looked up, then the first are checked."""
        if spans is None:
            return self._ranked(order, "r", Sql("resource r WHERE " + where.text, where.params), cursor, limit)
        found: list[Found] = []
        entries = _entries(spans, joined=order.by_columns)
        of = "r" if order.by_columns else "d"
        size = limit + limit // 2
        while True:
            some = self._ranked(order, of, entries, cursor, size)
            for first in range(0, len(some), _PART):
                part = some[first : first + _PART]
                passing = self._passing([each.pid for each in part], where)
                found += [each for each in part if each.pid in passing]
                if len(found) >= limit:
                    return found[:limit]
            if len(some) < size:
                return found
            cursor, size = Cursor(*some[-1]), size * 8

    def _ranked(self, order: Order, of: str, entries: Sql, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return resources of entries in an order, with their sort values; `of` gives their pids."""
        # Materialized, or SQLite looks each value up again for every place it is named at.
        columns = order.columns(of)
        after = order.after([Sql(f"k{n}") for n in range(len(order.keys))], "pid", cursor)
        rows = self.session.run(
            f"WITH found AS MATERIALIZED (SELECT {of}.pid AS pid{columns.text} FROM {entries.text})"  # noqa: S608  constants
            f" SELECT * FROM found WHERE {after.text} ORDER BY {order.by('pid')} LIMIT ?",
            (*columns.params, *entries.params, *after.params, limit),
        )
        return [Found(tuple(values), pid) for pid, *values in rows]

    def _passing(self, pids: Sequence[int], where: Sql) -> set[int]:
        """Return those of some resources that pass a check; lists are padded, so that few statements are prepared."""
        if not pids:
            return set()
        padded = [*pids, *([pids[-1]] * (-len(pids) % _PADDED))]
        check = all_of([in_list("r.pid", padded), where])
        return {pid for (pid,) in self.session.run(f"SELECT r.pid FROM resource r WHERE {check.text}", check.params)}  # noqa: S608

    def _walked(self, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return matches in the order of an index, and after its end those without a value."""
        key = self.order.keys[0]
        road = key.road()
        assert road is not None
        found: list[Found] = []
        if cursor is None or cursor.values[0] is not None:
            found = self._along(road, cursor, limit)
        if len(found) < limit and key.may_lack:
            at = Cursor(cursor.values[1:], cursor.pid) if cursor and cursor.values[0] is None else None
            found += self._lacking(at, limit - len(found))
        return found

    def _along(self, road: Road, cursor: Cursor | None, limit: int) -> list[Found]:
        """Walk the index; where few of a long way match and what drives is short, sort the matches instead."""
        key = self.order.keys[0]
        at = self.session.value(*edge(key, road, cursor, WALK)) if self.whole else None
        if at is not None:
            found = self._walk(road, all_of([self.where, until(key, road, at)]), cursor, limit)
            if len(found) == limit:
                return found
            if self._entries(self.whole or ()) < GATHER:
                present = Sql(f"NOT ({key.absent().text})", key.absent().params)
                return self._sorted(self.order, self.whole, all_of([self.where, present]), cursor, limit)
        return self._walk(road, self.where, cursor, limit)

    def _walk(self, road: Road, where: Sql, cursor: Cursor | None, limit: int) -> list[Found]:
        rows = self.session.run(*self.order.walk(road, where, cursor, limit))
        return [Found(tuple(values), pid) for pid, *values in rows]

    def _lacking(self, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return matches without the first value, in the order of the others."""
        rest = self.order.rest()
        where = all_of([self.where, self.order.keys[0].absent()])
        if rest.keys:
            found = self._sorted(rest, self.whole, where, cursor, limit)
            return [Found((None, *values), pid) for values, pid in found]
        sign, way = ("<", "DESC") if rest.descending else (">", "ASC")
        where = all_of([where, Sql(f"r.pid{sign}?", (cursor.pid,))] if cursor else [where])
        rows = self.session.run(*self._select(self.whole, "r.pid", where, f" ORDER BY r.pid {way} LIMIT ?", (limit,)))
        return [Found((None,), pid) for (pid,) in rows]

    # --- statements ---

    def _select(
        self,
        spans: Sequence[Span] | None,
        columns: str,
        where: Sql,
        tail: str = "",
        after: tuple[Any, ...] = (),
    ) -> tuple[str, tuple[Any, ...]]:
        """Return a query over all matches, driven by the spans where there are some."""
        if spans is None:
            sql = f"SELECT {columns} FROM resource r WHERE {where.text}{tail}"  # noqa: S608  constants
            return sql, (*where.params, *after)
        if len(spans) == 1 and spans[0].ordered:
            span = spans[0]
            sql = (
                f"SELECT {columns} FROM {span.table} t CROSS JOIN resource r"  # noqa: S608  constants
                f" WHERE r.pid=t.pid AND {span.where.text} AND {where.text}{tail}"
            )
            return sql, (*span.where.params, *where.params, *after)
        return _gathered(spans, columns, where, tail, after)


def _edge(span: Span, before: int) -> tuple[str, tuple[Any, ...]]:
    """Return the query of the pid that stands NEAR entries further on in an ordered span."""
    sql = f"SELECT t.pid FROM {span.table} t WHERE {span.where.text} AND t.pid<? ORDER BY t.pid DESC LIMIT 1 OFFSET ?"  # noqa: S608
    return sql, (*span.where.params, before, NEAR)


def _entries(spans: Sequence[Span], *, joined: bool) -> Sql:
    """Return what to select the resources of spans from: their pids `d` alone, or `joined` with their rows `r`."""
    pids, params = _pids(spans)
    return Sql(f"({pids}) d CROSS JOIN resource r WHERE r.pid=d.pid" if joined else f"({pids}) d", params)


def _pids(spans: Sequence[Span]) -> Sql:
    """Return the query of the pids of spans, each once."""
    parts = [f"SELECT t.pid AS pid FROM {span.table} t WHERE {span.where.text}" for span in spans]  # noqa: S608
    if len(parts) == 1 and not spans[0].ordered:
        parts[0] = parts[0].replace("SELECT", "SELECT DISTINCT", 1)
    params = tuple(value for span in spans for value in span.where.params)
    return Sql(" UNION ".join(parts), params)  # UNION drops what two spans, or two values of one resource, both hold


def _gathered(
    spans: Sequence[Span],
    columns: str,
    where: Sql,
    tail: str,
    after: tuple[Any, ...],
) -> tuple[str, tuple[Any, ...]]:
    """Return a query over the pids of several spans, or of one that may repeat them, gathered first."""
    drive, params = _pids(spans)
    sql = (
        f"WITH d AS MATERIALIZED ({drive}) SELECT {columns} FROM d CROSS JOIN resource r"  # noqa: S608  constants
        f" WHERE r.pid=d.pid AND {where.text}{tail}"
    )
    return sql, (*params, *where.params, *after)
