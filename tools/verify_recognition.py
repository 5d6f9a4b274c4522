"""Verify the LOINC codes of profiles/recognition/ against published packages; writes what each calls them, and by whom.

Usage: python tools/verify_recognition.py PACKAGE.tgz|FOLDER|LIST.json ...
Packages are those of tools/verify_codes.py; a list is a JSON array of objects with LOINC_NUM and LONG_COMMON_NAME, as
LOINC's Universal Lab Orders Value Set is published. A code that none of them has does not belong into the catalogue.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import verify_codes
import yaml

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tools" / "definitions" / "published-recognition.yaml"
HEAD = "# Made by tools/verify_recognition.py: what publications call the LOINC codes of profiles/recognition/.\n"


def main(places: list[str]) -> None:
    """Read the publications and write what they say of our codes; what was found earlier stays."""
    wanted = dict(used(ROOT / "profiles" / "recognition"))
    known: verify_codes.Known = defaultdict(dict)
    for place in map(Path, places):
        for text in verify_codes.texts(place) if place.suffix != ".json" else [place.read_bytes()]:
            value = json.loads(text)
            source = place.stem if place.suffix == ".json" else place.name.split("-")[0]
            listed(value, source, wanted, known) if isinstance(value, list) else verify_codes.take(
                value, source, wanted, known
            )
    before = yaml.safe_load(TARGET.read_text("utf-8"))["loinc"] if TARGET.exists() else {}
    found = {}
    for (_, code), ours in sorted(wanted.items()):
        told, old = known.get(("loinc", code), {}), before.get(code, {"names": [], "by": []})
        names = list(dict.fromkeys([*told, *old["names"]]))[: verify_codes.NAMES]
        if names:
            found[code] = {"as": ours, "names": names, "by": sorted({*told.values(), *old["by"]})}
        else:
            print(f"{code} ({ours}) is in none of them")
    TARGET.write_text(HEAD + yaml.safe_dump({"loinc": found}, allow_unicode=True, sort_keys=False, width=120), "utf-8")
    print(f"{len(found)} of {len(wanted)} found")


def used(folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield every LOINC code of the catalogue with our English name."""
    for path in sorted(folder.rglob("*.yaml")):
        for section in yaml.load(path.read_text("utf-8"), Loader=verify_codes.LOADER).values():
            for item in section if isinstance(section, list) else ():
                for code in item.get("loinc", ()) if isinstance(item, dict) else ():
                    yield ("loinc", code), item["en"]


def listed(
    rows: list[dict[str, str]], source: str, wanted: dict[tuple[str, str], str], known: verify_codes.Known
) -> None:
    """Note the names of a list of LOINC terms."""
    for row in rows:
        key = ("loinc", row.get("LOINC_NUM", ""))
        if key in wanted:
            known[key].setdefault(row.get("LONG_COMMON_NAME", ""), source)


if __name__ == "__main__":
    main(sys.argv[1:])
