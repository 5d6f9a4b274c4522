"""Index rows as an independent FHIRPath evaluator finds them: the published expressions, run by PyPI `fhirpathpy`.

What it finds is turned into rows by the plain readings of R4's search page in tests.support.naive. Where the library
cannot run what R4 publishes, the expression is said in other words first:
- `(x as T)` and `x.as(T)` of several values are an error in FHIRPath, and R4 means each of them: `x.ofType(T)`;
- `resolve() is T` needs a server: the text of the reference tells its type;
- `hasExtension(url)` is no function of FHIRPath, and `extension(url)` gives the first alone: `extension.where(url = …)`;
- extensions of primitives (`_status`) make the library see two values: they are left out, search never reads them.
"""

import re
import warnings
from functools import cache
from itertools import product
from typing import Any

from gateway.search import extract, parameters
from gateway.search.kinds.string import SPOKEN
from gateway.search.parameters import Parameter
from tests.support import naive

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import fhirpathpy
    from fhirpathpy.models import models

Json = dict[str, Any]
Rows = set[tuple[Any, ...]]

_R4 = models["r4"]
_RAW = {"returnRawData": True}
_KEPT = 280
"""Characters of a text that are compared; the index keeps a long one by its beginning and a hash."""
_RESOLVE = re.compile(r"\.where\(resolve\(\) is (\w+)\)$")
_QUANTITIES = frozenset({"Quantity", "SimpleQuantity", "Age", "Duration", "Count", "Distance"})


def bare(value: Any) -> Any:
    """Return a JSON value without the extensions of primitives."""
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if not key.startswith("_")}
    return [bare(one) for one in value if one is not None] if isinstance(value, list) else value


def expected(resource: Json, parameter: Parameter) -> Rows:
    """Return the rows of one parameter: what its published expression yields, read as R4's search page says."""
    if parameter.kind == "composite":
        return _composite(resource, parameter)
    return {row for node in nodes(resource, parameter.expression) for row in rows_of(parameter.kind, *node)}


def held(made: extract.Rows, parameter: Parameter) -> Rows:
    """Return the rows that the gateway indexes for one parameter, in the same form."""
    ids = {each.id for each in parameters.stored(parameter)}
    found = [row for row in getattr(made, parameter.kind) if row[0] in ids]
    if parameter.only:
        found = [row for row in found if row[1] == parameter.only]
    return {_plain(parameter.kind, row) for row in found if not _aside(parameter.kind, row)}


def _aside(kind: str, row: tuple[Any, ...]) -> bool:
    """Say whether a row is there for a modifier or for pinyin alone, which no expression tells of."""
    return (kind == "token" and row[2].startswith("\0")) or (kind == "string" and row[2] == SPOKEN)


def nodes(resource: Json, expression: str) -> list[tuple[str, Any]]:
    """Return (type, value) of everything an expression yields; `resolve() is T` goes by the text of the reference."""
    found = []
    for part in expression.split(" | "):
        narrowed = _RESOLVE.search(part)
        here = _evaluated(resource, _RESOLVE.sub("", part))
        found += [node for node in here if not narrowed or naive.target_type(node[1]) == narrowed[1]]
    return found


def _evaluated(resource: Any, expression: str, context: Json | None = None) -> list[tuple[str, Any]]:
    return [_node(one) for one in _compiled(expression)(resource, context or {})]


def _node(found: Any) -> tuple[str, Any]:
    if isinstance(found, bool):
        return "boolean", found
    return (found.path or "").split(".")[-1], found.data


@cache
def _compiled(expression: str) -> Any:
    said = re.sub(r"\((\S+) as (\w+)\)", r"\1.ofType(\2)", expression)
    said = re.sub(r"\.as\((\w+)\)", r".ofType(\1)", said)
    said = re.sub(r"hasExtension\(('[^']*')\)", r"extension.where(url = \1).exists()", said)
    said = re.sub(r"extension\(('[^']*')\)", r"extension.where(url = \1)", said)
    return fhirpathpy.compile(said, _R4, _RAW)


def rows_of(kind: str, type_name: str, value: Any) -> list[tuple[Any, ...]]:
    """Return the rows of one value; a value of a type that the kind has no reading for has none."""
    if type_name == "Extension":  # R4 publishes expressions that end at an extension: what it holds is meant
        return [row for key, one in value.items() if key[:5] == "value" for row in rows_of(kind, _typed(key), one)]
    if value is None:
        return []
    return [row for row in _READERS[kind](type_name, value) if row is not None]


def _typed(key: str) -> str:
    name = key.removeprefix("value")
    primitive = name[:1].lower() + name[1:]
    return primitive if primitive in ("string", "code", "boolean", "uri", "date", "dateTime") else name


