"""Reading of search expressions: the FHIRPath subset that R4's search parameters are written in."""

import re
from typing import Literal, NamedTuple

from gateway.errors import Category, GatewayError

StepKind = Literal["get", "as", "equals", "is", "has", "at", "known"]


class Step(NamedTuple):
    """One step of a path.

    `get` an element · `as` a type · `equals` keeps items whose `name` is `value` · `is` keeps references to a type ·
    `has` keeps items with an extension · `at` takes the item at an index · `known` says whether anything but false
    is there.
    """

    kind: StepKind
    name: str
    value: str = ""


Path = tuple[Step, ...]

_EXISTS = re.compile(r"([\w.]+)\.exists\(\) and \1 != false")
_CAST = re.compile(r"\(([\w.]+) as (\w+)\)")
_STEP = re.compile(
    r"\.?(?:"
    r"(?:as|ofType)\((?P<as>\w+)\)"
    r"|where\(resolve\(\) is (?P<is>\w+)\)"
    r"|where\((?P<field>\w+) ?= ?'(?P<equal>[^']*)'\)"
    r"|where\(hasExtension\('(?P<has>[^']*)'\)\)"
    r"|extension\('(?P<extension>[^']*)'\)"
    r"|\[(?P<at>\d+)\]"
    r"|(?P<get>%?[A-Za-z]\w*)"
    r")"
)
_KINDS: dict[str, StepKind] = {"get": "get", "as": "as", "is": "is", "has": "has", "at": "at"}


def parse(text: str) -> list[Path]:
    """Return the alternatives of an expression; GatewayError names the part that search cannot follow."""
    return [_alternative(part.strip()) for part in text.split("|") if part.strip()]


def _alternative(text: str) -> Path:
    known = _EXISTS.fullmatch(text)
    if known:
        return (*_alternative(known[1]), Step("known", ""))
    rest = _CAST.sub(r"\1.as(\2)", text)
    steps: list[Step] = []
    while rest:
        found = _STEP.match(rest)
        if not found:
            raise GatewayError(
                f"Search cannot follow {rest!r} in the expression {text!r}.", category=Category.UNSUPPORTED
            )
        steps += _steps(found)
        rest = rest[found.end() :]
    return tuple(steps)


def _steps(found: re.Match[str]) -> list[Step]:
    kind, text = next((name, value) for name, value in found.groupdict().items() if value is not None)
    match kind:
        case "field":
            return [Step("equals", text, found["equal"])]
        case "extension":
            return [Step("get", "extension"), Step("equals", "url", text)]
    return [Step(_KINDS[kind], text)]
