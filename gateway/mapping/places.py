"""Where people are and how they are reached: PL to a chain of Locations, XTN to ContactPoint."""

import re
from typing import Any

from gateway.mapping import dates, scalars
from gateway.mapping.cell import EMPTY, Cell, Convert, Note, Proto, Ref
from gateway.mapping.draft import Key
from gateway.mapping.environment import V2_TABLE, Environment, text_of
from gateway.mapping.making import Making

PHYSICAL = "http://terminology.hl7.org/CodeSystem/location-physical-type"
_CONTACT = "http://hl7.org/fhir/StructureDefinition/contactpoint-"
# Component, physical type and words; from the whole to the part (guide: PL[Location], partOf rows).
_LEVELS = (
    (4, "si", "Site"),
    (7, "bu", "Building"),
    (1, "", "Point of care"),
    (8, "lvl", "Level"),
    (2, "ro", "Room"),
    (3, "bd", "Bed"),
)
_NDL_LEVELS = (
    (7, "si", "Site"),
    (10, "bu", "Building"),
    (4, "", "Point of care"),
    (11, "lvl", "Level"),
    (5, "ro", "Room"),
    (6, "bd", "Bed"),
)
# The kind of place (PL.6) is told by which parts there are.
_MASKED = re.compile(r"\d[*＊]{2,}")
_PL_USED = frozenset({1, 2, 3, 4, 6, 7, 8, 9, 10, 11})


def location(making: Making) -> Convert:
    """Make the conversion of a PL: its most specific place, as a pattern that is part of the wider ones.

    `args: {levels: [1, 2, 3], elsewhere: [4, 5]}` name the components that are places, and those another rule reads;
    `levels: NDL` reads the place in an NDL.
    """
    env, told = making.env, making.args.get("levels")
    of_person = told == "NDL"
    levels = _NDL_LEVELS if of_person else [level for level in _LEVELS if told is None or level[0] in told]
    used = _PL_USED | set(making.args.get("elsewhere", ()))

    def convert(raw: str) -> Cell:
        parts = ["", *raw.split("^")]
        chain: Proto | None = None
        trail: list[str] = []
        for component, code, words in levels:
            sent = [text_of(part) for part in parts[component].split("&")] if component < len(parts) else [""]
            name = sent[0] or (sent[1] if len(sent) > 1 else "")
            if name:
                trail.append(f"{code or 'poc'}:{name}")
                chain = _level(sent, code, words, "/".join(trail), chain, env)
        if chain is None:
            return EMPTY
        return Cell(chain) if of_person else Cell(_described(chain, parts, env), _left(parts, used))

    return convert


def place(making: Making) -> Convert:
    """Make the conversion of the PL a master file tells of: the place itself, without what it is in."""
    convert = location(making)

    def itself(raw: str) -> Cell:
        found = convert(raw)
        if found.value is None:
            return found
        body = {name: value for name, value in found.value.body.items() if name != "resourceType"}
        return Cell(body, found.notes)

    return itself


def around(making: Making) -> Convert:
    """Make the conversion of a PL to the place that its most specific place is in."""
    convert = location(making)

    def outer(raw: str) -> Cell:
        found = convert(raw)
        return Cell(found.value.refs[0].proto) if found.value is not None and found.value.refs else EMPTY

    return outer


def _level(sent: list[str], code: str, words: str, path: str, whole: Proto | None, env: Environment) -> Proto:
    """Return one place: known by its path, since every ward has a bed 1; its own name and universal id stand beside."""
    name = sent[0] or sent[1]
    own: list[dict[str, Any]] = [{"system": env.number_system("location"), "value": path}]
    if sent[0]:
        own.append({"system": env.number_system(f"location-{code or 'poc'}"), "value": sent[0]})
    if len(sent) > 1 and sent[1]:
        own.append(_universal(sent[1], sent[2] if len(sent) > 2 else ""))
    physical: dict[str, Any] = {"text": words}
    if code:
        physical = {"coding": [{"system": PHYSICAL, "code": code, "display": words}]}
    body = {
        "resourceType": "Location",
        "identifier": own,
        "name": name,
        "mode": "instance",
        "physicalType": physical,
    }
    refs = (Ref("partOf", False, whole),) if whole is not None else ()
    return Proto("Location", body, (Key(env.number_system("location"), path),), name, refs)


