"""Sessions answer the same on both databases, whatever the number of rows."""

import pytest
from sqlalchemy import select

from gateway.store.schema import alias, cursor
from tests.store.make import create


@pytest.mark.parametrize("count", [0, 1, 7, 8, 300])
def test_bulk_rows_and_batched_keys(store, count):
    rows = [(f"name {n}\t\\N'\n", n * 10**12) for n in range(count)]
    with store.write() as tx:
        tx.session.insert("cursor", ("name", "value"), rows)
        found = tx.session.keyed(
            "SELECT name, value FROM cursor", (("name", "text"), ("value", "int")), [*rows, ("no", 1)], "value >= 0"
        )
    assert sorted(found) == sorted(rows)


def test_upserts_replace_and_new_rows_pass_over(store):
    with store.write() as tx:
        session = tx.session
        session.upsert("cursor", ("name",), ("value",), [("a", 1), ("b", 2)])
        session.upsert("cursor", ("name",), ("value",), [("a", 3)])
        assert session.insert_new("cursor", ("name", "value"), [("a", 9), ("c", 4)]) == 1
        assert session.many("UPDATE cursor SET value=value+? WHERE name=?", [(1, "a"), (1, "x"), (1, "b")]) == 2
        assert session.do("DELETE FROM cursor WHERE value > ?", (3,)) == 2
        assert session.run("SELECT name, value FROM cursor") == [("b", 3)]


def test_core_statements_run(store):
    create(store, "a")
    with store.write() as tx:
        tx.cursor_set("100%", 5)
        wanted = select(cursor.c.value).where(cursor.c.name.like("100%"), cursor.c.value.in_([5, 6])).limit(1)
        assert tx.session.select(wanted) == [(5,)]
        assert tx.session.select(select(alias)) == []
