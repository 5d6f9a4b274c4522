"""Sort keys: the value a resource is sorted by, how an index is walked in that order, and where a page goes on."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from gateway.search import parameters
from gateway.search.request import Cursor, Sort
from gateway.store.index import UNDATED
from gateway.store.index_tables import COLUMNS, bucket
from gateway.store.predicates import LAST, Sql, all_of

_FIRST: dict[str, tuple[str, Any, Any]] = {
    "date": ("low", UNDATED, -UNDATED),
    "number": ("low", float("-inf"), float("inf")),
    "quantity": ("low", float("-inf"), float("inf")),
    "string": ("folded", "", LAST),
}
"""Column of each kind, and the values that stand for none when descending and ascending."""


@dataclass(frozen=True, slots=True)
class Key(ABC):
    """One sort key; `sentinel` stands for a missing value and comes last, `may_lack` says there can be such."""

    table: str
    descending: bool
    sentinel: Any = None
    may_lack: bool = False

    @abstractmethod
    def value(self) -> Sql:
        """Return the sort value of a resource `r`."""

    @abstractmethod
    def absent(self) -> Sql:
        """Say that a resource `r` has no value."""

    @abstractmethod
    def walk(self, where: Sql, cursor: Cursor | None, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the query that reads (value, pid) in order, for resources `r` that `where` takes."""

    def after(self, value: str, pid: str, cursor: Cursor | None) -> Sql:
        """Say that a row comes after the cursor."""
        if cursor is None:
            return Sql("1=1")
        at = self.sentinel if cursor.value is None else cursor.value
        return Sql(f"({value}, {pid}) {'<' if self.descending else '>'} (?, ?)", (at, cursor.pid))

    def order(self, value: str, pid: str) -> str:
        """Return the ORDER BY list."""
        way = "DESC" if self.descending else "ASC"
        return f"{value} {way}, {pid} {way}"


@dataclass(frozen=True, slots=True)
class Indexed(Key):
    """A parameter's values: the greatest when descending, the least when ascending."""

    param: int = 0
    column: str = ""

    def value(self) -> Sql:
        """Return the sort value of a resource `r`."""
        best = "max" if self.descending else "min"
        one = f"SELECT {best}(t.{self.column}) FROM {self.table} t WHERE t.pid=r.pid AND t.param=?"  # noqa: S608
        return Sql(f"COALESCE(({one}), ?)", (self.param, self.sentinel))

    def absent(self) -> Sql:
        """Say that a resource `r` has no value."""
        one = f"SELECT 1 FROM {self.table} t WHERE t.pid=r.pid AND t.param=? LIMIT 1"  # noqa: S608  constants
        return Sql(f"({one}) IS NULL", (self.param,))

    def walk(self, where: Sql, cursor: Cursor | None, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the query over the parameter's index; of several values of a resource only the best one counts."""
        value = f"t.{self.column}"
        rest = all_of([where, self._best(), self._beyond(value, cursor)])
        sql = (
            f"SELECT {value}, t.pid FROM {self.table} t CROSS JOIN resource r WHERE r.pid=t.pid AND t.param=?"  # noqa: S608
            f" AND {rest.text} ORDER BY {self._order(value)} LIMIT ?"
        )
        return sql, (self.param, *rest.params, limit)

    def _beyond(self, value: str, cursor: Cursor | None) -> Sql:
        return self.after(value, "t.pid", cursor)

    def _order(self, value: str) -> str:
        return self.order(value, "t.pid")

    def _best(self) -> Sql:
        columns = COLUMNS[self.table.removeprefix("search_")][2:]
        mine, other = (",".join(f"{alias}.{column}" for column in columns) for alias in "tx")
        way = ">" if self.descending else "<"
        better = f"x.pid=t.pid AND x.param=t.param AND ({other}) {way} ({mine})"
        return Sql(f"(SELECT 1 FROM {self.table} x WHERE {better} LIMIT 1) IS NULL")  # noqa: S608  constants


@dataclass(frozen=True, slots=True)
class Bucketed(Indexed):
    """Measured values: their index gives buckets in order, so only the values within one are sorted."""

    def _beyond(self, value: str, cursor: Cursor | None) -> Sql:
        beyond = Indexed._beyond(self, value, cursor)
        if cursor is None or cursor.value is None:
            return beyond
        first = Sql(f"t.bucket{'<' if self.descending else '>'}=?", (bucket(float(cursor.value)),))
        return all_of([first, beyond])

    def _order(self, value: str) -> str:
        return f"t.bucket {'DESC' if self.descending else 'ASC'}, {Indexed._order(self, value)}"


@dataclass(frozen=True, slots=True)
class Updated(Key):
    """The moment of the current version."""

    type_id: int = 0

    def value(self) -> Sql:
        """Return the sort value of a resource `r`."""
        return Sql("r.updated_us")

    def absent(self) -> Sql:
        """Say that a resource `r` has no value: none has none."""
        return Sql("1=0")

    def walk(self, where: Sql, cursor: Cursor | None, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the query over the type's resources in order of their last change."""
        rest = all_of([where, self.after("r.updated_us", "r.pid", cursor)])
        sql = (
            f"SELECT r.updated_us, r.pid FROM resource r WHERE r.type_id=? AND {rest.text}"  # noqa: S608  constants
            f" ORDER BY {self.order('r.updated_us', 'r.pid')} LIMIT ?"
        )
        return sql, (self.type_id, *rest.params, limit)


def key_of(sort: Sort, type_id: int) -> Key:
    """Return the key of a sort; `request.parse` lets only sortable parameters through."""
    if sort.parameter.name == "_lastUpdated":
        return Updated("resource", sort.descending, type_id=type_id)
    stored = parameters.stored(sort.parameter)[0]
    column, least, greatest = _FIRST[stored.kind]
    none = least if sort.descending else greatest
    kind = Bucketed if stored.kind == "quantity" else Indexed
    return kind(f"search_{stored.kind}", sort.descending, none, True, stored.id, column)
