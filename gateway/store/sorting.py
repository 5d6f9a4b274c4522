"""Sort keys: the value a resource is sorted by, how an index is walked in that order, and where a page goes on.

A resource stands at its best value: the greatest when descending, the least when ascending. Those without a value come
last either way. Equal ones stand by pid, in the direction of the first key, so the order is total and pages cannot
repeat or skip.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.search import parameters
from gateway.search.extract import leaf_types
from gateway.search.kinds.string import SPOKEN
from gateway.search.parameters import Parameter
from gateway.search.request import Cursor, Sort
from gateway.store.index import INTERNED
from gateway.store.index_tables import COLUMNS, bucket
from gateway.store.predicates import ALWAYS, Sql, all_of, any_of
from gateway.store.type_ids import TYPE_ID

_COLUMN = {"date": "low", "number": "low", "quantity": "low", "string": "folded", "uri": "value"}
"""Column of each kind that is sorted by."""

TEXT_TOKENS = frozenset({"Identifier", "ContactPoint"})
"""Types whose values stand in the index as text, not as hashes."""


class Road(NamedTuple):
    """An index in the order of a key: its entries alone, those with their resource `r`, and names of their columns.

    `bucket` stands before the value in the index, where there is one.
    """

    entries: Sql
    source: str
    where: Sql
    value: str
    pid: str
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class Key(ABC):
    """One sort key; `may_lack` says that a resource can have no value."""

    descending: bool
    may_lack: bool = True

    @abstractmethod
    def value(self) -> Sql:
        """Return the sort value of a resource `r`, NULL where it has none."""

    def road(self) -> Road | None:
        """Return the index that has the values in order, None where no index has."""
        return None

    @property
    def way(self) -> str:
        """Return the direction as SQL says it."""
        return "DESC" if self.descending else "ASC"

    @property
    def before(self) -> str:
        """Return the comparison that holds for what comes after a value."""
        return "<" if self.descending else ">"

    def absent(self) -> Sql:
        """Say that a resource `r` has no value."""
        value = self.value()
        return Sql(f"{value.text} IS NULL", value.params)

    def then(self, expression: Sql, at: Any, rest: Sql) -> Sql:
        """Say that a row comes after one with the value `at`; `rest` decides among equals."""
        if at is None:
            return all_of([Sql(f"{expression.text} IS NULL", expression.params), rest])
        beyond = Sql(f"{expression.text} {self.before} ?", (*expression.params, at))
        same = Sql(f"{expression.text} = ?", (*expression.params, at))
        lacking = [Sql(f"{expression.text} IS NULL", expression.params)] if self.may_lack else []
        return any_of([beyond, all_of([same, rest]), *lacking])


@dataclass(frozen=True, slots=True)
class Column(Key):
    """A value of the resource row itself: the moment of its version, or its id."""

    name: str = ""
    type_id: int = 0

    def value(self) -> Sql:
        """Return the column."""
        return Sql(f"r.{self.name}")

    def road(self) -> Road:
        """Return the index of the column."""
        mine = Sql("r.type_id=?", (self.type_id,))
        return Road(Sql(f"resource r WHERE {mine.text}", mine.params), "resource r", mine, f"r.{self.name}", "r.pid")


@dataclass(frozen=True, slots=True)
class Values(Key):
    """The values of a parameter, gathered from `sources`: queries of a value `v` for a resource `r`."""

    sources: tuple[Sql, ...] = ()

    def value(self) -> Sql:
        """Return the best of the values."""
        best = "max" if self.descending else "min"
        rows = " UNION ALL ".join(source.text for source in self.sources)
        best_of_them = f"(SELECT {best}(w.v) FROM ({rows}) w)"  # noqa: S608  constants
        return Sql(best_of_them, tuple(p for source in self.sources for p in source.params))


@dataclass(frozen=True, slots=True)
class Indexed(Key):
    """The values of a parameter that stand in its index in order; how a name sounds is no value of its own."""

    table: str = ""
    param: int = 0
    column: str = ""

    def _mine(self, alias: str = "t") -> Sql:
        mine = Sql(f"{alias}.param=?", (self.param,))
        if self.table != "search_string":
            return mine
        return Sql(f"{mine.text} AND {alias}.exact<>?", (*mine.params, SPOKEN))

    def value(self) -> Sql:
        """Return the best value of a resource `r`."""
        best = "max" if self.descending else "min"
        mine = self._mine()
        one = f"(SELECT {best}(t.{self.column}) FROM {self.table} t WHERE t.pid=r.pid AND {mine.text})"  # noqa: S608
        return Sql(one, mine.params)

    def absent(self) -> Sql:
        """Say that a resource `r` has no value."""
        mine = self._mine()
        one = f"SELECT 1 FROM {self.table} t WHERE t.pid=r.pid AND {mine.text} LIMIT 1"  # noqa: S608  constants
        return Sql(f"({one}) IS NULL", mine.params)

    def road(self) -> Road:
        """Return the parameter's index; of several values of a resource only the best one counts."""
        entries = Sql(f"{self.table} t WHERE t.param=?", (self.param,))
        where = all_of([Sql("r.pid=t.pid"), self._mine(), self._best()])
        first = "t.bucket" if self.table == "search_quantity" else ""
        return Road(entries, f"{self.table} t CROSS JOIN resource r", where, f"t.{self.column}", "t.pid", first)

    def _best(self) -> Sql:
        columns = COLUMNS[self.table.removeprefix("search_")][2:]
        mine, other = (",".join(f"{alias}.{column}" for column in columns) for alias in "tx")
        way = ">" if self.descending else "<"
        held = self._mine("x")
        better = f"x.pid=t.pid AND {held.text} AND ({other}) {way} ({mine})"
        return Sql(f"(SELECT 1 FROM {self.table} x WHERE {better} LIMIT 1) IS NULL", held.params)  # noqa: S608


