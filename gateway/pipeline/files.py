"""Files of tables: taken apart step by step, beside the messages, each row exactly once (ruling R6)."""

import json
from collections.abc import Sequence

from gateway import clock, failpoints
from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.mapping.catalog import Catalog
from gateway.mapping.tables.footer import Check
from gateway.mapping.tables.reading import TableFile
from gateway.mapping.tables.records import Record
from gateway.pipeline import faults, sorting
from gateway.pipeline.commit import FILES, LANES, Lease, issues_text, lane_of, lane_of_key
from gateway.pipeline.parse import keys_of, quarantine
from gateway.pipeline.shelf import Lost, Shelf, Unfit, name_of
from gateway.pipeline.sorting import Contents
from gateway.pipeline.values import Reason
from gateway.store.engine import Store, WriteTx
from gateway.store.rows import FileReport, FileState
from gateway.store.values import FILE_INDEX, TABLE, Arrival, State, WorkRow, arrival_of, clean, item_id

CHUNK = 1000
_PAGE = 5000
_ISSUES_KEPT = 50
_STAYS = frozenset({Reason.KEY_REUSED, Reason.REFUSED})
"""Parked rows that a corrected row does not replace: somebody else's content may be in them."""


def item_of(report: FileReport) -> int:
    """Return the id of the item that stands for a whole file."""
    return item_id(report.arrival, FILE_INDEX)


def note_of(report: FileReport) -> int:
    """Return what the diary notes while a file is in hand: where it stands, so that only one place can be to blame."""
    return -item_id(report.arrival, min(report.taken, FILE_INDEX))


