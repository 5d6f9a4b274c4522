"""Writes the folder: numbered files by feed, the manifest in sending order, and the truth beside it."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from gateway.errors import GatewayError
from gateway.simulate import xlsx
from gateway.simulate.sheets import Form, Sheet
from gateway.simulate.values import Mark, Person, Row

Json = dict[str, Any]


class Box:
    """The folder a county is written to; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise GatewayError("the folder is not empty; name a new one with --out", where=str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._sequence = 0
        self._manifest = _open(folder / "manifest.jsonl")
        self._truth = _open(folder / "truth.jsonl")
        self._files = _open(folder / "files.jsonl")
        self.feeds: dict[str, Counter[str]] = {}
        self.cases: Counter[str] = Counter()

    def __enter__(self) -> "Box":
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._manifest, self._truth, self._files):
            file.close()

    @property
    def written(self) -> int:
        """Return how many files there are so far."""
        return self._sequence

    def message(self, feed: str, at: datetime, name: str, raw: bytes, **told: Any) -> str:
        """Write what goes into one MLLP frame; returns the file's path in the folder."""
        file = self._name(feed, at, f"{name}.hl7")
        (self.folder / file).write_bytes(raw)
        self.send(feed, "mllp", file, at, **told)
        return file

    def send(self, feed: str, transport: str, file: str, at: datetime, **told: Any) -> None:
        """Put a file on the manifest; once more if it is sent again."""
        entry = {"feed": feed, "transport": transport, "file": file, "time": f"{at.isoformat()}+08:00", **told}
        _line(self._manifest, entry)

    def accounted(self, feed: str, file: str, kind: str, outcomes: Counter[str], **told: Any) -> None:
        """Write the truth on a file as a whole: how many items it holds, and how many should fare how."""
        total = sum(outcomes.values())
        _line(self._files, {"feed": feed, "file": file, "kind": kind, **told, "items": total, "expect": dict(outcomes)})
        counts = self.feeds.setdefault(feed, Counter())
        counts.update({"files": 1, "items": total, **outcomes})

    def truth(self, mark: Mark, feed: str, file: str, person: int, **place: Any) -> None:
        """Label one occurrence of a case; `case` is a number of china.md 5.2 or N1-N5, `variant` what of it."""
        case, _, variant = mark.case.partition(".")
        expect: Json = {"outcome": mark.outcome}
        told = {"reason": mark.reason, "resource": mark.resource, **mark.facts, "note": mark.note}
        expect.update({name: value for name, value in told.items() if value != ""})
        entry: Json = {"case": case, "variant": variant, "feed": feed, "file": file, **place}
        _line(self._truth, {**entry, "person": person or None, "expect": expect})
        self.cases[mark.case] += 1

    def table(
        self,
        feed: str,
        at: datetime,
        table: str,
        columns: tuple[str, ...],
        rows: Iterable[Row],
        form: Form,
        *,
        header: tuple[str, ...] | None = None,
        marks: Iterable[Mark] = (),
        mode: str = "delta",
    ) -> str:
        """Write one export as text, row by row, and label its rows; returns the file's path in the folder."""
        file = self._name(feed, at, f"{table}.{'txt' if form.kind in ('spool', 'pipe', 'tab') else 'csv'}")
        outcomes: Counter[str] = Counter()
        with (self.folder / file).open("wb") as out:
            sheet = Sheet(out, columns, form)
            self._rows(feed, file, sheet.write(rows, header), outcomes)
        for mark in marks:
            where = {"line": sheet.total_line} if mark.outcome == "ignored" and sheet.total_line else {"line": None}
            self.truth(mark, feed, file, 0, **where)
        self.accounted(feed, file, "table", outcomes, table=table, mode=mode)
        self.send(feed, "folder", file, at, table=table)
        return file

    def workbook(self, feed: str, at: datetime, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> str:
        """Write one export as a workbook; returns the file's path in the folder."""
        file = self._name(feed, at, f"{table}.xlsx")
        outcomes: Counter[str] = Counter()
        with io.BytesIO() as out:
            self._rows(feed, file, xlsx.write(out, columns, rows), outcomes)
            (self.folder / file).write_bytes(out.getvalue())
        self.accounted(feed, file, "table", outcomes, table=table, mode="delta")
        self.send(feed, "folder", file, at, table=table)
        return file

    def empty(self, feed: str, at: datetime, table: str, mark: Mark) -> None:
        """Write a file of no bytes, as an export job does that found nothing."""
        file = self._name(feed, at, f"{table}.csv")
        (self.folder / file).write_bytes(b"")
        self.truth(mark, feed, file, 0, line=None)
        self.accounted(feed, file, "table", Counter(), table=table, mode="delta")
        self.send(feed, "folder", file, at, table=table)

    def people(self, people: Iterable[Person]) -> None:
        """Write the true persons and every number each site gave them."""
        with _open(self.folder / "persons.jsonl") as out:
            for person in people:
                _line(out, _person(person))

    def summary(self, told: Json) -> None:
        """Write how much of everything there is: per feed, and per case."""
        cases = dict(sorted(self.cases.items()))
        feeds = {name: dict(counts) for name, counts in sorted(self.feeds.items())}
        text = json.dumps({**told, "feeds": feeds, "cases": cases}, ensure_ascii=False, indent=1)
        (self.folder / "counts.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def _rows(self, feed: str, file: str, written: Iterator[tuple[Row, int]], outcomes: Counter[str]) -> None:
        for row, line in written:
            for mark in row.marks:
                self.truth(mark, feed, file, row.person, line=line)
            outcomes[_worst(row.marks)] += 1

    def _name(self, feed: str, at: datetime, name: str) -> str:
        self._sequence += 1
        (self.folder / feed).mkdir(exist_ok=True)
        return f"{feed}/{self._sequence:06d}-{at:%Y%m%dT%H%M%S}-{name}"


def _worst(marks: list[Mark]) -> str:
    """Return what becomes of the whole row: anything that is not applied comes before what is."""
    return next((mark.outcome for mark in marks if mark.outcome != "applied"), "applied")


def _person(person: Person) -> Json:
    numbers: dict[str, dict[str, list[str]]] = {}
    for key, values in person.numbers.items():
        site, kind = key.split("/")
        numbers.setdefault(site, {})[kind] = values
    return {
        "person": person.number, "name": person.name, "sex": "male" if person.sex == "1" else "female",
        "birth": person.birth.isoformat(), "id": person.id, "household": person.household_code,
        "mother": person.mother or None, "died": person.died.isoformat() if person.died else None, "sites": numbers,
    }  # fmt: skip


def _open(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", newline="\n")


def _line(out: IO[str], entry: Json) -> None:
    out.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")
