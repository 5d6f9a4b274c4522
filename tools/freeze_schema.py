"""Write the tables of gateway/store/schema.py as a migration's SQL, for both databases.

python tools/freeze_schema.py            rewrites 0001_first (only until the first release)
"""

import sys
from pathlib import Path

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.store import identity_tables, index_tables, row_tables, schema

TABLES = (identity_tables, index_tables, row_tables)
assert all(part.metadata is schema.metadata for part in TABLES), "these tables belong to the record"

FOLDER = Path(__file__).resolve().parent.parent / "gateway" / "store" / "migrations"
AREAS = {
    "inbox": schema.inbox_metadata,
    "record": schema.metadata,
    "blobs": schema.blobs_metadata,
    "audit": schema.audit_metadata,
}

DIALECTS = {"sqlite": SQLiteDialect_pysqlite(), "postgresql": PGDialect_psycopg()}

# The audit trail and the events of identity are append-only in the database too: retention and the erasure of a person
# may delete, nothing may change a row.
EXTRA = {
    ("sqlite", "record"): """-- @begin
CREATE TRIGGER identity_event_unchanged BEFORE UPDATE ON identity_event
BEGIN SELECT RAISE(ABORT, 'events of identity are never changed'); END
-- @end
""",
    ("sqlite", "audit"): """-- @begin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END
-- @end
""",
    ("postgresql", "audit"): """-- @begin
CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$
-- @end
-- @begin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_unchanged()
-- @end
""",
    ("postgresql", "blobs"): """ALTER TABLE blob_part ALTER COLUMN data SET STORAGE EXTERNAL;
""",
    ("postgresql", "inbox"): """ALTER TABLE arrival ALTER COLUMN body SET STORAGE EXTERNAL;
""",
    ("postgresql", "record"): """CREATE SEQUENCE resource_pid INCREMENT BY 1024;
CREATE SEQUENCE turn_moment;
-- @begin
-- A transaction's number and moment, taken together so that both rise in one order. The inner block is undone, which
-- gives the lock back at once; a transaction's number and a sequence's value are not undone (decision record 8).
CREATE FUNCTION take_turn(OUT number BIGINT, OUT moment BIGINT, OUT fresh BOOLEAN) LANGUAGE plpgsql AS $$
BEGIN
  fresh := pg_current_xact_id_if_assigned() IS NULL;
  PERFORM pg_advisory_xact_lock(7150, 9);
  number := pg_current_xact_id()::text::bigint;
  moment := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  moment := setval('turn_moment', greatest(moment, (SELECT last_value + 1 FROM turn_moment)));
  RAISE EXCEPTION USING ERRCODE = 'YG001';
EXCEPTION WHEN SQLSTATE 'YG001' THEN NULL;
END $$
-- @end
-- @begin
CREATE FUNCTION identity_event_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'events of identity are never changed'; END $$
-- @end
-- @begin
CREATE TRIGGER identity_event_unchanged BEFORE UPDATE ON identity_event FOR EACH ROW
EXECUTE FUNCTION identity_event_unchanged()
-- @end
ALTER TABLE version ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE resource SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02);
ALTER TABLE work SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02);
ALTER TABLE row_state SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02);
ALTER TABLE tally SET (fillfactor=50);
""",
}


def main() -> None:
    """Write both files of step 1."""
    for name in DIALECTS:
        (FOLDER / f"0001_first.{name}.sql").write_text(sql(name), encoding="utf-8")


def sql(name: str) -> str:
    """Return the migration that makes every table in the database of this name."""
    text = "-- Written by tools/freeze_schema.py.\n"
    for area, metadata in AREAS.items():
        text += f"-- @{area}\n{ddl(metadata, DIALECTS[name])}{EXTRA.get((name, area), '')}"
    return text


def ddl(metadata: MetaData, dialect: Dialect) -> str:
    """Return CREATE statements of tables and their indexes."""
    return "".join(part for table in metadata.sorted_tables for part in table_ddl(table, dialect))


def table_ddl(table: Table, dialect: Dialect) -> list[str]:
    """Return the CREATE statements of one table."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    statements = [CreateTable(table).compile(dialect=dialect)]
    statements += [CreateIndex(index).compile(dialect=dialect) for index in indexes]
    return ["\n".join(line.rstrip() for line in str(one).strip().splitlines()) + ";\n" for one in statements]


if __name__ == "__main__":
    main()
