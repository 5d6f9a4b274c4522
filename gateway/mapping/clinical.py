"""What exports of clinics say in ways of their own: marked item names, ages in words, numbers of one day, supplies."""

import re
from typing import Any

from gateway.mapping import dates, measures, program, scalars
from gateway.mapping.cell import EMPTY, Cell, Convert, Memo, Note
from gateway.mapping.definition import Source, source
from gateway.mapping.environment import BASE, slug, text_of
from gateway.mapping.identifiers import cx
from gateway.mapping.making import Body, Making, Running, Step

MARK = f"{BASE}/StructureDefinition/recognition-mark"
_DISEASE = re.compile(r"[A-Z]\d{2}(?:\.[0-9Xx][0-9A-Za-z]*)?(?:[+*†][0-9A-Z.*]*)?")
_UID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+")
_UID_LENGTH = 64
_FIELD = re.compile(r"[A-Z]{3}-\d+")
_MARKED = re.compile(
    r"(?P<before>(?:[★☆*＊▲△]+|[一-鿿]{1,6}HR(?=\s))?)\s*(?P<name>.*?)\s*(?P<after>[★☆*＊▲△]*)", re.DOTALL
)
_SUPPLY = re.compile(r"([+-]?\d[\d,]*(?:\.\d+)?)\s*([一-鿿]{0,4}|[A-Za-zμ]{1,6})")
_DRUG = re.compile(r"(?P<name>\D+?)\s*(?P<dose>\d[\d.]*\s*(?:mg|g|μg|ug|ml|mL|IU|U|片|粒|丸|支|袋)\b.*|\d[\d.]*.*)")


def marked_name(making: Making) -> Convert:
    """Make the conversion of an item's name to `{text, extension}`: the mark of recognition (★, *, 鄂HR) beside it.

    The mark says that the item takes part in mutual recognition (china.md §4.2), or something else: it is kept as sent.
    """

    def convert(raw: str) -> Cell:
        text = text_of(raw.replace("^", " "))
        found = _MARKED.fullmatch(text)
        if found is None or not found["name"]:
            return Cell({"text": text}) if text else EMPTY
        mark = found["before"] + found["after"]
        marked = {"extension": [{"url": MARK, "valueString": mark}]} if mark else {}
        return Cell({"text": found["name"]} | marked)

    return convert


def age_said(making: Making) -> Convert:
    """Make the conversion of an age to `valueAge`, or to `valueString` where no age follows from the words (虚岁66)."""
    age = measures.age(making)

    def convert(raw: str) -> Cell:
        found = age(raw)
        if found.value is not None:
            return Cell({"valueAge": found.value})
        text = text_of(raw.split("^", 1)[0])
        return Cell({"valueString": text}) if text else EMPTY

    return convert


def day_number(making: Making) -> Step:
    """Make the step that writes a number which starts again each day at each institution, with both (R2, R3).

    `args: {kind, name, start}`: the series, the institution (a column, or its name) and the column of the day.
    """
    convert = Memo(cx(making))
    place_at, day_at = _at(making, "name"), _at(making, "start")
    constant = "" if place_at is not None else str(making.args.get("name", ""))
    number = int(making.row.partition("-")[2] or 0)
    kind, numbers = str(making.args.get("kind", "")), making.env.numbers

    def step(run: Running, body: Body, raw: str) -> None:
        cell = convert[raw]
        if cell.value is not None:
            entry = dict(cell.value)
            place = constant or _told(run, place_at)
            if place:
                entry["system"] = f"{numbers}{slug(place)}/{kind}"
            day = dates.day(str(dates.date_time(_told(run, day_at)).value or ""))
            if day:
                entry["period"] = {"start": day, "end": day}
            if place:
                entry["assigner"] = {"display": place}
            body["identifier"] = [*body.get("identifier", ()), entry]
        if cell.notes:
            run.note(number, cell.notes)

    return step


def supply(making: Making) -> Convert:
    """Make the conversion of an amount handed out (`5盒`, `4`, `7付`) to a Quantity; `args: {unit}` where bare."""
    env, unit = making.env, str(making.args.get("unit", ""))

    def convert(raw: str) -> Cell:
        text = text_of(raw.split("^", 1)[0])
        found = _SUPPLY.fullmatch(text)
        digits = scalars.number(found[1].replace(",", "")) if found is not None else None
        if found is None or digits is None:
            return Cell(None, (Note(f"'{text}' is no amount; it was left out"),)) if text else EMPTY
        body: dict[str, Any] = {"value": digits[0]}
        return Cell(body | scalars.unit(found[2] or unit, env))

    return convert


def drug_said(making: Making) -> Convert:
    """Make the conversion of a drug in a follow-up (`氨氯地平5mg qd`) to medication and dosage, both as words."""

    def convert(raw: str) -> Cell:
        text = text_of(raw.replace("^", " "))
        found = _DRUG.fullmatch(text)
        if found is None:
            return Cell({"medicationCodeableConcept": {"text": text}}) if text else EMPTY
        medication = {"text": found["name"].strip()}
        return Cell({"medicationCodeableConcept": medication, "dosage": [{"text": found["dose"].strip()}]})

    return convert


def diagnosis(making: Making) -> Convert:
    """Make the conversion of one diagnosis, a code (`E11.9`), words, or both (`I10.x00 高血压`), to a CodeableConcept.

    `args: {system}` is the classification of the codes.
    """
    glued, system = measures.glued(making), str(making.args.get("system", ""))

    def convert(raw: str) -> Cell:
        text = text_of(raw.split("^", 1)[0])
        if _DISEASE.fullmatch(text):
            return Cell({"coding": [{"system": making.env.coding_system(system, making.table), "code": text}]})
        return glued(raw)

    return convert


def study_uid(raw: str) -> Cell:
    """Return a DICOM UID as an Identifier in the form of R4's ImagingStudy; other texts are notes."""
    text = text_of(raw.split("^", 1)[0])
    if not text:
        return EMPTY
    if _UID.fullmatch(text) is None or len(text) > _UID_LENGTH:
        return Cell(None, (Note(f"'{text}' is no DICOM UID; it was left out"),))
    return Cell({"system": "urn:dicom:uid", "value": f"urn:oid:{text}"})


def _at(making: Making, word: str) -> Source | None:
    told = str(making.args.get(word, ""))
    return source(told) if _FIELD.fullmatch(told) else None


def _told(run: Running, at: Source | None) -> str:
    return text_of(program.pick(run.peers.get(at.name, []), at)) if at is not None else ""
