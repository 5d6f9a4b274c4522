"""Compares what a gateway made of a simulated county with the truth about it: every labelled defect, every file."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gateway.cli.evidence import RESIDENT, Bodies, Body, Evidence, Label
from gateway.fhir import resource
from gateway.store.engine import Store
from gateway.store.rows import FileState
from gateway.store.values import State, WorkRow

_RH, _ADVERSE = "10331-7", "adverse-reaction"
_FLAGS = " ↑↓*HL"
_SIGNS = {"positive": "阳性", "negative": "阴性"}
Missed = tuple[str, int, str]


class Finding(NamedTuple):
    """One label, or file, and whether the gateway handled it so; `why` says what was found instead.

    `later` says what of the label belongs to work still to come, and is not done yet.
    """

    label: Label
    good: bool
    why: str = ""
    later: str = ""

    @property
    def name(self) -> str:
        """Return the case with its variant; of a file its table."""
        told = (self.label.get("case", "file"), self.label.get("variant", ""), self.label.get("table", ""))
        return "/".join(str(word) for word in told if word)


@dataclass(slots=True)
class Score:
    """All findings of a county: over its labels, and over its files (does every row stand somewhere)."""

    findings: list[Finding] = field(default_factory=list)
    files: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> int:
        """Return how many labels were handled as labelled."""
        return sum(finding.good for finding in self.findings)

    @property
    def whole(self) -> int:
        """Return of how many files every row and message is accounted for."""
        return sum(finding.good for finding in self.files)

    def missed(self) -> Iterator[Missed]:
        """Yield each case, or kind of file, with misses, how many, and why the first one was one."""
        wrong = [finding for finding in (*self.findings, *self.files) if not finding.good]
        counted = Counter(finding.name for finding in wrong)
        first = {finding.name: finding.why for finding in reversed(wrong)}
        yield from ((name, number, first[name]) for name, number in sorted(counted.items()))

    def later(self) -> Iterator[tuple[str, int]]:
        """Yield what labels ask for that belongs to later work and is not done yet, and of how many labels."""
        yield from sorted(Counter(finding.later for finding in self.findings if finding.later).items())


class Judge:
    """Reads the truth of a county and the store of the gateway it was sent to."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._evidence = Evidence(store, folder)

    def score(self) -> Score:
        """Judge every label of truth.jsonl and every file of files.jsonl."""
        labels, files = self._evidence.lines("truth.jsonl"), self._evidence.lines("files.jsonl")
        return Score([self._judge(label) for label in labels], [self._account(file) for file in files])

    def _judge(self, label: Label) -> Finding:
        expect = label["expect"]
        why = _OUTCOMES[expect["outcome"]](self._evidence, label)
        later = dict(expect.get("later", {}))
        work = later.pop("work", "")
        missing = _applied(self._evidence, {**label, "expect": later}) if later and not why else ""
        return Finding(label, not why, why, f"{work}: {missing}" if missing else "")

    def _account(self, file: Label) -> Finding:
        why = (_whole_message if "control_id" in file else _whole_file)(self._evidence, file)
        return Finding(file, not why, why)


@dataclass(frozen=True, slots=True)
class Case:
    """What one label is about: its items and the resources that tell of it."""

    label: Label
    rows: list[WorkRow]
    bodies: Bodies
    person: Label
    spelled: frozenset[int]

    @property
    def patients(self) -> Bodies:
        """Return the Patients among the resources."""
        return [body for body in self.bodies if body["resourceType"] == "Patient"]

    @property
    def issues(self) -> list[list[str]]:
        """Return the issues of the items: severity, code, text, where."""
        return [issue for row in self.rows for issue in json.loads(row.issues)]


def _applied(evidence: Evidence, label: Label) -> str:
    if "control_id" not in label and label["line"] is None:
        reports = evidence.reports(label)
        good = any(report.state == FileState.DONE for report in reports)
        return "" if good else f"the file is {reports[-1].state.name.lower() if reports else 'not there'}"
    rows = evidence.rows(label)
    if not any(row.state == State.APPLIED for row in rows):
        return _told(rows)
    case = Case(label, rows, evidence.bodies(label, rows), evidence.person(label), evidence.spelled)
    expect = label["expect"]
    return next((why for word, check in _FACTS.items() if word in expect and (why := check(expect[word], case))), "")


