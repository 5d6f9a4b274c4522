"""Histories as clients ask for them: of a resource, a type or everything, told page by page and then followed on.

A page is a stretch of numbers (store/histories.py), so pages neither repeat nor skip while others write. `known_us` is
the moment to ask `_since` next: later than all that was told, not later than anything still to come.
"""

import re
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record import trail
from gateway.search import parameters
from gateway.search.scope import Scope
from gateway.store import histories
from gateway.store.engine import ReadTx, Store
from gateway.store.histories import Past, Period, Stretch
from gateway.store.resources import visible
from gateway.store.values import Stored

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Place(NamedTuple):
    """Where a page begins: the numbers left, the end of the whole reading, and the moment known so far.

    Without an end the reading begins now: it goes on after what another reading told.
    """

    after: int
    before: int
    end: int
    known_us: int


class Asked(NamedTuple):
    """What is asked: of everything (no `kind`), of a type (no `fid`) or of one resource; `place` goes on."""

    kind: str
    fid: str
    most: int
    since_us: int = 0
    at: Period | None = None
    oldest_first: bool = False
    place: Place | None = None
    named: tuple[str, ...] = ()


class History(NamedTuple):
    """One page: its versions, where the next page begins (None on the last), and where to go on when more is made.

    `total` is how many versions a resource has, None where they were not all asked for.
    """

    versions: list[Stored]
    following: Place | None
    later: Place
    total: int | None


class Histories:
    """The door to the histories of one store; a page that takes longer than `seconds` is given up."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def page(self, actor: Actor, asked: Asked) -> History:
        """Return one page, as much of it as the actor may see.

        Raises GatewayError (not found) for a type R4 does not have and a resource the actor may not see.
        """
        _known(asked)
        with self._store.read(self._seconds) as tx:
            past, total = _past(tx, asked, actor.scope)
            page = _page(tx, past, asked, actor.scope, total) if past else None
        if page is None:
            trail.note(self._store, actor, "history", asked.kind, asked.fid, outcome="not-found")
            text = f"there is no {asked.kind}/{asked.fid} that you may see"
            raise GatewayError(text, category=Category.NOT_FOUND)
        seen = trail.patients(page.versions)
        trail.note(self._store, actor, "history", asked.kind, asked.fid, seen, asked=asked.named)
        return page


def _known(asked: Asked) -> None:
    if asked.kind and asked.kind not in parameters.types():
        text = f"{asked.kind[:64]} is not a resource type of FHIR R4; names begin with a capital, as in Patient"
        raise GatewayError(text, category=Category.NOT_FOUND)
    if asked.fid and not _FID.fullmatch(asked.fid):
        raise GatewayError("an id is 1 to 64 letters, digits, - and .", where="id", category=Category.NOT_FOUND)


def _past(tx: ReadTx, asked: Asked, scope: Scope) -> tuple[Past | None, int | None]:
    """Return what the history is of, and how many versions it has where that is known; None: not to be seen."""
    if not asked.fid:
        return Past(asked.kind), None
    newest = tx.read(asked.kind, asked.fid, scope)
    if newest is None or not visible(newest, scope):
        return None, None
    whole = not asked.since_us and asked.at is None and (asked.place is None or bool(asked.place.end))
    return Past(asked.kind, newest.pid), newest.ver if whole else None


def _page(tx: ReadTx, past: Past, asked: Asked, scope: Scope, total: int | None) -> History:
    first = asked.place is None or not asked.place.end
    place = _begin(tx, past, asked) if first else asked.place
    assert place is not None
    within = Stretch(place.after, place.before)
    found = histories.read(tx, past, scope, within, asked.most + 1, at=asked.at, oldest_first=asked.oldest_first)
    if first:
        newest = histories.read(tx, past, scope, within, 1) if asked.oldest_first else found
        place = place._replace(known_us=max(place.known_us, newest[0].updated_us + 1 if newest else 0))
    shown = found[: asked.most]
    following = None
    if shown and len(found) > asked.most:
        last = histories.number(past, shown[-1])
        following = place._replace(after=last) if asked.oldest_first else place._replace(before=last)
    return History(shown, following, Place(place.end - 1, 0, 0, place.known_us), total)


def _begin(tx: ReadTx, past: Past, asked: Asked) -> Place:
    """Return the place of a first page: how far the history reaches now, and from where it is asked for."""
    end = histories.end(tx, past)
    went = asked.place or Place(histories.beginning(past), 0, 0, 0)
    within = Stretch(min(went.after, end - 1), end)
    if asked.since_us:
        within = Stretch(histories.since(tx, past, asked.since_us, within) - 1, end)
    if asked.at:
        within = Stretch(within.after, histories.since(tx, past, asked.at.end, within))
    return Place(within.after, within.before, end, max(went.known_us, asked.since_us))
