"""Values of a criterion: each kind's parser, with the modifiers that kind takes."""

from collections.abc import Callable
from functools import partial

from gateway.errors import Category, GatewayError
from gateway.search import parameters, terms
from gateway.search.extract import leaf_types
from gateway.search.kinds import composite, date, number, quantity, reference, string, token, uri
from gateway.search.kinds.composite import Composite
from gateway.search.kinds.date import Date, Zone
from gateway.search.kinds.number import Number
from gateway.search.kinds.quantity import Quantity
from gateway.search.kinds.reference import Target
from gateway.search.kinds.string import String
from gateway.search.kinds.text import split
from gateway.search.kinds.token import OfType, Token, Words
from gateway.search.kinds.uri import Uri
from gateway.search.parameters import Parameter
from gateway.search.terms import InSet

Value = Token | OfType | Words | InSet | String | Target | Date | Number | Quantity | Uri | Composite

MODIFIERS: dict[str, tuple[str, ...]] = {
    "token": ("not", "text", "in", "not-in", "below", "above"),
    "string": ("exact", "contains"),
    "uri": ("below", "above"),
    "reference": ("identifier", "text"),
}
"""Modifiers of each kind beside `missing` (any kind), a target type (references) and `of-type` (identifiers)."""

MOST_VALUES = 200


def allowed(parameter: Parameter, modifier: str) -> None:
    """Raise GatewayError where the parameter does not take the modifier."""
    usable = modifiers(parameter)
    if modifier and modifier not in usable:
        takes = ", ".join(f":{each}" for each in usable) if len(usable) < 20 else ":TYPE of any type, :missing"
        raise GatewayError(
            f"{parameter.name}:{modifier} is not supported; {parameter.name} takes {takes}.",
            where=parameter.name,
            category=Category.UNSUPPORTED,
        )


def modifiers(parameter: Parameter) -> tuple[str, ...]:
    """Return the modifiers a parameter takes, `missing` last; each target type of a reference is one."""
    if parameter.name in ("_id", "_lastUpdated"):
        return ("not", "missing") if parameter.name == "_id" else ("missing",)
    usable = MODIFIERS.get(parameter.kind, ())
    if parameter.kind == "reference":
        usable = ((parameter.only,) if parameter.only else parameter.targets or parameters.types()) + usable
    if parameter.kind == "token" and any("Identifier" in leaf_types(one) for one in parameters.stored(parameter)):
        usable = (*usable, "of-type")
    return (*usable, "missing")


def read(parameter: Parameter, modifier: str, text: str, zone: Zone, now_us: int) -> tuple[Value, ...]:
    """Return the comma-separated values of a parameter; GatewayError names the one that is wrong."""
    parts = split(text, ",")
    if len(parts) > MOST_VALUES:
        raise GatewayError(f"{parameter.name!r} has more than {MOST_VALUES} values.", where=parameter.name)
    one = reader(parameter, modifier, zone, now_us)
    if parameter.name in string.NAMED and parameter.type in string.PERSONS:
        parts = [spelt for part in parts for spelt in string.spellings(part, modifier)]
    return tuple(dict.fromkeys(one(part) for part in parts))


def reader(parameter: Parameter, modifier: str, zone: Zone, now_us: int) -> Callable[[str], Value]:
    """Return the parser of one value."""
    name = parameter.name
    special = _MODIFIED.get((parameter.kind, modifier))
    if special is not None:
        return partial(special, name)
    readers: dict[str, Callable[[str], Value]] = {
        "token": partial(token.parse, name),
        "string": partial(_string, name, modifier),
        "reference": partial(_reference, parameter, modifier),
        "date": partial(_date, name, zone, now_us),
        "number": partial(number.parse, name),
        "quantity": partial(quantity.parse, name),
        "uri": partial(_uri, name, modifier),
    }
    return readers.get(parameter.kind) or _composite(parameter, zone, now_us)


_MODIFIED: dict[tuple[str, str], Callable[[str, str], Value]] = {
    ("token", "text"): token.parse_words,
    ("reference", "text"): token.parse_words,
    ("reference", "identifier"): token.parse,
    ("token", "of-type"): token.parse_type,
    ("token", "in"): terms.parse_set,
    ("token", "not-in"): terms.parse_set,
    ("token", "below"): partial(terms.parse_branch, above=False),
    ("token", "above"): partial(terms.parse_branch, above=True),
}


def _string(name: str, modifier: str, text: str) -> String:
    return string.parse(name, text, modifier)


def _uri(name: str, modifier: str, text: str) -> Uri:
    return uri.parse(name, text, modifier)


def _date(name: str, zone: Zone, now_us: int, text: str) -> Date:
    return date.parse(name, text, zone, now_us)


def _reference(parameter: Parameter, modifier: str, text: str) -> Target:
    types = (modifier,) if modifier else (parameter.only,) if parameter.only else parameter.targets
    found = reference.parse(parameter.name, text, types)
    if parameter.only or modifier:
        wanted = modifier or parameter.only
        if any(type_name not in ("", wanted) for type_name, _ in found.options):
            raise GatewayError(f"{parameter.name}={text} does not name a {wanted}.", where=parameter.name)
    return found


def _composite(parameter: Parameter, zone: Zone, now_us: int) -> Callable[[str], Composite]:
    names = parameters.for_type(parameter.type)
    parts = [reader(names[part.name], "", zone, now_us) for part in parameter.components]
    return partial(_composed, parameter.name, parts)


def _composed(name: str, parts: list[Callable[[str], Value]], text: str) -> Composite:
    return composite.parse(name, text, list(parts))
