import sqlite3

import psycopg
import pytest

from gateway.errors import GatewayError, Transient
from gateway.store.views import address, read_view

ROWS = [(1, "陈玘", "2026-11-06 08:00:00"), (2, "李珅", "2026-11-07 08:00:00"), (3, None, "2026-11-08 08:00:00")]


@pytest.fixture(params=["sqlite", "postgresql"])
def hospital(request, tmp_path):
    """A hospital's database with a view of results; returns its address."""
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "his.db") as connection:
            connection.execute("CREATE TABLE t (id INTEGER, 姓名 TEXT, 审核时间 TEXT)")
            connection.executemany("INSERT INTO t VALUES (?,?,?)", ROWS)
            connection.execute("CREATE VIEW v_results AS SELECT * FROM t")
        connection.close()
        yield f"sqlite:///{tmp_path}/his.db"
        return
    server = request.getfixturevalue("server")
    url = server.create("his")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (id INTEGER, 姓名 TEXT, 审核时间 TIMESTAMP)")
        connection.cursor().executemany("INSERT INTO t VALUES (%s,%s,%s)", ROWS)
        connection.execute("CREATE VIEW v_results AS SELECT * FROM t")
    yield url.replace("postgresql://", "postgresql+psycopg://")
    server.drop("his")


def rows(url, query, **values):
    with read_view(url, query, values) as view:
        return view.columns, [tuple(row) for part in view.parts for row in part]


def test_reads_columns_and_rows_of_a_view(hospital):
    columns, found = rows(hospital, "SELECT id, 姓名 FROM v_results ORDER BY id")
    assert columns == ("id", "姓名")
    assert found == [(1, "陈玘"), (2, "李珅"), (3, None)]


def test_goes_on_from_a_value(hospital):
    query = "SELECT id FROM v_results WHERE 审核时间 > :since ORDER BY id"
    assert rows(hospital, query, since="2026-11-06 08:00:00")[1] == [(2,), (3,)]


def test_a_parameter_the_query_does_not_use_is_left_out(hospital):
    assert len(rows(hospital, "SELECT id FROM v_results", since="x")[1]) == 3


@pytest.mark.parametrize("query", ["DELETE FROM t", "UPDATE t SET id=9", "", "; SELECT 1", "CALL f()"])
def test_a_query_that_does_not_read_is_refused_before_it_is_sent(hospital, query):
    with pytest.raises(GatewayError, match="SELECT or WITH"):
        rows(hospital, query)


def test_what_hides_a_write_is_refused_by_the_database(hospital):
    with pytest.raises(GatewayError):
        rows(hospital, "WITH gone AS (SELECT 1) INSERT INTO t SELECT 9, 'x', NULL FROM gone")
    assert len(rows(hospital, "SELECT id FROM t")[1]) == 3


def test_a_wrong_query_says_why_in_the_databases_words(hospital):
    with pytest.raises(GatewayError, match="v_nothing") as told:
        rows(hospital, "SELECT * FROM v_nothing")
    assert "Background on this error" not in told.value.text


def test_a_database_that_is_away_is_transient_and_its_password_is_not_told():
    with pytest.raises(Transient) as told:
        rows("postgresql+psycopg://reader:geheim@127.0.0.1:1/his?connect_timeout=1", "SELECT 1")
    assert "geheim" not in told.value.text
    assert "reader" in told.value.text


def test_a_driver_that_is_not_here_is_named():
    with pytest.raises(GatewayError, match="install its Python package"):
        rows("oracle+nothing://reader@127.0.0.1/his", "SELECT 1 FROM dual")


def test_an_address_is_shown_without_its_password():
    assert address("mysql://reader:geheim@10.0.0.1/his") == "mysql://reader:***@10.0.0.1/his"
    with pytest.raises(GatewayError, match="looks like"):
        address("his on the second floor")
