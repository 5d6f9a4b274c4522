"""Which search rows a stored text has: the one answer that writing, fsck and reindex share."""

from collections.abc import Sequence
from typing import Any

from gateway.search import extract
from gateway.search.extract import Rows
from gateway.search.kinds.date import Zone


def stored_rows(body: dict[str, Any], kind: str, zone: Zone, *, mapped: bool) -> Rows:
    """Return the rows of a whole stored resource; raises GatewayError where its values are not what R4 allows.

    Of a mapped one `meta` makes rows of its profiles only: its source stands in the columns of the version, once and
    not in an index.
    """
    if mapped:
        bare = {name: value for name, value in body.items() if name not in ("id", "meta")}
        meta = body.get("meta")
        body = searched(bare, meta.get("profile", ()) if isinstance(meta, dict) else ())
    return extract.rows(body, kind, zone)


def searched(body: dict[str, Any], profiles: Sequence[str]) -> dict[str, Any]:
    """Return what search sees of a mapped resource that has neither id nor meta, and of the profiles it bears."""
    return {**body, "meta": {"profile": list(profiles)}} if profiles else body
