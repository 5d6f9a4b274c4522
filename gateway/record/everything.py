"""All there is of one patient or encounter: its compartment, and what that refers to ($everything of R4).

A patient's are those of all records known to be of the same person (decision 8). They come in order of arrival; then,
once each, the practitioners, organisations, places, medications and devices they refer to.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record import trail
from gateway.store import belongings
from gateway.store.belongings import Filter, Owner
from gateway.store.engine import ReadTx, Store
from gateway.store.hits import Hits, Sight, StoredHit, current, sight_of

KINDS = ("Patient", "Encounter")
REFERRED = (
    "Device",
    "DeviceDefinition",
    "Endpoint",
    "HealthcareService",
    "Location",
    "Medication",
    "MedicationKnowledge",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Substance",
)
"""Types of what belongs to nobody, and is therefore told with everything that refers to it."""

_OWNED = ("Account", "Appointment", "Condition", "Coverage", "EpisodeOfCare", "Patient", "Procedure", "ServiceRequest")
"""Types that an encounter refers to and that are its patient's own."""

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = re.compile(
    rb'"reference"\s*:\s*"(%b)/([A-Za-z0-9\-.]{1,64})["/]' % "|".join((*REFERRED, *_OWNED)).encode()
)
_PART = 500
_ROUNDS = 3


class Place(NamedTuple):
    """Where a page begins: among the belongings or (`referred`) among what they refer to, after a pid."""

    referred: bool = False
    after: int = 0


class Asked(NamedTuple):
    """Whose everything, of which only some, and how much of it at a time."""

    kind: str
    fid: str
    wanted: Filter = Filter()
    most: int = 50
    place: Place = Place()


class Part(NamedTuple):
    """Some of it: belongings, what they refer to, and where to go on (None: that was all)."""

    belongings: list[StoredHit]
    referred: list[StoredHit]
    following: Place | None


class Everything:
    """The door to all that belongs to somebody; a part that takes longer than `seconds` is given up."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def part(self, actor: Actor, asked: Asked) -> Part:
        """Return up to `most` resources; raises GatewayError (not found) for an owner the actor may not see."""
        if not _FID.fullmatch(asked.fid):
            raise GatewayError("an id is 1 to 64 letters, digits, - and .", where="id", category=Category.NOT_FOUND)
        with self._store.read(self._seconds) as tx:
            found = _read(tx, actor, asked)
        if found is None:
            trail.note(self._store, actor, "everything", asked.kind, asked.fid, outcome="not-found")
            text = f"there is no {asked.kind}/{asked.fid} that you may see"
            raise GatewayError(text, category=Category.NOT_FOUND)
        owner, part = found
        seen = [*(owner.members if asked.kind == "Patient" else ()), *(hit.patient_pid for hit in part.belongings)]
        trail.note(self._store, actor, "everything", asked.kind, asked.fid, seen)
        return part

    def parts(self, actor: Actor, asked: Asked) -> Iterator[Part]:
        """Yield all of it, `most` resources in memory at a time; each part is audited before it leaves."""
        place: Place | None = asked.place
        while place is not None:
            part = self.part(actor, asked._replace(place=place))
            yield part
            place = part.following


def _read(tx: ReadTx, actor: Actor, asked: Asked) -> tuple[Owner, Part] | None:
    sight = sight_of(tx, actor.scope)
    owner = belongings.owner_of(tx, asked.kind, asked.fid, sight) if sight else None
    if owner is None or sight is None:
        return None
    return owner, _part(tx, owner, sight, asked)


def _part(tx: ReadTx, owner: Owner, sight: Sight, asked: Asked) -> Part:
    place: Place | None = asked.place
    room = asked.most
    mine: list[StoredHit] = []
    while place is not None and not place.referred and room:
        pids, following = belongings.part(tx, owner, sight, asked.wanted, place.after, room)
        mine += current(tx, pids, sight).values()
        place = Place(after=following) if following else _afterwards(asked.wanted)
        room = asked.most - len(mine)
    if place is None or not place.referred or not room:
        return Part(mine, [], place)
    others = _referred(tx, owner, sight, asked.wanted)
    left = [pid for pid in sorted(others) if pid > place.after]
    shown = [others[pid] for pid in left[:room]]
    return Part(mine, shown, Place(referred=True, after=left[room - 1]) if len(left) > room else None)


def _afterwards(wanted: Filter) -> Place | None:
    """Return the place after the last belonging, None where no type is wanted that comes there."""
    return Place(referred=True) if not wanted.types or set(wanted.types) & {*REFERRED, *_OWNED} else None


def _referred(tx: ReadTx, owner: Owner, sight: Sight, wanted: Filter) -> Hits:
    """Return what all belongings refer to and is nobody else's, and what that refers to in turn, by pid."""
    patients = {hit.patient_pid for hit in current(tx, owner.members, sight).values()}
    kinds = REFERRED if owner.compartment == "Patient" else (*REFERRED, *_OWNED)
    mine: set[int] = set()
    names: set[tuple[str, str]] = set()
    after: int | None = 0
    while after is not None:
        pids, after = belongings.part(tx, owner, sight, wanted._replace(types=()), after, _PART)
        mine.update(pids)
        names |= _named(current(tx, pids, sight).values(), kinds)
    found: Hits = {}
    seen: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        pids_new = set(belongings.pids_of(tx, sorted(names - seen)).values()) - mine
        seen |= names
        new = {pid: hit for pid, hit in current(tx, pids_new, sight).items() if hit.patient_pid in (None, *patients)}
        found |= new
        names |= _named(new.values(), REFERRED)
    return {pid: hit for pid, hit in found.items() if not wanted.types or hit.type in wanted.types}


def _named(hits: Iterable[StoredHit], kinds: tuple[str, ...]) -> set[tuple[str, str]]:
    found = {(kind.decode(), fid.decode()) for hit in hits for kind, fid in _REFERENCE.findall(hit.body)}
    return {(kind, fid) for kind, fid in found if kind in kinds}