class Files:
    """Takes the waiting files one after another, a chunk of records a step."""

    def __init__(self, store: Store, catalog: Catalog, shelf: Shelf) -> None:
        self._store = store
        self._catalog = catalog
        self._shelf = shelf
        self._whole: Contents | None = None

    def open(self, arrivals: Sequence[Arrival]) -> None:
        """Let files wait to be taken; to be called before the cursor moves past them, and again does no harm."""
        reports = [
            FileReport(one.id, one.feed, one.site, name=name_of(one.envelope), received_us=one.received_us)
            for one in arrivals
        ]
        with self._store.write() as tx:
            tx.files_open(reports)

    def next(self) -> FileReport | None:
        """Return the file to take further."""
        with self._store.read() as tx:
            return tx.file_next()

    def step(self, report: FileReport, lease: Lease, deaths: int = 0) -> int:
        """Take a file further by one chunk; return how many records that were (1 for its end)."""
        if deaths >= faults.DEATHS:
            return self._park(report, lease, Reason.POISON, f"{deaths} workers died while they read this file")
        try:
            file = self._shelf.file(report.arrival, report.feed)
        except GatewayError as fault:
            return self._park(report, lease, self._reason(report, fault), fault.text)
        report = _told(report, file)
        if not report.taken and (parked := self._doubt(report, lease)):
            return parked
        if report.taken < len(file.records):
            return self._chunk(report, file, lease)
        return self._end(report, file, lease)

    def reopen(self, rows: Sequence[WorkRow], lease: Lease) -> int:
        """Let files that a person wants tried again wait anew; a retry of half a file is its confirmation."""
        with self._store.write() as tx:
            lease.fence(tx, {row.lane for row in rows}, 0)
            tx.work_put([row._replace(state=State.APPLIED, applied_us=clock.now_us()) for row in rows])
            for row in rows:
                report = tx.file_report(arrival_of(row.item_id))
                if report is not None and report.state == FileState.PARKED:
                    confirmed = report.confirmed or row.reason == Reason.HALF_FILE
                    tx.file_put(report._replace(state=FileState.WAITING, confirmed=confirmed), report.taken)
                    self._shelf.forget(report.arrival)
        return len(rows)

    def _doubt(self, report: FileReport, lease: Lease) -> int:
        """Park a full file with too few rows, or one that a later file has overtaken; 0 where all is well."""
        with self._store.read() as tx:
            last = tx.file_last(report.feed, report.table, report.mode)
        if last is None or report.mode != "full":
            return 0
        if last.arrival > report.arrival:
            text = f"a later file of {report.table} (arrival {last.arrival}) was taken already; discard this one"
            return self._park(report, lease, Reason.OVERTAKEN, text)
        if not report.confirmed and 2 * report.records < last.records:
            text = (
                f"this full export of {report.table} has {report.records} rows, the last one had {last.records}: "
                "retry it if that is right (the others are then marked as missing), else discard it and ask the sender"
            )
            return self._park(report, lease, Reason.HALF_FILE, text)
        return 0

    def _chunk(self, report: FileReport, file: TableFile, lease: Lease) -> int:
        whole = self._contents(report, file)
        records: list[Record] = file.records[report.taken : report.taken + CHUNK]
        with self._store.read() as tx:
            known = tx.row_states(report.feed, report.table, map(sorting.key_of, records))
        found = sorting.sort(records, known, whole)
        rows = [self._row(report, record) for record in (*found.fresh, *found.changed, *found.quarantined)]
        step = report._replace(
            taken=report.taken + len(records),
            fresh=report.fresh + len(found.fresh),
            changed=report.changed + len(found.changed),
            unchanged=report.unchanged + found.unchanged,
            quarantined=report.quarantined + len(found.quarantined),
            returned=report.returned + len(found.returned),
        )
        with self._store.write() as tx:
            lease.fence(tx, {FILES}, 0)
            tx.file_put(step, report.taken)
            tx.work_put(rows)
            tx.rows_put(report.feed, report.table, found.new, found.told_anew)
            tx.rows_mark(report.feed, report.table, found.returned, None)
            _replace_parked(tx, found.earlier)
            failpoints.hit("fp8")
        failpoints.hit("fp9")
        return len(records)

    def _end(self, report: FileReport, file: TableFile, lease: Lease) -> int:
        """Note the rows a full export lacks, and that the file is done."""
        missing = self._missing(report, file) if report.mode in ("full", "window") else []
        now_us = clock.now_us()
        gone = [key for key in missing if not sorting.is_keyless(key)]
        done = report._replace(state=FileState.DONE, done_us=now_us, missing=len(gone))
        with self._store.write() as tx:
            lease.fence(tx, {FILES}, 0)
            tx.file_put(done, report.taken)
            tx.rows_mark(report.feed, report.table, gone, now_us)
            tx.rows_forget(report.feed, report.table, filter(sorting.is_keyless, missing))
        self._whole = None
        return 1

    def _missing(self, report: FileReport, file: TableFile) -> list[str]:
        whole, after, missing = self._contents(report, file), "", []
        while True:
            with self._store.read() as tx:
                page = tx.rows_after(report.feed, report.table, after, _PAGE)
            missing += [
                row.key
                for row in page
                if row.key not in whole.keys
                and row.missing_us is None
                and (report.mode == "full" or whole.spans(row.told))
            ]
            if len(page) < _PAGE:
                return missing
            after = page[-1].key

    def _contents(self, report: FileReport, file: TableFile) -> Contents:
        if self._whole is None or self._whole.arrival != report.arrival:
            self._whole = sorting.contents(file.records, report.arrival)
        return self._whole

    def _row(self, report: FileReport, record: Record) -> WorkRow:
        keys = () if record.fault else keys_of(record, report.site)
        key = clean(record.key)
        event = f"{TABLE}^{report.table}"
        return WorkRow(
            item_id=item_id(report.arrival, record.number),
            feed=report.feed,
            site=report.site,
            lane=LANES + (lane_of(report.site, keys) if keys else lane_of_key(report.feed, event, key)),
            patient_key=keys[0] if keys else "",
            state=State.PARKED if record.fault else State.QUEUED,
            received_us=report.received_us,
            reason=Reason.QUARANTINED if record.fault else "",
            offset=record.line,
            length=record.lines,
            control_id=key,
            type=TABLE,
            event=report.table,
            issues=issues_text((quarantine(record),)) if record.fault else "[]",
        )

    def _reason(self, report: FileReport, fault: GatewayError) -> Reason:
        if isinstance(fault, Unfit):
            return Reason.POISON
        gone = isinstance(fault, Lost) or report.feed not in {feed.name for feed in self._catalog.feeds}
        return Reason.UNKNOWN_FEED if gone else Reason.UNREADABLE

    def _park(self, report: FileReport, lease: Lease, reason: Reason, text: str) -> int:
        """Set a whole file aside for a person, as one item."""
        number = item_of(report)
        with self._store.write() as tx:
            lease.fence(tx, {FILES}, 0)
            before = tx.work_rows([number]).get(number)
            row = WorkRow(
                item_id=number,
                feed=report.feed,
                site=report.site,
                lane=LANES,
                patient_key="",
                state=State.PARKED,
                received_us=report.received_us,
                reason=reason,
                attempts=before.attempts + 1 if before else 1,
                control_id=report.name,
                type=TABLE,
                event=report.table,
                issues=issues_text((Issue("error", "business-rule", text, report.name),)),
                before=before.state if before else None,
            )
            tx.work_put([row])
            tx.file_put(report._replace(state=FileState.PARKED), report.taken)
        return 1


def _told(report: FileReport, file: TableFile) -> FileReport:
    """Return the report with what the file says of itself."""
    return report._replace(table=file.table, mode=file.mode, records=len(file.records), facts=facts(file))


def _replace_parked(tx: WriteTx, item_ids: Sequence[int]) -> None:
    """Give parked rows up that the sender has corrected since; what they held back goes on."""
    rows = tx.work_rows(item_ids).values()
    gone = [row.item_id for row in rows if row.state == State.PARKED and row.reason not in _STAYS]
    tx.work_move(gone, (State.PARKED,), State.DISCARDED, reason="superseded")
    tx.work_release_all({row.patient_key for row in rows if row.item_id in set(gone) and row.patient_key})


def facts(file: TableFile) -> str:
    """Return what a file says of itself, as JSON text for its report."""
    said = {
        "kind": file.kind,
        "encoding": file.encoding,
        "header_line": file.header_line,
        "rows": file.rows,
        "reconciled": file.reconciled,
        "totals": [
            {"line": total.line, "label": total.label, "checks": [_check(check) for check in total.checks]}
            for total in file.totals
        ],
        "issues": [[one.severity, one.text, one.where] for one in file.issues[:_ISSUES_KEPT]],
    }
    return json.dumps(said, ensure_ascii=False)


def _check(check: Check) -> list[str | bool]:
    return [check.what, str(check.told), str(check.found), check.good]
