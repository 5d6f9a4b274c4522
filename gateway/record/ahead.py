"""What of a request can be done before its transaction opens, so that other writers need not wait for it."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.fhir import resource
from gateway.record.edits import Check
from gateway.record.incoming import Incoming, rejudged
from gateway.record.indexing import stored_rows
from gateway.record.rewriting import rewritten
from gateway.record.standing import placed
from gateway.record.transaction import Links, Pointed


def ahead(entries: Sequence[Incoming], zone: str, check: Check) -> list[Incoming]:
    """Return entries with references between them resolved, where every id is known already, and with search rows.

    Where a condition names a resource, ids are known in the transaction only. Raises Invalid for a reference that
    leads to a wrong type.
    """
    if any(entry.condition for entry in entries if entry.edit.action != "delete"):
        return list(entries)
    links = Links()
    for entry in entries:
        if entry.edit.full_url and entry.edit.action != "delete":
            with placed(entry):
                links.add(entry.edit.full_url, _pointed(entry))
    return [_ready(entry, links, zone, check) for entry in entries]


def resolved(entry: Incoming, links: Links, check: Check) -> Incoming:
    """Return an entry with its references resolved; where that changed its text, it is judged again."""
    own = str(entry.body.get("url", ""))
    text = rewritten(entry.text, links.of(entry.edit.full_url), own=own)
    if text == entry.text:
        return entry
    body = resource.loads(text, strict=False)
    rejudged(body, check)
    return replace(entry, text=text, body=body, rows=None)


def _ready(entry: Incoming, links: Links, zone: str, check: Check) -> Incoming:
    if not entry.text:
        return entry
    with placed(entry):
        if links.entries:
            entry = resolved(entry, links, check)
        rows = None if entry.questions else stored_rows(entry.body, entry.edit.kind, zone, mapped=False)
    return replace(entry, rows=rows, resolved=True)


def _pointed(entry: Incoming) -> Pointed:
    """Return where references to an entry without a condition lead: a created one has its first version then."""
    named_here = entry.edit.action == "create"
    return Pointed(entry.edit.kind, entry.edit.fid if not named_here else entry.fresh, int(named_here))
