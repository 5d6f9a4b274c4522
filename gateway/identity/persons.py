"""The door to Persons: read and searched as they are asked for, within the reader's scope, audited, never stored.

Persons that clients wrote themselves are stored like any resource; those that are rendered go before them.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.fhir import resource
from gateway.identity import assurance, person, person_query, survivorship
from gateway.identity.person_query import Wanted
from gateway.identity.survivorship import Member, Rules
from gateway.record import trail
from gateway.record.searching import Asked, Searches
from gateway.search.request import MOST, Search, parse
from gateway.search.scope import Scope
from gateway.store import persons, query
from gateway.store.engine import ReadTx, Store
from gateway.store.hits import Sight, StoredHit, current, sight_of
from gateway.store.persons import Component
from gateway.store.query import Page, Reach

SURVIVORSHIP = "identity/survivorship.yaml"
"""Where the rules of survivorship stand below the region's profiles."""

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_NOBODY = Page([], [], None, 0)


class Shown(NamedTuple):
    """One Person as it is shown: its id, its text, when it last changed, and whose records (pid) it tells of."""

    fid: str
    body: bytes
    updated_us: int
    patients: tuple[int, ...]


class Ways(NamedTuple):
    """How Persons are made and searched: the file of survivorship, where dates stand, how far and long it goes."""

    rules: Path
    zone: str
    reach: Reach
    seconds: float


class Persons:
    """The Persons of one store; what only clients' own can have is left to the `searches` of the record."""

    def __init__(self, store: Store, searches: Searches, ways: Ways) -> None:
        self._store = store
        self._searches = searches
        self._ways = ways

    @cached_property
    def rules(self) -> Rules:
        """The rules of survivorship, read at first use; raises GatewayError where their file is wrong."""
        return survivorship.load(self._ways.rules)

    def read(self, actor: Actor, fid: str) -> Shown | None:
        """Return the Person whose id is that of a Patient; None where the actor sees no such Patient."""
        if not _FID.fullmatch(fid):
            return None
        with self._store.read(self._ways.seconds) as tx:
            sight = sight_of(tx, actor.scope)
            pid = persons.patient(tx, fid, sight) if sight else None
            shown = _Desk(tx, actor.scope, sight, self.rules, self._ways).by_id(pid) if sight and pid else None
        if shown is not None:
            trail.note(self._store, actor, "read", "Person", fid, shown.patients)
        return shown

    def page(self, actor: Actor, asked: Asked, base: str) -> Page:
        """Return one page of Persons, each once, newest first; after the first page's come those that clients wrote.

        A Person is found by what any one of its Patients says. What no rendered Person has (an organization, a tag) is
        asked of clients' own alone. Raises GatewayError for what cannot be asked.
        """
        own = parse("Person", asked.pairs, self._ways.zone, lenient=asked.lenient)
        understood = [pair for pair in asked.pairs if pair[0] not in own.ignored]
        wanted = person_query.of_patients(understood, base)
        if wanted is None:
            return self._searches.page(actor, asked)
        with self._store.read(self._ways.seconds) as tx:
            written = _NOBODY if asked.cursor else _written(tx, own, actor.scope, self._ways.reach)
            sight = sight_of(tx, actor.scope)
            page, seen = _NOBODY, list[int]()
            if sight is not None:
                page, seen = _Desk(tx, actor.scope, sight, self.rules, self._ways).page(wanted, own, asked)
        seen += [hit.patient_pid or 0 for hit in written.matches]
        trail.note(self._store, actor, "search", "Person", "", seen, asked=[name for name, _ in asked.pairs])
        return _joined(page, written, own, first=asked.cursor is None)


def _written(tx: ReadTx, own: Search, scope: Scope, reach: Reach) -> Page:
    """Return the Persons that clients wrote, those of the first page being all of them."""
    return query.run(tx, replace(own, count=MOST, total="accurate"), scope, reach)


def _joined(page: Page, written: Page, own: Search, *, first: bool) -> Page:
    """Return rendered and written Persons as one page; how many there are is known where all of them are on it."""
    matches = [*page.matches, *written.matches]
    included = list(dict.fromkeys([*page.includes, *written.includes]))
    counted = first and page.next is None and own.total != "none"
    total = len(page.matches) + (written.total or 0) if counted else None
    return Page(matches, included, page.next, total, written.notes, own.ignored)


