"""Each database failure becomes the category that tells the caller what to do; our own mistakes stay visible."""

import sqlite3

import psycopg
import pytest
from psycopg import errors as pg
from sqlalchemy import exc

from gateway.errors import Category, GatewayError, Transient
from gateway.store.failures import Broken, Conflict, Fenced, TooSlow, from_postgres, from_sqlite


def sqlite_error(code, kind=sqlite3.OperationalError):
    error = kind("it said so")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, Transient),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Transient),
        (sqlite3.SQLITE_FULL, Transient),
        (sqlite3.SQLITE_CANTOPEN, Transient),
        (sqlite3.SQLITE_READONLY, Transient),
        (sqlite3.SQLITE_IOERR_FSYNC, Broken),
        (sqlite3.SQLITE_CORRUPT, Broken),
        (sqlite3.SQLITE_INTERRUPT, TooSlow),
        (sqlite3.SQLITE_ERROR, sqlite3.OperationalError),
    ],
)
def test_sqlite(code, kind):
    failure = from_sqlite(sqlite_error(code), "inbox.db")
    assert type(failure) is kind
    if isinstance(failure, Transient):
        assert failure.text.startswith("inbox.db: ")


def test_a_taken_key_is_a_conflict():
    failure = from_sqlite(sqlite_error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError), "gateway.db")
    assert isinstance(failure, Conflict)
    assert failure.category == Category.CONFLICT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pg.UniqueViolation("taken\nDETAIL"), Conflict),
        (pg.DeadlockDetected("x"), Conflict),
        (pg.SerializationFailure("x"), Conflict),
        (pg.QueryCanceled("x"), TooSlow),
        (pg.DiskFull("x"), Transient),
        (pg.AdminShutdown("x"), Transient),
        (psycopg.OperationalError("gone"), Transient),
        (psycopg.InterfaceError("closed"), Transient),
        (exc.TimeoutError(), Transient),
        (exc.OperationalError("select", {}, psycopg.OperationalError("refused")), Transient),
        (pg.UndefinedTable("x"), pg.UndefinedTable),
        (pg.DatatypeMismatch("x"), pg.DatatypeMismatch),
    ],
)
def test_postgres(error, kind):
    assert type(from_postgres(error)) is kind


def test_texts_are_one_line_for_people():
    assert from_postgres(pg.UniqueViolation("taken\nDETAIL: of a patient")).text == (
        "PostgreSQL: another writer was first (taken). Read again and retry."
    )
    assert issubclass(Fenced, Conflict)
    assert issubclass(Broken, Transient)
    assert TooSlow("x").category == Category.BUSY
    assert issubclass(TooSlow, GatewayError)
