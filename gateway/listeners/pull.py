"""Pulls: a read-only query against a hospital's view, on a schedule, stored as CSV bytes first (ruling R26)."""

import csv
import io
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError, Transient
from gateway.listeners.counters import Counters
from gateway.listeners.folder import sync_folder
from gateway.listeners.gate import Gate
from gateway.listeners.options import PullOptions
from gateway.listeners.values import Answer, Verdict, Who
from gateway.store.views import View, read_view

log = logging.getLogger(__name__)
_ROWS = 50_000  # of one file
_BEGINNING = datetime(1900, 1, 1)  # noqa: DTZ001 (a database's own time, which names no zone)
_KINDS: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int": int,
    "Decimal": Decimal,
    "float": float,
    "str": str,
}

Take = Callable[[bytes, Who], Answer]
Read = Callable[[str, str, Mapping[str, Any]], AbstractContextManager[View]]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought: rows read, and files of them that were new to the inbox."""

    rows: int = 0
    files: int = 0
    known: int = 0


class Pull:
    """One query of one feed; `once` runs it and is all a test needs, `start` repeats it."""

    def __init__(self, options: PullOptions, folder: Path, take: Take, gate: Gate, read: Read = read_view) -> None:
        self.name = options.name
        self._options = options
        self._state = folder / "pulls" / f"{options.name}.json"
        self._take = take
        self._gate = gate
        self._read = read
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pull {options.name}", daemon=True)
        self.counters = Counters()

    def start(self) -> None:
        """Begin to pull on schedule, at once for the first time."""
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Finish the file in hand and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(grace)

    def once(self) -> Pulled:
        """Run the query and store its rows; where it stopped is noted after they are durable.

        Raises GatewayError for a wrong query or refused rows, Transient where trying again later helps.
        """
        options, since = self._options, self._since()
        rows = files = known = 0
        newest = since
        with self._read(options.url, options.query, {"since": self._back(since)}) as view:
            at = _column(view, options)
            for part in _files(view):
                rows += len(part)
                answer = self._store(_csv(view.columns, part))
                files += answer.verdict is Verdict.STORED
                known += answer.verdict is Verdict.DUPLICATE
                newest = _newest(newest, [row[at] for row in part]) if at >= 0 else newest
        if newest != since:
            self._note(newest)
        return Pulled(rows, files, known)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._gate.shut:
                self._try()
            self._stopping.wait(self._options.every)

    def _try(self) -> None:
        try:
            pulled = self.once()
        except GatewayError as fault:
            self.counters.add("pulls_failed")
            log.warning("pull %s: %s", self._options.name, fault.text)
        except Exception:  # a view that changed its types must not end the schedule
            self.counters.add("pulls_failed")
            log.exception("pull %s failed", self._options.name)
        else:
            self.counters.add("pulls_done")
            log.info("pull %s: %d rows, %d files stored", self._options.name, pulled.rows, pulled.files)

    def _store(self, raw: bytes) -> Answer:
        name = f"{self._options.name}.csv"
        answer = self._take(raw, Who("pull", name, feed=self._options.feed, file=name))
        if answer.verdict is Verdict.UNAVAILABLE:
            raise Transient(f"The store takes nothing now: {'; '.join(answer.reasons)}")
        if answer.verdict is Verdict.REFUSED:
            raise GatewayError(f"The rows were refused: {'; '.join(answer.reasons)}", where=self._options.feed)
        return answer

    def _since(self) -> Any:
        """Return the newest value of the `since` column seen so far, with the type it had."""
        try:
            told = json.loads(self._state.read_text(encoding="utf-8"))
            return _KINDS[told["kind"]](told["value"])
        except FileNotFoundError:
            return _first(self._options.begin)
        except (OSError, ValueError, KeyError) as fault:
            log.warning("%s cannot be read (%s): the pull begins anew", self._state.name, fault)
            return _first(self._options.begin)

    def _back(self, since: Any) -> Any:
        """Return where to read from: rows corrected shortly before are read once more."""
        return since - timedelta(seconds=self._options.overlap) if isinstance(since, datetime) else since

    def _note(self, newest: Any) -> None:
        self._state.parent.mkdir(parents=True, exist_ok=True)
        part = self._state.with_suffix(".part")
        part.write_text(json.dumps({"kind": type(newest).__name__, "value": str(newest)}), encoding="utf-8")
        part.replace(self._state)
        sync_folder(self._state.parent)


def _first(begin: str) -> Any:
    """Return the value a pull begins with: a moment, or a number where the column holds numbers."""
    if not begin:
        return _BEGINNING
    return int(begin) if begin.isdecimal() and len(begin) != 8 else datetime.fromisoformat(begin)


def _newest(known: Any, values: Sequence[Any]) -> Any:
    """Return the largest value; one of another type than the column's was only where to begin."""
    told = [value for value in values if value is not None]
    return max([known, *told] if told and type(told[0]) is type(known) else told, default=known)


def _column(view: View, options: PullOptions) -> int:
    names = [name.casefold() for name in view.columns]
    if not options.since:
        return -1
    if options.since.casefold() not in names:
        told = ", ".join(view.columns)
        text = f"The pull {options.name} goes by {options.since}, which its query does not return ({told})."
        raise GatewayError(text)
    return names.index(options.since.casefold())


def _files(view: View) -> Iterator[list[Sequence[Any]]]:
    """Yield the rows in parts that make a file each."""
    held: list[Sequence[Any]] = []
    for part in view.parts:
        held.extend(part)
        if len(held) >= _ROWS:
            yield held
            held = []
    if held:
        yield held


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as its database shows it: digits as stored, moments in ISO form."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)
