"""The search index: narrow tables per kind of parameter, each read by value and by resource.

The primary key begins with the pid, so that an update finds and rewrites only its own rows; an index beginning with
the value answers searches, its entries in pid order. Both hold every column, so neither needs the other. Codes are
64-bit hashes and systems 48-bit ones; identifiers stand as text, so they are never matched by hash alone and their
numbers, which rise, stay together; references to resources of ours are pids, to anything else negative hashes.
Measured values stand in buckets a few per cent wide, in order of arrival within each: in order of the value itself
every result would go to a page of its own, and those pages were a third of all that a full store had to write.

What people call a code stands beside it as a 31-bit hash, which costs no row; texts without a code have rows of
`search_text`. Three small tables say what hashes mean: `code` (codes and folded texts), `display` (which codes go by
a text), `unstored` (references to what was not stored when they were indexed).
"""

import struct
from typing import Any

import sqlalchemy
from sqlalchemy import Column, Double, Index, Table

from gateway.store.schema import INT16, INT32, INT64, STRING, metadata

NUMBER: Double[float] = Double()

LONG_US = 31 * 86_400_000_000
"""A period longer than this stands in an index of its own, so that all others are found near their beginning."""


_DOUBLE = struct.Struct(">d")


def bucket(value: float) -> int:
    """Return the bucket of a number, which never falls where the number rises: sign, exponent and 4 bits of it."""
    high, low, *_ = _DOUBLE.pack(value + 0.0)  # turns -0.0 into 0.0, its equal
    size = (high & 0x7F) << 8 | low
    return ~size if high & 0x80 else size


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _narrow(name: str, *columns: tuple[str, Any], ordered: int = 1, mark: str = "") -> Table:
    """Return a table `search_<name>` keyed by resource, with its index by value.

    After the first `ordered` columns the index has the pid, so that equal values stand in order of arrival. A column
    `mark` is beside the key; it stands third, where PostgreSQL aligns the next column and it costs nothing.
    """
    keys = (("pid", INT64), ("param", INT16), *columns)
    held = [_key(column, kind) for column, kind in keys]
    if mark:
        held.insert(2, Column(mark, INT32, nullable=False))
    table = Table(f"search_{name}", metadata, *held, sqlite_with_rowid=False)
    by_value = [table.c[column] for column, _ in keys[1:]]
    Index(f"search_{name}_value", *by_value[: ordered + 1], table.c.pid, *by_value[ordered + 1 :])
    return table


token = _narrow("token", ("code", INT64), ("system", INT64), ordered=2, mark="words")
identifier = _narrow("identifier", ("value", STRING), ("system", INT64), ordered=2, mark="kind")
text = _narrow("text", ("words", INT64))
reference = _narrow("reference", ("target", INT64))
date = _narrow("date", ("low", INT64), ("high", INT64))
number = _narrow("number", ("low", NUMBER), ("high", NUMBER))
quantity = _narrow("quantity", ("bucket", INT16), ("low", NUMBER), ("high", NUMBER), ("unit", INT64), ("system", INT64))
string = _narrow("string", ("folded", STRING), ("exact", STRING))
uri = _narrow("uri", ("value", STRING))
composite = _narrow(
    "composite",
    ("code", INT64),
    ("code_system", INT64),
    ("low", NUMBER),
    ("high", NUMBER),
    ("unit", INT64),
    ("system", INT64),
)

_LONG = sqlalchemy.text(f"high - low > {LONG_US}")
Index("search_date_long", date.c.param, date.c.high, date.c.pid, sqlite_where=_LONG, postgresql_where=_LONG)

# One row per coding of the types that clinics page through: "this patient's haemoglobin, newest first".
clinical = Table(
    "search_clinical",
    metadata,
    _key("type_id", INT16),
    _key("patient", INT64),
    _key("code", INT64),
    _key("at_us", INT64),
    _key("pid", INT64),
    sqlite_with_rowid=False,
)

code = Table("code", metadata, _key("hash", INT64), Column("text", STRING, nullable=False))
Index("code_text", code.c.text)

display = Table(
    "display",
    metadata,
    _key("param", INT16),
    _key("code", INT64),
    _key("system", INT64),
    _key("words", INT64),
    sqlite_with_rowid=False,
)
Index("display_words", display.c.param, display.c.words, display.c.code, display.c.system)

unstored = Table(
    "unstored",
    metadata,
    _key("hash", INT64),
    Column("type_id", INT16, nullable=False),
    Column("fid", STRING, nullable=False),
)
Index("unstored_fid", unstored.c.fid, unstored.c.type_id)

COLUMNS: dict[str, tuple[str, ...]] = {
    table.name.removeprefix("search_"): (
        *(column.name for column in table.primary_key.columns),
        *(column.name for column in table.columns if not column.primary_key),
    )
    for table in (token, identifier, text, reference, date, number, quantity, string, uri, composite, clinical)
}
"""Kind of table -> its columns, those of the key first."""
