"""Reading of a planned search: the SQL of a page and of a total."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.search.request import Cursor, Search, SortValue
from gateway.store.dialect import Session
from gateway.store.predicates import Span, Sql, all_of
from gateway.store.sorting import Order, Road, edge, until

WALK = 10_000
"""Index entries a page may walk before the matches are gathered and sorted instead."""

GATHER = 50_000
"""Matches that are still gathered and sorted when a walk found too few."""


class Found(NamedTuple):
    """One match: its sort values (None for one it lacks) and pid."""

    values: tuple[SortValue, ...]
    pid: int


@dataclass(slots=True)
class Plan:
    """How one search is answered; `words` says it for people.

    `spans` drive a page; `whole` drives what needs all matches anyway: a total, and those without a sort value.
    """

    session: Session
    search: Search
    where: Sql
    words: str
    order: Order = field(default_factory=Order)
    spans: Sequence[Span] | None = None
    walk: bool = False
    whole: Sequence[Span] | None = None

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
        if not self.walk:
            where = all_of([self.where, Sql("r.pid<?", (cursor.pid,))] if cursor else [self.where])
            rows = self.session.run(*self._select(self.spans, "r.pid", where, " ORDER BY r.pid DESC LIMIT ?", (limit,)))
            return [Found((), pid) for (pid,) in rows]
        pids: set[int] = set()
        for span in self.spans or ():
            pids.update(self._span_pids(span, cursor, limit))
        return [Found((), pid) for pid in sorted(pids, reverse=True)[:limit]]

    def _span_pids(self, span: Span, cursor: Cursor | None, limit: int) -> list[int]:
        parts = [span.where, self.where, *([Sql("t.pid<?", (cursor.pid,))] if cursor else [])]
        where = all_of(parts)
        rows = self.session.run(
            f"SELECT t.pid FROM {span.table} t CROSS JOIN resource r WHERE r.pid=t.pid AND {where.text}"  # noqa: S608
            " ORDER BY t.pid DESC LIMIT ?",
            (*where.params, limit),
        )
        return [pid for (pid,) in rows]

    # --- by values ---

    def _sorted(
        self, order: Order, spans: Sequence[Span] | None, where: Sql, cursor: Cursor | None, limit: int
    ) -> list[Found]:
        """Return matches out of all of them, gathered and sorted."""
        columns = order.columns()
        sql, params = self._select(spans, f"r.pid AS pid, {columns.text}", where, before=columns.params)
        after = order.after([Sql(f"k{n}") for n in range(len(order.keys))], "pid", cursor)
        rows = self.session.run(
            f"SELECT * FROM ({sql}) found WHERE {after.text} ORDER BY {order.by('pid')} LIMIT ?",  # noqa: S608
            (*params, *after.params, limit),
        )
        return [Found(tuple(values), pid) for pid, *values in rows]

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
            if self.estimate(GATHER) < GATHER:
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
        before: tuple[Any, ...] = (),
    ) -> tuple[str, tuple[Any, ...]]:
        """Return a query over all matches, driven by the spans where there are some."""
        if spans is None:
            sql = f"SELECT {columns} FROM resource r WHERE {where.text}{tail}"  # noqa: S608  constants
            return sql, (*before, *where.params, *after)
        if len(spans) == 1 and spans[0].ordered:
            span = spans[0]
            sql = (
                f"SELECT {columns} FROM {span.table} t CROSS JOIN resource r"  # noqa: S608  constants
                f" WHERE r.pid=t.pid AND {span.where.text} AND {where.text}{tail}"
            )
            return sql, (*before, *span.where.params, *where.params, *after)
        return _gathered(spans, columns, where, tail, after, before)


def _gathered(
    spans: Sequence[Span],
    columns: str,
    where: Sql,
    tail: str,
    after: tuple[Any, ...],
    before: tuple[Any, ...],
) -> tuple[str, tuple[Any, ...]]:
    """Return a query over the pids of several spans, or of one that may repeat them, gathered first."""
    # UNION also drops what two spans, or two values of one resource, both hold.
    one = "SELECT t.pid FROM {} t WHERE {}"
    parts = [one.format(span.table, span.where.text) for span in spans]
    drive = " UNION ".join(parts if len(parts) > 1 else [parts[0].replace("SELECT", "SELECT DISTINCT", 1)])
    params = tuple(value for span in spans for value in span.where.params)
    sql = (
        f"WITH d AS MATERIALIZED ({drive}) SELECT {columns} FROM d CROSS JOIN resource r"  # noqa: S608  constants
        f" WHERE r.pid=d.pid AND {where.text}{tail}"
    )
    return sql, (*params, *before, *where.params, *after)
