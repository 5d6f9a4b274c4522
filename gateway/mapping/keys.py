"""Keys: by which of its numbers a resource is known, or whose child it is (architecture decision 7, R2, R3)."""

import hashlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gateway.mapping import dates
from gateway.mapping.cell import Ref
from gateway.mapping.draft import Key
from gateway.mapping.environment import Environment
from gateway.mapping.identifiers import LICENCE, RESIDENT, RESIDENT_15, SOCIAL, UNVERIFIED

Body = dict[str, Any]
# The number series that name something; a feed's `daily:` lists those that start again each day.
PLACER, FILLER, VISIT, SPECIMEN, REPORT, MEMBER = "placer", "filler", "visit", "specimen", "report", "member"
CHARGE = "charge"
_SERIES = {"Practitioner": "staff", "Organization": "organization", "Location": "location", "Device": "device"}
_NOBODYS = (f"/{UNVERIFIED}", f"/{RESIDENT_15}")  # unproven, or told by the 18 digits beside it
_NOT_PERSONS = frozenset({"AN", "VN"})  # account and visit numbers change with the visit (table 0203)


@dataclass(slots=True)
class Facts:
    """What a key function may look at: the body so far, and where in the message it stands."""

    env: Environment
    body: Body
    parts: Sequence[str] = ()
    parent: str = ""
    patient: str = ""
    message: str = ""
    day: str = ""


@dataclass(slots=True)
class Identity:
    """Keys, or parent and child part; and what must not differ for the same key (R2)."""

    keys: tuple[Key, ...] = ()
    parent: str = ""
    child: str = ""
    guard: dict[str, str] = field(default_factory=dict)
    claim: str = ""


Naming = Callable[[Facts], Identity]


def patient(facts: Facts) -> Identity:
    """Name a person's record at this site: strong series, else weak ones, else the national ID, else the message.

    A number that starts again each day names only with its day; it stands beside a national ID, so that a row which
    has nothing else finds the person of that day.
    """
    env = facts.env
    daily: list[Key] = []
    ranks: tuple[list[Key], list[Key], list[Key]] = ([], [], [])
    for entry in facts.body.get("identifier", ()):
        system, value = entry.get("system", ""), entry.get("value", "")
        if not value or not system or system.endswith(_NOBODYS):
            continue
        if _code(entry.get("type")) in _NOT_PERSONS:
            continue
        if _tail(system) in env.daily:
            day = dates.day(entry.get("period", {}).get("start", "")) or facts.day
            daily.extend([Key(system, value, day)] if day else [])
        elif not system.startswith(env.numbers):
            ranks[2].append(Key(system, value))
        else:
            civil = system.startswith((env.number_system(SOCIAL), env.number_system(LICENCE)))
            ranks[1 if civil or system in env.weak else 0].append(Key(system, value))
    residents = [key.value for key in ranks[2] if key.system == env.national.get(RESIDENT)]
    guard = {RESIDENT: residents[0]} if len(residents) == 1 else {}
    named = next((found for found in ranks if found), [])
    if named is not ranks[0]:
        named = [*named, *daily]
    return Identity(tuple(dict.fromkeys(named)), guard=guard) if named else _of_message(facts)


def order(facts: Facts) -> Identity:
    """Name an order by its placer and filler numbers, which share their resource; else as a child of the patient."""
    keys = _numbered(facts, (PLACER, FILLER))
    if keys:
        return Identity(keys, guard=_guard(facts))
    return _child(facts, "order")


def report(facts: Facts) -> Identity:
    """Name a report by filler (else placer) number and code; without numbers by patient, code and time."""
    keys = _numbered(facts, (FILLER,)) or _numbered(facts, (PLACER,))
    if keys:
        value = "|".join((keys[0].value, *(part for part in facts.parts if part)))
        day = _day(facts, (FILLER, REPORT))
        return Identity((Key(facts.env.number_system(REPORT), value, day),), guard=_guard(facts))
    when = facts.body.get("effectiveDateTime") or facts.body.get("effectivePeriod", {}).get("start", "")
    if not when or not facts.patient:
        return _of_message(facts)
    return Identity(parent=facts.patient, child=f"rep-{short((*facts.parts, when))}")


