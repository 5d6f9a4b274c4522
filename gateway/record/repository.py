"""The one door for reads: every answer is within the actor's scope and stands in the audit trail before it leaves."""

import json
from collections.abc import Iterable, Sequence

from gateway import clock
from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.search import parameters
from gateway.search.request import Cursor, parse
from gateway.store import query
from gateway.store.engine import Store
from gateway.store.query import Page
from gateway.store.values import AuditRow, Stored

_PATIENTS_NAMED = 50


class Repository:
    """Reads, histories and searches for one store; `zone` is where dates without an offset stand."""

    def __init__(self, store: Store, zone: str, search_seconds: float) -> None:
        self._store = store
        self._zone = zone
        self._search_seconds = search_seconds

    def read(self, actor: Actor, kind: str, fid: str) -> Stored:
        """Return the current version; raises GatewayError (not found, or gone for a deleted one)."""
        _known_type(kind)
        stored = self._store.resources.read(kind, fid, actor.scope)
        return self._given(actor, "read", kind, fid, stored)

    def vread(self, actor: Actor, kind: str, fid: str, ver: int) -> Stored:
        """Return one version; raises GatewayError (not found, or gone where that version is a deletion)."""
        _known_type(kind)
        stored = self._store.resources.vread(kind, fid, ver, actor.scope)
        return self._given(actor, "vread", kind, fid, stored)

    def history(self, actor: Actor, kind: str, fid: str, count: int, before: int) -> list[Stored]:
        """Return versions newest first, at most `count`, older than version `before` (0: from the newest)."""
        _known_type(kind)
        versions = self._store.resources.history(kind, fid, actor.scope, count, before)
        if not versions and not before:
            self._audit(actor, "history", kind, fid, (), "not-found")
            raise _not_found(kind, fid)
        self._audit(actor, "history", kind, fid, [_patient(version) for version in versions], "success")
        return versions

    def search(self, actor: Actor, kind: str, pairs: Sequence[tuple[str, str]], cursor: Cursor | None) -> Page:
        """Return one page of matches and includes; raises GatewayError for a query that cannot be answered."""
        _known_type(kind)
        search = parse(kind, pairs, self._zone, cursor)
        with self._store.read(self._search_seconds) as tx:
            page = query.run(tx, search, actor.scope)
        patients = [str(hit.patient_pid) for hit in (*page.matches, *page.includes) if hit.patient_pid]
        self._audit(actor, "search", kind, "", patients, "success", [name for name, _ in pairs])
        return page

    def _given(self, actor: Actor, action: str, kind: str, fid: str, stored: Stored | None) -> Stored:
        if stored is None:
            self._audit(actor, action, kind, fid, (), "not-found")
            raise _not_found(kind, fid)
        self._audit(actor, action, kind, fid, [_patient(stored)], "success")
        if stored.deleted:
            raise GatewayError(f"{kind}/{fid} has been deleted", category=Category.GONE)
        return stored

    def _audit(
        self,
        actor: Actor,
        action: str,
        kind: str,
        fid: str,
        patients: Iterable[str],
        outcome: str,
        asked: Sequence[str] = (),
    ) -> None:
        named = list(dict.fromkeys(patient for patient in patients if patient))
        detail = json.dumps({"parameters": asked}) if asked else "{}"
        rows = [
            AuditRow(clock.now_us(), actor.name, action, outcome, kind, fid, patient, actor.purpose, detail)
            for patient in (named[:_PATIENTS_NAMED] or [""])
        ]
        self._store.audit.record(rows)


def _patient(stored: Stored) -> str:
    return str(stored.patient_pid or "")


def _known_type(kind: str) -> None:
    if kind not in parameters.types():
        raise GatewayError(f"{kind} is not a resource type of FHIR R4", category=Category.NOT_FOUND)


def _not_found(kind: str, fid: str) -> GatewayError:
    return GatewayError(f"there is no {kind}/{fid} that you may see", category=Category.NOT_FOUND)
