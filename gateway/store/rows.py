"""Rows of table exports: the last content of each, which ones are missing, and a report for every file (ruling R6)."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import Any, NamedTuple

from gateway.errors import Category, GatewayError
from gateway.store.dialect import Kind, Row
from gateway.store.failures import Conflict
from gateway.store.tx import Tx
from gateway.store.values import FILE_INDEX, State, clean, item_id

_STATE = ("key", "digest", "item_id", "line", "told", "missing_us")
_STATES = f"SELECT {','.join(_STATE)} FROM row_state"  # noqa: S608  constants
_WHERE: tuple[tuple[str, Kind], ...] = (("feed_id", "int"), ("table_name", "text"), ("key", "text"))
_CHANGE = (
    "UPDATE row_state SET digest=?, item_id=?, line=?, told=?, missing_us=NULL"
    " WHERE feed_id=? AND table_name=? AND key=?"
)
_MARK = "UPDATE row_state SET missing_us=? WHERE feed_id=? AND table_name=? AND key=?"
_FORGET = "DELETE FROM row_state WHERE feed_id=? AND table_name=? AND key=?"
_COUNTS = ("taken", "records", "fresh", "changed", "unchanged", "quarantined", "missing", "returned")
_REPORT = (
    "arrival",
    "feed_id",
    "site_id",
    "state",
    "name",
    "table_name",
    "mode",
    "received_us",
    "done_us",
    "confirmed",
    *_COUNTS,
    "facts",
)
_REPORTS = f"SELECT {','.join(_REPORT)} FROM file_report"  # noqa: S608  constants
_REWRITE = f"UPDATE file_report SET {'=?,'.join(_REPORT[1:])}=? WHERE arrival=? AND taken=?"  # noqa: S608  constants


class FileState(IntEnum):
    """How far a file has come; below 2 it waits to be taken, below 10 it is open."""

    WAITING = 0
    PARKED = 2
    DONE = 10


class RowState(NamedTuple):
    """A row as its file told it last: digest of its cells, the item it became, line, source time as text."""

    key: str
    digest: bytes
    item_id: int
    line: int
    told: str = ""
    missing_us: int | None = None


class FileReport(NamedTuple):
    """What became of one file; `taken` of its `records` are dealt with, `facts` is JSON text for people."""

    arrival: int
    feed: str
    site: str
    state: FileState = FileState.WAITING
    name: str = ""
    table: str = ""
    mode: str = ""
    received_us: int = 0
    done_us: int | None = None
    confirmed: bool = False
    taken: int = 0
    records: int = 0
    fresh: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    missing: int = 0
    returned: int = 0
    facts: str = "{}"


class RowReads(Tx):
    """Questions about rows and files."""

    def row_states(self, feed: str, table: str, keys: Iterable[str]) -> dict[str, RowState]:
        """Return what is known of rows by key; unknown ones are left out."""
        feed_id = self.names.find("feed", feed)
        if feed_id is None:
            return {}
        rows = self.session.keyed(_STATES, _WHERE, {(feed_id, table, key) for key in keys})
        return {row[0]: _row_state(row) for row in rows}

    def rows_after(self, feed: str, table: str, after: str = "", limit: int = 5000) -> list[RowState]:
        """Return a table's rows in the order of their keys, from behind `after`."""
        rows = self.session.run(
            f"{_STATES} WHERE feed_id=? AND table_name=? AND key > ? ORDER BY key LIMIT ?",
            (self.names.find("feed", feed) or 0, table, after, limit),
        )
        return list(map(_row_state, rows))

    def rows_missing(self, feed: str, table: str, after: str = "", limit: int = 100) -> list[RowState]:
        """Return the rows of a table that the last full exports lack, in the order of their keys."""
        rows = self.session.run(
            f"{_STATES} WHERE feed_id=? AND table_name=? AND missing_us IS NOT NULL AND key > ? ORDER BY key LIMIT ?",
            (self.names.find("feed", feed) or 0, table, after, limit),
        )
        return list(map(_row_state, rows))

    def tables_missing(self) -> dict[tuple[str, str], int]:
        """Return how many rows are missing by feed and table."""
        rows = self.session.run(
            "SELECT feed_id, table_name, count(*) FROM row_state WHERE missing_us IS NOT NULL"
            " GROUP BY feed_id, table_name ORDER BY feed_id, table_name"
        )
        return {(self.names.name("feed", feed), table): n for feed, table, n in rows}

    def file_report(self, arrival: int) -> FileReport | None:
        """Return the report of one file, None where the arrival was no file of a table."""
        return next(iter(self.file_reports([arrival]).values()), None)

    def file_reports(self, arrivals: Iterable[int]) -> dict[int, FileReport]:
        """Return reports by arrival; of arrivals that were no files there is none."""
        rows = self.session.keyed(_REPORTS, (("arrival", "int"),), {(number,) for number in arrivals})
        return {row[0]: self._report(row) for row in rows}

    def file_next(self) -> FileReport | None:
        """Return the first file that waits to be taken."""
        row = self.session.one(f"{_REPORTS} WHERE state < 2 ORDER BY arrival LIMIT 1")
        return self._report(row) if row else None

    def file_last(self, feed: str, table: str, mode: str) -> FileReport | None:
        """Return the newest file of a table that was taken whole in this mode."""
        row = self.session.one(
            f"{_REPORTS} WHERE feed_id=? AND table_name=? AND mode=? AND state=10 ORDER BY arrival DESC LIMIT 1",
            (self.names.find("feed", feed) or 0, table, mode),
        )
        return self._report(row) if row else None

    def file_list(self, feed: str = "", limit: int = 50, before: int = 0) -> list[FileReport]:
        """Return reports newest first, `before` an arrival (0: from the newest)."""
        conditions, params = ["arrival < ?"], [before or 1 << 62]
        if feed:
            conditions.append("feed_id=?")
            params.append(self.names.find("feed", feed) or 0)
        rows = self.session.run(
            f"{_REPORTS} WHERE {' AND '.join(conditions)} ORDER BY arrival DESC LIMIT ?", (*params, limit)
        )
        return [self._report(row) for row in rows]

    def file_items(self, arrival: int) -> dict[State, int]:
        """Return how many items of a file are in each state; rows that said nothing new have none."""
        rows = self.session.run(
            "SELECT state, count(*) FROM work WHERE item_id BETWEEN ? AND ? GROUP BY state ORDER BY state",
            (item_id(arrival, 0), item_id(arrival, FILE_INDEX)),
        )
        return {State(state): n for state, n in rows}

    def file_counts(self) -> dict[tuple[str, FileState], int]:
        """Return how many files each feed has in each state."""
        rows = self.session.run("SELECT feed_id, state, count(*) FROM file_report GROUP BY feed_id, state")
        return {(self.names.name("feed", feed), FileState(state)): n for feed, state, n in rows}

    def row_counts(self) -> dict[tuple[str, str], int]:
        """Return how many rows of files each feed had by outcome: new, changed, unchanged, quarantined …."""
        sums = ",".join(f"sum({name})" for name in _COUNTS[2:])
        rows = self.session.run(f"SELECT feed_id, {sums} FROM file_report GROUP BY feed_id ORDER BY feed_id")  # noqa: S608
        return {
            (self.names.name("feed", row[0]), "new" if name == "fresh" else name): int(n)
            for row in rows
            for name, n in zip(_COUNTS[2:], row[1:], strict=True)
        }

    def _report(self, row: Row) -> FileReport:
        arrival, feed, site, state, name, table, mode, received_us, done_us, confirmed, *rest = row
        names = self.names
        head = (arrival, names.name("feed", feed), names.name("site", site), FileState(state), name, table, mode)
        return FileReport._make((*head, received_us, done_us, bool(confirmed), *rest))


