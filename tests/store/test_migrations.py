"""Upgrades: an older store opens with its queued rows, a newer one is refused, and nothing is half done."""

from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import MetaData, create_engine, inspect

from gateway.errors import Category, GatewayError
from gateway.store import migrations
from gateway.store.engine import open_store
from gateway.store.migrations import Step
from gateway.store.values import State
from tests.store.make import ALL, arrival, create, work
from tools import freeze_schema

KINDS = ("sqlite", "postgresql")


def one_more(**statements):
    """Return the shipped steps and a next one."""
    number = migrations.steps("sqlite")[-1].number + 1
    step = Step(number, "next", MappingProxyType({area: tuple(sql) for area, sql in statements.items()}))
    return {kind: (*migrations.steps(kind), step) for kind in KINDS}


def test_a_migrated_store_is_current_and_stays_as_it_is(store):
    store.ping()
    assert store.migrate() == []


def test_both_databases_take_the_same_numbered_steps():
    numbers = [[step.number for step in migrations.steps(kind)] for kind in KINDS]
    assert numbers[0] == numbers[1] == list(range(1, len(numbers[0]) + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_step_is_what_the_tables_say(kind):
    """A drift means: run tools/freeze_schema.py (before the first release) or write a migration (after it)."""
    shipped = Path(migrations.__file__).with_name(f"0001_first.{kind}.sql").read_text(encoding="utf-8")
    assert shipped == freeze_schema.sql(kind)


@pytest.mark.parametrize("area", migrations.AREAS)
def test_migrating_makes_the_tables_the_code_knows(store, database_url, area):
    known: MetaData = freeze_schema.AREAS[area]
    if store.is_sqlite:
        engine, schema = create_engine(f"sqlite:///{store.databases[area].path}"), None
    else:
        engine, schema = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:")), area
    found = inspect(engine)
    made = {name: found.get_columns(name, schema) for name in found.get_table_names(schema)}
    engine.dispose()
    assert made.pop("schema_version")
    assert {name: [column["name"] for column in columns] for name, columns in made.items()} == {
        table.name: [column.name for column in table.columns] for table in known.tables.values()
    }


def test_an_upgrade_keeps_queued_rows_and_data(store):
    """N-1: rows written before the step are there, and workable, after it."""
    (receipt,) = store.inbox.append([arrival("queued")])
    create(store, "a")
    with store.write() as tx:
        tx.work_put([work(receipt.id), work(receipt.id + 1, State.PARKED)])
    steps = one_more(
        record=["ALTER TABLE work ADD COLUMN extra INTEGER", "CREATE INDEX work_extra ON work (extra)"],
        inbox=["ALTER TABLE arrival ADD COLUMN extra TEXT"],
    )
    assert migrations.migrate(store.databases, only=steps) == [steps["sqlite"][-1].number]
    assert migrations.migrate(store.databases, only=steps) == []
    assert [row.item_id >> 20 for row in store.work.claim([7], 10, 1)] == [receipt.id]
    assert store.inbox.raw(receipt.id) == b"queued"
    assert store.resources.read("Patient", "a", ALL).ver == 1


def test_a_failing_step_leaves_its_database_whole_and_can_be_taken_again(store):
    create(store, "a")
    failing = one_more(record=["CREATE TABLE half (id INTEGER)", "CREATE TABLE work (id INTEGER)"])
    with pytest.raises(Exception, match="work"):
        migrations.migrate(store.databases, only=failing)
    with pytest.raises(Exception, match="half"), store.read() as tx:
        tx.session.run("SELECT * FROM half")
    assert store.resources.read("Patient", "a", ALL).ver == 1
    mended = one_more(record=["CREATE TABLE half (id INTEGER)"])
    assert migrations.migrate(store.databases, only=mended) == [mended["sqlite"][-1].number]


def test_a_newer_store_is_refused_with_what_to_do(store, database_url):
    migrations.migrate(store.databases, only=one_more())
    for use in (store.ping, store.migrate, lambda: open_store(database_url)):
        with pytest.raises(GatewayError, match=r"schema is at 2, this gateway knows only 1: a newer") as caught:
            use()
        assert caught.value.category == Category.UNSUPPORTED


def test_an_empty_store_asks_to_be_migrated(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/new/gateway.db")
    with pytest.raises(GatewayError, match="Run `gateway migrate`"):
        store.ping()
    assert store.migrate() == [1]
    store.ping()
    store.close()


def test_reads_statements_by_area_and_keeps_triggers_whole():
    text = "-- note\n-- @inbox\nA;\nB\n b;\n-- @begin\nC; D;\nE\n-- @end\n-- @record\n-- why\nF;\n-- @audit\n"
    assert migrations.parse(text) == {"inbox": ("A", "B\n b", "C; D;\nE"), "record": ("F",), "audit": ()}
