"""Compares what a gateway made of a simulated county with the truth about it: every labelled defect, every file."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from gateway.fhir import resource
from gateway.store.engine import Store
from gateway.store.rows import FileReport, FileState
from gateway.store.values import TABLE, State, WorkFilter, WorkRow, arrival_of

_MOST = 1_000_000
_RESIDENT = "urn:oid:2.16.156.10011.1.3"
Label = Mapping[str, Any]
Bodies = Sequence[dict[str, Any]]


class Finding(NamedTuple):
    """One label and whether the gateway handled it as labelled; `why` says what was found instead."""

    label: Label
    good: bool
    why: str = ""

    @property
    def name(self) -> str:
        """Return the case with its variant."""
        return "/".join(filter(None, (str(self.label["case"]), str(self.label.get("variant", "")))))


@dataclass(slots=True)
class Score:
    """All findings of a county."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> int:
        """Return how many labels were handled as labelled."""
        return sum(finding.good for finding in self.findings)

    def missed(self) -> Iterator[tuple[str, int, str]]:
        """Yield each case with misses, how many, and why the first one was one."""
        counted = Counter(finding.name for finding in self.findings if not finding.good)
        first = {finding.name: finding.why for finding in reversed(self.findings) if not finding.good}
        yield from ((name, number, first[name]) for name, number in sorted(counted.items()))


class Judge:
    """Reads the truth of a county and the store of the gateway it was sent to."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        rows = store.work.list(WorkFilter(limit=_MOST))
        self._messages = {(row.feed, row.control_id): row for row in sorted(rows, reverse=True) if row.type != TABLE}
        self._records: dict[int, list[WorkRow]] = {}
        for row in sorted(rows):
            if row.type == TABLE:
                self._records.setdefault(arrival_of(row.item_id), []).append(row)

    def score(self) -> Score:
        """Judge every label of truth.jsonl."""
        with (self._folder / "truth.jsonl").open(encoding="utf-8") as lines:
            return Score([self._judge(json.loads(line)) for line in lines])

    @cached_property
    def _files(self) -> dict[tuple[str, str], list[FileReport]]:
        found: dict[tuple[str, str], list[FileReport]] = {}
        for report in reversed(self._store.files.list(limit=_MOST)):
            found.setdefault((report.feed, report.name), []).append(report)
        return found

    def _judge(self, label: Label) -> Finding:
        why = _OUTCOMES[label["expect"]["outcome"]](self, label)
        return Finding(label, not why, why)

    def reports(self, label: Label) -> list[FileReport]:
        """Return what is known of the file a label is about; a file sent twice has several."""
        return self._files.get((label["feed"], PurePath(label["file"]).name), [])

    def rows(self, label: Label) -> list[WorkRow]:
        """Return the items of a label: the message, or the records with its line."""
        if "control_id" in label:
            row = self._messages.get((label["feed"], label["control_id"]))
            return [row] if row is not None else []
        line = label["line"]
        records = [row for report in self.reports(label) for row in self._records.get(report.arrival, ())]
        before = [row for row in records if row.offset <= line]
        inside = [row for row in before if line < row.offset + row.length]
        return inside or before[-1:]

    def bodies(self, rows: Iterable[WorkRow]) -> Bodies:
        """Return the resources these items wrote."""
        with self._store.read() as tx:
            versions = [version for row in rows for version in tx.versions_of_item(row.item_id)]
        return [resource.loads(version.body) for version in versions if version.body]


def _applied(judge: Judge, label: Label) -> str:
    if "control_id" not in label and label["line"] is None:
        reports = judge.reports(label)
        good = any(report.state == FileState.DONE for report in reports)
        return "" if good else f"the file is {'open' if reports else 'not there'}"
    rows = judge.rows(label)
    if not any(row.state == State.APPLIED for row in rows):
        return _told(rows)
    return _as_said(label["expect"], judge.bodies(rows), rows)


def _told(rows: Sequence[WorkRow]) -> str:
    if not rows:
        return "no item was made of it"
    issues = json.loads(rows[0].issues)
    return f"{rows[0].state.name.lower()} ({rows[0].reason}): {issues[-1][2] if issues else ''}"


def _as_said(expect: Label, bodies: Bodies, rows: Sequence[WorkRow]) -> str:
    """Compare the words of an expectation that are plain facts; '' when all hold."""
    for word, check in _FACTS.items():
        if word in expect and not check(expect[word], bodies, rows):
            return f"{word} is not {expect[word]!r}"
    return ""


def _resource(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    # A row that says what the record holds already writes nothing.
    return not bodies or any(body["resourceType"] == wanted for body in bodies)


def _identifier(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    patients = [body for body in bodies if body["resourceType"] == "Patient"]
    held = {
        entry.get("value")
        for body in patients
        for entry in body.get("identifier", ())
        if entry.get("system") == _RESIDENT
    }
    return not patients or (not held if wanted is None else wanted in held)


def _name(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    patients = [body for body in bodies if body["resourceType"] == "Patient"]
    return not patients or any(name.get("text") == wanted for body in patients for name in body.get("name", ()))


def _status(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    return any(body.get("status") == wanted for body in bodies)


def _issue(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    return any(wanted in issue[2] for row in rows for issue in json.loads(row.issues))


def _type(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    codings = [coding for body in bodies for coding in body.get("type", {}).get("coding", ()) if isinstance(body, dict)]
    return any(coding.get("code") == wanted for coding in codings)


def _somewhere(wanted: Any, bodies: Bodies, rows: Sequence[WorkRow]) -> bool:
    return any(str(wanted) in resource.dumps(body).decode() for body in bodies)


_FACTS: dict[str, Callable[[Any, Bodies, Sequence[WorkRow]], bool]] = {
    "resource": _resource,
    "identifier": _identifier,
    "name": _name,
    "status": _status,
    "issue": _issue,
    "type": _type,
    "day": _somewhere,
    "time": _somewhere,
    "visit_card": _somewhere,
}


def _parked(judge: Judge, label: Label) -> str:
    wanted = label["expect"].get("reason", "")
    rows = judge.rows(label)
    good = any(row.state == State.PARKED and (not wanted or row.reason == wanted) for row in rows)
    return "" if good else f"expected parked ({wanted}), is {_told(rows)}"


def _ignored(judge: Judge, label: Label) -> str:
    reason = label["expect"]["reason"]
    if reason == "duplicate":
        rows = judge.rows(label)
        return "" if len(rows) == 1 and rows[0].state == State.APPLIED else _told(rows)
    if reason == "aborted-frame":
        return _told(judge.rows(label)) if judge.rows(label) else ""
    if reason == "total-line":
        inside = [row for row in judge.rows(label) if row.offset <= label["line"] < row.offset + row.length]
        return "a total became an item" if inside else ""
    return "rows came of an empty file" if any(report.records for report in judge.reports(label)) else ""


def _waits(judge: Judge, label: Label) -> str:
    rows = judge.rows(label)
    return "" if any(row.state == State.HELD for row in rows) else _told(rows)


_OUTCOMES: dict[str, Callable[[Judge, Label], str]] = {
    "applied": _applied,
    "parked": _parked,
    "quarantined": _parked,
    "ignored": _ignored,
    "waits": _waits,
}