class RowWrites(RowReads):
    """Changes of what is known of rows and files; one worker at a time writes them."""

    def rows_put(self, feed: str, table: str, new: Sequence[RowState], changed: Sequence[RowState]) -> None:
        """Note rows seen for the first time, and rows with other content than before."""
        feed_id = self.names.number("feed", feed)
        self.session.insert("row_state", ("feed_id", "table_name", *_STATE), [(feed_id, table, *row) for row in new])
        self.session.many(
            _CHANGE, [(row.digest, row.item_id, row.line, row.told, feed_id, table, row.key) for row in changed]
        )

    def rows_mark(self, feed: str, table: str, keys: Iterable[str], missing_us: int | None) -> None:
        """Note since when rows are missing, or that they are there again (None)."""
        feed_id = self.names.number("feed", feed)
        self.session.many(_MARK, [(missing_us, feed_id, table, key) for key in keys])

    def rows_forget(self, feed: str, table: str, keys: Iterable[str]) -> None:
        """Forget rows that never had a key of their own."""
        feed_id = self.names.number("feed", feed)
        self.session.many(_FORGET, [(feed_id, table, key) for key in keys])

    def files_open(self, reports: Sequence[FileReport]) -> None:
        """Let files wait to be taken; those known already are left as they are."""
        self.session.insert_new("file_report", _REPORT, [self._plain(report) for report in reports])

    def file_put(self, report: FileReport, taken: int) -> None:
        """Rewrite a file's report; Conflict unless `taken` is how far it was taken when its writer looked."""
        plain = self._plain(report)
        if self.session.do(_REWRITE, (*plain[1:], report.arrival, taken)) != 1:
            raise Conflict("Another worker took this file further. Read again and retry.")

    def _plain(self, report: FileReport) -> tuple[Any, ...]:
        number = self.names.number
        return (
            report.arrival,
            number("feed", report.feed),
            number("site", report.site),
            int(report.state),
            clean(report.name),
            report.table,
            report.mode,
            report.received_us,
            report.done_us,
            int(report.confirmed),
            *report[10:18],
            clean(report.facts),
        )


