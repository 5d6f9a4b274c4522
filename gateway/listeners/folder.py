"""The watched folder: files put into `in/` are stored, then moved to `done/`, or to `failed/` with a report."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway import clock, failpoints
from gateway.errors import Category, GatewayError
from gateway.listeners.counters import Counters
from gateway.listeners.gate import Gate
from gateway.listeners.options import FolderOptions
from gateway.listeners.values import Answer, Verdict, Who

log = logging.getLogger(__name__)
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
_POLL = 1.0  # seconds between looks

Take = Callable[[bytes, Who], Answer]


@dataclass(slots=True)
class Sight:
    """A file as last seen, and since when it has looked like this."""

    size: int
    changed_ns: int
    since: float


class Folder:
    """One watched folder; `look` does one round and is all a test needs, `start` repeats it."""

    def __init__(self, options: FolderOptions, take: Take, gate: Gate) -> None:
        self._options = options
        self._take = take
        self._gate = gate
        self._seen: dict[Path, Sight] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"folder {options.path.name}", daemon=True)
        self.counters = Counters()
        self.inbox, self.done, self.failed = (options.path / name for name in ("in", "done", "failed"))

    def start(self) -> None:
        """Make the three folders and watch; GatewayError when they cannot be made."""
        self.prepare()
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Finish the file in hand and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(grace)

    def prepare(self) -> None:
        """Make the three folders; GatewayError names the one that cannot be made."""
        for folder in (self.inbox, self.done, self.failed):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as fault:
                raise GatewayError(
                    f"The folder {folder} cannot be made: {fault.strerror}.",
                    where=str(folder),
                    category=Category.UNAVAILABLE,
                ) from fault

    def look(self) -> int:
        """Take every file that has stood still long enough; return how many were moved."""
        now = clock.monotonic()
        files = self._files()
        self._seen = {path: sight for path, sight in self._seen.items() if path in files}
        moved = 0
        for path in sorted(files):
            if self._gate.shut or self._stopping.is_set():
                break
            if self._settled(path, files[path], now):
                moved += self._import(path)
        return moved

    def _run(self) -> None:
        while not self._stopping.wait(_POLL):
            try:
                self.look()
            except Exception:  # a watched folder must not stop being watched
                log.exception("the folder %s could not be looked at", self.inbox)

    def _files(self) -> dict[Path, os.stat_result]:
        found: dict[Path, os.stat_result] = {}
        with os.scandir(self.inbox) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        found[self.inbox / entry.name] = entry.stat(follow_symlinks=False)
        return found

    def _settled(self, path: Path, stat: os.stat_result, now: float) -> bool:
        sight = self._seen.get(path)
        if sight is None or (sight.size, sight.changed_ns) != (stat.st_size, stat.st_mtime_ns):
            sight = self._seen[path] = Sight(stat.st_size, stat.st_mtime_ns, now)
        return now - sight.since >= self._options.settle

    def _import(self, path: Path) -> bool:
        try:
            answer = self._read(path)
            return self._move(path, answer)
        except OSError as fault:  # someone holds or took the file; the next look tells
            log.warning("file %s cannot be taken now: %s", path, fault.strerror)
            self.counters.add("files_waiting")
            return False

    def _read(self, path: Path) -> Answer:
        size = path.stat().st_size
        if size > self._options.max_file:
            text = f"The file has {size:,} bytes; at most {self._options.max_file:,} are taken. Split it."
            return Answer(Verdict.REFUSED, reasons=(text,))
        return self._take(path.read_bytes(), self._who(path))

    def _who(self, path: Path) -> Who:
        return Who(self._options.name, path.name, feed=self._options.feed, file=path.name)

    def _move(self, path: Path, answer: Answer) -> bool:
        if answer.verdict is Verdict.UNAVAILABLE:
            self.counters.add("files_waiting")
            return False
        failpoints.hit("fp10")
        good = answer.verdict in (Verdict.STORED, Verdict.DUPLICATE)
        target = free_name((self.done if good else self.failed) / path.name)
        if answer.reasons:
            write_report(target, answer)
        path.rename(target)
        sync_folder(target.parent)
        sync_folder(path.parent)
        self._seen.pop(path, None)
        self.counters.add("files_done" if good else "files_failed")
        log.info("file %s: %s -> %s", path.name, answer.verdict.value, target.parent.name)
        return True


def free_name(path: Path) -> Path:
    """Return `path`, or the same name with -2, -3 … before its suffix when it is taken."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def write_report(target: Path, answer: Answer) -> None:
    """Write beside `target` why it was refused, or what is odd about it, for the person who sent it."""
    lines = [f"{target.name}: {answer.verdict.value}, {clock.now():%Y-%m-%d %H:%M:%S} UTC", *answer.reasons]
    report = target.with_name(target.name + ".report.txt")
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut, where the system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
