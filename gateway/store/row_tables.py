"""What is known of the rows of table exports: the last content of each, and a report for every file."""

from sqlalchemy import Column, Index, Table, text

from gateway.store.schema import BYTES, INT16, INT64, STRING, metadata, work

# The rows of one table of one feed as its files told them last; `missing_us` is set while a full export lacks the row.
row_state = Table(
    "row_state",
    metadata,
    Column("feed_id", INT16, primary_key=True, autoincrement=False, nullable=False),
    Column("table_name", STRING, primary_key=True, nullable=False),
    Column("key", STRING, primary_key=True, nullable=False),
    Column("digest", BYTES, nullable=False),
    Column("item_id", INT64, nullable=False),
    Column("line", INT64, nullable=False),
    Column("told", STRING, nullable=False),
    Column("missing_us", INT64, nullable=True),
    sqlite_with_rowid=False,
)
Index(
    "row_state_missing",
    row_state.c.feed_id,
    row_state.c.table_name,
    row_state.c.key,
    sqlite_where=text("missing_us IS NOT NULL"),
    postgresql_where=text("missing_us IS NOT NULL"),
)

# One row for each file that came in: how far it was taken, and what was found in it.
file_report = Table(
    "file_report",
    metadata,
    Column("arrival", INT64, primary_key=True, autoincrement=False, nullable=False),
    Column("feed_id", INT16, nullable=False),
    Column("site_id", INT16, nullable=False),
    Column("state", INT16, nullable=False),
    Column("name", STRING, nullable=False),
    Column("table_name", STRING, nullable=False),
    Column("mode", STRING, nullable=False),
    Column("received_us", INT64, nullable=False),
    Column("done_us", INT64, nullable=True),
    Column("confirmed", INT16, nullable=False),
    Column("taken", INT64, nullable=False),
    Column("records", INT64, nullable=False),
    Column("fresh", INT64, nullable=False),
    Column("changed", INT64, nullable=False),
    Column("unchanged", INT64, nullable=False),
    Column("quarantined", INT64, nullable=False),
    Column("missing", INT64, nullable=False),
    Column("returned", INT64, nullable=False),
    Column("facts", STRING, nullable=False),
)
Index("file_report_table", file_report.c.feed_id, file_report.c.table_name, file_report.c.arrival)
Index(
    "file_report_open",
    file_report.c.arrival,
    sqlite_where=text("state < 2"),
    postgresql_where=text("state < 2"),
)

# Rows of tables wait in lanes of their own, so that looking for a message never passes over a file of them.
Index(
    "work_rows",
    work.c.item_id,
    work.c.lane,
    sqlite_where=text("state < 2 AND lane >= 256"),
    postgresql_where=text("state < 2 AND lane >= 256"),
)