class _Desk(NamedTuple):
    """What Persons of one answer are put together with."""

    tx: ReadTx
    scope: Scope
    sight: Sight
    rules: Rules
    ways: Ways

    def by_id(self, pid: int) -> Shown | None:
        """Return the Person under the id of a Patient: the standing one, or that it stands under another id."""
        people = persons.component(self.tx, pid, self.sight)
        if pid not in people.patients:
            return None
        oldest = next(iter(people.patients.values()))
        if oldest.pid == pid:
            return self.standing(people)
        stored = people.patients[pid]
        moved = _changed_us(people)
        (member,) = self._members(Component({pid: stored}, ()))
        return Shown(stored.fid, person.elsewhere(oldest.fid, member, moved), moved, (pid,))

    def standing(self, people: Component) -> Shown:
        """Return the Person of some Patients."""
        members = self._members(people)
        changed = _changed_us(people)
        text = person.standing(self.rules, members, people.links, changed)
        return Shown(members[0].fid, text, changed, tuple(people.patients))

    def page(self, wanted: Wanted, own: Search, asked: Asked) -> tuple[Page, list[int]]:
        """Return the Persons of one page of Patients, and whose records (pid) they tell of."""
        pairs = [*wanted.pairs, ("_count", str(own.count))]
        found = query.run(self.tx, parse("Patient", pairs, self.ways.zone, asked.cursor), self.scope, self.ways.reach)
        heads = self.tx.heads([("Patient", hit.fid) for hit in found.matches])
        pids = [heads["Patient", hit.fid].pid for hit in found.matches]
        shown = self._each(pids) if wanted.by_id else self._once(pids, wanted)
        seen = list(dict.fromkeys(pid for one in shown for pid in one.patients))
        members = current(self.tx, seen[: self.ways.reach.included], self.sight) if wanted.members else {}
        matches = [StoredHit("Person", one.fid, 1, one.updated_us, one.body) for one in shown]
        return Page(matches, list(members.values()), found.next, None), seen

    def _each(self, pids: Sequence[int]) -> list[Shown]:
        shown = (self.by_id(pid) for pid in pids)
        return [one for one in shown if one is not None]

    def _once(self, pids: Sequence[int], wanted: Wanted) -> list[Shown]:
        """Return the Persons of some Patients, each at the first of its Patients that the whole search finds."""
        done: set[int] = set()
        shown: list[Shown] = []
        for pid in pids:
            if pid not in done:
                people = persons.component(self.tx, pid, self.sight)
                done |= people.patients.keys()
                if people.patients and self._first(people, wanted) == pid:
                    shown.append(self.standing(people))
        return shown

    def _first(self, people: Component, wanted: Wanted) -> int:
        """Return that Patient of a person that a search finds first, the newest one that satisfies it."""
        if len(people.patients) == 1:
            return next(iter(people.patients))
        by_fid = {stored.fid: pid for pid, stored in people.patients.items()}
        search = parse("Patient", [*wanted.pairs, ("_id", ",".join(by_fid)), ("_count", "1")], self.ways.zone)
        found = query.run(self.tx, search, self.scope, self.ways.reach).matches
        return by_fid.get(found[0].fid, 0) if found else 0

    def _members(self, people: Component) -> list[Member]:
        told = persons.told(self.tx, people.patients)
        replaced = {link.from_pid for link in people.links if link.kind == assurance.MERGED}
        return [
            survivorship.member(
                resource.loads(stored.body, strict=False),
                stored.site,
                pid=pid,
                fid=stored.fid,
                told_us=told[pid].at_us,
                authority=told[pid].authority,
                replaced=pid in replaced,
            )
            for pid, stored in people.patients.items()
        ]


def _changed_us(people: Component) -> int:
    """Return when a Person changed last: a record of it, or a link between them."""
    moments = [stored.updated_us for stored in people.patients.values()]
    return max([*moments, *(link.created_us for link in people.links)])
