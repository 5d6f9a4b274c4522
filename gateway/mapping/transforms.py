"""The named functions rules may use: each makes a conversion for one rule; steps see the whole segment."""

import base64
import re
from functools import partial
from html import escape

from gateway.mapping import (
    clinical,
    coded,
    dates,
    identifiers,
    measures,
    names,
    periods,
    persons,
    places,
    scalars,
    timing,
    values,
)
from gateway.mapping.cell import EMPTY, Cell, Convert, Note
from gateway.mapping.environment import parts_of, text_of
from gateway.mapping.making import ConvertMaker, Making, StepMaker


def _plain(convert: Convert) -> ConvertMaker:
    return lambda making: convert


def _words(making: Making) -> Convert:
    """Text, unless it is one of the feed's words that mean nothing was said (无, 不详)."""
    absent = making.env.absent

    def convert(raw: str) -> Cell:
        cell = scalars.text(raw)
        if cell.value in absent:
            told = f"'{cell.value}' means that nothing was said; it was left out"
            return Cell(None, (Note(told, "informational", "information"),))
        return cell

    return convert


def _integer(making: Making) -> Convert:
    return partial(scalars.integer, least=int(making.args.get("least", 0)))


def _boolean(making: Making) -> Convert:
    return lambda raw: scalars.boolean(coded.code(raw, making.env, making.table, making.codes))


def _code(making: Making) -> Convert:
    return lambda raw: coded.code(raw, making.env, making.table, making.codes)


def _concept(making: Making) -> Convert:
    return lambda raw: coded.concept(raw, making.env, making.table, making.codes)


def _concepts(making: Making) -> Convert:
    """Several codes in one part of a cell (`2/3`, `args: {split: "/、"}`), each a CodeableConcept."""
    between = re.compile(f"[{re.escape(str(making.args.get('split', '/、,，;；')))}]")

    def convert(raw: str) -> Cell:
        cells = [coded.concept(part, making.env, making.table, making.codes) for part in between.split(raw)]
        found = [cell.value for cell in cells if cell.value is not None]
        return Cell(found or None, tuple(note for cell in cells for note in cell.notes))

    return convert


def _coding(making: Making) -> Convert:
    return lambda raw: coded.coding(raw, making.env, making.table, making.codes)


def _quantity(making: Making) -> Convert:
    return lambda raw: scalars.quantity(raw, making.env)


def _unit(making: Making) -> Convert:
    return lambda raw: Cell(scalars.unit(raw, making.env) or None)


def _uri(making: Making) -> Convert:
    def convert(raw: str) -> Cell:
        word = text_of(raw)
        return Cell(making.env.coding_system(word, making.table)) if word else EMPTY

    return convert


def _base64_text(making: Making) -> Convert:
    """The words as base64; of a coded comment (`args: {coded}`) its own words, then code-text-system (guide NTE-9)."""
    words = _coded_words if making.args.get("coded") else lambda raw: scalars.lines(raw).value

    def convert(raw: str) -> Cell:
        found = words(raw)
        return Cell(base64.b64encode(found.encode()).decode()) if found else EMPTY

    return convert


def _coded_words(raw: str) -> str:
    parts = [*parts_of(raw), *[""] * 9]
    return "\n".join(filter(None, (parts[8], "-".join(filter(None, parts[:3])))))


def _joined(making: Making) -> Convert:
    """The components as sent with a separator between them (`args: {with: "-"}`)."""
    between = str(making.args.get("with", " "))
    return lambda raw: Cell(between.join(text_of(part) for part in raw.split("^") if part) or None)


def _narrative(raw: str) -> Cell:
    """The words as a FHIR narrative: one division of XHTML."""
    words = scalars.lines(raw).value
    return Cell(f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(words)}</div>') if words else EMPTY


CONVERTERS: dict[str, ConvertMaker] = {
    "narrative": _plain(_narrative),
    "text": _plain(scalars.text),
    "words": _words,
    "lines": _plain(scalars.lines),
    "display": _plain(lambda raw: Cell(coded.display(raw) or None)),
    "joined": _joined,
    "date": _plain(dates.date_only),
    "date_time": _plain(dates.date_time),
    "birth_time": _plain(dates.birth_time),
    "instant": _plain(dates.instant),
    "time": _plain(dates.time_of_day),
    "decimal": _plain(scalars.decimal),
    "negative": _plain(scalars.negative),
    "integer": _integer,
    "boolean": _boolean,
    "code": _code,
    "concept": _concept,
    "concepts": _concepts,
    "coding": _coding,
    "quantity": _quantity,
    "unit": _unit,
    "unit_code": timing.unit_of_time,
    "unit_of_quantity": timing.unit_of_quantity,
    "minutes": timing.minutes,
    "duration": timing.duration,
    "repeat_pattern": timing.repeat_pattern,
    "quantity_timing": timing.quantity_timing,
    "medication_timing": timing.medication_timing,
    "chinese_name": _plain(names.chinese_name),
    "staff_name": _plain(names.staff_name),
    "full_name": _plain(names.full_name),
    "namespace": _plain(names.namespace),
    "universal": _plain(names.universal),
    "device_name": _plain(names.device_name),
    "text_concept": _plain(names.text_concept),
    "event_coding": names.event_coding,
    "endpoint": names.endpoint,
    "licence": identifiers.licence,
    "replaced_document": identifiers.replaced_document,
    "uri": _uri,
    "base64_text": _base64_text,
    "identifier": identifiers.cx,
    "entity": identifiers.entity,
    "coded_identifier": identifiers.coded,
    "entity_of_pair": identifiers.entity_of_pair,
    "system": identifiers.system,
    "resident_id": identifiers.resident,
    "contact_point": places.contact_point,
    "location": places.location,
    "place": places.place,
    "around": places.around,
    "measure": measures.measure,
    "money": measures.money,
    "number": _plain(measures.number),
    "count": measures.count,
    "age": measures.age,
    "glued": measures.glued,
    "marked_name": clinical.marked_name,
    "age_said": clinical.age_said,
    "supply": clinical.supply,
    "diagnosis": clinical.diagnosis,
    "study_uid": _plain(clinical.study_uid),
    "drug_said": clinical.drug_said,
    "phone": persons.phone,
    "attachment": values.attachment,
    "numeric": values.numeric,
}

STEPS: dict[str, StepMaker] = {
    "ended": periods.ended,
    "later": periods.later,
    "at_clock": periods.at_clock,
    "cleared": periods.cleared,
    "observation_value": values.observation_value,
    "reference_range": values.reference_range,
    "result": measures.result,
    "range": measures.range_,
    "day_number": clinical.day_number,
    "own_resident_id": persons.own_resident,
    "parent_resident_id": persons.parent_resident,
    "document_content": values.document_content,
}
