"""When and how often: TQ, RPT and CQ durations to Timing, Duration, priority and quantity.

Source: HL7 v2-to-FHIR, data type maps TQ[ServiceRequest], TQ[MedicationRequest], RI[Timing], RPT[Timing].
"""

import re
from typing import Any

from gateway.mapping import coded, dates, scalars
from gateway.mapping.cell import EMPTY, Cell, Convert, Note
from gateway.mapping.environment import Environment, text_of
from gateway.mapping.making import Making

_UNITS = {"s": "s", "min": "min", "h": "h", "d": "d", "wk": "wk", "mo": "mo", "a": "a"}
_LETTERS = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}
_MINUTES = {"s": 1 / 60, "min": 1, "h": 60, "d": 1440, "wk": 10080}
_LENGTH = re.compile(r"([SMHDWL])(\d+)")
_DAYS = ("", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def unit_of_time(making: Making) -> Convert:
    """Make the conversion of a unit to a UCUM unit of time; other units are a note."""

    def convert(raw: str) -> Cell:
        word = text_of(raw.split("^", 1)[0])
        found = _unit(word, making.env)
        if found:
            return Cell(found)
        return Cell(None, (Note(f"'{word}' is no unit of time; it was left out"),)) if word else EMPTY

    return convert


def unit_of_quantity(making: Making) -> Convert:
    """Make the conversion of a CQ to its unit of time (guide: CQ[code])."""
    convert = unit_of_time(making)
    return lambda raw: convert(raw.partition("^")[2].replace("&", "^"))


def minutes(making: Making) -> Convert:
    """Make the conversion of a CQ to whole minutes (guide: CQ[unsignedInt])."""

    def convert(raw: str) -> Cell:
        amount, unit = _amount(raw, making.env)
        factor = _MINUTES.get(unit)
        if amount is None or factor is None:
            return Cell(None, (Note(f"'{text_of(raw)}' is no length of time; it was left out"),))
        return Cell(round(float(amount) * factor))

    return convert


def duration(making: Making) -> Convert:
    """Make the conversion of a CQ to a Duration in UCUM."""
    return lambda raw: _duration(raw, making.env)


def repeat_pattern(making: Making) -> Convert:
    """Make the conversion of an RPT to Timing."""
    env = making.env

    def convert(raw: str) -> Cell:
        parts = [*raw.replace("&", " ").split("^"), *[""] * 11]
        repeat = _weekdays(parts)
        period = scalars.decimal(parts[4])
        unit = _unit(text_of(parts[5]), env)
        if period.value is not None and unit:
            repeat |= {"period": period.value, "periodUnit": unit}
        when = (
            env.codes["EventRelatedPeriod"].rows.get(text_of(parts[7])) if "EventRelatedPeriod" in env.codes else None
        )
        if when is not None:
            repeat["when"] = [when.code]
        body: dict[str, Any] = {"repeat": repeat} if repeat else {}
        code = coded.concept(raw.split("^", 1)[0].replace("&", "^"), env, "HL70335", env.codes.get("RepeatPattern"))
        if code.value is not None:
            body["code"] = code.value
        return Cell(body or None, (*code.notes, *period.notes))

    return convert


def quantity_timing(making: Making) -> Convert:
    """Make the conversion of a TQ to the elements of a ServiceRequest."""
    env = making.env

    def convert(raw: str) -> Cell:
        parts = [*raw.split("^"), *[""] * 12]
        timing = _timing(parts, env)
        body: dict[str, Any] = {}
        amount = scalars.quantity(parts[0].replace("&", "^"), env)
        if amount.value is not None:
            body["quantityQuantity"] = amount.value
        if timing:
            body["occurrenceTiming"] = timing
        return _with_priority(body, parts, env)

    return convert


def medication_timing(making: Making) -> Convert:
    """Make the conversion of a TQ to the elements of a MedicationRequest."""
    env = making.env

    def convert(raw: str) -> Cell:
        parts = [*raw.split("^"), *[""] * 12]
        timing = _timing(parts, env)
        dose: dict[str, Any] = {"timing": timing} if timing else {}
        amount = scalars.quantity(parts[0].replace("&", "^"), env)
        if amount.value is not None:
            dose["doseAndRate"] = [{"doseQuantity": amount.value}]
        return _with_priority({"dosageInstruction": [dose]} if dose else {}, parts, env)

    return convert


def _with_priority(body: dict[str, Any], parts: list[str], env: Environment) -> Cell:
    priority = coded.code(parts[5], env, "HL70485", env.codes.get("ExtendedPriorityCodes"))
    if priority.value is not None:
        body["priority"] = priority.value
    words = text_of(parts[7])
    if words:
        body["note"] = [{"text": words}]
    extra = tuple(
        Note("no element for this part of a timing", component=str(at + 1), left=True) for at in _extra(parts)
    )
    return Cell(body or None, (*priority.notes, *extra))


def _extra(parts: list[str]) -> list[int]:
    used = {0, 1, 2, 3, 4, 5, 7, 11}
    return [at for at, part in enumerate(parts) if part and part != '""' and at not in used]


def _timing(parts: list[str], env: Environment) -> dict[str, Any]:
    repeat: dict[str, Any] = {}
    bounds = {"start": dates.date_time(parts[3]).value, "end": dates.date_time(parts[4]).value}
    told = {name: value for name, value in bounds.items() if value is not None}
    if told:
        repeat["boundsPeriod"] = told
    elif (length := _LENGTH.fullmatch(text_of(parts[2]))) is not None:
        unit = _LETTERS[length[1]]
        amount = scalars.decimal(length[2]).value
        repeat["boundsDuration"] = {"value": amount, "unit": unit, "system": scalars.UCUM, "code": unit}
    count = scalars.integer(parts[11], 1).value
    if count is not None:
        repeat["count"] = count
    pattern, _, times = parts[1].partition("&")
    clock = [dates.time_of_day(text).value for text in text_of(times).split(",") if text]
    if any(clock):
        repeat["timeOfDay"] = [text for text in clock if text]
    body: dict[str, Any] = {"repeat": repeat} if repeat else {}
    code = coded.concept(pattern, env, "HL70335", env.codes.get("RepeatPattern")).value
    return body | ({"code": code} if code is not None else {})


def _weekdays(parts: list[str]) -> dict[str, Any]:
    if text_of(parts[1]) != "DW":
        return {}
    told = [text_of(parts[at]) for at in (2, 3)]
    days = [_DAYS[int(day)] for day in told if day.isdecimal() and 1 <= int(day) <= 7]
    return {"dayOfWeek": list(dict.fromkeys(days))} if days else {}


def _amount(raw: str, env: Environment) -> tuple[Any, str]:
    amount, _, rest = raw.partition("^")
    return scalars.decimal(amount).value, _unit(text_of(rest.replace("&", "^").split("^")[0]), env)


def _duration(raw: str, env: Environment) -> Cell:
    amount, unit = _amount(raw, env)
    if amount is None or not unit:
        return Cell(None, (Note(f"'{text_of(raw)}' is no length of time; it was left out"),))
    return Cell({"value": amount, "unit": unit, "system": scalars.UCUM, "code": unit})


def _unit(word: str, env: Environment) -> str:
    return _UNITS.get(env.units.get(word, word), "")
