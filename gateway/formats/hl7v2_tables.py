"""The HL7 v2 tables we ship, read when first asked for: structures, segments, datatypes, events of 2.1 to 2.8.2."""

import json
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

NEWEST = "2.8.2"
_RETIRED = ("2.1", "2.2")  # structures that only these know were folded into others (ADT_A04 is ADT_A01)


class Field(NamedTuple):
    """One field or component as a version defines it; `most` is the number of repetitions allowed, 0 = any number."""

    name: str
    datatype: str
    required: bool
    most: int


@cache
def _load(name: str) -> Any:
    text = resources.files("gateway.formats").joinpath("data", f"hl7v2_{name}.json").read_text("utf-8")
    return json.loads(text)


@cache
def versions() -> frozenset[str]:
    """Return the versions we hold tables for."""
    return frozenset(_load("structures")["versions"])


def nearest(version: str) -> str:
    """Return the version whose tables to use: itself if known, else the newest."""
    return version if version in versions() else NEWEST


@cache
def structure(name: str, version: str = "") -> list[Any] | None:
    """Return the items of a message structure (`PID`, `NTE*`, [`PATIENT?`, …]), the newest when no version is given.

    None when no version knows the structure; when only that version does not, the newest that does is taken.
    """
    items: list[Any] | None = _pick(_load("structures")["structures"].get(name), version)
    return items


def structure_of(type_: str, event: str, given: str) -> str:
    """Return the structure of a message: MSH-9.3 if it is one, else by event (A04 is ADT_A01), else by type."""
    known = _load("structures")["structures"].get(given)
    if known and known[-1][0][-1] not in _RETIRED:
        return given
    events = _load("events")
    by_event = events["events"].get(f"{type_}^{event}") if event else None
    return str(by_event or events["types"].get(type_, ""))


@cache
def segment(name: str, version: str) -> tuple[Field | None, ...] | None:
    """Return the fields of a segment (index 0 = field 1; None = withdrawn), None if the version has no such segment."""
    return _fields(_exact(_load("segments").get(name), version))


@cache
def newest_segment(name: str) -> tuple[Field | None, ...] | None:
    """Return the fields of a segment as the newest version that has it defines them."""
    return _fields(_pick(_load("segments").get(name), ""))


@cache
def datatype(name: str, version: str) -> tuple[Field | None, ...]:
    """Return the components of a datatype, () for a plain one."""
    return _fields(_pick(_load("datatypes").get(name), version)) or ()


def field_name(segment_name: str, number: int, version: str) -> str:
    """Return what the field is called (`Patient name`), '' when no version defines it."""
    for fields in (segment(segment_name, version), newest_segment(segment_name)):
        if fields and number <= len(fields):
            found = fields[number - 1]
            if found:
                return found.name
    return ""


def _exact(entries: list[Any] | None, version: str) -> Any:
    return next((definition for names, definition in entries or () if version in names), None)


def _pick(entries: list[Any] | None, version: str) -> Any:
    if not entries:
        return None
    found = _exact(entries, version)
    return max(entries, key=lambda entry: _order(entry[0][-1]))[1] if found is None else found


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _fields(rows: list[str | None] | None) -> tuple[Field | None, ...] | None:
    if rows is None:
        return None
    return tuple(None if row is None else _field(row) for row in rows)


def _field(row: str) -> Field:
    name, datatype_name, marks = row.split("|")
    repeats = marks.removeprefix("R")
    return Field(name, datatype_name, marks.startswith("R"), 0 if repeats == "*" else int(repeats or 1))
