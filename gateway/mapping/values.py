"""Result values: OBX-5 by its type (OBX-2) and unit (OBX-6), reference ranges, and document content.

Numbers keep their digits. What laboratories write instead of numbers (`<0.01`, `1:80`, `1.2↑`, `阴性(-)`)
becomes a comparator, a ratio, a marked quantity or a string, never a guess (china.md §5.2 case 20).
Source: HL7 v2-to-FHIR, segment map OBX[Observation], rows OBX-5 to OBX-7.
"""

import base64
import re
from collections.abc import Callable
from typing import Any

from gateway.fhir.attachment import head_of, is_base64, sniff
from gateway.mapping import coded, dates, scalars
from gateway.mapping.cell import CACHE_SIZE, CACHE_TEXT, EMPTY, Cell, Convert, Note
from gateway.mapping.environment import Environment, parts_of, text_of
from gateway.mapping.making import Body, Making, Running, Step

ATTACHMENT = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.valueAttachment"
_UNIT = "unit"
Value = Callable[[str, str, Environment], Cell]
_COMPARATORS = {"<": "<", "≤": "<=", "<=": "<=", ">": ">", "≥": ">=", ">=": ">=", "＜": "<", "＞": ">", "=<": "<="}
_MARKED = re.compile(r"(<=|>=|=<|[<>≤≥＜＞]?)\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([↑↓*＊]*)")
_RATIO = re.compile(r"([<>≤≥]?)\s*([0-9]+)\s*[:：]\s*([0-9]+)")
_RANGE = re.compile(r"([+-]?[0-9.]+)\s*(?:-{1,2}|~|～|－|–|—|至)\s*([+-]?[0-9.]+)")
_BOUND = re.compile(r"(<=|>=|[<>≤≥＜＞])\s*([0-9.]+)")
_BLANKS = re.compile(r"\s")
_TEXT_TYPES = frozenset({"ST", "TX", "FT", "VR", ""})


def observation_value(making: Making) -> Step:
    """Make the step that writes value[x] from OBX-5, with its type in OBX-2 and unit in OBX-6."""
    env = making.env
    cache: dict[tuple[str, str, str], Cell] = {}

    def step(run: Running, body: Body, raw: str) -> None:
        fields = run.fields
        key = (fields[2], raw, fields[6] if len(fields) > 6 else "")
        cell = cache.get(key)
        if cell is None:
            cell = _whole(*key, env)
            if len(raw) <= CACHE_TEXT:
                if len(cache) >= CACHE_SIZE:
                    cache.clear()
                cache[key] = cell
        if cell.value is not None:
            _write(body, cell.value)
        for note in cell.notes:
            run.note(6 if note.component == _UNIT else 5, (note,))

    return step


def reference_range(making: Making) -> Step:
    """Make the step that writes referenceRange from OBX-7, with bounds where they can be read."""
    env = making.env
    cache: dict[tuple[str, str], list[Body]] = {}

    def step(run: Running, body: Body, raw: str) -> None:
        key = (raw, run.fields[6])
        found = cache.get(key)
        if found is None:
            if len(cache) >= CACHE_SIZE:
                cache.clear()
            found = cache[key] = ranges(raw, run.fields[6], env)
        if found and "component" in body:
            for part in body["component"]:
                part["referenceRange"] = found
        elif found:
            body["referenceRange"] = found

    return step


def document_content(making: Making) -> Step:
    """Make the step that adds OBX-5 to DocumentReference.content (guide: OBX[DocumentReference])."""

    def step(run: Running, body: Body, raw: str) -> None:
        kind = run.fields[2]
        if kind in ("ED", "RP"):
            found = [_attached(kind, part) for part in raw.split("~")]
        else:
            told = scalars.lines(raw).value
            media = "text/hl7v2" if kind == "FT" else "text/plain"
            data = base64.b64encode(told.encode()).decode() if told else ""
            found = [Cell({"contentType": media, "data": data} if data else None)]
        for cell in found:
            if cell.value is not None:
                body.setdefault("content", []).append({"attachment": cell.value})
            if cell.notes:
                run.note(5, cell.notes)

    return step


def numeric(making: Making) -> Convert:
    """Make the conversion of a number that may be marked (`<5`, `3.5 *`) to a Quantity without unit."""
    return lambda raw: _number(raw, "", making.env)


def attachment(making: Making) -> Convert:
    """Make the conversion of ED or RP (`args: {type: ED}`) to Attachment."""
    kind = str(making.args.get("type", "ED"))
    return lambda raw: _attached(kind, raw)


def _write(body: Body, value: dict[str, Any]) -> None:
    for name, item in value.items():
        if name == "component":
            code = body.get("code")
            body[name] = [({"code": code} if code else {}) | part for part in item]
        elif name in ("interpretation", "extension"):
            body[name] = [*body.get(name, ()), *item]
        else:
            body[name] = item


