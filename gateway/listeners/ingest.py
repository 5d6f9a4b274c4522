"""Takes files and folders through the same door as the listeners: the work of `gateway ingest PATH…`."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import Category, GatewayError
from gateway.listeners.intake import Intake
from gateway.listeners.values import Answer, Verdict, Who

_UNDER_WAY = 64  # files handed to the writer and not yet stored
_PAUSE_BYTES = 64 * 1024 * 1024  # of files under way

Progress = Callable[["Report", Path, Answer], None]


@dataclass(slots=True)
class Report:
    """What became of the files so far; `faults` names each refused file with its reason."""

    files: int = 0
    stored: int = 0
    duplicates: int = 0
    messages: int = 0
    bytes: int = 0
    faults: list[tuple[Path, str]] = field(default_factory=list)


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files named and those in the folders named, in order, hidden ones left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, names, found in os.walk(path):
            names[:] = sorted(name for name in names if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(found) if not name.startswith("."))


def check(paths: Sequence[Path]) -> None:
    """Raise GatewayError for the first path that does not exist."""
    for path in paths:
        if not path.exists():
            text = f"There is no file or folder {path}."
            raise GatewayError(text, where=str(path), category=Category.NOT_FOUND)


class Ingest:
    """One run over some files; keeps a bounded number under way and reports each as it is stored."""

    def __init__(self, intake: Intake, feed: str = "", progress: Progress | None = None) -> None:
        self._intake = intake
        self._feed = feed
        self._progress = progress
        self._report = Report()
        self._room = threading.Condition()
        self._under_way = 0
        self._bytes = 0

    def run(self, paths: Sequence[Path]) -> Report:
        """Store every file and return the report when all are; a file that cannot be read is a fault in it."""
        check(paths)
        for path in files(paths):
            try:
                raw = path.read_bytes()
            except OSError as fault:
                reason = f"The file cannot be read: {fault.strerror}."
                self._note(path, 0, Answer(Verdict.REFUSED, reasons=(reason,)))
                continue
            self._hand_over(path, raw)
        with self._room:
            self._room.wait_for(lambda: self._under_way == 0)
        return self._report

    def _hand_over(self, path: Path, raw: bytes) -> None:
        with self._room:
            self._room.wait_for(self._has_room)
            self._under_way += 1
            self._bytes += len(raw)
        who = Who("ingest", path.name, feed=self._feed, file=path.name)
        self._intake.submit(raw, who, lambda answer: self._done(path, len(raw), answer))

    def _has_room(self) -> bool:
        return self._under_way == 0 or (self._under_way < _UNDER_WAY and self._bytes < _PAUSE_BYTES)

    def _done(self, path: Path, size: int, answer: Answer) -> None:
        with self._room:
            try:
                self._note(path, size, answer)
            finally:
                self._under_way -= 1
                self._bytes -= size
                self._room.notify_all()

    def _note(self, path: Path, size: int, answer: Answer) -> None:
        report = self._report
        report.files += 1
        report.bytes += size
        if answer.verdict is Verdict.STORED:
            report.stored += 1
            report.messages += answer.messages
        elif answer.verdict is Verdict.DUPLICATE:
            report.duplicates += 1
        else:
            report.faults.append((path, "; ".join(answer.reasons) or answer.verdict.value))
        if self._progress is not None:
            self._progress(report, path, answer)


def ingest(intake: Intake, paths: Sequence[Path], *, feed: str = "", progress: Progress | None = None) -> Report:
    """Store files and folders through `intake`; `progress` is told after each file (any thread).

    A batch file is one arrival. GatewayError when a path does not exist; nothing is taken then.
    """
    return Ingest(intake, feed, progress).run(paths)
