"""Single values: text, numbers, booleans, units and quantities, with the digits and words as sent."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from gateway.mapping.cell import CACHE_SIZE, EMPTY, Cell, Note
from gateway.mapping.environment import Environment, parts_of, text_of

UCUM = "http://unitsofmeasure.org"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_SPLIT_POWER = re.compile(r"\D{0,2}10\^\d{1,2}(?:[/*].*)?")


_GROUPED = re.compile(r"[￥¥$]?\s*([+-]?\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?)\s*元?")
_MONEY = re.compile(r"(?:[￥¥]|RMB|CNY)\s*([+-]?[\d.]+)|([+-]?[\d.]+)\s*元")


def ungrouped(text: str) -> str:
    """Return an amount without thousands separators and signs of currency (`￥1,203.5`); other texts as they are."""
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None:
        return grouped[1].replace(",", "").replace("，", "")
    money = _MONEY.fullmatch(text)
    return (money[1] or money[2]) if money is not None else text


def text(raw: str) -> Cell:
    """Return the text of a raw value; components, if any, stand apart by a blank."""
    if "^" not in raw:
        return Cell(text_of(raw) or None)
    words = [text_of(part) for part in raw.split("^")]
    return Cell(" ".join(word for word in words if word) or None)


def lines(raw: str) -> Cell:
    """Return repeated or formatted text (FT, TX) with every repetition on a line of its own."""
    found = "\n".join(text_of(part.replace("^", " ")) for part in raw.split("~")).strip("\n")
    return Cell(found or None)


def number(raw: str) -> tuple[Decimal, str] | None:
    """Return a number with the digits as sent and a remark when they had to be rewritten for JSON."""
    digits = raw.strip()
    if _PLAIN.fullmatch(digits) is not None:
        return Decimal(digits), ""
    if not digits.isascii():
        digits = unicodedata.normalize("NFKC", digits)
    if _NUMBER.fullmatch(digits) is None:
        return None
    remark = (
        ""
        if digits == raw.strip() and _PLAIN.fullmatch(digits)
        else f"'{raw.strip()}' was written as {Decimal(digits)}"
    )
    return Decimal(digits), remark


def decimal(raw: str) -> Cell:
    """Return a decimal with the digits as sent; what is no number is a note."""
    sent = text_of(raw.split("^", 1)[0])
    if not sent:
        return EMPTY
    found = number(sent)
    if found is None:
        return Cell(None, (Note(f"'{sent}' is not a number; it was left out"),))
    return Cell(found[0], (Note(found[1], severity="information"),) if found[1] else ())


def negative(raw: str) -> Cell:
    """Return a decimal below zero, whichever sign was sent: a refund is a negative row (ruling R1)."""
    found = decimal(raw)
    return found if found.value is None else Cell(-abs(found.value), found.notes)


def integer(raw: str, least: int = 0) -> Cell:
    """Return a whole number of at least `least`; anything else is a note."""
    sent = text_of(raw.split("^", 1)[0])
    if not sent:
        return EMPTY
    if re.fullmatch(r"\+?[0-9]{1,9}(?:\.0*)?", sent) is None or int(sent.split(".")[0]) < least:
        return Cell(None, (Note(f"'{sent}' is not a whole number of at least {least}; it was left out"),))
    return Cell(int(sent.split(".")[0]))


def boolean(cell: Cell) -> Cell:
    """Return the boolean that a code map wrote as `true` or `false`."""
    return cell if cell.value is None else cell._replace(value=cell.value == "true")


def unit(raw: str, env: Environment) -> dict[str, Any]:
    """Return the unit elements of a Quantity; the object is shared, so copy it before changing it."""
    found = env.unit_cache.get(raw)
    if found is None:
        if len(env.unit_cache) >= CACHE_SIZE:
            env.unit_cache.clear()
        found = env.unit_cache[raw] = _unit(raw, env)
    return found


def _unit(raw: str, env: Environment) -> dict[str, Any]:
    """Return the unit elements of a Quantity: words as sent, a UCUM code only where it is certain.

    Units that were sent with an unescaped circumflex (`10^9/L`) are read as what they are.
    """
    if _SPLIT_POWER.fullmatch(raw):
        words, code, system = raw, "", ""
    else:
        parts = [*parts_of(raw), "", "", ""]
        code, words, system = parts[0], parts[1] or parts[0], parts[2]
    if not words:
        return {}
    found: dict[str, Any] = {"unit": words}
    certain = env.units.get(words) if not system else None
    if certain is not None:
        found |= {"system": UCUM, "code": certain}
    elif system and code:
        found |= {"system": env.coding_system(system, "OBX-6"), "code": code}
    return found


def quantity(raw: str, env: Environment) -> Cell:
    """Return the Quantity of a CQ: number, and unit from its second component (HL7 v2-to-FHIR CQ[Quantity])."""
    amount, _, rest = raw.partition("^")
    found = decimal(amount)
    if found.value is None:
        return found
    return found._replace(value={"value": found.value, **unit(rest.replace("&", "^"), env)})
