"""The defects of single cells: IDs, names, dates, sexes and phones as real exports spell them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

from gateway.simulate import names, numbers
from gateway.simulate.catalogue import book
from gateway.simulate.nasty import Nasty, mark
from gateway.simulate.values import FEMALE, Mark, Person
from gateway.simulate.xlsx import serial

Cells = dict[str, str]
RAW = ("7.tab", "7.quote")  # how the insurer's tool keeps Excel from harm; others do not
DUMMIES = ("000000000000000000", "111111111111111111", "123456789012345678")


class Defect(NamedTuple):
    """One way a cell goes wrong: whom it can befall, what it makes of the cell, what must come of it."""

    fits: Callable[[Person, str], bool]
    change: Callable[[Person, str], str]
    note: str
    keeps_id: bool | None = None  # True: the ID is recovered, False: no ID must come of it
    tells: Callable[[Person], dict[str, Any]] = lambda _: {}  # more that must come of it


def _flagged(person: Person) -> dict[str, Any]:
    return {"flagged": True}


def _born(person: Person) -> dict[str, Any]:
    return {"birth": person.birth.isoformat()}


def _sexed(person: Person) -> dict[str, Any]:
    return {"gender": "female" if person.sex == FEMALE else "male"}


def _two_births(person: Person) -> dict[str, Any]:
    return {"issue": "birth date"}


def _always(person: Person, text: str) -> bool:
    return bool(text)


def _with_x(person: Person, text: str) -> bool:
    return text.endswith("X")


def _spaced(person: Person, text: str) -> str:
    return f"{text[0]}  {text[1:]}"


def _private(person: Person, text: str) -> str:
    return "".join(book("names")["private_use"].get(letter, letter) for letter in text)


def _traditional(person: Person, text: str) -> str:
    return "".join(book("names")["traditional"].get(letter, letter) for letter in text)


def _other_dot(person: Person, text: str) -> str:
    dots = [dot for dot in book("names")["dots"] if dot != "·"]
    return text.replace("·", dots[person.number % len(dots)])


def mojibake(text: str) -> str:
    """Return UTF-8 text as somebody reads it who takes it for GBK; what is no pair becomes `?`."""
    return text.encode().decode("gb18030", "replace").replace("\ufffd", "?")


def _other_birth(person: Person, text: str) -> str:
    return _like(text, person.birth + timedelta(days=33))


def _like(text: str, day: date) -> str:
    return f"{day:%Y-%m-%d}" if "-" in text else f"{day:%Y%m%d}"


def _oracle(person: Person, text: str) -> str:
    return f"{person.birth:%d}-{person.birth.month}月-{person.birth:%y}"


ID: dict[str, Defect] = {
    "7.exponent": Defect(
        _always, lambda p, t: numbers.exponent(t), "digits are lost: no ID, no guess", False, _flagged),
    "7.zeroed": Defect(
        _always, lambda p, t: numbers.zeroed(t), "the last digits are lost: no ID, no guess", False, _flagged),
    "7.tab": Defect(_always, lambda p, t: "\t" + t, "a TAB before the ID", True),
    "7.quote": Defect(_always, lambda p, t: "'" + t, "a quote before the ID", True),
    "7.formula": Defect(_always, lambda p, t: f'="{t}"', "the ID as a formula", True),
    "7.full-width": Defect(_always, lambda p, t: numbers.wide(t), "the ID in full-width digits", True),
    "9.lower-case": Defect(_with_x, lambda p, t: t[:-1] + "x", "x for X", True),
    "9.times": Defect(_with_x, lambda p, t: t[:-1] + "×", "× for X", True),
    "9.blank": Defect(
        _with_x, lambda p, t: t[:-1] + " ", "17 digits and a blank: an issue, never another's number", False, _flagged),
    "10.fifteen": Defect(
        lambda p, t: len(t) == 18 and p.birth.year < 2000,
        lambda p, t: numbers.fifteen(t), "15 digits: the 18-digit number is found, both are kept", True),
    "11.dummy-id": Defect(
        _always, lambda p, t: DUMMIES[p.number % 3], "a dummy number joins nobody", False, _flagged),
    "11.no-id": Defect(_always, lambda p, t: "无" if p.number % 2 else "不详", "a word is no number", False),
    "13.masked-id": Defect(
        _always, lambda p, t: numbers.masked(t, 6, 4), "a masked ID is no identifier", False, _flagged),
}  # fmt: skip
NAME: dict[str, Defect] = {
    "3.mojibake": Defect(
        lambda p, t: len(t) >= 2, lambda p, t: mojibake(t), "UTF-8 read as GBK: an issue, never matched on",
        tells=_flagged),
    "6.entity": Defect(
        lambda p, t: "䶮" in t, lambda p, t: t.replace("䶮", "&#x4DAE;"), "a glyph as an HTML entity"),
    "6.private-use": Defect(
        lambda p, t: any(letter in book("names")["private_use"] for letter in t), _private,
        "a glyph of a private font: stored as sent, matched by the rest"),
    "6.dot": Defect(lambda p, t: "·" in t, _other_dot, "another dot: the same name when matching, stored as sent"),
    "6.spaces": Defect(
        lambda p, t: len(t) == 2, _spaced, "blanks inside: the same name when matching, stored as sent"),
    "6.traditional": Defect(
        lambda p, t: _traditional(p, t) != t, _traditional, "traditional glyphs: the same name when matching"),
}  # fmt: skip
BIRTH: dict[str, Defect] = {
    "12.birth-differs": Defect(lambda p, t: bool(p.id), _other_birth, "differs from the ID: both kept, an issue",
                               tells=_two_births),
    "12.zero-date": Defect(
        _always, lambda p, t: "0000-00-00" if p.number % 2 else "1900-01-01", "no date: an issue, nothing derived",
        tells=_flagged),
    "19.slashes": Defect(
        _always, lambda p, t: f"{p.birth.year}/{p.birth.month}/{p.birth.day}", "the same date with slashes",
        tells=_born),
    "19.words": Defect(
        _always, lambda p, t: f"{p.birth.year}年{p.birth.month}月{p.birth.day}日", "the same date in words",
        tells=_born),
    "19.serial": Defect(
        _always, lambda p, t: str(serial(p.birth.isoformat())), "the same date as Excel counts days",
        tells=_born),
    "19.oracle": Defect(lambda p, t: p.birth.year >= 1950, _oracle, "the same date as Oracle spells it",
                          tells=_born),
}  # fmt: skip
SEX: dict[str, Defect] = {
    "18.synonym": Defect(
        _always, lambda p, t: ("女性", "F")[p.number % 2] if p.sex == FEMALE else ("男性", "M")[p.number % 2],
        "another word for the same sex", tells=_sexed),
    "18.blank": Defect(_always, lambda p, t: p.word + " ", "a trailing blank", tells=_sexed),
}  # fmt: skip
PHONE: dict[str, Defect] = {
    "13.masked-phone": Defect(_always, lambda p, t: numbers.masked(t, 3, 4), "masked: does not overwrite a full one",
                               tells=_flagged),
    "13.two-phones": Defect(
        _always, lambda p, t: f"{t}/{numbers.phone(80_000_000 + p.number)}", "two numbers in one cell"),
    "13.words": Defect(_always, lambda p, t: "无", "a word is no phone"),
}  # fmt: skip
ROLES = {"id": ID, "name": NAME, "birth": BIRTH, "sex": SEX, "phone": PHONE}


def spoil(cells: Cells, places: dict[str, str], person: Person, nasty: Nasty, key: object,
          without: tuple[str, ...] = ()) -> list[Mark]:  # fmt: skip
    """Let at most one defect befall the cells of a person; `places` says which cell holds his id, name, birth …"""
    open_to = {
        case: (defect, place)
        for role, place in places.items()
        for case, defect in ROLES[role].items()
        if case not in without and case.partition(".")[0] not in without and defect.fits(person, cells.get(place, ""))
    }
    case = nasty.one(key, *open_to)
    if not case:
        return natural(person, cells.get(places.get("name", ""), ""))
    defect, place = open_to[case]
    cells[place] = defect.change(person, cells[place])
    found = natural(person, cells.get(places.get("name", ""), ""))
    told = defect.tells(person)
    if defect.keeps_id is not None:
        told["identifier"] = person.id if defect.keeps_id else None
    return [*found, mark(case, defect.note, resource="Patient", cell=place, **told)]


def natural(person: Person, name: str) -> list[Mark]:
    """Return the labels of a name that is nasty by itself, where it is written as it is."""
    if name != person.name:
        return []
    found = []
    if names.holds_delimiter(name):
        note = "a GBK byte of the name is a delimiter: decode, then split"
        found.append(mark("1", note, resource="Patient", name=name))
    if names.beyond_gb2312(name):
        found.append(mark("2", "not in GB2312: decode as GB18030", resource="Patient", name=name))
    return found