def _whole(kind: str, raw: str, unit: str, env: Environment) -> Cell:
    if "~" not in raw or kind in _TEXT_TYPES:
        return _one(kind, raw, unit, env)
    cells = [_one(kind, part, unit, env) for part in raw.split("~") if part]
    parts = [cell.value for cell in cells if cell.value is not None]
    notes = tuple(note for cell in cells for note in cell.notes)
    return Cell({"component": parts} if parts else None, notes)


def _one(kind: str, raw: str, unit: str, env: Environment) -> Cell:
    if not raw.strip("^&~ ") or raw == '""':
        return EMPTY
    return _TYPES.get(kind.strip().upper(), _string)(raw, unit, env)


def _string(raw: str, unit: str, env: Environment) -> Cell:
    found = scalars.lines(raw)
    notes = (Note("a unit without a number", component=_UNIT, left=True),) if unit else ()
    return EMPTY if found.value is None else Cell({"valueString": found.value}, notes)


def _text(raw: str, unit: str, env: Environment) -> Cell:
    """ST: a string, unless the sender gave a unit with what is plainly a number."""
    if unit.strip("^"):
        cell = _number(raw, unit, env)
        if cell.value is not None:
            return cell
    return _string(raw, unit, env)


def _joined(raw: str, unit: str, env: Environment) -> Cell:
    """VR: a range of values, which need not be numbers."""
    words = "-".join(part for part in parts_of(raw) if part)
    return Cell({"valueString": words}) if words else EMPTY


def _guessed(raw: str, unit: str, env: Environment) -> Cell:
    """No type was sent: a number is a Quantity, a titre a Ratio, everything else a string."""
    for read in (_number, ratio):
        cell = read(raw, unit, env)
        if cell.value is not None:
            return cell
    return _string(raw, unit, env)


def _nm(raw: str, unit: str, env: Environment) -> Cell:
    for read in (_number, ratio):
        cell = read(raw, unit, env)
        if cell.value is not None:
            return cell
    told = _string(raw, "", env)
    if told.value is None:
        return EMPTY
    return told._replace(notes=(Note(f"'{text_of(raw)}' is not a number, though its type is NM; kept as text"),))


def _number(raw: str, unit: str, env: Environment) -> Cell:
    plain = scalars.number(raw)
    if plain is not None and not plain[1]:
        return Cell({"valueQuantity": {"value": plain[0]} | scalars.unit(unit, env)})
    found = _MARKED.fullmatch(text_of(raw))
    digits = scalars.number(found[2] if found else raw)
    if digits is None:
        return EMPTY
    quantity: dict[str, Any] = {"value": digits[0]}
    if found and found[1]:
        quantity["comparator"] = _COMPARATORS[found[1]]
    body: dict[str, Any] = {"valueQuantity": quantity | scalars.unit(unit, env)}
    if found and found[3]:
        body["interpretation"] = [{"text": found[3]}]
    return Cell(body, (Note(digits[1], severity="information"),) if digits[1] else ())


def ratio(raw: str, unit: str, env: Environment) -> Cell:
    """Return the Ratio of a titre (`1:80`), EMPTY for other texts."""
    found = _RATIO.fullmatch(text_of(raw))
    if found is None:
        return EMPTY
    top: dict[str, Any] = {"value": scalars.decimal(found[2]).value}
    if found[1]:
        top["comparator"] = _COMPARATORS[found[1]]
    return Cell({"valueRatio": {"numerator": top, "denominator": {"value": scalars.decimal(found[3]).value}}})


def _sn(raw: str, unit: str, env: Environment) -> Cell:
    sign, first, between, second = [*parts_of(raw), "", "", "", ""][:4]
    low, high = (scalars.decimal(part).value for part in (first, second))
    units = scalars.unit(unit, env)
    if sign == "<>" or between == "+" or low is None or (sign and sign != "=" and sign not in _COMPARATORS):
        words = " ".join(part for part in (sign, first, between, second, units.get("unit", "")) if part)
        return Cell({"valueString": words}) if words else EMPTY
    compared = {"comparator": _COMPARATORS[sign]} if sign in _COMPARATORS else {}
    if between in (":", "/") and high is not None:
        bottom = {"value": high} | units
        return Cell({"valueRatio": {"numerator": {"value": low} | compared | units, "denominator": bottom}})
    if between == "-" and high is not None:
        return Cell({"valueRange": {"low": {"value": low} | units, "high": {"value": high} | units}})
    return Cell({"valueQuantity": {"value": low} | compared | units})


def _coded_value(raw: str, unit: str, env: Environment) -> Cell:
    cell = coded.concept(raw, env, "OBX-5", None)
    return EMPTY if cell.value is None else cell._replace(value={"valueCodeableConcept": cell.value})