def _token(type_name: str, value: Any) -> list[Any]:
    if isinstance(value, int) and not isinstance(value, bool):
        return [("", str(value))]
    coded = isinstance(value, dict) and type_name not in ("CodeableConcept", "Coding", "Identifier", "ContactPoint")
    return [] if coded else [*naive.tokens(type_name, value)]


def _string(type_name: str, value: Any) -> list[Any]:
    if isinstance(value, dict) and type_name not in ("HumanName", "Address"):
        return []
    return [(text[:_KEPT],) for text in naive.texts(type_name, value) if text]


def _reference(type_name: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        if type_name not in ("uri", "canonical"):
            return []
        return [("", value), *([("", value.split("|")[0])] if "|" in value else [])]
    if "resourceType" in value:
        return [(value["resourceType"], value["id"])] if "id" in value else []
    return [naive.literal(value)] if type_name == "Reference" else []


def _date(type_name: str, value: Any) -> list[Any]:
    return [*naive.dates(type_name, value)] if type_name in ("date", "dateTime", "instant", "Period", "Timing") else []


def _number(type_name: str, value: Any) -> list[Any]:
    if type_name in ("positiveInt", "unsignedInt"):
        type_name = "integer"
    if type_name not in ("decimal", "integer", "Range"):
        return []
    return [_bounds(low, high) for low, high, _ in naive.ranges(type_name, value)]


def _quantity(type_name: str, value: Any) -> list[Any]:
    if type_name == "Money":
        return [(*_bounds(*naive.ranges(type_name, value)[0][:2]), naive_currency(value), value.get("currency", ""))]
    if type_name == "SampledData":
        return _sampled(value)
    if type_name not in _QUANTITIES | {"Range"}:
        return []
    return [row for low, high, unit in naive.ranges(type_name, value) for row in _united(low, high, unit)]


def naive_currency(value: Json) -> str:
    """Return the system of a currency: Money has a code of ISO 4217 and no system element."""
    return "urn:iso:std:iso:4217" if value.get("currency") else ""


def _sampled(value: Json) -> list[Any]:
    low, high, origin = value.get("lowerLimit"), value.get("upperLimit"), value.get("origin") or {}
    if low is None or high is None:
        return _quantity("Quantity", origin)
    return [*_united(naive.exactly(low), naive.exactly(high), origin)]


def _united(low: Any, high: Any, unit: Json) -> list[Any]:
    code, text = unit.get("code") or "", unit.get("unit") or ""
    rows = [(*_bounds(low, high), unit.get("system") or "", code or text)]
    return rows + ([(*_bounds(low, high), "", text)] if code and text and code != text else [])


def _bounds(low: Any, high: Any) -> tuple[float, float]:
    return float(max(low, -(10**300))), float(min(high, 10**300))


def _uri(type_name: str, value: Any) -> list[Any]:
    return [(value,)]


_READERS = {
    "token": _token,
    "string": _string,
    "reference": _reference,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "uri": _uri,
}


def _composite(resource: Json, parameter: Parameter) -> Rows:
    names = parameters.for_type(parameter.type)
    found: Rows = set()
    for place in parameter.expression.split(" | "):
        if place == parameter.type:
            continue  # both parts are parameters of the resource itself and need no row
        for context in _compiled(place)(resource, {}):
            parts = [
                [
                    row
                    for node in _part(context, part.expression, resource)
                    for row in rows_of(names[part.name].kind, *node)
                ]
                for part in parameter.components
            ]
            found |= set(product(*parts))
    return found


def _part(context: Any, expression: str, resource: Json) -> list[tuple[str, Any]]:
    return [
        node
        for one in expression.split(" | ")
        for node in _evaluated(resource if "%resource" in one else context, one.replace("%resource.", ""))
    ]


def _plain(kind: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    match kind:
        case "token":
            return row[2], row[3]
        case "string":
            return ((row[2] or row[1])[:_KEPT],)
        case "date":
            return _open(row[1], -naive.FOREVER, row[1] <= -(2**62)), _open(row[2], naive.FOREVER, row[2] >= 2**62)
        case "number":
            return _limit(row[1]), _limit(row[2])
        case "quantity":
            return _limit(row[1]), _limit(row[2]), row[3], row[4]
        case "composite":
            return tuple(_half(part) for part in row[1:])
    return row[1:]


def _half(part: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a composite's part, which is a row without its parameter, in plain form."""
    match len(part):
        case 2 if isinstance(part[0], float):
            return _plain("number", (0, *part))
        case 2:
            return part
        case 4:
            return _plain("quantity", (0, *part))
    return _plain("token", (0, *part))


def _open(value: int, forever: int, endless: bool) -> int:
    return forever if endless else value


def _limit(value: float) -> float:
    return max(-1e300, min(1e300, value))
