"""Names of people, places and things where one component is not enough to tell them."""

import re

from gateway.mapping.cell import EMPTY, Cell, Convert
from gateway.mapping.environment import parts_of, text_of
from gateway.mapping.making import Making

_OID = re.compile(r"[012](\.(0|[1-9]\d*))+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CHINESE = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003fffd·•・． ]+")


def chinese_name(raw: str) -> Cell:
    """Return a Chinese name as it is written, from family and given; EMPTY for other names.

    Many systems send the whole name as the family name and pinyin as the given name (china.md §5.1).
    """
    parts = [*raw.split("^"), ""]
    family, given = text_of(parts[0].split("&")[0]), text_of(parts[1])
    if _CHINESE.fullmatch(family) is None:
        return EMPTY
    return Cell(family + given if _CHINESE.fullmatch(given) else family)


def staff_name(raw: str) -> Cell:
    """Return the Chinese name in an XCN, whose first component is a number; EMPTY for other names."""
    return chinese_name(raw.partition("^")[2])


def full_name(raw: str) -> Cell:
    """Return a name as one text: Chinese as written, others given name first."""
    found = chinese_name(raw)
    if found.value is not None:
        return found
    parts = [*raw.split("^"), "", "", "", "", ""]
    order = (parts[4], parts[1], parts[2], parts[0].split("&")[0], parts[3])
    words = [text_of(part) for part in order]
    return Cell(" ".join(word for word in words if word) or None)


def namespace(raw: str) -> Cell:
    """Return the words of an authority (HD): its name, else its universal id."""
    parts = parts_of(raw.replace("&", "^"))
    return Cell(next((part for part in parts[:2] if part), None))


def universal(raw: str) -> Cell:
    """Return a universal id (HD.2) as an Identifier: OIDs and UUIDs as URNs, others as they are."""
    word = text_of(raw)
    if _OID.fullmatch(word):
        return Cell({"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{word}"})
    if _UUID.fullmatch(word):
        return Cell({"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{word.lower()}"})
    return Cell({"value": word}) if word else EMPTY


def device_name(raw: str) -> Cell:
    """Return what a device is called by its user."""
    word = text_of(raw)
    return Cell({"name": word, "type": "user-friendly-name"}) if word else EMPTY


def text_concept(raw: str) -> Cell:
    """Return words as a CodeableConcept without code."""
    word = text_of(raw)
    return Cell({"text": word}) if word else EMPTY


def event_coding(making: Making) -> Convert:
    """Make the conversion of MSG (MSH-9) to the Coding of its event (`args: {prefix}` before its display)."""
    prefix = str(making.args.get("prefix", ""))

    def convert(raw: str) -> Cell:
        parts = [*parts_of(raw), "", ""]
        if not parts[1]:
            return EMPTY
        system = "http://terminology.hl7.org/CodeSystem/v2-0003"
        return Cell({"system": system, "code": parts[1], "display": prefix + "^".join(part for part in parts if part)})

    return convert


def endpoint(making: Making) -> Convert:
    """Make the conversion of HD to the address of a system; `args: {plain: true}` takes other kinds as they are."""
    plain = bool(making.args.get("plain"))
    return lambda raw: _endpoint(raw, plain)


def _endpoint(raw: str, plain: bool) -> Cell:
    """Return the URN or address of a system, or beside it that there is none (guide: HD[MessageHeader...])."""
    _, word, kind = [*parts_of(raw), "", "", ""][:3]
    if word and plain and kind not in ("ISO", "UUID"):
        return Cell(word)
    if word and kind in ("DNS", "URI"):
        return Cell(f"urn:{kind.lower()}:{word}")
    found = universal(word).value
    if found is not None and "system" in found:
        return Cell(found["value"])
    absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    return Cell(None, beside={"extension": [absent]})
