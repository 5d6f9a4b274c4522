"""`_source` of what a feed told as a predicate: by the columns that name its message, for it has no rows."""

import re

from gateway.search.kinds.uri import Uri
from gateway.store.dialect import Session
from gateway.store.predicates import NEVER, Predicate, Span, Sql

MAPPED = Sql("r.item_id IS NOT NULL")
"""Resources whose current version a message made; their meta.source is `urn:yigong:feed:FEED#ITEM`."""

_SOURCE = re.compile(r"urn:yigong:feed:([^#]+)(?:#(\d{1,18}))?")
_FEED = "SELECT f.name FROM work w JOIN feed f ON f.id=w.feed_id WHERE w.item_id="
_MADE = "(SELECT vid >> 24 AS pid, item_id FROM version WHERE item_id IS NOT NULL)"


def told(session: Session, value: Uri) -> Predicate:
    """Return the predicate of resources told by one message, or (`:below`) by any of a feed."""
    found = _SOURCE.fullmatch(value.text)
    if found is None:
        return NEVER
    feed, item = found[1], found[2]
    if item is None:
        return Predicate(Sql(f"({_FEED}r.item_id)=?", (feed,))) if value.below else NEVER
    if session.value(f"{_FEED}?", (int(item),)) != feed:
        return NEVER
    made = Span(_MADE, Sql("t.item_id=?", (int(item),)))
    return Predicate(Sql("r.item_id=?", (int(item),)), (made,), exact=False)
