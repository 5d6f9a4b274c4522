"""The search index: narrow tables per kind of parameter, each read by value and by resource.

The primary key begins with the pid, so that an update finds and rewrites only its own rows; an index beginning with
the value answers searches, its entries in pid order. Both hold every column, so neither needs the other. Codes are
64-bit hashes and systems 48-bit ones; identifiers stand as text, so they are never matched by hash alone and their
numbers, which rise, stay together; references to resources of ours are pids, to anything else negative hashes.
Measured values stand in buckets a few per cent wide, in order of arrival within each: in order of the value itself
every result would go to a page of its own, and those pages were a third of all that a full store had to write.
"""

import struct
from typing import Any

from sqlalchemy import Column, Double, Index, Table, text

from gateway.store.schema import INT16, INT64, STRING, metadata

NUMBER: Double[float] = Double()

LONG_US = 31 * 86_400_000_000
"""A period longer than this stands in an index of its own, so that all others are found near their beginning."""


_DOUBLE = struct.Struct(">d")


def bucket(value: float) -> int:
    """Return the bucket of a number, which never falls where the number rises: sign, exponent and 4 bits of it."""
    high, low, *_ = _DOUBLE.pack(value + 0.0)  # turns -0.0 into 0.0, its equal
    size = (high & 0x7F) << 8 | low
    return ~size if high & 0x80 else size


def _narrow(name: str, *columns: tuple[str, Any], ordered: int = 1) -> Table:
    """Return a table `search_<name>` keyed by resource, with its index by value.

    After the first `ordered` columns the index has the pid, so that equal values stand in order of arrival.
    """
    keys = (("pid", INT64), ("param", INT16), *columns)
    table = Table(
        f"search_{name}",
        metadata,
        *(Column(column, kind, primary_key=True, autoincrement=False, nullable=False) for column, kind in keys),
        sqlite_with_rowid=False,
    )
    by_value = [table.c[column] for column, _ in keys[1:]]
    Index(f"search_{name}_value", *by_value[: ordered + 1], table.c.pid, *by_value[ordered + 1 :])
    return table


token = _narrow("token", ("code", INT64), ("system", INT64), ordered=2)
identifier = _narrow("identifier", ("value", STRING), ("system", INT64), ordered=2)
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

_LONG = text(f"high - low > {LONG_US}")
Index("search_date_long", date.c.param, date.c.high, date.c.pid, sqlite_where=_LONG, postgresql_where=_LONG)

# One row per coding of the types that clinics page through: "this patient's haemoglobin, newest first".
clinical = Table(
    "search_clinical",
    metadata,
    *(
        Column(column, kind, primary_key=True, autoincrement=False, nullable=False)
        for column, kind in (
            ("type_id", INT16),
            ("patient", INT64),
            ("code", INT64),
            ("at_us", INT64),
            ("pid", INT64),
        )
    ),
    sqlite_with_rowid=False,
)

COLUMNS: dict[str, tuple[str, ...]] = {
    table.name.removeprefix("search_"): tuple(column.name for column in table.columns)
    for table in (token, identifier, reference, date, number, quantity, string, uri, composite, clinical)
}
"""Kind of table -> its columns in order."""
