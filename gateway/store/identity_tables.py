"""What is kept to know who is the same person: evidence and its blocks, cases for a reviewer, events, counters."""

from sqlalchemy import Column, Double, Index, Table, text

from gateway.store.schema import BYTES, INT64, STRING, metadata

SCORE: Double[float] = Double()

# What each Patient says of who it is; `digest` is of all that linking looks at, so that other changes cost nothing.
identity_evidence = Table(
    "identity_evidence",
    metadata,
    Column("pid", INT64, primary_key=True, autoincrement=False, nullable=False),
    Column("digest", BYTES, nullable=False),
    Column("body", BYTES, nullable=False),
)

# Under which keys evidence is found: records that share a key are compared, all others are not.
identity_block = Table(
    "identity_block",
    metadata,
    Column("key", INT64, primary_key=True, autoincrement=False, nullable=False),
    Column("pid", INT64, primary_key=True, autoincrement=False, nullable=False),
    sqlite_with_rowid=False,
)
Index("identity_block_pid", identity_block.c.pid)

# Pairs that a person decides, or has decided; a pair has at most one case that is not decided yet.
identity_case = Table(
    "identity_case",
    metadata,
    Column("id", INT64, primary_key=True, autoincrement=False, nullable=False),
    Column("low_pid", INT64, nullable=False),
    Column("high_pid", INT64, nullable=False),
    Column("state", STRING, nullable=False),
    Column("score", SCORE, nullable=False),
    Column("reasons", STRING, nullable=False),
    Column("model", STRING, nullable=False),
    Column("created_us", INT64, nullable=False),
    Column("decided_us", INT64, nullable=True),
    Column("actor", STRING, nullable=False),
    Column("note", STRING, nullable=False),
)
_UNDECIDED = text("state IN ('open','later')")
Index(
    "identity_case_open",
    identity_case.c.low_pid,
    identity_case.c.high_pid,
    unique=True,
    sqlite_where=_UNDECIDED,
    postgresql_where=_UNDECIDED,
)
Index("identity_case_low", identity_case.c.low_pid)
Index("identity_case_high", identity_case.c.high_pid)

# Everything that was ever linked, unlinked, proposed or decided; rows are added and never changed.
identity_event = Table(
    "identity_event",
    metadata,
    Column("id", INT64, primary_key=True, autoincrement=False, nullable=False),
    Column("at_us", INT64, nullable=False),
    Column("action", STRING, nullable=False),
    Column("low_pid", INT64, nullable=False),
    Column("high_pid", INT64, nullable=False),
    Column("actor", STRING, nullable=False),
    Column("evidence", STRING, nullable=False),
    Column("model", STRING, nullable=False),
)
Index("identity_event_low", identity_event.c.low_pid)
Index("identity_event_high", identity_event.c.high_pid)

# Counters for monitoring, so that counting links costs nothing.
identity_tally = Table(
    "identity_tally",
    metadata,
    Column("name", STRING, primary_key=True, nullable=False),
    Column("n", INT64, nullable=False),
    sqlite_with_rowid=False,
)
