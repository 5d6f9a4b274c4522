"""Workbooks: the same bytes for the same cells, read by openpyxl and by our own reader."""

import io
from datetime import datetime

from openpyxl import load_workbook

from gateway.formats import sheet
from gateway.simulate import xlsx
from gateway.simulate.values import Number, Row

COLUMNS = ("编号", "日期", "结果", "备注")
ROWS = [Row({"编号": "001", "日期": "2026-10-01", "结果": Number("3.5"), "备注": "<a> & 换\n行"}), Row({"编号": "002"})]


def book():
    out = io.BytesIO()
    told = [number for _, number in xlsx.write(out, COLUMNS, ROWS)]
    return out.getvalue(), told


def test_the_bytes_are_the_same_each_time():
    assert book() == book()


def test_openpyxl_reads_dates_numbers_and_text():
    raw, told = book()
    (_, first, second) = list(load_workbook(io.BytesIO(raw)).active.values)
    assert told == [2, 3]
    assert first == ("001", datetime.fromisoformat("2026-10-01"), 3.5, "<a> & 换\n行")
    assert second[0] == "002"


def test_our_reader_reads_the_same():
    raw, _ = book()
    rows = sheet.read(raw)[0].rows
    assert rows[1].cells[:3] == ("001", "2026-10-01", "3.5")


def test_columns_beyond_z_have_two_letters():
    out = io.BytesIO()
    columns = tuple(f"c{n}" for n in range(30))
    assert len(list(xlsx.write(out, columns, [Row({"c29": "last"})]))) == 1
    assert load_workbook(io.BytesIO(out.getvalue())).active["AD2"].value == "last"