def encounter(facts: Facts) -> Identity:
    """Name a visit by its number and the fields of `by`, else as a child of the patient by class and day."""
    keys = _numbered(facts, (VISIT,))
    if keys:
        keys = tuple(key._replace(value="|".join((key.value, *filter(None, facts.parts)))) for key in keys)
        return Identity(keys, guard={"patient": facts.patient} if facts.patient else {})
    start = dates.day(facts.body.get("period", {}).get("start", ""))
    kind = facts.body.get("class", {}).get("code", "")
    if not facts.patient:
        return _of_message(facts)
    return Identity(parent=facts.patient, child=f"enc-{short((kind, start))}")


def specimen(facts: Facts) -> Identity:
    """Name a specimen by its number, else as a child of what it was taken for."""
    keys = _numbered(facts, (SPECIMEN, "specimen-filler"))
    if keys:
        return Identity(keys, guard=_guard(facts))
    return _child(facts, "spm")


def coverage(facts: Facts) -> Identity:
    """Name an insurance by plan and member number, else as a child of the patient by what it says."""
    number = next((part for part in facts.parts[1:] if part), "")
    if number:
        value = "|".join((facts.parts[0], number))
        return Identity((Key(facts.env.number_system("coverage"), value),))
    return _child(facts, "cov")


def charge(facts: Facts) -> Identity:
    """Name a charge by its transaction number, a refund of the same number apart; else as a child of the visit."""
    keys = _numbered(facts, (CHARGE,))
    if not keys:
        return _child(facts, "chg")
    refund = "|refund" if str(facts.body.get("priceOverride", {}).get("value", "")).startswith("-") else ""
    named = tuple(key._replace(value=key.value + refund) for key in keys)
    return Identity(named, guard={"patient": facts.patient} if facts.patient else {})


def role(facts: Facts) -> Identity:
    """Name what a person does somewhere by who and where (the first two of `by`), so that messages share it."""
    if any(facts.parts[:2]):
        value = "|".join(facts.parts)
        return Identity((Key(facts.env.number_system("role"), value),))
    return _child(facts, "role")


def numbered(facts: Facts) -> Identity:
    """Name a resource by its identifiers, whatever their series; else as a child."""
    entries = [entry for entry in _entries(facts.body) if entry.get("system") and entry.get("value")]
    keys = tuple(Key(entry["system"], entry["value"]) for entry in entries)
    return Identity(tuple(dict.fromkeys(keys))) if keys else _child(facts, "n")


def owned(facts: Facts) -> Identity:
    """Name a resource by its identifiers; the same number of another person is no update (ruling R2)."""
    entries = [entry for entry in _entries(facts.body) if entry.get("system") and entry.get("value")]
    keys = [Key(entry["system"], entry["value"], _day(facts, (_tail(entry["system"]),))) for entry in entries]
    return Identity(tuple(dict.fromkeys(keys)), guard=_guard(facts)) if keys else _child(facts, "o")


def thing(facts: Facts) -> Identity:
    """Name an institution, place or device by its identifier, else its name, else as a child."""
    keys = by_identifier(facts.body, facts.env)
    return Identity(keys) if keys else _child(facts, "thing")


def child(facts: Facts) -> Identity:
    """Name a resource as a child of its parent by the fields its message map lists (`by`)."""
    return _child(facts, facts.body["resourceType"][:3].lower())


def contracted(facts: Facts) -> Identity:
    """Name a person's team as a child of its contract; an active one claims to be the person's only (A3, N2)."""
    found = child(facts)
    found.claim = "active team" if facts.body.get("status") == "active" else ""
    return found


def coded(facts: Facts) -> Identity:
    """Name a resource as a child of its parent by what its code (else its type) says, and the fields of `by`."""
    told: Body = facts.body.get("code") or next(iter(facts.body.get("type", ())), {})
    said = _code(told) or str(told.get("text", ""))
    prefix = facts.body["resourceType"][:3].lower()
    if not facts.parent:
        return _of_message(facts)
    return Identity(parent=facts.parent, child=f"{prefix}-{short((said, *facts.parts))}")


