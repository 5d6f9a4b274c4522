"""Which search rows a stored text has: the one answer that writing, fsck and reindex share."""

from typing import Any

from gateway.search import extract
from gateway.search.extract import Rows


def stored_rows(body: dict[str, Any], kind: str, zone: str, *, mapped: bool) -> Rows:
    """Return the rows of a whole stored resource; raises GatewayError where its values are not what R4 allows.

    Of a mapped one `meta` makes no rows: its source stands in the columns of the version, once and not in an index.
    """
    if mapped:
        body = {name: value for name, value in body.items() if name not in ("id", "meta")}
    return extract.rows(body, kind, zone)
