"""Sessions: the few database calls the store is made of, and every difference between SQLite and PostgreSQL.

SQL is written once with `?` marks; tables are never qualified. Keys are looked up in batches with `keyed`, rows
go in with `insert` (executemany on SQLite, COPY on PostgreSQL), SQLAlchemy statements run through `select`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal

from sqlalchemy.engine.interfaces import Dialect as SqlAlchemyDialect
from sqlalchemy.sql.base import Executable

Row = tuple[Any, ...]
Kind = Literal["int", "text", "bytes"]

COPY_FROM = 8  # rows; below, COPY's extra round trips cost more than they save


class Session(ABC):
    """One transaction on one database; rows are plain tuples."""

    name: ClassVar[Literal["sqlite", "postgresql"]]
    compiler: ClassVar[SqlAlchemyDialect]

    @abstractmethod
    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""

    @abstractmethod
    def do(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it touched."""

    @abstractmethod
    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each row of parameters; return how many rows were touched in all."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in bulk by the driver's fastest call; a taken key raises Conflict at the latest at commit."""

    @abstractmethod
    def keyed(
        self, sql: str, keys: Sequence[tuple[str, Kind]], rows: Iterable[Sequence[Any]], also: str = ""
    ) -> list[Row]:
        """Return rows of `SELECT … FROM …` (`sql`, without WHERE) whose columns equal any of the key rows.

        `keys` names the columns and their kinds, in the order of the values of each key row; `also` is a further
        condition without parameters.
        """

    @abstractmethod
    def lock(self, number: int) -> None:
        """Hold a numbered lock to the end of the transaction (nothing to do where one writer is alone)."""

    def one(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        """Return the first row of a query, or None."""
        rows = self.run(sql, params)
        return rows[0] if rows else None

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.one(sql, params)
        return row[0] if row else None

    def select(self, statement: Executable) -> list[Row]:
        """Return all rows of a SQLAlchemy Core statement."""
        sql, params = compile_statement(statement, self.compiler)
        return self.run(sql, params)

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of (`keys` + `columns`) values; where the key exists, replace its `columns`."""
        if rows:
            self.many(upsert_sql(table, tuple(keys), tuple(columns)), rows)

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """Insert the rows whose unique keys are free, pass over the others; return how many went in."""
        return self.many(insert_sql(table, tuple(columns)) + " ON CONFLICT DO NOTHING", rows) if rows else 0


@lru_cache(maxsize=512)
def insert_sql(table: str, columns: tuple[str, ...]) -> str:
    """Return `INSERT INTO table (columns) VALUES (?, …)`; names are ours, never a user's."""
    marks = ",".join("?" * len(columns))
    return f"INSERT INTO {table} ({','.join(_quoted(columns))}) VALUES ({marks})"  # noqa: S608  names are constants


@lru_cache(maxsize=256)
def upsert_sql(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """Return the INSERT … ON CONFLICT (keys) DO UPDATE both databases understand."""
    sets = ",".join(f"{name}=excluded.{name}" for name in _quoted(columns))
    return f"{insert_sql(table, keys + columns)} ON CONFLICT ({','.join(keys)}) DO UPDATE SET {sets}"


@lru_cache(maxsize=2048)
def for_psycopg(sql: str) -> str:
    """Return `?`-marked SQL in psycopg's `%s` style."""
    return sql.replace("%", "%%").replace("?", "%s")


def compile_statement(statement: Executable, dialect: SqlAlchemyDialect) -> tuple[str, tuple[Any, ...]]:
    """Return a Core statement as `?`-marked SQL and its parameters in order."""
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    params = compiled.params
    return str(compiled), tuple(params[name] for name in compiled.positiontup or ())


def _quoted(columns: Sequence[str]) -> list[str]:
    # "offset" is the one reserved word among our column names.
    return ['"offset"' if name == "offset" else name for name in columns]
