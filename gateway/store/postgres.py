"""One PostgreSQL database: pooled psycopg connections, COPY for bulk rows, arrays for batched keys."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, ClassVar, Literal

import psycopg
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.store.dialect import COPY_FROM, Kind, Row, Session, for_psycopg, insert_sql
from gateway.store.failures import from_postgres

AREAS = ("record", "inbox", "blobs", "audit")
_ARRAY: dict[Kind, str] = {"int": "bigint[]", "text": "text[]", "bytes": "bytea[]"}
_OPTIONS = (
    f"-c search_path={','.join(AREAS)} -c synchronous_commit=on -c plan_cache_mode=force_custom_plan -c jit=off"
    " -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
)
_COMPILER: Any = PGDialect_psycopg(paramstyle="qmark")  # type: ignore[no-untyped-call]  # SQLAlchemy has no type here


class PostgresSession(Session):
    """A transaction (or, for reads, a connection that commits by itself) on PostgreSQL."""

    name: ClassVar[Literal["sqlite", "postgresql"]] = "postgresql"
    compiler: ClassVar[Any] = _COMPILER  # compiled with ?, then marked for psycopg like all other SQL

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self.connection = connection
        self._cursor = connection.cursor(binary=True)

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self._cursor.execute(for_psycopg(sql), params).fetchall()

    def do(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self._cursor.execute(for_psycopg(sql), params).rowcount

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        self._cursor.executemany(for_psycopg(sql), rows)
        return self._cursor.rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if len(rows) < COPY_FROM:
            self.many(insert_sql(table, tuple(columns)), rows)
            return
        with self._cursor.copy(_copy_sql(table, tuple(columns))) as copy:
            write = copy.write_row
            for row in rows:
                write(row)

    def keyed(
        self, sql: str, keys: Sequence[tuple[str, Kind]], rows: Iterable[Sequence[Any]], also: str = ""
    ) -> list[Row]:
        columns = [list(column) for column in zip(*rows, strict=True)]
        return self.run(_keyed_sql(sql, tuple(keys), also), columns) if columns else []

    def lock(self, number: int) -> None:
        self.do("SELECT pg_advisory_xact_lock(7150, ?::int)", (number,))


@lru_cache(maxsize=256)
def _copy_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ",".join(f'"{name}"' for name in columns)
    return f"COPY {table} ({names}) FROM STDIN"


@lru_cache(maxsize=256)
def _keyed_sql(sql: str, keys: tuple[tuple[str, Kind], ...], also: str) -> str:
    names = ",".join(name for name, _ in keys)
    arrays = ",".join(f"?::{_ARRAY[kind]}" for _, kind in keys)
    return f"{sql} JOIN unnest({arrays}) AS wanted({names}) USING ({names})" + (f" WHERE {also}" if also else "")


class PostgresDatabase:
    """The pool of one database; offers the same `write` and `read` as an SQLite file."""

    def __init__(self, url: str, *, readonly: bool = False, pool: int = 8) -> None:
        options = _OPTIONS + (" -c default_transaction_read_only=on" if readonly else "")
        self._engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool,
            max_overflow=pool * 2,
            pool_timeout=10,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            connect_args={"options": options, "connect_timeout": 5, "application_name": "yigong-gateway"},
        )
        event.listen(self._engine, "connect", _prepare)

    @contextmanager
    def write(self) -> Iterator[PostgresSession]:
        """Give one transaction, committed when the block ends, undone when it raises."""
        with self._connection(autocommit=False) as connection:
            try:
                yield PostgresSession(connection)
                connection.commit()
            except BaseException:
                with suppress(psycopg.Error):
                    connection.rollback()
                raise

    @contextmanager
    def read(self, deadline_s: float = 0.0) -> Iterator[PostgresSession]:
        """Give a session whose statements each see the latest commit; past the deadline they raise TooSlow."""
        with self._connection(autocommit=True) as connection:
            session = PostgresSession(connection)
            if not deadline_s:
                yield session
                return
            session.do("SELECT set_config('statement_timeout', ?, false)", (str(int(deadline_s * 1000)),))
            try:
                yield session
            finally:
                with suppress(psycopg.Error):
                    session.do("RESET statement_timeout")

    def size(self) -> int:
        """Return the bytes of the database on disk."""
        with self.read() as session:
            return int(session.value("SELECT pg_database_size(current_database())"))

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _connection(self, *, autocommit: bool) -> Iterator["psycopg.Connection[Row]"]:
        pooled = None
        try:
            pooled = self._engine.raw_connection()
            connection: Any = pooled.driver_connection
            connection.autocommit = autocommit
            yield connection
        except (psycopg.Error, SQLAlchemyError) as error:
            if pooled is not None and pooled.driver_connection is not None and pooled.driver_connection.closed:
                pooled.invalidate()
            raise from_postgres(error) from error
        finally:
            if pooled is not None:
                pooled.close()


def _prepare(connection: Any, _record: Any) -> None:
    # One integer type, so that one statement is prepared once and not once for each width of its numbers.
    connection.adapters.register_dumper(int, Int8Dumper)


__all__ = ["AREAS", "PostgresDatabase", "PostgresSession"]
