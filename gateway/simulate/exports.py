"""Writes the files of a day: dictionaries and full lists in the morning, what happened in the evening."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from gateway.simulate import dictionaries, money, rows_hospital, rows_people
from gateway.simulate.catalogue import book, columns
from gateway.simulate.desk import Desk
from gateway.simulate.nasty import mark
from gateway.simulate.output import Box
from gateway.simulate.sheets import Form
from gateway.simulate.values import INSURER_FEED, TOWN_FEED, VILLAGE_FEED, Mark, Row, Visit

_LOOKALIKES = {"imaging_reports": ("查", "査"), "settlements": ("算", "箅")}
_FULL = {"organisations", "staff", "residents", "team_members", "service_packages", "item_dictionary", "drug_catalogue",
         "insurance_enrolment", "slots", "population_denominators"}  # fmt: skip
# The exports that arrive in another shape now and then (case 23), and which shape.
_SHAPES = {"referrals": ("23.spool", "23.pipe"), "prescriptions": ("23.soh",)}
_NOTES = {
    "23.spool": "a SQL*Plus spool: bars, the header again every page, a count below",
    "23.pipe": "bars between cells, in GB18030 where a byte of 李珅 is a bar: decode, then cut",
    "23.soh": "a Hive dump: \\u0001 between cells",
    "23.column-order": "the columns in another order: told by the header",
    "18.header": "a look-alike glyph in the header: the same column",
    "4.mixed-file": "header in UTF-8 with its mark, rows in GBK: read line by line, the lines reported",
}


class Exports:
    """The export jobs of the county."""

    def __init__(self, desk: Desk, box: Box) -> None:
        self.desk = desk
        self.box = box

    def morning(self, day: date) -> None:
        """Write the places to book today, and on the first day of a month the full lists."""
        now = datetime.combine(day, time(6))
        desk = self.desk
        if day == desk.first or day.day == 1:
            self._town("organisations", dictionaries.organisations(desk, day), now, form=Form("html"), mode="full",
                       marks=[mark("23.html", "a web page called .csv: told by its bytes")])  # fmt: skip
            self._town("staff", dictionaries.staff(desk), now, mode="full")
            self._town("residents", rows_people.residents(desk, day), now, mode="full")
            self._town("team_members", dictionaries.teams(desk), now, mode="full")
            self._town("service_packages", dictionaries.packages(day), now, mode="full")
            self._town("item_dictionary", dictionaries.items(desk, day), now, mode="full")
            self._town("drug_catalogue", dictionaries.drugs(desk), now, mode="full")
        if day == desk.first:
            self._town("population_denominators", dictionaries.population(desk, day), now, mode="full")
        if day == desk.first or (day.day == 1 and day.month % 3 == 1):
            self._town("satisfaction_survey", rows_people.survey(desk, now), now)
        self._town("slots", rows_hospital.slots(desk, day + timedelta(days=1), now), now, mode="full")

    def insured(self, day: date) -> None:
        """Write the insurer's list, on the first day of a month."""
        if day == self.desk.first or day.day == 1:
            now = datetime.combine(day, time(6, 30))
            self._write(INSURER_FEED, "insurance_enrolment", rows_people.enrolment(self.desk, day), now, mode="full")

    def rows(self, day: date, now: time) -> None:
        """Write and forget the rows that gathered: the township's exports, the villages' workbooks."""
        moment = datetime.combine(day, now)
        for table, rows in sorted(self.desk.town_rows.items()):
            self._town(table, rows, moment)
        self.desk.town_rows.clear()
        for (village, table), rows in sorted(self.desk.village_rows.items(), key=lambda entry: entry[0]):
            later = moment + timedelta(minutes=int(village[-3:]) % 60)
            self.box.workbook(VILLAGE_FEED, later, table, columns(table), rows)
        self.desk.village_rows.clear()

    def evening(self, day: date, stays: list[Visit]) -> None:
        """Write what the day brought: discharges with their total, rows, settlements; sometimes an empty file."""
        now = datetime.combine(day, time(22, 30))
        if stays:
            rows = [rows_hospital.discharge(self.desk, stay) for stay in stays]
            note = "the line of totals: recognised, reconciled, never imported"
            marks = [
                mark("23.total", note, outcome="ignored", reason="total-line"),
                mark("N5", note, outcome="ignored", reason="total-line"),
            ]
            form = Form(total=rows_hospital.total(rows))
            self._town("discharges", rows, now, form=form, marks=marks)
        if not self.desk.town_rows.get("remote_consultations") or self.desk.nasty.strikes("23.empty", day):
            told = mark(
                "23.empty", "no bytes at all: an empty export, nothing goes missing", outcome="ignored", reason="empty"
            )
            self.box.empty(TOWN_FEED, now, "remote_consultations", told)
        self.rows(day, time(22, 40))
        self.desk.town_rows, self.desk.late_rows = self.desk.late_rows, {}
        self.rows(day, time(23, 20))
        paid = [row for one in self.desk.paid_visits for row in money.settlements(self.desk, one)]
        self.desk.paid_visits.clear()
        if paid:
            self._write(INSURER_FEED, "settlements", paid, datetime.combine(day, time(23, 50)))

    def _town(self, table: str, rows: Iterable[Row], now: datetime, **told: Any) -> None:
        self._write(TOWN_FEED, table, rows, now, **told)

    def _write(self, feed: str, table: str, rows: Iterable[Row], now: datetime, *, form: Form | None = None,
               marks: list[Mark] | None = None, mode: str = "") -> None:  # fmt: skip
        marks, words = list(marks or ()), columns(table)
        shown, header = words, None
        if form is None:
            form, shown, header = self._shape(table, f"{table}|{now}", marks)
        if table == "lab_results_wide":
            rows = list(rows)
            marks.append(mark("23.total", "the line of totals", outcome="ignored", reason="total-line"))
            title = f"{self.desk.places.towns[0].centre} 血常规检验日报（{now:%Y年%m月%d日}）"
            form = Form("tab", title=title, total=("合计", f"{len(rows)}人次"))
        told = mode or ("full" if table in _FULL else "delta")
        self.box.table(feed, now, table, shown, rows, form, header=header, marks=marks, mode=told)

    def _shape(self, table: str, key: str, marks: list[Mark]) -> tuple[Form, tuple[str, ...], tuple[str, ...] | None]:
        """Return how this file is written today, its columns, and its header where that says something else."""
        entry, words = book("tables")[table], columns(table)
        form = Form(entry["form"], entry["encoding"])
        header: tuple[str, ...] | None = None
        case = self.desk.nasty.one(key, *_cases(table))
        if case in ("23.spool", "23.pipe", "23.soh"):
            form = Form(case.partition(".")[2])
        elif case == "4.mixed-file":
            form = Form(mixed=True)
        elif case == "23.column-order":
            words = (*words[5:], *words[:5])
        elif case == "18.header":
            header = tuple(word.replace(*_LOOKALIKES[table]) for word in words)
        if case:
            marks.append(mark(case, _NOTES[case]))
        return form, words, header


def _cases(table: str) -> Iterator[str]:
    yield from _SHAPES.get(table, ())
    if table in _LOOKALIKES:
        yield "18.header"
    if table == "satisfaction_survey":
        yield "4.mixed-file"
    if table == "drug_catalogue":
        yield "23.column-order"
