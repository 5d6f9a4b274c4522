"""Whether a path of the guide exists in FHIR R4: the guide names some elements R4 does not have."""

import json
from functools import cache
from pathlib import Path as File

from tools.guide.paths import Path

ELEMENTS = File(__file__).parents[2] / "gateway" / "fhir" / "data" / "elements.json"
CODES = ELEMENTS.with_name("codes.json")
COMMON = {
    "extension": "* Extension",
    "modifierExtension": "* Extension",
    "id": "0 string",
    "meta": "0 Meta",
    "text": "0 Narrative",
    "language": "0 code",
}


@cache
def _types() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = json.loads(ELEMENTS.read_text(encoding="utf-8"))
    return loaded


@cache
def problem(root: str, path: Path) -> str:
    """Return why R4 has no such path, or an empty text."""
    if root not in _types():
        return f"R4 has no resource {root}"
    here, reference = root, ""
    for step in path:
        if step.refers:
            if not _may_point(reference, step.name):
                return f"{here} cannot be a reference to {step.name} in R4"
            here = step.name.split("|")[0]
            continue
        reference = _down(here, step.name)
        if not reference:
            return f"R4 has no {here}.{step.name}"
        here = reference
    return ""


def forbidden(root: str, path: Path, codes: tuple[str, ...]) -> str:
    """Return why R4 forbids these codes at an existing path, or an empty text."""
    declared = _declared(_holder(root, path), path[-1].name) if path else ""
    bound = next((part[1:] for part in declared.split() if part.startswith("=") and len(part) > 1), "")
    allowed = {code for codes_ in _codes().get(bound, {}).values() for code in codes_}
    if not allowed or " code" not in f" {declared}" or any(code in allowed for code in codes):
        return ""
    return f"R4 does not allow {', '.join(codes)} there ({bound})"


@cache
def _codes() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = json.loads(CODES.read_text(encoding="utf-8"))
    return loaded


def _holder(root: str, path: Path) -> str:
    here = root
    for step in path[:-1]:
        here = step.name.split("|", maxsplit=1)[0] if step.refers else _down(here, step.name)
    return here


def many(root: str, path: Path) -> bool:
    """Whether the last step of an existing path repeats in R4."""
    return bool(path) and _declared(_holder(root, path), path[-1].name).startswith("*")


def _may_point(reference: str, target: str) -> bool:
    if not reference.startswith("Reference"):
        return False
    allowed = reference.partition("(")[2].rstrip(")").split("|")
    return allowed in ([""], ["Resource"]) or any(one in allowed for one in target.split("|"))


@cache
def _declared(here: str, name: str) -> str:
    elements = _elements(here)
    if name in elements:
        return elements[name]
    for stem, declared in elements.items():
        if stem.endswith("[x]") and name.startswith(stem[:-3]):
            rest = name[len(stem) - 3 :]
            found = [kind for kind in declared.split()[1:] if _same(kind.split("(")[0], rest)]
            return f"0 {found[0]}" if found else ""
    if name in ("extension", "id") or (elements.get("") == "DomainResource" and name in COMMON):
        return COMMON[name]
    return ""


@cache
def _elements(here: str) -> dict[str, str]:
    """Return the elements of a type, those of a parent data type (Duration: Quantity) included."""
    elements = _types().get(here.split("(", maxsplit=1)[0], {})
    parent = elements.get("", "")
    return {**_elements(parent), **elements} if parent in ("Quantity", "BackboneElement") else elements


def _same(kind: str, rest: str) -> bool:
    return rest == kind[:1].upper() + kind[1:]


@cache
def _down(here: str, name: str) -> str:
    """Return the type of a child element, '' when there is none."""
    for part in _declared(here, name).split():
        if part[0] not in "*+01!^=":
            return part.lstrip("@")
    return ""