def _dated(name: str, convert: Convert) -> Value:
    def value(raw: str, unit: str, env: Environment) -> Cell:
        cell = convert(raw)
        if cell.value is None:
            return cell._replace(value={"valueString": text_of(raw)}) if cell.notes else cell
        return cell._replace(value={name: cell.value})

    return value


def _period(raw: str, unit: str, env: Environment) -> Cell:
    start, end = [*raw.split("^"), ""][:2]
    cells = {"start": dates.date_time(start), "end": dates.date_time(end)}
    body = {name: cell.value for name, cell in cells.items() if cell.value is not None}
    notes = tuple(note for cell in cells.values() for note in cell.notes)
    return Cell({"valuePeriod": body} if body else None, notes)


def _range(raw: str, unit: str, env: Environment) -> Cell:
    low, high = (scalars.decimal(part).value for part in [*parts_of(raw), ""][:2])
    units = scalars.unit(unit, env)
    body = {name: {"value": value} | units for name, value in (("low", low), ("high", high)) if value is not None}
    return Cell({"valueRange": body}) if body else _string(raw, unit, env)


def _attached_value(kind: str) -> Value:
    def value(raw: str, unit: str, env: Environment) -> Cell:
        cell = _attached(kind, raw)
        if cell.value is None:
            return cell
        return cell._replace(value={"extension": [{"url": ATTACHMENT, "valueAttachment": cell.value}]})

    return value


def _attached(kind: str, raw: str) -> Cell:
    parts = [*(text_of(part) for part in raw.split("^")), "", "", "", ""]
    if kind == "RP":
        media = {"contentType": _media(parts[2], parts[3])} if parts[2] else {}
        return Cell({"url": _BLANKS.sub("%20", parts[0])} | media) if parts[0] else EMPTY
    data = _binary(parts[3], parts[4])
    if data is None:
        text = f"the attached data is not {parts[3]}, as its encoding says; it stays in the message as received"
        return Cell(None, (Note(text),))
    media = {"contentType": _media(parts[1], parts[2])} if parts[1] or parts[2] else {}
    return Cell(media | {"data": data}) if data else EMPTY


def _media(main: str, sub: str) -> str:
    names = {"PDF": "application/pdf", "RTF": "application/rtf", "HTML": "text/html", "XML": "application/xml"}
    images = {"JPEG": "image/jpeg", "JPG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "GIF": "image/gif"}
    found = (names | images).get(sub.upper())
    if found:
        return found
    heads = {"AP": "application", "IM": "image", "TX": "text", "TEXT": "text", "AU": "audio", "MULTIPART": "multipart"}
    head = heads.get(main.upper(), main.lower() or "application")
    return f"{head}/{sub.lower() or 'octet-stream'}"


def _binary(encoding: str, data: str) -> str | None:
    """Return data as base64, None where it is not what its encoding says; base64 of a known file tells itself."""
    compact = "".join(data.split())
    word = encoding.lower()
    if word == "base64" or (word != "hex" and sniff(head_of(compact))):
        return compact if is_base64(compact) else None
    if word == "hex":
        try:
            return base64.b64encode(bytes.fromhex(compact)).decode()
        except ValueError:
            return None
    return base64.b64encode(data.encode()).decode() if data else ""


def ranges(raw: str, unit: str, env: Environment) -> list[Body]:
    """Return the reference ranges in a text, with bounds where they can be read."""
    words = text_of(raw.replace("^", " "))
    if not words.strip("[]() "):
        return []
    body: Body = {}
    units = scalars.unit(unit, env)
    for name, value in _bounds(words).items():
        body[name] = {"value": value} | units
    return [body | {"text": words}]


def _bounds(words: str) -> dict[str, Any]:
    plain = words.strip("[]() ")
    both = _RANGE.fullmatch(plain)
    if both is not None:
        low, high = (scalars.number(part) for part in both.groups())
        if low is not None and high is not None and low[0] <= high[0]:
            return {"low": low[0], "high": high[0]}
    one = _BOUND.fullmatch(plain)
    value = scalars.number(one[2]) if one is not None else None
    if one is None or value is None:
        return {}
    return {"high" if _COMPARATORS[one[1]].startswith("<") else "low": value[0]}


_TYPES: dict[str, Value] = {
    "NM": _nm,
    "SN": _sn,
    "ST": _text,
    "VR": _joined,
    "": _guessed,
    "CE": _coded_value,
    "CWE": _coded_value,
    "CNE": _coded_value,
    "CF": _coded_value,
    "IS": _coded_value,
    "ID": _coded_value,
    "TS": _dated("valueDateTime", dates.date_time),
    "DTM": _dated("valueDateTime", dates.date_time),
    "DT": _dated("valueDateTime", dates.date_time),
    "TM": _dated("valueTime", dates.time_of_day),
    "DR": _period,
    "NR": _range,
    "ED": _attached_value("ED"),
    "RP": _attached_value("RP"),
}
