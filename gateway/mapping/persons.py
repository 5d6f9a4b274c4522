"""What exports say of persons: telephone numbers as people type them, and resident IDs that may be somebody else's."""

import re
import unicodedata
from datetime import date
from typing import Any

from gateway.mapping import dates, identifiers, program
from gateway.mapping.cell import EMPTY, Cell, Convert, Memo, Note
from gateway.mapping.definition import Source, source
from gateway.mapping.environment import BASE, text_of
from gateway.mapping.making import Body, Making, Running, Step
from gateway.mapping.paths import writer

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
PROPOSED = f"{BASE}/StructureDefinition/proposed"
_SEVERAL = re.compile(r"[/、,，;；]|\s+或\s*|和")
_MASKED = re.compile(r"[*＊xX]{2,}|\d[*＊]+")
_MOBILE = re.compile(r"(?:\+?86)?(1\d{10})")
_NUMBER = re.compile(r"[+()\d-]{5,25}(?:转\d{1,6})?")
_DUMMY = re.compile(r"(?:\+?86)?1?(\d)\1{8,10}|13800138000|12345678\d*|0+")
_BLANKS = re.compile(r"[\s ]+")
_CHILD = re.compile(r"(?:之|的)(?:[长次幼]?[子女]|双胞胎.?|婴儿?|新生儿)$|(?:新生儿|之[一二三]子|之[大小]双)$")
_ANOTHER = 12


def phone(making: Making) -> Convert:
    """Make the conversion of a cell of telephone numbers to ContactPoints; `args: {use: home}`.

    A masked number is no number and never stands for a full one; one that nobody has (13800138000) is left out.
    """
    env, use = making.env, str(making.args.get("use", ""))

    def convert(raw: str) -> Cell:
        text = unicodedata.normalize("NFKC", text_of(raw.replace("^", " ")))
        if not text:
            return EMPTY
        if text in env.absent:
            return Cell(None, (Note(f"'{text}' means that no number was given", "informational", "information"),))
        found, notes = [], []
        for part in _SEVERAL.split(text):
            one = _phone(_BLANKS.sub("", part), use)
            if isinstance(one, Note):
                notes.append(one)
            elif one:
                found.append(one)
        value = (found if len(found) > 1 else found[0]) if found else None
        return Cell(value, tuple(notes))

    return convert


def _phone(number: str, use: str) -> dict[str, Any] | Note | None:
    if not number:
        return None
    if _MASKED.search(number):
        return Note("a masked telephone number reaches nobody; it was left out")
    if _DUMMY.fullmatch(number):
        return Note("a telephone number that nobody has; it was left out")
    mobile = _MOBILE.fullmatch(number)
    if mobile is None and not _NUMBER.fullmatch(number):
        return Note(f"'{number}' is no telephone number; it was left out")
    kind = use or ("mobile" if mobile is not None else "")
    return {"system": "phone", "value": mobile[1] if mobile is not None else number} | ({"use": kind} if kind else {})


def own_resident(making: Making) -> Step:
    """Make the step that writes a resident ID unless it is surely another person's.

    `args: {birth, sex, name}` are columns. A newborn often carries the mother's number: birth dates years apart,
    or a name like 赵雅之子 with another birth date, say so. A smaller difference keeps both, with an issue
    (china.md §5.2 cases 11 and 12). `args: {to}` is the target, else identifier.
    """
    convert = Memo(identifiers.resident(making))
    write = writer(str(making.args.get("to", "identifier[]")))
    birth_at, sex_at, name_at = (_at(making, word) for word in ("birth", "sex", "name"))
    number = int(making.row.partition("-")[2] or 0)
    resident_system = making.env.national[identifiers.RESIDENT]

    def step(run: Running, body: Body, raw: str) -> None:
        cell = convert[raw]
        notes = cell.notes
        found = cell.value if isinstance(cell.value, list) else [cell.value] if cell.value is not None else []
        full = next((entry["value"] for entry in found if entry.get("system") == resident_system), "")
        if full:
            other, notes = _doubts(full, _told(run, birth_at), _told(run, name_at), _told(run, sex_at))
            found = [] if other else found
        for entry in found:
            write(body, entry)
        if notes:
            run.note(number, notes)

    return step


def parent_resident(making: Making) -> Step:
    """Make the step that proposes whose number a row carries when it is surely a parent's (`args: {birth, name}`).

    It writes the number, the parent it names (the 17th digit is odd for men, GB 11643) and the name before 之子 to a
    RelatedPerson, marked as proposed: a person has to confirm it, and nobody's records are linked by it.
    """
    convert = Memo(identifiers.resident(making))
    birth_at, name_at = _at(making, "birth"), _at(making, "name")
    resident_system = making.env.national[identifiers.RESIDENT]

    def step(run: Running, body: Body, raw: str) -> None:
        value = convert[raw].value
        found = value if isinstance(value, list) else [value] if value is not None else []
        full = next((entry["value"] for entry in found if entry.get("system") == resident_system), "")
        name = _told(run, name_at)
        if full and _doubts(full, _told(run, birth_at), name, "")[0]:
            body |= _proposed(full, name, found)

    return step


def _proposed(full: str, name: str, numbers: list[Body]) -> Body:
    """Return what is proposed of the parent whose number this is."""
    code, word = ("FTH", "父亲") if int(full[16]) % 2 else ("MTH", "母亲")
    kin = {"coding": [{"system": ROLE, "code": code, "display": word}], "text": f"{word}（按身份证号推定，待核实）"}
    body: Body = {"extension": [{"url": PROPOSED, "valueBoolean": True}], "identifier": numbers, "relationship": [kin]}
    parent = _CHILD.sub("", name)
    return body | ({"name": [{"text": parent}]} if parent and parent != name else {})


def _doubts(full: str, birth: str, name: str, sex: str) -> tuple[bool, tuple[Note, ...]]:
    """Say whether a number is another person's, with what was noticed."""
    inside = f"{full[6:10]}-{full[10:12]}-{full[12:14]}"
    told = dates.day(str(dates.date_only(birth).value or ""))
    notes = []
    if told and told != inside:
        apart = abs(date.fromisoformat(told).year - date.fromisoformat(inside).year)
        if apart >= _ANOTHER or _CHILD.search(name):
            text = "the resident ID tells another birth date than the row: it is surely a parent's; it was left out"
            return True, (Note(text, "business-rule"),)
        notes.append(Note("the resident ID tells another birth date than the row; both were kept", "business-rule"))
    elif _CHILD.search(name) and not told:
        text = (
            "the name says it is a child of somebody and no birth date proves the resident ID its own; it was left out"
        )
        return True, (Note(text, "business-rule"),)
    if sex in ("男", "女") and (sex == "男") != (int(full[16]) % 2 == 1):
        notes.append(Note("the resident ID tells another sex than the row; both were kept", "business-rule"))
    return False, tuple(notes)


def _at(making: Making, word: str) -> Source | None:
    told = str(making.args.get(word, ""))
    return source(told) if told else None


def _told(run: Running, at: Source | None) -> str:
    return text_of(program.pick(run.peers.get(at.name, []), at)) if at is not None else ""
