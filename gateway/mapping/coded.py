"""Coded values: CWE, CE, CNE, ID and IS to CodeableConcept, Coding and code, with local codes kept.

A code map is asked first; an unmapped code is a note and stays as it was sent, never a guess (ruling R4).
Source: HL7 v2-to-FHIR, data type maps CWE[CodeableConcept], CWE[Coding], CWE[code], ID[CodeableConcept].
"""

from typing import Any

from gateway.mapping.cell import EMPTY, Cell, Note
from gateway.mapping.environment import CodeMap, Environment, Target, parts_of

ALTERNATE = "http://hl7.org/fhir/StructureDefinition/alternate-codes"
_TRIPLES = ((0, 1, 2, 6), (3, 4, 5, 7), (9, 10, 11, 12))
_USED = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})


def concept(raw: str, env: Environment, table: str, codes: CodeMap | None) -> Cell:
    """Return the CodeableConcept of a coded field: mapped coding first, the codings as sent after it."""
    parts = parts_of(raw)
    found = _lookup(parts, codes)
    local = _table(codes, table, env, mapped=found is not None)
    codings = [_sent(parts, triple, env, local) for triple in _TRIPLES]
    sent = [coding for coding in codings if coding]
    body: dict[str, Any] = {}
    if found is not None:
        sent = _joined(found, sent)
    with_code = [coding for coding in sent if "code" in coding]
    if with_code:
        body["coding"] = with_code
    text = _part(parts, 8) or ("" if with_code else next((c["display"] for c in sent), ""))
    if text:
        body["text"] = text
    if not body:
        return EMPTY
    return Cell(body, (*_unmapped(parts, codes, found, kept=True), *_unused(raw)))


def coding(raw: str, env: Environment, table: str, codes: CodeMap | None) -> Cell:
    """Return one Coding: the mapped one, else the first as sent."""
    cell = concept(raw, env, table, codes)
    if cell.value is None or not cell.value.get("coding"):
        return cell._replace(value=None)
    return cell._replace(value=cell.value["coding"][0])


def code(raw: str, env: Environment, table: str, codes: CodeMap | None) -> Cell:
    """Return a code by its map; an unmapped one is left out, a note, and kept beside as an alternate code."""
    parts = parts_of(raw)
    if not any(parts):
        return EMPTY
    if codes is None:
        return Cell(_part(parts, 0) or _part(parts, 3) or None)
    found = _lookup(parts, codes)
    if found is not None:
        return Cell(found.code)
    kept = concept(raw, env, _table(codes, table, env, mapped=False), None).value
    extension = {"url": ALTERNATE, "valueCodeableConcept": kept}
    return Cell(None, _unmapped(parts, codes, None, kept=False), beside={"extension": [extension]})


def display(raw: str) -> str:
    """Return the words of a coded field: original text, else text, else code."""
    parts = parts_of(raw)
    return _part(parts, 8) or _part(parts, 1) or _part(parts, 0)


def _table(codes: CodeMap | None, table: str, env: Environment, *, mapped: bool) -> str:
    """Return the system of a code sent without one: the map's table if it holds the code, else this site's own."""
    if codes is None or not codes.table:
        return table
    return codes.table if mapped or ":" in codes.table else env.code_system(codes.table)


def _part(parts: list[str], at: int) -> str:
    return parts[at] if at < len(parts) else ""


def _sent(parts: list[str], triple: tuple[int, int, int, int], env: Environment, table: str) -> dict[str, Any]:
    value, words, system, version = (_part(parts, at) for at in triple)
    if not value:
        return {"display": words} if words else {}
    found: dict[str, Any] = {"system": env.coding_system(system, table), "code": value}
    if version:
        found["version"] = version
    if words:
        found["display"] = words
    return found


def _lookup(parts: list[str], codes: CodeMap | None) -> Target | None:
    """Return the target of the first coding that the map's table covers: unnamed, or named as that table."""
    if codes is None:
        return None
    for value, _, system, _ in _TRIPLES:
        if _part(parts, value) and _covered(_part(parts, system), codes):
            found = codes.rows.get(parts[value])
            if found is not None:
                return found
    return None if _part(parts, 0) else codes.rows.get(_part(parts, 1))


def _covered(system: str, codes: CodeMap) -> bool:
    return not system or system.upper() in (codes.table, codes.table.removeprefix("HL7"))


def _joined(found: Target, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    target: dict[str, Any] = {"code": found.code}
    if ":" in found.system:
        target = {"system": found.system, "code": found.code}
    if found.display:
        target["display"] = found.display
    return [target, *(c for c in sent if (c.get("system"), c.get("code")) != (found.system, found.code))]


def _unmapped(parts: list[str], codes: CodeMap | None, found: Target | None, *, kept: bool) -> tuple[Note, ...]:
    if codes is None or found is not None:
        return ()
    value = _part(parts, 0) or _part(parts, 1)
    if not value or (kept and not _covered(_part(parts, 2), codes)):
        return ()
    told = f"code '{value}' has no target in map {codes.name}; it was kept as it was sent"
    return (Note(told, "code-invalid", "information" if kept else "warning"),)


def _unused(raw: str) -> tuple[Note, ...]:
    if raw.count("^") < len(_USED):
        return ()
    extra = [at for at, part in enumerate(raw.split("^")) if part and at not in _USED]
    return tuple(Note("no place in a CodeableConcept", component=str(at + 1), left=True) for at in extra)
