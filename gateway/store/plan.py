"""Plans of a search: what drives it, in which order it is read, and the SQL of a page and of a total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.search import parameters
from gateway.search.criteria import Criterion
from gateway.search.hashes import hash64
from gateway.search.kinds.reference import Target
from gateway.search.kinds.token import Token
from gateway.search.request import Cursor, Search
from gateway.store.compile import Compiler
from gateway.store.dialect import Session
from gateway.store.index import CLINICAL
from gateway.store.predicates import ALWAYS, Predicate, Span, Sql, all_of, in_list
from gateway.store.sorting import Key, key_of
from gateway.store.type_ids import TYPE_ID

PROBE = 1000
"""Matches up to which a predicate is read whole and sorted; above, the order is walked instead."""

_WALKED = 16


class Found(NamedTuple):
    """One match: its sort value (None without a sort or a value) and pid."""

    value: int | float | str | None
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
    key: Key | None
    spans: Sequence[Span] | None = None
    walk: bool = False
    whole: Sequence[Span] | None = None

    def page(self, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return up to `limit` matches after the cursor."""
        if self.spans is not None and not self.spans:
            return []
        if self.key is None:
            return self._by_pid(cursor, limit)
        return self._walked(cursor, limit) if self.walk else self._sorted(cursor, limit)

    def total(self) -> int:
        """Return how many resources match."""
        if self.spans is not None and not self.spans:
            return 0
        return int(self.session.value(*self._select(self.whole or self.spans, "count(*)", self.where)))

    def _by_pid(self, cursor: Cursor | None, limit: int) -> list[Found]:
        if not self.walk:
            where = all_of([self.where, Sql("r.pid<?", (cursor.pid,))] if cursor else [self.where])
            rows = self.session.run(*self._select(self.spans, "r.pid", where, " ORDER BY r.pid DESC LIMIT ?", (limit,)))
            return [Found(None, pid) for (pid,) in rows]
        pids: set[int] = set()
        for span in self.spans or ():
            pids.update(self._span_pids(span, cursor, limit))
        return [Found(None, pid) for pid in sorted(pids, reverse=True)[:limit]]

    def _span_pids(self, span: Span, cursor: Cursor | None, limit: int) -> list[int]:
        parts = [span.where, self.where, *([Sql("t.pid<?", (cursor.pid,))] if cursor else [])]
        where = all_of(parts)
        rows = self.session.run(
            f"SELECT t.pid FROM {span.table} t CROSS JOIN resource r WHERE r.pid=t.pid AND {where.text}"  # noqa: S608
            " ORDER BY t.pid DESC LIMIT ?",
            (*where.params, limit),
        )
        return [pid for (pid,) in rows]

    def _sorted(self, cursor: Cursor | None, limit: int) -> list[Found]:
        key = self.key
        assert key is not None
        value = key.value()
        sql, params = self._select(self.spans, f"r.pid AS pid, {value.text} AS k", self.where, before=value.params)
        after, order = key.after("k", "pid", cursor), key.order("k", "pid")
        rows = self.session.run(
            f"SELECT pid, k FROM ({sql}) found WHERE {after.text} ORDER BY {order} LIMIT ?",  # noqa: S608  constants
            (*params, *after.params, limit),
        )
        return [Found(None if k == key.sentinel else k, pid) for pid, k in rows]

    def _walked(self, cursor: Cursor | None, limit: int) -> list[Found]:
        key = self.key
        assert key is not None
        found: list[Found] = []
        if cursor is None or cursor.value is not None:
            sql, params = key.walk(self.where, cursor, limit)
            found = [Found(value, pid) for value, pid in self.session.run(sql, params)]
        if len(found) < limit and key.may_lack:
            found += self._lacking(key, cursor if cursor and cursor.value is None else None, limit - len(found))
        return found

    def _lacking(self, key: Key, cursor: Cursor | None, limit: int) -> list[Found]:
        """Return matches without a sort value; they come last in either direction."""
        after = [Sql("r.pid<?" if key.descending else "r.pid>?", (cursor.pid,))] if cursor else []
        where = all_of([self.where, key.absent(), *after])
        order = f" ORDER BY r.pid {'DESC' if key.descending else 'ASC'} LIMIT ?"
        rows = self.session.run(*self._select(self.whole, "r.pid", where, order, (limit,)))
        return [Found(None, pid) for (pid,) in rows]

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
        return self._gathered(spans, columns, where, tail, after, before)

    @staticmethod
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