class Files:
    """The doors for the console and the command line."""

    def __init__(self, read: Callable[[], AbstractContextManager[RowReads]]) -> None:
        self._read = read

    def list(self, feed: str = "", limit: int = 50, before: int = 0) -> Sequence[FileReport]:
        """Return reports newest first."""
        with self._read() as tx:
            return tx.file_list(feed, limit, before)

    def show(self, arrival: int) -> FileReport:
        """Return one report; raises GatewayError (not found)."""
        with self._read() as tx:
            report = tx.file_report(arrival)
        if report is None:
            raise GatewayError(f"There is no file {arrival}.", category=Category.NOT_FOUND)
        return report

    def items(self, arrival: int) -> dict[State, int]:
        """Return how many items of a file are in each state."""
        with self._read() as tx:
            return tx.file_items(arrival)

    def lacking(self, feed: str, table: str, after: str = "", limit: int = 100) -> Sequence[RowState]:
        """Return the rows of a table that its last full exports lack, in the order of their keys."""
        with self._read() as tx:
            return tx.rows_missing(feed, table, after, limit)

    def counts(self) -> dict[tuple[str, FileState], int]:
        """Return how many files each feed has in each state."""
        with self._read() as tx:
            return tx.file_counts()

    def rows(self) -> dict[tuple[str, str], int]:
        """Return how many rows of files each feed had by outcome."""
        with self._read() as tx:
            return tx.row_counts()

    def missing(self) -> dict[tuple[str, str], int]:
        """Return how many rows are missing by feed and table."""
        with self._read() as tx:
            return tx.tables_missing()


def _row_state(row: Row) -> RowState:
    key, digest, *rest = row
    return RowState(key, bytes(digest), *rest)
