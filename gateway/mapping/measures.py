"""Measures in cells of tables: a number as people write it, with comparator, flag and unit, beside the column's unit.

A cell of a column with a unit reaches a conversion as `number^unit` (in parts `number&unit`); a unit written in the
cell itself wins. Nothing is guessed: what is no number stays text (china.md §5.2 case 20).
"""

import re
from typing import Any

from gateway.mapping import coded, program, scalars, values
from gateway.mapping.cell import CACHE_SIZE, CACHE_TEXT, EMPTY, Cell, Convert, Note
from gateway.mapping.definition import Source, source
from gateway.mapping.environment import Environment, text_of
from gateway.mapping.making import Body, Making, Running, Step

AGE_UNITS = {
    "岁": "a", "周岁": "a", "年": "a", "Y": "a", "YR": "a", "YRS": "a", "": "a",
    "月": "mo", "个月": "mo", "月龄": "mo", "M": "mo", "周": "wk", "W": "wk",
    "天": "d", "日": "d", "日龄": "d", "D": "d",
    "小时": "h", "时": "h", "H": "h",
}  # fmt: skip
_WORDS = {"a": "岁", "mo": "月", "wk": "周", "d": "天", "h": "小时"}
_MEASURE = re.compile(
    r"(?P<sign><=|>=|=<|[<>≤≥＜＞]?)\s*"
    r"(?P<number>[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*"
    r"(?P<rest>\D.*?)??\s*(?P<flag>[↑↓*＊★]*)"
)
# What may be a unit in a cell though no list knows it: `mg/dl`, `×10^9/L`, `%`, `kcal/24h`.
_UNIT = re.compile(r"(?!/\d)(?=.*[A-Za-zμµ%‰℃°])[A-Za-zµμ%‰℃°×/][A-Za-z0-9µμ%‰℃°×*/^.²³⁰¹⁴-⁹()·]*")
UNSAID = Note("neither the cell nor the header says the unit of this number; it was kept without one", "incomplete")
_MARKS = frozenset({"H", "HH", "LL"})
_COMPARATORS = {"<": "<", "≤": "<=", "<=": "<=", ">": ">", "≥": ">=", ">=": ">=", "＜": "<", "＞": ">", "=<": "<="}
_AGE = re.compile(r"(?:虚岁|实岁)?\s*0*(\d{1,3}(?:\.\d)?)\s*([^\d\s]*)")
_AGES = re.compile(r"0*(\d{1,3})\s*岁零?\s*(\d{1,2})\s*个?月(?:龄)?")
_GLUED = re.compile(r"([A-Za-z]{1,3}\d{2}[0-9A-Za-z.+*/†-]*|\d{1,3})\s*[\s:：、.]\s*(\D.*)", re.DOTALL)


def measure(making: Making) -> Convert:
    """Make the conversion to a Quantity; `args: {unit}` where neither cell nor column says one."""
    env, unit = making.env, str(making.args.get("unit", ""))

    def convert(raw: str) -> Cell:
        text, told = _sent(raw)
        if not text:
            return EMPTY
        found = _quantity(text, told or unit, env)
        if found is None:
            return Cell(None, (Note(f"'{text}' is no number; it was left out"),))
        notes = (Note(f"the mark {found[1]} has no place in a Quantity", left=True),) if found[1] else ()
        return Cell(found[0], notes)

    return convert


def result(making: Making) -> Step:
    """Make the step that writes value[x] and interpretation from a result; `args: {unit: column}` or its own unit.

    `args: {text: true}` keeps everything as text. With `code:` the mark at a value (82.5↑) is looked up in that map.
    `args: {needs_unit: true}` makes an issue of a number of which neither cell nor header says the unit.
    """
    env, beside = making.env, _beside(making)
    only_text, needs_unit = bool(making.args.get("text")), bool(making.args.get("needs_unit"))
    number = _number(making)
    cache: dict[tuple[str, str], Cell] = {}

    def step(run: Running, body: Body, raw: str) -> None:
        key = (raw, _said(run, beside))
        cell = cache.get(key)
        if cell is None:
            if len(cache) >= CACHE_SIZE:
                cache.clear()
            cell = _text(raw) if only_text else _told_more(_result(*key, env), making, needs_unit=needs_unit)
            if len(raw) <= CACHE_TEXT:
                cache[key] = cell
        if cell.value is not None:
            for name, item in cell.value.items():
                body[name] = [*body.get(name, ()), *item] if name == "interpretation" else item
        if cell.notes:
            run.note(number, cell.notes)

    return step


def range_(making: Making) -> Step:
    """Make the step that writes referenceRange, with bounds where they can be read; `args: {unit: column}`."""
    env, beside = making.env, _beside(making)
    cache: dict[tuple[str, str], list[Body]] = {}

    def step(run: Running, body: Body, raw: str) -> None:
        text, told = _sent(raw)
        key = (text, _said(run, beside) or told)
        found = cache.get(key)
        if found is None:
            if len(cache) >= CACHE_SIZE:
                cache.clear()
            found = cache[key] = values.ranges(raw.partition("^")[0] if told else raw, _raw(key[1]), env)
        if found:
            body["referenceRange"] = found

    return step