def _told(rows: list[WorkRow]) -> str:
    if not rows:
        return "no item was made of it"
    issues = json.loads(rows[0].issues)
    return f"{rows[0].state.name.lower()} ({rows[0].reason}): {issues[-1][2] if issues else ''}"


# ---- the words of an expectation that are plain facts; '' when one holds, else what was found -------------


def _resource(wanted: Any, case: Case) -> str:
    kinds = {body["resourceType"] for body in case.bodies}
    return "" if wanted in kinds else f"no {wanted} came of it, but {', '.join(sorted(kinds)) or 'nothing'}"


def _identifier(wanted: Any, case: Case) -> str:
    """The ID wanted must be found; where none must come of it, the person's own may stand there from elsewhere."""
    entries = [entry for body in case.patients for entry in body.get("identifier", ())]
    held = {entry.get("value") for entry in entries if entry.get("system") == RESIDENT}
    if wanted is not None:
        return "" if wanted in held else f"the ID is not {wanted}, but {held or 'none'}"
    others = held - {case.person.get("id")}
    return f"the IDs {others} came of it" if others else ""


def _name(wanted: Any, case: Case) -> str:
    """The name must stand there, unless whoever may change it wrote the same name in another way (R6)."""
    names = {name.get("text") for body in case.patients for name in body.get("name", ())}
    if case.label["person"] in case.spelled:
        return "" if names else "there is no name"
    return "" if wanted in names else f"the name is not {wanted}, but {names or 'none'}"


def _gender(wanted: Any, case: Case) -> str:
    found = {body.get("gender") for body in case.patients}
    return "" if wanted in found else f"the sex is not {wanted}, but {found}"


def _birth(wanted: Any, case: Case) -> str:
    found = {body.get("birthDate") for body in case.patients}
    return "" if wanted in found else f"the birth date is not {wanted}, but {found}"


def _status(wanted: Any, case: Case) -> str:
    kind = case.label["expect"].get("resource", "")
    found = {body.get("status") for body in case.bodies if kind in ("", body["resourceType"])}
    return "" if wanted in found else f"the status is not {wanted}, but {found}"


def _issue(wanted: Any, case: Case) -> str:
    return "" if any(wanted in issue[2] for issue in case.issues) else f"no issue says: {wanted}"


def _flagged(wanted: Any, case: Case) -> str:
    place = str(case.label["expect"].get("cell", ""))
    places = ("PID", "character") if "control_id" in case.label else (place,)
    said = any(word in issue[3] for issue in case.issues for word in places)
    return "" if said == bool(wanted) else f"{'no' if wanted else 'an'} issue about {place or 'it'}"


def _value(wanted: Any, case: Case) -> str:
    """A result stands as it was sent: as text, or as a number with its comparator and with its flag beside it."""
    found = [(_shown(body), "interpretation" in body) for body in case.bodies if body["resourceType"] == "Observation"]
    plain = wanted.rstrip(_FLAGS)
    good = any(text == wanted or (text == plain and flagged) for text, flagged in found)
    return "" if good else f"no result says {wanted}, but {', '.join(text for text, _ in found)}"


def _shown(body: Body) -> str:
    quantity = body.get("valueQuantity")
    if quantity:
        return f"{quantity.get('comparator', '')}{quantity.get('value', '')}"
    return str(body.get("valueString") or body.get("valueCodeableConcept", {}).get("text") or "")


def _rh(wanted: Any, case: Case) -> str:
    values = [body.get("valueCodeableConcept", {}) for body in case.bodies if _RH in _codes(body.get("code", {}))]
    told = {str(coding.get("display", "")) for value in values for coding in value.get("coding", ())}
    return "" if _SIGNS[wanted] in told else f"Rh is not {wanted}, but {told or 'unknown'}"


def _adverse(wanted: Any, case: Case) -> str:
    told = {body.get("valueBoolean") for body in case.bodies if _ADVERSE in _codes(body.get("code", {}))}
    return "" if told == {wanted} else f"an adverse reaction is not {wanted}, but {told or 'unknown'}"


def _codes(concept: Body) -> set[str]:
    return {str(coding.get("code")) for coding in concept.get("coding", ())}


def _type(wanted: Any, case: Case) -> str:
    types = [body["type"] for body in case.bodies if isinstance(body.get("type"), dict)]
    codes = {coding.get("code") for kind in types for coding in kind.get("coding", ())}
    return "" if wanted in codes else f"the type is not {wanted}, but {codes}"


