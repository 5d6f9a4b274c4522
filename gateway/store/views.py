"""Read-only queries against other systems' databases: the views a hospital opens for `gateway pull` (ruling R26)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from gateway.errors import GatewayError, Transient

_READS = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)
_FETCH = 1000

# What makes a transaction of each kind of database refuse writes; elsewhere nothing is ever committed.
_READ_ONLY: dict[str, str] = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only=1",
}


class View(NamedTuple):
    """The answer to a query: its column names, and its rows in parts of at most a thousand."""

    columns: tuple[str, ...]
    parts: Iterator[Sequence[Sequence[Any]]]


@contextmanager
def read_view(url: str, query: str, values: Mapping[str, Any]) -> Iterator[View]:
    """Run one SELECT and give its rows as a stream; nothing is ever written there.

    `values` are the query's `:name` parameters that it uses. Raises Transient when the database cannot be reached,
    GatewayError when the address or the query is wrong.
    """
    shown = address(url)
    if not _READS.match(query):
        raise GatewayError(f"A pull only reads: its query begins with SELECT or WITH, not {query.split()[:1]}.")
    engine = _engine(url, shown)
    try:
        with engine.connect() as connection:
            yield _run(connection, query, values)
            connection.rollback()
    except OperationalError as fault:
        raise Transient(f"The database {shown} cannot answer: {_why(fault)}", where=shown) from fault
    except SQLAlchemyError as fault:
        raise GatewayError(f"The database {shown} refuses the query: {_why(fault)}", where=shown) from fault
    finally:
        engine.dispose()


def address(url: str) -> str:
    """Return a database address as it may be shown, its password hidden; raises GatewayError when it is none."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise GatewayError("A database address looks like postgresql://reader@host/name; this is none.") from None


def _engine(url: str, shown: str) -> Engine:
    try:
        return create_engine(url, poolclass=NullPool)
    except (NoSuchModuleError, ImportError) as fault:
        text_ = f"There is no driver for {shown} here ({fault}): install its Python package beside the gateway."
        raise GatewayError(text_) from fault


def _run(connection: Connection, query: str, values: Mapping[str, Any]) -> View:
    before = _READ_ONLY.get(connection.dialect.name)
    if before:
        connection.exec_driver_sql(before)
    statement = text(query)
    used = statement.compile().params
    wanted = {name: value for name, value in values.items() if name in used}
    if connection.dialect.name == "sqlite":  # it keeps moments as text
        wanted = {name: str(value) if isinstance(value, date) else value for name, value in wanted.items()}
    result = connection.execution_options(stream_results=True).execute(statement, wanted)
    return View(tuple(result.keys()), result.partitions(_FETCH))


def _why(fault: SQLAlchemyError) -> str:
    """Return the driver's own words, first line; never the statement, which SQLAlchemy adds."""
    told = str(fault.orig if isinstance(fault, DBAPIError) else fault).strip()
    return told.splitlines()[0] if told else type(fault).__name__
