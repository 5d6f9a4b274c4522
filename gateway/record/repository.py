"""The one door for reads: every answer is within the actor's scope and stands in the audit trail before it leaves."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError, Gone
from gateway.record import attachments, provenance, trail
from gateway.record.attachments import Held
from gateway.record.provenance import Rendered
from gateway.record.searching import Asked, Searches
from gateway.search import parameters
from gateway.search.request import Cursor
from gateway.search.scope import Scope
from gateway.store.engine import ReadTx, Store
from gateway.store.query import Page, Reach
from gateway.store.values import VERSION_BITS, Stored

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_VERSIONS = 1 << VERSION_BITS


class _Versions(NamedTuple):
    """One page of a resource's versions, newest first; `total` counts all of them."""

    versions: list[Stored]
    more: bool
    total: int


class Told(NamedTuple):
    """One page of the Provenance of a resource's versions, newest first."""

    versions: list[Rendered]
    more: bool
    total: int


class Repository:
    """Reads and searches for one store; `zone` is where dates without an offset stand."""

    def __init__(self, store: Store, zone: str, search_seconds: float, reach: Reach = Reach()) -> None:  # noqa: B008
        self._store = store
        self.searches = Searches(store, zone, search_seconds, reach)

    def read(self, actor: Actor, kind: str, fid: str) -> Stored:
        """Return the current version; raises GatewayError (not found, or gone for a deleted one)."""
        _known(kind, fid)
        stored = self._store.resources.read(kind, fid, actor.scope)
        return self._given(actor, "read", kind, fid, stored)

    def vread(self, actor: Actor, kind: str, fid: str, ver: int) -> Stored:
        """Return one version; raises GatewayError (not found, or gone where that version is a deletion)."""
        _known(kind, fid)
        stored = self._store.resources.vread(kind, fid, ver, actor.scope) if 0 < ver < _VERSIONS else None
        return self._given(actor, "vread", kind, fid, stored)

    def content(self, stored: Stored) -> Held:
        """Return the content of a Binary that was read, to be sent part by part."""
        return attachments.held(self._store.blobs, stored)

    def search(self, actor: Actor, kind: str, pairs: Sequence[tuple[str, str]], cursor: Cursor | None) -> Page:
        """Return one page of matches and includes; raises GatewayError for a query that cannot be answered."""
        return self.searches.page(actor, Asked(kind, pairs, cursor))

    def provenance(self, actor: Actor, kind: str, fid: str, ver: int, count: int, before: int) -> Told:
        """Return where versions of a resource came from: of version `ver`, or (0) of those older than `before`.

        A resource the actor may not see has none. Raises GatewayError for a type R4 does not have.
        """
        if kind not in parameters.types():
            raise GatewayError(f"{kind[:64]} is not a resource type of FHIR R4", where="target")
        with self._store.read() as tx:
            found = _told_of(tx, kind, fid, actor.scope, ver, count, before)
            rendered = provenance.of_versions(tx, found.versions)
        trail.note(self._store, actor, "search", "Provenance", "", trail.patients(found.versions), asked=["target"])
        return Told(rendered, found.more, found.total)

    def provenance_by_id(self, actor: Actor, name: str) -> Rendered:
        """Return one Provenance; raises GatewayError (not found)."""
        pid, ver = provenance.identify(name) or (0, 0)
        with self._store.read() as tx:
            head = tx.heads_by_pid([pid]).get(pid) if 0 < ver < _VERSIONS else None
            stored = tx.vread(head.type, head.fid, ver, actor.scope) if head else None
            rendered = provenance.of_versions(tx, [stored] if stored else [])
        if stored is None:
            trail.note(self._store, actor, "read", "Provenance", _auditable(name), outcome="not-found")
            raise _not_found("Provenance", name)
        trail.note(self._store, actor, "read", "Provenance", name, [stored.patient_pid])
        return rendered[0]

    def _given(self, actor: Actor, action: str, kind: str, fid: str, stored: Stored | None) -> Stored:
        if stored is None:
            trail.note(self._store, actor, action, kind, fid, outcome="not-found")
            raise _not_found(kind, fid)
        trail.note(self._store, actor, action, kind, fid, [stored.patient_pid])
        if stored.deleted:
            raise Gone(f"{kind}/{fid} has been deleted", version=stored.ver)
        return stored


def _page(tx: ReadTx, kind: str, fid: str, scope: Scope, count: int, before: int) -> _Versions | None:
    """Return a page of versions; None where the scope sees no such resource."""
    head = tx.heads([(kind, fid)]).get((kind, fid))
    if head is None or not tx.history(kind, fid, scope, 1):
        return None
    start = before if 0 < before < _VERSIONS else 0
    found = tx.history(kind, fid, scope, count + 1, start)
    return _Versions(found[:count], bool(count) and len(found) > count, head.ver)


def _told_of(tx: ReadTx, kind: str, fid: str, scope: Scope, ver: int, count: int, before: int) -> _Versions:
    if not _FID.fullmatch(fid):
        return _Versions([], False, 0)
    if not ver:
        return _page(tx, kind, fid, scope, count, before) or _Versions([], False, 0)
    one = tx.vread(kind, fid, ver, scope) if ver < _VERSIONS else None
    return _Versions([one][:count], False, 1) if one else _Versions([], False, 0)


def _known(kind: str, fid: str = "x") -> None:
    """Refuse (not found) a type or id that cannot be, before a table is asked."""
    if kind not in parameters.types():
        text = f"{kind[:64]} is not a resource type of FHIR R4; names begin with a capital, as in Patient"
        raise GatewayError(text, category=Category.NOT_FOUND)
    if not _FID.fullmatch(fid):
        raise GatewayError("an id is 1 to 64 letters, digits, - and .", where="id", category=Category.NOT_FOUND)


def _auditable(name: str) -> str:
    return name if _FID.fullmatch(name) else ""


def _not_found(kind: str, fid: str) -> GatewayError:
    return GatewayError(f"there is no {kind}/{fid[:64]} that you may see", category=Category.NOT_FOUND)