def age(making: Making) -> Convert:
    """Make the conversion of an age (`076Y`, `76岁`, `3月龄`, `5天`, `1岁3月`) to an Age in UCUM."""

    def convert(raw: str) -> Cell:
        text = text_of(raw.split("^", 1)[0])
        if not text:
            return EMPTY
        both = _AGES.fullmatch(text)
        if both is not None:
            return Cell(_age(str(int(both[1]) * 12 + int(both[2])), "mo"))
        found = _AGE.fullmatch(text)
        code = AGE_UNITS.get(found[2].upper()) if found else None
        if found is None or code is None:
            return Cell(None, (Note(f"'{text}' is no age; it was left out"),))
        notes = (Note(f"'{text}' is an age by the Chinese count, of which no age follows; it was left out"),)
        return Cell(None, notes) if text.startswith("虚岁") else Cell(_age(found[1], code))

    return convert


def money(making: Making) -> Convert:
    """Make the conversion of an amount (`1,203.5`, `￥15.00`, `15元`) to Money; `args: {currency}`, else CNY."""
    currency = str(making.args.get("currency", "CNY"))

    def convert(raw: str) -> Cell:
        cell = number(raw)
        return cell if cell.value is None else cell._replace(value={"value": cell.value, "currency": currency})

    return convert


def number(raw: str) -> Cell:
    """Return a decimal with the digits as sent, thousands separators and currency signs off."""
    return scalars.decimal(scalars.ungrouped(text_of(raw.split("^", 1)[0])))


def count(making: Making) -> Convert:
    """Make the conversion of a whole number with thousands separators or a counting word (`2人次`, `4次`)."""
    least = int(making.args.get("least", 0))

    def convert(raw: str) -> Cell:
        text = scalars.ungrouped(text_of(raw.split("^", 1)[0]))
        return scalars.integer(re.sub(r"(?:人次|[次人例条份个天日付剂盒片支袋瓶年月])$", "", text), least)

    return convert


def glued(making: Making) -> Convert:
    """Make the conversion of code and words in one cell (`I10.x00 高血压3级`, `2:左室高电压`) to a CodeableConcept.

    What is not both is words only, or by `args: {code: true}` a code only.
    """
    env, codes, table, system = making.env, making.codes, making.table, str(making.args.get("system", ""))
    alone = bool(making.args.get("code"))

    def convert(raw: str) -> Cell:
        text = text_of(raw.replace("^", " "))
        found = _GLUED.fullmatch(text)
        if found is None and not alone and not (codes is not None and text in codes.rows):
            return Cell({"text": text}) if text else EMPTY
        code, words = (found[1], found[2].strip()) if found is not None else (text, "")
        cell = coded.concept(f"{code}^{words}^{system}", env, table, codes)
        return cell._replace(value={**cell.value, "text": text}) if cell.value is not None and words else cell

    return convert


def _age(digits: str, code: str) -> dict[str, Any]:
    value = scalars.decimal(digits.lstrip("0") or "0").value
    return {"value": value, "unit": _WORDS[code], "system": scalars.UCUM, "code": code}


def _sent(raw: str) -> tuple[str, str]:
    """Return the text and the unit of a raw cell (`61.5^kg`, `158&mmHg`)."""
    text, _, unit = raw.partition("&" if "^" not in raw else "^")
    return text_of(text), text_of(unit)


def _quantity(text: str, unit: str, env: Environment) -> tuple[dict[str, Any], str] | None:
    """Return the Quantity of a text and the mark that stood with it, None when it is no number."""
    found = _MEASURE.fullmatch(text)
    digits = scalars.number(found["number"].replace(",", "").rstrip(".")) if found is not None else None
    if found is None or digits is None:
        return None
    rest, mark = found["rest"] or "", found["flag"]
    if rest in _MARKS or (rest == "L" and unit):
        rest, mark = "", rest + mark
    if rest and rest not in env.units and not _UNIT.fullmatch(rest):
        return None
    body: dict[str, Any] = {"value": digits[0]}
    if found["sign"]:
        body["comparator"] = _COMPARATORS[found["sign"]]
    return body | scalars.unit(_raw(rest or unit), env), mark


def _raw(unit: str) -> str:
    """Return a unit as it stands in a field, so that `10^9/L` is one word."""
    return unit.replace("\\", "\\E\\").replace("^", "\\S\\").replace("&", "\\T\\")


def _result(raw: str, beside: str, env: Environment) -> Cell:
    text, unit = _sent(raw)
    if not text:
        return EMPTY
    unit = beside or unit
    found = _quantity(text, unit, env)
    if found is not None:
        marked = {"interpretation": [{"text": found[1]}]} if found[1] else {}
        return Cell({"valueQuantity": found[0]} | marked)
    ratio = values.ratio(raw, "", env)
    return ratio if ratio.value is not None else _text(raw)


def _told_more(cell: Cell, making: Making, *, needs_unit: bool) -> Cell:
    """Return a result with its mark as a code, and with a note where its unit is not said (never a guess)."""
    value, notes = cell.value or {}, list(cell.notes)
    if making.codes is not None and "interpretation" in value:
        marked = coded.concept(value["interpretation"][0]["text"], making.env, making.table, making.codes)
        value = {**value, "interpretation": [marked.value]}
        notes.extend(marked.notes)
    quantity = value.get("valueQuantity")
    if needs_unit and quantity is not None and "unit" not in quantity:
        notes.append(UNSAID)
    return Cell(value or None, tuple(notes))


def _text(raw: str) -> Cell:
    text = _sent(raw)[0]
    return Cell({"valueString": text}) if text else EMPTY


def _beside(making: Making) -> Source | None:
    told = str(making.args.get("unit", ""))
    return source(told) if re.fullmatch(r"[A-Z]{3}-\d+", told) else None


def _said(run: Running, at: Source | None) -> str:
    return text_of(program.pick(run.peers.get(at.name, []), at)) if at is not None else ""


def _number(making: Making) -> int:
    return int(making.row.partition("-")[2] or 0)
