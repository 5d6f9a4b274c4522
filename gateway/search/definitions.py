"""The region's own definitions that searches need: its search parameters, value sets and code systems."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast, get_args

import msgspec

from gateway.errors import GatewayError
from gateway.search import extract, parameters
from gateway.search.parameters import Kind, Parameter

Json = dict[str, Any]

NUMBER = "https://yigong.example/fhir/StructureDefinition/search-parameter-number"
FIRST, LAST = 20_000, 32_767
"""Numbers of our own parameters, R4's stand below; index rows hold them, so none is ever given twice."""

_KINDS = frozenset(get_args(Kind)) - {"composite", "special"}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_folder: list[Path] = []


def install(folder: Path) -> None:
    """Take the definitions below a folder of profiles; GatewayError that names the file and what is wrong in it."""
    found = list(_parameters(folder / "searchparameters"))
    numbers: dict[int, Parameter] = {}
    for each in found:
        known = numbers.setdefault(each.id, each)
        if (known.name, known.expression) != (each.name, each.expression) and known is not each:
            text = f"{each.type}.{each.name} has the number {each.id} of {known.type}.{known.name}: give it another."
            raise GatewayError(text, where="searchparameters")
    parameters.adopt(found)
    extract.forget()
    for each in found:
        _compiled(each)
    _folder[:] = [folder]


def _parameters(folder: Path) -> Iterator[Parameter]:
    for path in sorted(folder.glob("*.json")):
        definition = _json(path)
        for base in definition.get("base") or ():
            yield _parameter(path.name, definition, base)


def _json(path: Path) -> Json:
    try:
        made = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as fault:
        raise GatewayError(f"{path.name} cannot be read as JSON: {fault}.", where=path.name) from fault
    return made


def _parameter(name: str, definition: Json, base: str) -> Parameter:
    number, code, kind = _number(name, definition), definition.get("code"), definition.get("type")
    if base not in parameters.types():
        raise _fault(name, f"its base {base!r} is no resource type of R4")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise _fault(name, f"its code {code!r} is not letters, digits and -")
    if code in parameters.published(base):
        raise _fault(name, f"R4 has a parameter {code!r} of {base} already")
    if kind not in _KINDS:
        raise _fault(name, f"its type {kind!r} is not one of {', '.join(sorted(_KINDS))}")
    parts = [part.strip() for part in str(definition.get("expression", "")).split("|")]
    mine = " | ".join(part for part in parts if re.match(rf"\(?{base}\b", part))
    text, targets = " ".join(str(definition.get("description", "")).split()), definition.get("target") or ()
    return Parameter(number, base, code, cast(Kind, kind), mine, tuple(targets), description=text)


def _number(name: str, definition: Json) -> int:
    found = [one.get("valueInteger") for one in definition.get("extension") or () if one.get("url") == NUMBER]
    if len(found) != 1 or type(found[0]) is not int or not FIRST <= found[0] <= LAST:
        raise _fault(name, f"its extension {NUMBER} must give one number from {FIRST} to {LAST}")
    return int(found[0])


def _compiled(parameter: Parameter) -> None:
    """Compile an expression now, so that what is wrong in it is told at the start and not by the first resource."""
    try:
        made = extract.walkers(parameter, extract.ZONE)
    except GatewayError as fault:
        raise _fault(f"{parameter.type}.{parameter.name}", fault.text.rstrip(".")) from fault
    if not made:
        what = f"its expression {parameter.expression!r} leads to nothing that is a {parameter.kind}"
        raise _fault(f"{parameter.type}.{parameter.name}", what)


def _fault(name: str, text: str) -> GatewayError:
    return GatewayError(f"The search parameter {name} is not taken: {text}.", where=name)


def canonical() -> Mapping[str, Json]:
    """Return the value sets and code systems of the region by URL; none before `install`."""
    return _canonical(_folder[0]) if _folder else {}


@lru_cache(maxsize=4)
def _canonical(folder: Path) -> Mapping[str, Json]:
    paths = [path for part in ("valuesets", "codesystems") for path in sorted((folder / part).glob("*.json"))]
    return {made["url"]: made for made in map(_json, paths) if "url" in made}
