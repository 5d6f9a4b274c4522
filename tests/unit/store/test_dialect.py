"""SQL written once reads right for both drivers."""

import sqlite3

import pytest
from sqlalchemy import select

from gateway.store.dialect import compile_statement, for_psycopg, insert_sql, upsert_sql
from gateway.store.postgres import PostgresSession
from gateway.store.schema import resource
from gateway.store.sqlite import SqliteSession


def test_marks_are_psycopgs_and_percents_survive():
    assert for_psycopg("SELECT 5 % 2 WHERE a=? AND b LIKE '%x'") == "SELECT 5 %% 2 WHERE a=%s AND b LIKE '%%x'"


def test_builds_inserts_and_upserts():
    assert insert_sql("work", ("item_id", "offset")) == 'INSERT INTO work (item_id,"offset") VALUES (?,?)'
    assert upsert_sql("t", ("a",), ("b", "c")) == (
        "INSERT INTO t (a,b,c) VALUES (?,?,?) ON CONFLICT (a) DO UPDATE SET b=excluded.b,c=excluded.c"
    )


@pytest.mark.parametrize("session", [SqliteSession, PostgresSession])
def test_core_statements_give_marks_and_values_in_order(session):
    statement = select(resource.c.pid).where(resource.c.fid.in_(["a", "b"]), resource.c.pid > 7).limit(3)
    sql, params = compile_statement(statement, session.compiler)
    assert sql.count("?") == len(params)
    assert params[:4] == ("a", "b", 7, 3)


def test_sessions_answer_alike_for_nothing():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    session = SqliteSession(connection)
    session.do("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    session.insert("t", ("a", "b"), [])
    session.upsert("t", ("a",), ("b",), [])
    assert session.many("DELETE FROM t WHERE a=?", []) == 0
    assert session.insert_new("t", ("a", "b"), [(1, "x"), (1, "y")]) == 1
    assert session.keyed("SELECT b FROM t", (("a", "int"),), []) == []
    assert session.keyed("SELECT b FROM t", (("a", "int"),), [(1,), (2,)], "b <> 'y'") == [("x",)]
    assert session.one("SELECT b FROM t WHERE a=2") is None
    assert session.value("SELECT b FROM t WHERE a=2") is None
    connection.close()