@dataclass(frozen=True, slots=True)
class Order:
    """Sort keys in order of weight, none for newest first; `descending` is how pids tell equals apart."""

    keys: tuple[Key, ...] = ()
    descending: bool = True

    @property
    def by_columns(self) -> bool:
        """Say whether a key is a column of the resource itself."""
        return any(isinstance(key, Column) for key in self.keys)

    def rest(self) -> "Order":
        """Return the order among resources that are equal in the first key."""
        return Order(self.keys[1:], self.descending)

    def columns(self, of: str = "r") -> Sql:
        """Return the values of a resource as further columns k0, k1, …; `of` names what gives its pid."""
        values = [key.value() for key in self.keys]
        text = "".join(f", {value.text} AS k{n}" for n, value in enumerate(values))
        return Sql(text.replace("r.pid", f"{of}.pid"), tuple(p for value in values for p in value.params))

    def by(self, pid: str, first: str = "") -> str:
        """Return the ORDER BY list over those columns, or with `first` in place of the first."""
        parts = [f"k{n} {key.way}{' NULLS LAST' if key.may_lack else ''}" for n, key in enumerate(self.keys)]
        return ", ".join([*([first, *parts[1:]] if first else parts), f"{pid} {'DESC' if self.descending else 'ASC'}"])

    def after(self, values: Sequence[Sql], pid: str, cursor: Cursor | None) -> Sql:
        """Say that a row with these values comes after the cursor."""
        if cursor is None:
            return ALWAYS
        made = Sql(f"{pid} {'<' if self.descending else '>'} ?", (cursor.pid,))
        for key, value, at in reversed(list(zip(self.keys, values, cursor.values, strict=True))):
            made = key.then(value, at, made)
        return made

    def walk(self, road: Road, where: Sql, cursor: Cursor | None, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the query that reads (pid, values…) along the first key's index, for resources `r` of `where`."""
        first, *others = self.keys
        values = [Sql(road.value), *(key.value() for key in others)]
        columns = ", ".join(f"{value.text} AS k{n}" for n, value in enumerate(values))
        beyond = [*_bounds(first, road, cursor), self._further(values, road, cursor)] if cursor else []
        rest = all_of([road.where, where, *beyond])
        order = self.by(road.pid, _ordered(first, road))
        sql = f"SELECT {road.pid}, {columns} FROM {road.source} WHERE {rest.text} ORDER BY {order} LIMIT ?"  # noqa: S608
        return sql, (*(p for value in values for p in value.params), *rest.params, limit)

    def _further(self, values: Sequence[Sql], road: Road, cursor: Cursor) -> Sql:
        """Say that a row comes after the cursor; with one key in the form that an index can begin from."""
        if len(self.keys) > 1:
            return self.after(values, road.pid, cursor)
        sign = self.keys[0].before
        return Sql(f"({road.value}, {road.pid}) {sign} (?, ?)", (cursor.values[0], cursor.pid))


def _bounds(key: Key, road: Road, cursor: Cursor) -> list[Sql]:
    """Return where an index walk begins: not before the cursor's value."""
    at: Any = cursor.values[0]
    bounds = [Sql(f"{road.value} {key.before}= ?", (at,))]
    if road.bucket:
        bounds.append(Sql(f"{road.bucket} {key.before}= ?", (bucket(float(at)),)))
    return bounds


def _ordered(key: Key, road: Road) -> str:
    return ", ".join(f"{column} {key.way}" for column in (road.bucket, road.value) if column)


def edge(key: Key, road: Road, cursor: Cursor | None, entries: int) -> tuple[str, tuple[Any, ...]]:
    """Return the query of the value that stands so many entries further on in the index; none where it ends before."""
    where = all_of([Sql("1=1"), *(_bounds(key, road, cursor) if cursor else [])])
    sql = (
        f"SELECT {road.value} FROM {road.entries.text} AND {where.text} ORDER BY {_ordered(key, road)} LIMIT 1 OFFSET ?"  # noqa: S608
    )
    return sql, (*road.entries.params, *where.params, entries)


def until(key: Key, road: Road, at: Any) -> Sql:
    """Say that an index entry stands no further on than a value."""
    return Sql(f"{road.value} {'>=' if key.descending else '<='} ?", (at,))


def order_of(sorts: Sequence[Sort], type_id: int) -> Order:
    """Return the order of some sort keys."""
    if not sorts:
        return Order()
    return Order(tuple(_key(sort, type_id) for sort in sorts), sorts[0].descending)


def _key(sort: Sort, type_id: int) -> Key:
    if sort.parameter.name in _OWN:
        return Column(sort.descending, may_lack=False, name=_OWN[sort.parameter.name], type_id=type_id)
    stored = parameters.stored(sort.parameter)
    found = [_indexed(each, sort.descending) for each in stored]
    if len(found) == 1 and found[0] is not None:
        return found[0]
    sources = tuple(source for each in stored for source in _sources(each, sort.parameter.only))
    return Values(sort.descending, sources=sources)


_OWN = {"_lastUpdated": "updated_us", "_id": "fid"}


def _indexed(stored: Parameter, descending: bool) -> Indexed | None:
    """Return the key of a parameter whose index has its values in order."""
    if stored.name in INTERNED:
        return None
    if stored.kind == "token" and leaf_types(stored) <= TEXT_TOKENS:
        return Indexed(descending, table="search_identifier", param=stored.id, column="value")
    column = _COLUMN.get(stored.kind)
    return Indexed(descending, table=f"search_{stored.kind}", param=stored.id, column=column) if column else None


def _sources(stored: Parameter, only: str) -> list[Sql]:
    if stored.kind == "reference":
        return [_target("resource y ON y.pid=t.target", stored.id, only), _target(_UNSTORED, stored.id, only)]
    if stored.name in INTERNED:
        return [_code(stored.id)]
    if stored.kind != "token":
        return [_held(f"search_{stored.kind}", _COLUMN[stored.kind], stored.id)]
    types = leaf_types(stored)
    texts = [_held("search_identifier", "value", stored.id)] if types & TEXT_TOKENS else []
    return texts + ([_code(stored.id)] if types - TEXT_TOKENS else [])


def _held(table: str, column: str, param: int) -> Sql:
    return Sql(f"SELECT t.{column} AS v FROM {table} t WHERE t.pid=r.pid AND t.param=?", (param,))  # noqa: S608


def _code(param: int) -> Sql:
    text = "SELECT c.text AS v FROM search_token t JOIN code c ON c.hash=t.code WHERE t.pid=r.pid AND t.param=?"
    return Sql(text, (param,))


_UNSTORED = "unstored y ON y.hash=t.target"


def _target(join: str, param: int, only: str) -> Sql:
    """Return the source of Type/id texts as they are written, so of targets nobody may see too.

    Numbers of types are in alphabetical order.
    """
    of_type = [Sql("y.type_id=?", (TYPE_ID[only],))] if only else []
    where = all_of([Sql("t.pid=r.pid AND t.param=?", (param,)), *of_type])
    named = "CAST(1000+y.type_id AS TEXT) || '/' || y.fid AS v"
    return Sql(f"SELECT {named} FROM search_reference t JOIN {join} WHERE {where.text}", where.params)  # noqa: S608
