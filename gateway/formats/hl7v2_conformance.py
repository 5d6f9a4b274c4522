"""Checks a message against its own version's tables, fast enough for every message; findings name the field.

Feeds deviate as a rule, so nothing here is worse than a warning: what a deviation means is for the feed to say.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from gateway.fhir.issues import Issue
from gateway.formats import hl7v2_grammar as grammar
from gateway.formats import hl7v2_tables as tables
from gateway.formats.hl7v2 import NULL, Message, Segment
from gateway.formats.hl7v2_grammar import Deviation, Group, Item, Node

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:[0-5][0-9](?:\.[0-9]{1,4})?)?)?(?:[+-][0-9]{4})?\Z")
_MOMENT = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:(?:[01][0-9]|2[0-3])(?:[0-5][0-9]"
    r"(?:[0-5][0-9](?:\.[0-9]{1,4})?)?)?)?)?)?(?:[+-][0-9]{4})?\Z"
)
_COUNT = re.compile(r"[0-9]{1,4}\Z")
_OBX5, _OBX2 = 5, 2
_MOST = 100


class _Check(NamedTuple):
    """What to look at in one segment of one version: required fields, single fields, and fields with a format."""

    required: tuple[int, ...]
    limits: tuple[tuple[int, int], ...]
    formats: tuple[tuple[int, str], ...]
    withdrawn: frozenset[int]
    length: int


def check(message: Message) -> list[Issue]:
    """Return how the message deviates from its version (the newest tables for unknown versions), at most 100 issues."""
    version = tables.nearest(message.version)
    issues: list[Issue] = []
    if version != message.version:
        issues.append(_warn(f"Version '{message.version}' is not known; {version} was taken.", "MSH[1]-12", "value"))
    issues += _structure(message, version)
    for segment in message.segments:
        compiled = _compiled(segment.name, version)
        if compiled:
            _fields(segment, compiled, version, issues)
    return issues[:_MOST]


# ---- structure ------------------------------------------------------------------------------------------


def _structure(message: Message, version: str) -> list[Issue]:
    if not message.structure:
        text = f"No message structure is known for {message.type}^{message.event}; segments were not grouped."
        return [_warn(text, "MSH[1]-9", "not-found")]
    root, node, deviations = grammar.judge(message.structure, version, message.segments)
    issues = [_deviation(entry, message.structure, version) for entry in deviations]
    issues += _missing(root, node)
    return issues


def _deviation(entry: Deviation, structure: str, version: str) -> Issue:
    name, where = entry.segment.name, entry.segment.where()
    if entry.kind == "order":
        return _warn(f"{name} stands later than {structure} {version} allows, or too often.", where)
    if entry.kind == "skipped":
        return _warn(f"{name} came without the segment that begins its group in {structure} {version}.", where)
    return Issue("information", "structure", f"{structure} {version} has no place for {name}.", where)


def _missing(group: Group, node: Node) -> list[Issue]:
    """Return an issue for each required segment that an occurrence of a group lacks, there and below."""
    present = {child.name for child in group.children}
    issues = [_lacks(item, group) for item in node.items if item.required and present.isdisjoint(item.names)]
    inner = {item.names[0]: item.node for item in node.items if item.node is not None}
    for below in group.groups:
        issues += _missing(below, inner[below.name])
    return issues


def _lacks(item: Item, group: Group) -> Issue:
    what = " or ".join(item.names) if item.node is None else f"The group {item.names[0]}"
    first = next(group.walk(), None)
    return _warn(f"{what} is required in {group.name} and missing.", first.where() if first else "", "required")


# ---- fields ---------------------------------------------------------------------------------------------


@cache
def _compiled(name: str, version: str) -> _Check | None:
    """Return the check of a segment; a segment that the version lacks is judged by the newest that has it."""
    fields = tables.segment(name, version) or tables.newest_segment(name)
    if fields is None:
        return None
    numbered = [(number, entry) for number, entry in enumerate(fields, 1) if entry is not None]
    if name in ("MSH", "BHS", "FHS"):
        numbered = [(number, entry) for number, entry in numbered if number > _OBX2]
    return _Check(
        required=tuple(number for number, entry in numbered if entry.required),
        limits=tuple((number, entry.most) for number, entry in numbered if entry.most),
        formats=tuple((number, kind) for number, entry in numbered if (kind := _format(entry.datatype, version))),
        withdrawn=frozenset(number for number, entry in enumerate(fields, 1) if entry is None),
        length=len(fields),
    )


@cache
def _format(datatype: str, version: str) -> str:
    """Return which format the first component must have: that of the datatype, or of its first component (TS, CQ)."""
    if datatype in _FORMATS:
        return datatype
    parts = tables.datatype(datatype, version)
    inner = parts[0].datatype if parts and parts[0] else ""
    return inner if inner in _FORMATS and datatype in ("TS", "CQ", "DTN") else ""


def _fields(segment: Segment, compiled: _Check, version: str, issues: list[Issue]) -> None:
    fields = segment.fields
    count = len(fields)
    for number in compiled.required:
        if number >= count or not fields[number]:
            issues.append(_field_issue(segment, number, version, "is required and empty", "required"))
    repetition = segment.delimiters.repetition
    if repetition in segment.line:
        _repetitions(segment, compiled, version, issues)
    for number, kind in compiled.formats:
        if number < count and fields[number] and not _well_formed(fields[number], kind, segment):
            issues.append(
                _field_issue(segment, number, version, f"is not a {_SPOKEN[kind]}: {_first(segment, number)!r}")
            )
    if segment.name == "OBX":
        _observed(segment, version, issues)
    if count > compiled.length + 1 and any(fields[compiled.length + 1 :]):
        text = f"{segment.name} has {count - 1} fields; {version} knows {compiled.length}."
        issues.append(Issue("information", "structure", text, segment.where(compiled.length + 1)))


def _repetitions(segment: Segment, compiled: _Check, version: str, issues: list[Issue]) -> None:
    mark = segment.delimiters.repetition
    for number, most in compiled.limits:
        raw = segment.raw(number)
        if mark in raw and raw.count(mark) >= most:
            issues.append(
                _field_issue(segment, number, version, f"may occur {most} time(s), {raw.count(mark) + 1} came")
            )


def _observed(segment: Segment, version: str, issues: list[Issue]) -> None:
    """Check OBX-5 by the type that OBX-2 names."""
    kind = segment.raw(_OBX2)
    kind = "DTM" if kind == "TS" else kind
    if kind in _FORMATS and segment.raw(_OBX5) and not _well_formed(segment.raw(_OBX5), kind, segment):
        text = f"is not a {_SPOKEN[kind]} though OBX-2 says {segment.raw(_OBX2)}: {_first(segment, _OBX5)!r}"
        issues.append(_field_issue(segment, _OBX5, version, text))


def _well_formed(raw: str, kind: str, segment: Segment) -> bool:
    delimiters = segment.delimiters
    if delimiters.repetition in raw:
        return all(_well_formed(one, kind, segment) for one in raw.split(delimiters.repetition))
    value = raw.split(delimiters.component, 1)[0]
    return not value or value == NULL or _valid(value, kind)


@lru_cache(maxsize=65_536)
def _valid(value: str, kind: str) -> bool:
    return _FORMATS[kind](value)


def _moment(value: str) -> bool:
    match = _MOMENT.match(value)
    return match is not None and _real(match[1], match[2] or "01", match[3] or "01")


def _day(value: str) -> bool:
    return len(value) in (4, 6, 8) and _moment(value)


def _real(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[str], bool]] = {
    "DTM": _moment,
    "DT": _day,
    "TM": lambda value: _TIME.match(value) is not None,
    "NM": lambda value: _NUMBER.match(value) is not None,
    "SI": lambda value: _COUNT.match(value) is not None,
}
_SPOKEN = {
    "DTM": "timestamp (YYYYMMDDHHMMSS)",
    "DT": "date (YYYYMMDD)",
    "TM": "time (HHMMSS)",
    "NM": "number",
    "SI": "sequence number (0 to 9999)",
}


def _first(segment: Segment, number: int) -> str:
    return segment.raw(number)[:40]


def _field_issue(segment: Segment, number: int, version: str, text: str, code: str = "value") -> Issue:
    name = tables.field_name(segment.name, number, version)
    label = f"{segment.name}-{number} {name}".rstrip()
    return _warn(f"{label} {text}.", segment.where(number), code)


def _warn(text: str, where: str, code: str = "structure") -> Issue:
    return Issue("warning", code, text, where)
