"""Finds what a gateway made of a simulated county: of a label its items, what they wrote, and whose that is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from gateway.fhir import resource
from gateway.store.engine import Store
from gateway.store.rows import FileReport
from gateway.store.values import TABLE, WorkFilter, WorkRow, arrival_of

RESIDENT = "urn:oid:2.16.156.10011.1.3"
_MOST = 1_000_000
_PAGE = 5000
_SPELLINGS = frozenset({"3", "6"})
_OWNERS = ("subject", "patient", "beneficiary", "for")

Label = Mapping[str, Any]
Body = dict[str, Any]
Bodies = Sequence[Body]


class Evidence:
    """The store of a gateway beside the county that was sent to it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._messages: dict[tuple[str, str], list[WorkRow]] = {}
        self._records: dict[int, list[WorkRow]] = {}
        for row in sorted(store.work.list(WorkFilter(limit=_MOST))):
            if row.type == TABLE:
                self._records.setdefault(arrival_of(row.item_id), []).append(row)
            else:
                self._messages.setdefault((row.feed, row.control_id), []).append(row)

    def lines(self, name: str) -> list[Label]:
        """Return the lines of a file of the county, such as truth.jsonl."""
        with (self._folder / name).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def person(self, label: Label) -> Label:
        """Return the true person a label is about, {} for nobody."""
        return self._people.get(label.get("person") or 0, {})

    def sendings(self, label: Label) -> int:
        """Return how often the file of a label was sent whole."""
        entries = self._manifest
        return sum(entry["file"] == label["file"] and entry.get("frame") != "open" for entry in entries)

    def reports(self, label: Label) -> list[FileReport]:
        """Return what is known of the file a label is about; a file sent twice has several."""
        return self._files.get((label["feed"], PurePath(label["file"]).name), [])

    def rows(self, label: Label) -> list[WorkRow]:
        """Return the items of a label: those of the message, or the records with its line."""
        if "control_id" in label:
            rows = self._messages.get((label["feed"], label["control_id"]), [])
            return rows if len(rows) < 2 else self._of_file(label, rows)
        line = label["line"]
        records = [row for report in self.reports(label) for row in self._records.get(report.arrival, ())]
        before = [row for row in records if row.offset <= line]
        inside = [row for row in before if line < row.offset + row.length]
        return inside or before[-1:]  # the rows of a group need not stand together

    def bodies(self, label: Label, rows: Iterable[WorkRow]) -> Bodies:
        """Return the resources these items wrote, and the Patients these belong to.

        Items that wrote nothing said what the record held already: then its Patients of that person are returned.
        """
        with self._store.read() as tx:
            versions = [version for row in rows for version in tx.versions_of_item(row.item_id)]
            wrote = [resource.loads(version.body) for version in versions if version.body]
            names = {(body["resourceType"], body["id"]) for body in wrote}
            owners = {owner for body in wrote for owner in _owners(body)} - names
            pids = [head.pid for head in tx.heads(owners).values()]
            held = [resource.loads(stored.body) for stored in tx.current(pids).values() if stored.body]
        return [*wrote, *held] if wrote else self._known(label)

    def _of_file(self, label: Label, rows: list[WorkRow]) -> list[WorkRow]:
        """Return those of several items with one control number whose bytes stand in the label's file."""
        content = (self._folder / label["file"]).read_bytes()
        arrivals = self._store.inbox.arrivals([arrival_of(row.item_id) for row in rows])
        bodies = {number: (arrivals[number].body or b"").strip() for number in arrivals}
        return [row for row in rows if bodies[arrival_of(row.item_id)] in content]

    def _known(self, label: Label) -> Bodies:
        sites = self.person(label).get("sites", {}).values()
        numbers = {number for kinds in sites for found in kinds.values() for number in found}
        numbers.add(self.person(label).get("id", ""))
        found = {body["id"]: body for number in numbers for body in self._patients.get(number, ())}
        return list(found.values())

    @cached_property
    def spelled(self) -> frozenset[int]:
        """Return the persons whose name some row writes in another way: an entity, a private glyph, a wrong charset."""
        labels = (label for label in self.lines("truth.jsonl") if label["case"] in _SPELLINGS)
        return frozenset(label["person"] for label in labels if label["person"])

    @cached_property
    def _people(self) -> dict[int, Label]:
        return {one["person"]: one for one in self.lines("persons.jsonl")}

    @cached_property
    def _manifest(self) -> list[Label]:
        return self.lines("manifest.jsonl")

    @cached_property
    def _files(self) -> dict[tuple[str, str], list[FileReport]]:
        found: dict[tuple[str, str], list[FileReport]] = {}
        for report in reversed(self._store.files.list(limit=_MOST)):
            found.setdefault((report.feed, report.name), []).append(report)
        return found

    @cached_property
    def _patients(self) -> dict[str, list[Body]]:
        """Return every Patient of the record by each of its numbers."""
        found: dict[str, list[Body]] = {}
        with self._store.read() as tx:
            for first in range(1, tx.last_pid() + 1, _PAGE):
                for stored in tx.current(range(first, first + _PAGE)).values():
                    if stored.type == "Patient" and stored.body:
                        body = resource.loads(stored.body)
                        for entry in body.get("identifier", ()):
                            found.setdefault(str(entry.get("value")), []).append(body)
        return found


def _owners(body: Body) -> list[tuple[str, str]]:
    """Return the Patients a resource belongs to, as type and id."""
    found = []
    for name in _OWNERS:
        told = body.get(name)
        reference = str(told.get("reference", "")) if isinstance(told, dict) else ""
        kind, _, fid = reference.partition("/")
        if kind == "Patient":
            found.append((kind, fid))
    return found
