"""Gate G7, usable: is there a value, does its unit go into the item's, was the specimen sound, can it be looked at."""

from decimal import Decimal

from gateway.community.recognition.catalogue import Catalogue
from gateway.community.recognition.facts import Result, Value
from gateway.community.recognition.items import Imaging, Item, Laboratory
from gateway.search.ucum import Measure, measure


def fault(catalogue: Catalogue, item: Item, result: Result) -> tuple[str, str]:
    """Return why a result cannot be used, as detail of NOT_USABLE and the word concerned; ("", "") where it can.

    china.md §4.3 G7: value present, unit convertible, reference range, specimen not haemolysed, image reachable.
    """
    if isinstance(item, Imaging):
        return _looked_at(item, result)
    unsound = _unsound(catalogue, result)
    if unsound:
        return "specimen", unsound
    if not isinstance(item, Laboratory):  # a panel: its values are judged one by one where they are taken
        return ("", "") if result.reachable or _said(catalogue, result.value) else ("no-value", "")
    return _measured(catalogue, item, result)


def _looked_at(item: Imaging, result: Result) -> tuple[str, str]:
    if item.needs == "values" and (result.value.number is not None or result.value.text.strip()):
        return "", ""
    return ("", "") if result.reachable else ("unreachable", "")


def _unsound(catalogue: Catalogue, result: Result) -> str:
    conditions = catalogue.words.conditions
    return next((word for word in (*result.conditions, result.value.text) if conditions.get(word)), "")


def _measured(catalogue: Catalogue, item: Laboratory, result: Result) -> tuple[str, str]:
    value = result.value
    if not item.numeric:
        return ("", "") if _said(catalogue, value) else ("no-value", "")
    if value.number is None or not value.number.is_finite():
        return "no-value", ""
    if converted(item, value.number, value.unit) is None:
        return "unit", value.unit or "-"
    return ("", "") if result.has_range else ("no-range", "")


def _said(catalogue: Catalogue, value: Value) -> bool:
    return bool(value.text.strip()) and not catalogue.words.absent.get(value.text)


def converted(item: Laboratory, number: Decimal, unit: str) -> Decimal | None:
    """Return a number in the item's unit, None where its unit does not go into it; nothing is guessed without a unit.

    By UCUM, by the units that the item calls equal, or by its molar mass between mass and amount of substance.
    """
    if unit == item.unit or unit in item.equal:
        return number
    mine, theirs = measure(item.unit), measure(unit) if unit else None
    if mine is None or theirs is None:
        return None
    ratio = _ratio(mine, theirs, item.molar)
    return None if ratio is None else number * ratio


def _ratio(mine: Measure, theirs: Measure, molar: float) -> Decimal | None:
    if mine.dimension == theirs.dimension:
        return theirs.factor / mine.factor
    if not molar:
        return None
    if _swapped(theirs, "g", "mol") == mine.dimension:
        return theirs.factor / Decimal(str(molar)) / mine.factor
    if _swapped(theirs, "mol", "g") == mine.dimension:
        return theirs.factor * Decimal(str(molar)) / mine.factor
    return None


def _swapped(unit: Measure, one: str, other: str) -> tuple[tuple[str, int], ...]:
    """Return a dimension with one base unit in place of another."""
    return tuple(sorted((other if name == one else name, power) for name, power in unit.dimension))