def observation(facts: Facts) -> Identity:
    """Name a result as a child of its report by code and sub-id; of a person, also by its time."""
    if not facts.parent:
        return _of_message(facts)
    parts = tuple(facts.parts)
    if facts.parent == facts.patient:
        parts = (*parts, facts.body.get("effectiveDateTime", "") or facts.message)
    return Identity(parent=facts.parent, child=short(parts))


def by_identifier(body: Body, env: Environment, refs: Sequence[Ref] = ()) -> tuple[Key, ...]:
    """Return the keys of a person, place or thing a field tells of; gives its bare numbers their series."""
    kind = _SERIES.get(body["resourceType"], slug_of(body["resourceType"]))
    entries = body.get("identifier")
    if entries:
        body["identifier"] = [{"system": env.number_system(kind)} | entry for entry in entries if entry.get("value")]
        for entry in body["identifier"]:
            return (Key(entry["system"], entry["value"]),)
    told = [f"{_series(key)}|{key.value}" for key in (ref.proto.keys[0] for ref in refs if ref.proto.keys)]
    told.extend(_code(concept) for concept in body.get("code", ()) if told)
    name = named(body) or "|".join(told)
    return (Key(env.number_system(f"{kind}-name"), name),) if name else ()


def slug_of(name: str) -> str:
    """Return a resource type as the name of a number series."""
    return name.lower()


def named(body: Body) -> str:
    """Return the words a person would call this resource by, '' when it has none."""
    name = body.get("name")
    if isinstance(name, list):
        name = name[0] if name else None
    if isinstance(name, dict):
        words = (*name.get("prefix", ()), *name.get("given", ()), name.get("family", ""))
        return str(name.get("text") or " ".join(word for word in words if word))
    return str(name or "")


@lru_cache(maxsize=8192)
def short(parts: tuple[str, ...]) -> str:
    """Return 10 base32 characters that stand for these texts, fit for an id."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=7).digest()
    return b32encode(digest).decode().rstrip("=").lower()[:10]


def _child(facts: Facts, prefix: str) -> Identity:
    if not facts.parent:
        return _of_message(facts)
    return Identity(parent=facts.parent, child=f"{prefix}-{short(tuple(facts.parts))}")


def _of_message(facts: Facts) -> Identity:
    prefix = facts.body["resourceType"].lower()
    value = "|".join((facts.message, prefix, *facts.parts))
    return Identity((Key(facts.env.number_system("message"), value),))


def _entries(body: Body) -> list[Body]:
    found = body.get("identifier", ())
    return [found] if isinstance(found, dict) else list(found)


def _numbered(facts: Facts, kinds: tuple[str, ...]) -> tuple[Key, ...]:
    wanted = {facts.env.number_system(kind): kind for kind in kinds}
    keys = []
    for entry in _entries(facts.body):
        kind = wanted.get(entry.get("system", ""))
        if kind is not None:
            keys.append(Key(entry["system"], entry["value"], _day(facts, (kind,))))
    return tuple(dict.fromkeys(keys))


def _day(facts: Facts, kinds: tuple[str, ...]) -> str:
    return facts.day if any(kind in facts.env.daily for kind in kinds) else ""


def _guard(facts: Facts) -> dict[str, str]:
    """Return what must not differ for the same number: the person, and for results the day of sampling."""
    guard = {"patient": facts.patient} if facts.patient else {}
    body = facts.body
    effective = body.get("effectiveDateTime", "") or body.get("effectivePeriod", {}).get("start", "")
    effective = effective or body.get("collection", {}).get("collectedDateTime", "")
    if dates.day(effective):
        guard["day"] = dates.day(effective)
    return guard


def _series(key: Key) -> str:
    return _tail(key.system)


def _tail(system: str) -> str:
    return system.rsplit("/", 1)[-1]


def _code(concept: Any) -> str:
    codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return str(codings[0].get("code", "")) if codings else ""


NAMINGS: dict[str, Naming] = {
    "patient": patient,
    "order": order,
    "report": report,
    "encounter": encounter,
    "specimen": specimen,
    "coverage": coverage,
    "charge": charge,
    "role": role,
    "thing": thing,
    "by_identifier": thing,
    "numbered": numbered,
    "owned": owned,
    "child": child,
    "coded": coded,
    "contracted": contracted,
    "observation": observation,
}
