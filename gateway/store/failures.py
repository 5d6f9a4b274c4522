"""Database failures told in the house's categories, so that nothing above the store sees a driver's exception."""

import sqlite3

import psycopg
from psycopg import errors as pg
from sqlalchemy import exc as alchemy

from gateway.errors import Category, GatewayError, Transient


class Conflict(GatewayError):
    """Another writer was first: the key is taken or the version has moved; read again and decide anew."""

    category = Category.CONFLICT


class Fenced(Conflict):
    """The lane belongs to another worker now; nothing of this transaction may stay."""


class TooSlow(GatewayError):
    """The query ran into its deadline; narrow the search."""

    category = Category.BUSY


class Broken(Transient):
    """The disk failed under the database: its handle is closed and is not used again."""


_CLOSED = "it cannot be opened for this; check its folder and permissions"
_TRANSIENT = {
    sqlite3.SQLITE_BUSY: "another process holds the write lock; retry",
    sqlite3.SQLITE_LOCKED: "another process holds the write lock; retry",
    sqlite3.SQLITE_FULL: "the disk is full and nothing was written; free space, then it goes on by itself",
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
}
_BROKEN = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def primary_code(error: BaseException) -> int:
    """Return SQLite's primary result code of an error, 0 where it has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def from_sqlite(error: sqlite3.Error, name: str) -> Exception:
    """Return the failure to raise for an SQLite error on the file `name`; a programming error stays itself."""
    code = primary_code(error)
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"{name}: another writer was first ({error}). Read again and retry.")
    if code == sqlite3.SQLITE_INTERRUPT:
        return TooSlow("The query ran into its deadline. Narrow the search.")
    if code in _BROKEN:
        return Broken(f"{name}: the disk or file failed ({error}). Check the disk and the kernel's log.")
    if code in _TRANSIENT:
        return Transient(f"{name}: {_TRANSIENT[code]} ({error}).")
    return error


def from_postgres(error: Exception) -> Exception:
    """Return the failure to raise for a psycopg or pool error; a programming error stays itself."""
    if isinstance(error, alchemy.TimeoutError):
        return Transient("PostgreSQL: all connections are in use. Retry.")
    if isinstance(error, alchemy.DBAPIError) and isinstance(error.orig, psycopg.Error):
        error = error.orig
    if isinstance(error, psycopg.IntegrityError):
        return Conflict(f"PostgreSQL: another writer was first ({_first_line(error)}). Read again and retry.")
    if isinstance(error, (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable)):
        return Conflict(f"PostgreSQL: two writers met ({_first_line(error)}). Retry.")
    if isinstance(error, pg.QueryCanceled):
        return TooSlow("The query ran into its deadline. Narrow the search.")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return Transient(f"PostgreSQL does not answer ({_first_line(error)}). Retry.")
    return error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
