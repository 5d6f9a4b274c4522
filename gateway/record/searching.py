"""Searches as clients ask for them: of a type, of several, or in a compartment; audited before the answer leaves."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record import provenance, trail
from gateway.search import compartments, parameters
from gateway.search.include import Include
from gateway.search.request import Cursor, Owner, Search, named_types, parse, parse_all
from gateway.store import including, query
from gateway.store.engine import ReadTx, Store
from gateway.store.hits import StoredHit, present_types
from gateway.store.query import Page, Reach

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Asked(NamedTuple):
    """What is asked: of one type, or (no `kind`) of those that `_type` names; of an `owner`'s compartment or of all.

    A `lenient` client has unknown parameters ignored, and is told which.
    """

    kind: str
    pairs: Sequence[tuple[str, str]]
    cursor: Cursor | None = None
    lenient: bool = False
    owner: Owner | None = None


class Searches:
    """The door to the searches of one store; one that takes longer than `seconds` is given up (busy, 503)."""

    def __init__(self, store: Store, zone: str, seconds: float, reach: Reach) -> None:
        self._store = store
        self._zone = zone
        self._seconds = seconds
        self._reach = reach

    def page(self, actor: Actor, asked: Asked) -> Page:
        """Return one page, as much of it as the actor may see.

        Raises GatewayError (not found) for types and compartments R4 does not have, and for what cannot be asked.
        """
        searches = _parsed(asked, self._zone)
        with self._store.read(self._seconds) as tx:
            if len(searches) > 1:
                present = present_types(tx)
                searches = tuple(each for each in searches if each.type in present) or searches[:1]
            page = query.run_all(tx, searches, actor.scope, self._reach)
            if any(_asks_provenance(each) for each in searches[0].include):
                page = _with_provenance(tx, page, self._reach.included)
        seen = [hit.patient_pid for hit in (*page.matches, *page.includes)]
        fid = asked.owner.fid if asked.owner else ""
        trail.note(self._store, actor, "search", asked.kind, fid, seen, asked=[name for name, _ in asked.pairs])
        return replace(page, ignored=searches[0].ignored)


def _asks_provenance(asked: Include) -> bool:
    named = asked.parameter is None or asked.parameter.name == "target"
    return asked.reverse and asked.type == "Provenance" and named


def _with_provenance(tx: ReadTx, page: Page, most: int) -> Page:
    """Return a page with what is told of its matches, which is made up and stands in no index."""
    heads = tx.heads([(hit.type, hit.fid) for hit in page.matches])
    versions = tx.current([head.pid for head in heads.values()])
    room = max(most - len(page.includes), 0)
    told = provenance.of_versions(tx, list(versions.values())[:room])
    made = [
        StoredHit("Provenance", one.id, one.ver, version.updated_us, one.body, version.patient_pid)
        for one, version in zip(told, versions.values(), strict=False)
    ]
    notes = page.notes if len(versions) <= room or page.notes else (including.cut(most),)
    return replace(page, includes=[*page.includes, *made], notes=notes)


def _parsed(asked: Asked, zone: str) -> tuple[Search, ...]:
    if asked.owner is not None and not _FID.fullmatch(asked.owner.fid):
        raise GatewayError("an id is 1 to 64 letters, digits, - and .", where="id", category=Category.NOT_FOUND)
    if asked.kind:
        _check(asked.kind, asked.owner)
        return (parse(asked.kind, asked.pairs, zone, asked.cursor, lenient=asked.lenient, owner=asked.owner),)
    types, pairs = named_types(asked.pairs)
    members = _members(asked.owner.type) if asked.owner else parameters.types()
    for each in types:
        _check(each, asked.owner)
    return parse_all(types or members, pairs, zone, asked.cursor, lenient=asked.lenient, owner=asked.owner)


def _check(kind: str, owner: Owner | None) -> None:
    if kind not in parameters.types():
        text = f"{kind[:64]} is not a resource type of FHIR R4; names begin with a capital, as in Patient"
        raise GatewayError(text, category=Category.NOT_FOUND)
    if owner is not None and kind not in _members(owner.type):
        text = f"R4 places no {kind} in the compartment of a {owner.type}; ask /{kind} with a parameter that names it"
        raise GatewayError(text, category=Category.NOT_FOUND)


def _members(compartment: str) -> tuple[str, ...]:
    """Return the types of a compartment, its owner's own among them; raises GatewayError (not found)."""
    found = [name for name, placing in compartments.members(compartment).items() if placing]
    return tuple(sorted({*found, compartment}))