def choose(session: Session, search: Search, compiler: Compiler) -> Plan:
    """Return the plan of a search: the cheapest that its predicates allow."""
    predicates = [compiler.predicate(criterion) for criterion in search.criteria]
    type_id = TYPE_ID[search.type]
    key = key_of(search.sort, type_id) if search.sort else None
    guard = all_of([Sql("+r.type_id=?", (type_id,)), compiler.guard])
    plan = Plan(session, search, _where(guard, predicates), "", key)
    if any(each.spans == () for each in predicates):
        plan.spans, plan.words = (), "nothing: one condition has no rows"
        return plan
    return _clinical(plan, compiler) or _single(plan, guard, predicates) or _probed(plan, guard, predicates)


def _where(guard: Sql, predicates: Sequence[Predicate], driver: Predicate | None = None) -> Sql:
    """Return what a resource is checked for when the driver yields it."""
    return all_of([guard, *(each.check for each in predicates if each is not driver or not each.exact)])


def _single(plan: Plan, guard: Sql, predicates: Sequence[Predicate]) -> Plan | None:
    """One condition that can be read newest first needs no probe."""
    if plan.key is not None or len(predicates) != 1 or not predicates[0].ordered:
        return None
    return _walk(plan, guard, predicates, predicates[0])


def _probed(plan: Plan, guard: Sql, predicates: Sequence[Predicate]) -> Plan:
    drivers = [each for each in predicates if each.spans]
    every = Predicate(ALWAYS, (Span("resource", Sql("t.type_id=?", (TYPE_ID[plan.search.type],))),))
    sizes = probe(plan.session, [*drivers, every])
    size, driver = min(zip(sizes, [*drivers, every], strict=True), key=lambda pair: pair[0])
    if size < PROBE:
        plan.spans, plan.where = driver.spans, _where(guard, predicates, driver)
        plan.words = f"all {size} rows of {_tables(driver)}, sorted"
        return plan
    if plan.key is not None:
        plan.walk, plan.words = True, f"in the order of {plan.key.table}"
        plan.whole = None if driver is every else driver.spans
        return plan
    walkable = next((each for each in drivers if each.ordered), None)
    if walkable is not None:
        return _walk(plan, guard, predicates, walkable)
    plan.words = "every resource, newest first"
    plan.whole = None if driver is every else driver.spans
    return plan


def _walk(plan: Plan, guard: Sql, predicates: Sequence[Predicate], driver: Predicate) -> Plan:
    plan.spans, plan.walk = driver.spans, len(driver.spans or ()) <= _WALKED
    plan.where = _where(guard, predicates, driver)
    plan.words = f"{_tables(driver)}, newest first"
    return plan


def _tables(driver: Predicate) -> str:
    return ", ".join(dict.fromkeys(span.table for span in driver.spans or ()))


def probe(session: Session, predicates: Sequence[Predicate]) -> list[int]:
    """Return how many index rows each predicate has, counted no further than PROBE."""
    counts: list[str] = []
    params: list[Any] = []
    for predicate in predicates:
        parts = []
        for span in predicate.spans or ():
            parts.append(f"(SELECT count(*) FROM (SELECT 1 FROM {span.table} t WHERE {span.where.text} LIMIT ?) c)")  # noqa: S608
            params += [*span.where.params, PROBE]
        counts.append("+".join(parts))
    row = session.one(f"SELECT {','.join(counts)}", params)
    return [int(count) for count in row or ()]


# --- one patient's coded results ----------------------------------------------------------------------------------


def _clinical(plan: Plan, compiler: Compiler) -> Plan | None:
    """Patient and code together have rows of their own, newest first."""
    asked = _patient_and_code(plan.search)
    if asked is None:
        return None
    patients = dict.fromkeys(number for option in asked[0] for number in compiler.targets(option))
    of_type = Sql("t.type_id=?", (TYPE_ID[plan.search.type],))
    where = all_of([of_type, in_list("t.patient", list(patients)), in_list("t.code", asked[1])])
    plan.spans = (Span("search_clinical", where),)
    plan.words = "search_clinical"
    return plan


def _patient_and_code(search: Search) -> tuple[list[tuple[str, str]], list[int]] | None:
    names = CLINICAL.get(search.type)
    if names is None:
        return None
    patient, code = _asked(search, names[0]), _asked(search, names[1])
    if patient is None or code is None:
        return None
    options = [option for value in patient.values if isinstance(value, Target) for option in value.options]
    codes = [value.code for value in code.values if isinstance(value, Token)]
    if None in codes:
        return None
    return options, [hash64(each) for each in dict.fromkeys(codes) if each is not None]


def _asked(search: Search, name: str) -> Criterion | None:
    """Return the criterion answered by the rows of one parameter."""
    for each in search.criteria:
        plain = each.missing is None and not each.negated
        if plain and [stored.name for stored in parameters.stored(each.parameter)] == [name]:
            return each
    return None