def _universal(value: str, kind: str) -> dict[str, Any]:
    """Return a universal id (HD.2, HD.3) as an Identifier."""
    return ({"type": {"coding": [{"system": f"{V2_TABLE}0301", "code": kind}]}} if kind else {}) | {"value": value}


def _described(place: Proto, parts: list[str], env: Environment) -> Proto:
    described, entity = (text_of(parts[at].split("&")[0]) if at < len(parts) else "" for at in (9, 10))
    body = dict(place.body)
    if described:
        body["description"] = described
    if entity:
        number: dict[str, Any] = {"system": env.number_system("location-number"), "value": entity}
        authority = text_of(parts[11].split("&")[0]) if len(parts) > 11 else ""
        body["identifier"] = [*body["identifier"], number | ({"assigner": {"display": authority}} if authority else {})]
    return place._replace(body=body)


def _left(parts: list[str], used: set[int] | frozenset[int]) -> tuple[Note, ...]:
    extra = [at for at, part in enumerate(parts) if part and at not in used]
    return tuple(Note("no place in a Location", component=str(at), left=True) for at in extra)


def contact_point(making: Making) -> Convert:
    """Make the conversion of an XTN (guide: XTN[ContactPoint]); a number without equipment type is a phone."""
    env = making.env

    def convert(raw: str) -> Cell:
        parts = [*(text_of(part) for part in raw.split("^")), *[""] * 18]
        kind, found_kind = parts[2], _coded(env, "TelecommunicationEquipmentType", parts[2])
        value = parts[3] if kind in ("Internet", "X.400") or not _numbered(parts) else _number(parts)
        value = value or parts[8]  # some senders put the phone into the "any text" component
        if not value or value in env.absent:
            return EMPTY
        if _MASKED.search(value):
            return Cell(None, (Note("a masked telephone number reaches nobody; it was left out"),))
        body: dict[str, Any] = {}
        details = _details(parts) if kind not in ("Internet", "X.400") else []
        if details:
            body["extension"] = details
        body["system"] = found_kind or ("email" if value == parts[3] else "phone")
        body["value"] = value
        use = _coded(env, "TelecommunicationUseCode", parts[1])
        if found_kind == "mobile":  # guide: CP is a use, the system is a phone
            body["system"], use = "phone", "mobile"
        if use:
            body["use"] = use
        rank = scalars.integer(parts[17], 1).value
        body |= ({"rank": rank} if rank else {}) | _period(parts)
        return Cell(body, _unknown(parts, found_kind, use))

    return convert


def _numbered(parts: list[str]) -> bool:
    return bool(parts[0] or parts[6] or parts[11])


def _number(parts: list[str]) -> str:
    if parts[11]:
        return parts[11]
    if not parts[6]:
        return parts[0]
    country = f"+{parts[4].lstrip('+')}" if parts[4] else ""
    extension = f"X{parts[7]}" if parts[7] else ""
    return " ".join(part for part in (country, parts[5], parts[6], extension) if part)


def _details(parts: list[str]) -> list[dict[str, Any]]:
    told = ((4, "country"), (5, "area"), (6, "local"), (7, "extension"))
    return [{"url": f"{_CONTACT}{name}", "valueString": parts[at]} for at, name in told if parts[at]]


def _coded(env: Environment, name: str, word: str) -> str:
    codes = env.codes.get(name)
    found = codes.rows.get(word) if codes is not None and word else None
    return found.code if found is not None else ""


def _period(parts: list[str]) -> dict[str, Any]:
    told = {"start": dates.date_time(parts[12]).value, "end": dates.date_time(parts[13]).value}
    found = {name: value for name, value in told.items() if value is not None}
    return {"period": found} if found else {}


def _unknown(parts: list[str], kind: str, use: str) -> tuple[Note, ...]:
    notes = []
    for word, found, what, component in ((parts[1], use, "use", "2"), (parts[2], kind, "equipment", "3")):
        if word and not found:
            told = f"'{word}' is no code of telecommunication {what}; it was left out"
            notes.append(Note(told, "code-invalid", "information", component))
    return tuple(notes)
