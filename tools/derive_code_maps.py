"""Derive mappings/base/codes/*.yaml from the concept-map tables of the HL7 v2-to-FHIR guide.

Usage: python tools/derive_code_maps.py GUIDE/codesystems [mappings/base/codes]

Only facts are taken: v2 table, v2 code, FHIR code, its system and display. The columns are found by their
header names, because the tables come in several layouts.
"""

import csv
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]


@dataclass(slots=True)
class Table:
    """One concept map of the guide: name, v2 table, pairs by v2 code (the first pair of a code counts)."""

    name: str
    table: str
    pairs: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of mapped code pairs."""
        return sum(len(rows) for rows in self.pairs.values())


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of one file are."""

    v2_code: int
    v2_table: int
    narrative: int
    code: int
    display: int
    system: int


def columns(header: list[str]) -> Columns:
    """Find the columns by header name; ValueError when one is missing."""
    names = [name.strip().lower() for name in header]
    first, second = _positions(names, "code")
    table, system = _positions(names, "code system")
    return Columns(first, table, names.index("narrative"), second, names.index("display"), system)


def _positions(names: list[str], wanted: str) -> tuple[int, int]:
    found = [index for index, name in enumerate(names) if name == wanted]
    if len(found) != 2:
        raise ValueError(f"expected two columns named {wanted!r}, found {len(found)}")
    return found[0], found[1]


def read(path: Path) -> Table:
    """Read one concept-map CSV; rows without a v2 code or without a FHIR code are no pairs."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        _, header, *lines = list(csv.reader(stream))
    where = columns(header)
    padded = [[cell.strip() for cell in line] + [""] * (len(header) - len(line)) for line in lines]
    tables = Counter(line[where.v2_table] for line in padded if line[where.v2_code])
    tables.pop("", None)
    table = Table(_name(path), tables.most_common(1)[0][0] if tables else "")
    for line in padded:
        if line[where.v2_code] and line[where.code]:
            table.pairs.setdefault(line[where.v2_code], []).append(_pair(line, where))
    return table


def _name(path: Path) -> str:
    match = re.fullmatch(r"HL7 Concept Map_ (.+) - .+", path.stem)
    if match is None:
        raise ValueError(f"{path.name} is not named like a concept map of the guide")
    return match[1].strip()


def _pair(line: list[str], where: Columns) -> Row:
    pair = {"code": line[where.code], "system": line[where.system], "display": line[where.display]}
    pair["when"] = line[where.narrative]
    return {key: value for key, value in pair.items() if value}


def render(table: Table) -> str:
    """Write one map in the format of mappings/base/codes/README.md; the commonest system stands on top."""
    systems = Counter(row.get("system", "") for rows in table.pairs.values() for row in rows)
    common = systems.most_common(1)[0][0]
    head = [
        f"map: {_text(table.name)}",
        f"source: {_text('HL7 v2-to-FHIR, concept map ' + table.name)}",
        f"table: {_text(table.table)}",
        f"system: {_text(common)}",
        "rows:",
    ]
    body = [f"  {_text(code)}: {_flow(rows[0], common)}" for code, rows in table.pairs.items()]
    more = [
        f"  {_text(code)}: [{', '.join(_flow(row, common) for row in rows[1:])}]"
        for code, rows in table.pairs.items()
        if len(rows) > 1
    ]
    return "\n".join(head + body + (["also:", *more] if more else [])) + "\n"


def _flow(row: Row, common: str) -> str:
    shown = {key: value for key, value in row.items() if (key, value) != ("system", common)}
    return "{" + ", ".join(f"{key}: {_text(value)}" for key, value in shown.items()) + "}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def file_name(name: str) -> str:
    """Name of the file of a map: brackets are no good in file names, so Event[EncounterStatus] gets a dot."""
    return re.sub(r"\[(.+)\]", r".\1", name).replace("/", "") + ".yaml"


def main(arguments: list[str]) -> int:
    """Derive all maps; returns the exit code."""
    if not 1 <= len(arguments) <= 2:
        print(__doc__)
        return 2
    source = Path(arguments[0])
    target = Path(arguments[1] if len(arguments) == 2 else "mappings/base/codes")
    tables = [read(path) for path in sorted(source.glob("*.csv"))]
    target.mkdir(parents=True, exist_ok=True)
    for table in tables:
        if table.pairs:
            (target / file_name(table.name)).write_text(render(table), encoding="utf-8")
    empty = [table.name for table in tables if not table.pairs]
    print(f"{len(tables)} maps, {sum(table.count for table in tables)} code pairs")
    print(f"{len(empty)} maps without a pair, not written: {', '.join(empty)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
