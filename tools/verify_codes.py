"""Verify the LOINC, SNOMED CT and DICOM codes of mappings/ against published packages; writes which were found.

Usage: python tools/verify_codes.py PACKAGE.tgz|FOLDER ...
A package holds FHIR JSON (hl7.terminology.r4, hl7.fhir.r4.examples, hl7.fhir.uv.ips, hl7.fhir.r4.core, a folder of
Synthea's modules and patients). tools/definitions/published-codes.yaml gets every code with the names seen, and those
that none of them has. Code maps derived from HL7's own guide (mappings/base/codes/*.yaml) are not looked at.
"""

import json
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tools" / "definitions" / "published-codes.yaml"
SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "dicom": "http://dicom.nema.org/resources/ontology/DCM",
}
SHORT = {"LOINC": SYSTEMS["loinc"], "SNOMED-CT": SYSTEMS["snomed"], "DICOM-DCM": SYSTEMS["dicom"]}
NAMES = 3
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HEAD = "# Made by tools/verify_codes.py: what published packages call the codes of others that mappings/ use.\n"

Known = dict[tuple[str, str], dict[str, str]]


def main(places: list[str]) -> None:
    """Read the packages and write what they say of our codes."""
    wanted = used(ROOT)
    known: Known = defaultdict(dict)
    for place in map(Path, places):
        for text in texts(place):
            take(json.loads(text), place.name.split("-")[0], wanted, known)
    found: dict[str, Any] = {name: {"found": {}, "not_found": {}} for name in SYSTEMS}
    for (name, code), display in sorted(wanted.items()):
        told = known.get((name, code))
        if told:
            found[name]["found"][code] = {"as": display, "names": list(told)[:NAMES], "by": sorted(set(told.values()))}
        else:
            found[name]["not_found"][code] = display
    TARGET.write_text(
        HEAD + yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None), "utf-8"
    )
    print({name: (len(one["found"]), len(one["not_found"])) for name, one in found.items()})


def used(root: Path) -> dict[tuple[str, str], str]:
    """Return every code of these systems that a rule or a hand-written code map uses, with our display."""
    wanted: dict[tuple[str, str], str] = {}
    names = {url: name for name, url in SYSTEMS.items()}
    for path in sorted((root / "mappings").rglob("*.yaml")):
        if path.parent != root / "mappings" / "base" / "codes":
            for system, code, display in codes(yaml.load(path.read_text("utf-8"), Loader=LOADER)):
                if system in names:
                    key = names[system], code
                    wanted[key] = wanted.get(key) or display
    return wanted


def codes(value: Any, system: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield system, code and display of everything coded below a value of a mapping."""
    if isinstance(value, dict):
        system = value.get("system") or system
        if "code" in value and isinstance(value["code"], str):
            yield system, value["code"], value.get("display", "")
        for below in value.values():
            yield from codes(below, system)
    elif isinstance(value, list):
        for one in value:
            yield from codes(one, system)


def texts(place: Path) -> Iterator[bytes]:
    """Yield the JSON files of a package or folder."""
    if place.is_dir():
        yield from (path.read_bytes() for path in sorted(place.rglob("*.json")))
        return
    with tarfile.open(place) as package:
        for member in package:
            file = package.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                yield file.read()


def take(value: Any, source: str, wanted: dict[tuple[str, str], str], known: Known, system: str = "") -> None:
    """Note the names under which a FHIR resource or a Synthea module lists our codes."""
    if isinstance(value, list):
        for one in value:
            take(one, source, wanted, known, system)
    if not isinstance(value, dict):
        return
    whole = value.get("resourceType") == "CodeSystem"
    given = value.get("url") if whole else value.get("system")
    at = given if isinstance(given, str) else system
    name = next((short for short, url in SYSTEMS.items() if SHORT.get(at, at) == url), "")
    code = value.get("code")
    if name and isinstance(code, str) and (name, code) in wanted:
        known[name, code].setdefault(str(value.get("display", "")) or "(no name)", source)
    for key, below in value.items():
        take(below, source, wanted, known, at if whole or key in ("concept", "contains") else "")


if __name__ == "__main__":
    main(sys.argv[1:])
