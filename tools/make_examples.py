"""Write examples/messages/*.hl7, byte for byte the same each time, from the readable examples/messages.yaml.

Usage: python tools/make_examples.py [examples/messages.yaml [examples/messages]]

Each message is a list of segments, `NAME: {field number: text}`. `PID: {from: shen, 8: M}` starts from the
person's own PID, `{shen.id}` stands for an attribute of a person. Resident ID numbers are built with their
right check digit under area 519927, which was never given to a county, so that no real person holds one.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

AREA = "519927"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
ENDINGS = {"CR": "\r", "LF": "\n", "CRLF": "\r\n", "none": ""}
MARKERS = ("<!-- table: written by tools/make_examples.py -->", "<!-- end of table -->")


def resident_id(birth: str, sequence: str, area: str = AREA) -> str:
    """Return an 18-character resident ID number (GB 11643) with its check character."""
    body = area + birth + sequence
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + CHECKS[total % 11]


def people(persons: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add the ID number to each person who has a sequence number."""
    found = {}
    for name, person in persons.items():
        number = resident_id(person["birth"], person["seq"]) if person.get("seq") else ""
        found[name] = {**person, "id": number}
    return found


def fill(text: str, cast: dict[str, dict[str, Any]]) -> str:
    """Replace `{person.attribute}`; KeyError when there is none of that name."""
    return re.sub(r"\{(\w+)\.(\w+)\}", lambda hit: str(cast[hit[1]][hit[2]]), text)


def segment(name: str, fields: dict[Any, Any], cast: dict[str, dict[str, Any]]) -> str:
    """Write one segment; MSH-2 stands where MSH counts it."""
    fields = dict(fields)
    person = fields.pop("from", None)
    if person is not None:
        fields = {**cast[person]["pid"], **fields}
    first = 2 if name == "MSH" else 1
    last = max(fields, default=first)
    values = [fill(str(fields.get(number, "")), cast) for number in range(first, last + 1)]
    return "|".join([name, *values])


def message(entry: dict[str, Any], header: dict[int, Any], cast: dict[str, dict[str, Any]]) -> bytes:
    """Return the bytes of one message."""
    if "bytes" in entry:
        return bytes.fromhex(entry["bytes"])
    lines = [segment("MSH", {**header, **entry["MSH"]}, cast)]
    for item in entry.get("segments", []):
        [(name, fields)] = item.items()
        lines.append(segment(name, fields, cast))
    ending = ENDINGS[entry.get("ending", "CR")]
    text = ending.join(lines) + ending
    raw = text.encode(entry.get("charset", "gb18030"))
    for place, broken in (entry.get("break") or {}).items():
        raw = raw.replace(str(place).encode("ascii"), bytes.fromhex(broken))
    return raw


def make(book: dict[str, Any]) -> dict[str, bytes]:
    """Return file name and bytes of every example."""
    cast = people(book["persons"])
    for person in cast.values():
        person["pid"] = {key: fill(str(value), cast) for key, value in person["pid"].items()}
    return {f"{name}.hl7": message(entry, book["header"], cast) for name, entry in book["messages"].items()}


def table(book: dict[str, Any]) -> str:
    """Return the Markdown table: file, what it shows, what must happen."""
    rows = [f"| `{name}.hl7` | {entry['shows']} | {entry['must']} |" for name, entry in book["messages"].items()]
    return "\n".join(["| File | Shows | Must happen |", "|---|---|---|", *rows]).replace("`|`", "`\\|`")


def with_table(page: str, rows: str) -> str:
    """Put the table between the two markers of the page."""
    before, rest = page.split(MARKERS[0])
    return f"{before}{MARKERS[0]}\n{rows}\n{MARKERS[1]}{rest.split(MARKERS[1])[1]}"


def main(arguments: list[str]) -> int:
    """Write all files; returns the exit code."""
    source = Path(arguments[0] if arguments else "examples/messages.yaml")
    target = Path(arguments[1] if len(arguments) > 1 else "examples/messages")
    book = yaml.safe_load(source.read_text(encoding="utf-8"))
    written = make(book)
    for name, raw in written.items():
        (target / name).write_bytes(raw)
    page = source.parent / "README.md"
    page.write_text(with_table(page.read_text(encoding="utf-8"), table(book)), encoding="utf-8")
    print(f"{len(written)} messages, {sum(map(len, written.values()))} bytes -> {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