def _somewhere(wanted: Any, case: Case) -> str:
    words = [str(one) for one in wanted] if isinstance(wanted, list) else [str(wanted)]
    texts = [resource.dumps(_told_by_sender(body)).decode() for body in case.bodies]
    lacking = [word for word in words if not any(word in text for text in texts)]
    return f"{', '.join(lacking)} stands nowhere" if lacking else ""


def _told_by_sender(body: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without id and meta, whose moments hold all sorts of digits."""
    return {name: value for name, value in body.items() if name not in ("id", "meta")}


def _words(wanted: Any, case: Case) -> str:
    """A text stands as text; no code was made of it."""
    text = json.dumps(case.bodies, ensure_ascii=False, default=str)
    if f'"code": "{wanted}"' in text:
        return f"{wanted} became a code"
    return "" if f'"text": "{wanted}"' in text else f"{wanted} stands nowhere as text"


_FACTS: dict[str, Callable[[Any, Case], str]] = {
    "resource": _resource,
    "identifier": _identifier,
    "name": _name,
    "gender": _gender,
    "birth": _birth,
    "status": _status,
    "issue": _issue,
    "flagged": _flagged,
    "value": _value,
    "rh": _rh,
    "adverse": _adverse,
    "type": _type,
    "day": _somewhere,
    "time": _somewhere,
    "visit_card": _somewhere,
    "says": _somewhere,
    "words": _words,
}


# ---- outcomes ---------------------------------------------------------------------------------------------


def _parked(evidence: Evidence, label: Label) -> str:
    wanted = label["expect"].get("reason", "")
    rows = evidence.rows(label)
    good = any(row.state == State.PARKED and (not wanted or row.reason == wanted) for row in rows)
    return "" if good else f"expected parked ({wanted}), is {_told(rows)}"


def _duplicate(evidence: Evidence, label: Label) -> str:
    rows = evidence.rows(label)
    return "" if len(rows) == 1 and rows[0].state == State.APPLIED else f"{len(rows)} items; {_told(rows)}"


def _aborted(evidence: Evidence, label: Label) -> str:
    """A frame without end is nothing; the same message sent whole later is one item."""
    whole, rows = min(evidence.sendings(label), 1), evidence.rows(label)
    return "" if len(rows) == whole else f"{len(rows)} items of {whole} whole frames"


def _total(evidence: Evidence, label: Label) -> str:
    inside = [row for row in evidence.rows(label) if row.offset <= label["line"] < row.offset + row.length]
    return "a total became an item" if inside else ""


def _empty(evidence: Evidence, label: Label) -> str:
    return "rows came of an empty file" if any(report.records for report in evidence.reports(label)) else ""


_REASONS = {"duplicate": _duplicate, "aborted-frame": _aborted, "total-line": _total, "empty": _empty}


def _ignored(evidence: Evidence, label: Label) -> str:
    return _REASONS[label["expect"]["reason"]](evidence, label)


def _waits(evidence: Evidence, label: Label) -> str:
    rows = evidence.rows(label)
    return "" if any(row.state == State.HELD for row in rows) else _told(rows)


_OUTCOMES: dict[str, Callable[[Evidence, Label], str]] = {
    "applied": _applied,
    "parked": _parked,
    "quarantined": _parked,
    "ignored": _ignored,
    "waits": _waits,
}


# ---- files ------------------------------------------------------------------------------------------------


def _whole_message(evidence: Evidence, file: Label) -> str:
    rows = evidence.rows(file)
    return "" if len(rows) == 1 else f"message {file['control_id']} became {len(rows)} items"


def _whole_file(evidence: Evidence, file: Label) -> str:
    """Every row of a file taken whole is new, changed, unchanged or set aside; an empty file may be none at all."""
    reports, wanted = evidence.reports(file), file["items"]
    if not reports:
        return "the file is not there" if wanted else ""
    report = reports[0]
    if report.state != FileState.DONE:
        return f"the file is {report.state.name.lower()}" if wanted else ""
    rows = json.loads(report.facts).get("rows")
    sorted_ = report.fresh + report.changed + report.unchanged + report.quarantined
    if sorted_ != report.records:
        return f"{sorted_} of {report.records} records are accounted for"
    return "" if rows == wanted else f"{rows} rows were read of {wanted}"
