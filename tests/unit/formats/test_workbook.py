"""Workbooks: cells as a person sees them, nothing lost unseen, nothing that crashes or fills the memory."""

import datetime as d
import io
import zipfile

import openpyxl
import pytest
import python_calamine
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import workbook, workbook_xlsx
from gateway.formats.sheet_model import NotATable, Sheet
from gateway.formats.workbook_grid import Area, Grid
from gateway.formats.workbook_values import number, precision, writer

MOMENT = d.datetime(2026, 11, 9, 8, 30, 15)  # noqa: DTZ001 - a cell has no zone


def xlsx(values: list[list[object]], formats: dict[str, str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in values:
        book.active.append(row)
    for where, pattern in (formats or {}).items():
        book.active[where].number_format = pattern
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewritten(raw: bytes, changes: dict[str, tuple[bytes, bytes]], drop: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != drop:
                new.writestr(name, old.read(name).replace(*changes.get(name, (b"\x00\x00", b""))))
    return out.getvalue()


def one(raw: bytes) -> Sheet:
    (found,) = workbook.read(raw)
    return found


def cells(raw: bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in one(raw).rows]


SHEET = "xl/worksheets/sheet1.xml"
SHOWN = [
    ("yyyy-mm-dd", "2026-11-09"),
    ("m/d/yyyy", "2026-11-09"),
    ('yyyy"年"m"月"d"日"', "2026-11-09"),
    ('[$-804]yyyy"年"m"月"d"日";@', "2026-11-09"),
    ('yyyy"年"m"月"', "2026-11"),
    ("mmm-yy", "2026-11"),
    ('m"月"d"日"', "2026-11-09"),
    ("yyyy", "2026"),
    ("yyyy/m/d h:mm", "2026-11-09T08:30"),
    ("yyyy-mm-dd hh:mm:ss.000", "2026-11-09T08:30:15"),
    ('yyyy-mm-dd h"时"', "2026-11-09T08"),
    ("上午/下午h:mm", "08:30"),
    ("h:mm:ss AM/PM", "08:30:15"),
    ("[h]:mm", "1112048:30"),
    ("mm:ss", "08:30:15"),
]


@pytest.mark.parametrize(("pattern", "shown"), SHOWN)
def test_dates_are_iso_to_the_finest_unit_shown(pattern: str, shown: str):
    assert cells(xlsx([[MOMENT]], {"A1": pattern})) == [(shown,)]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("1", "1"), ("1.0", "1"), ("3.4199999999999999", "3.42"), ("0.30000000000000004", "0.3"), ("-0.0", "0"),
        ("1E-05", "0.00001"), ("1.5E+3", "1500"), ("110105194912310020", "110105194912310020"), ("007", "007"),
        ("1.1010519491231E+17", "1.10105E+17"), ("1E+20", "1E+20"), ("-2.5E15", "-2.5E+15"), ("abc", "abc"),
        ("nan", "nan"), ("1e999", "1e999"), ("13800001111", "13800001111"), ("50372.77", "50372.77"),
    ],
)  # fmt: skip
def test_numbers_are_the_shortest_text_that_holds_them(stored: str, shown: str):
    assert number(stored) == shown


@pytest.mark.parametrize(
    ("pattern", "stored", "shown"),
    [
        ("0%", "0.5", "50%"), ("0.00%", "0.425", "42.5%"), ("0%", "x", "x"), ("00000000", "231933", "00231933"),
        ("000000", "-1.5", "-1.5"), ("General", "1.50", "1.5"), ("@", "12", "12"), ("#,##0.00_);[Red](#,##0.00)", "1234.5", "1234.5"),
        ("0.00E+00", "12", "12"), ('"d"0', "3", "3"), ("", "7", "7"), ("yyyy-mm-dd", "-1", "-1"), ("yyyy-mm-dd", "x", "x"),
        ("yyyy-mm-dd", "1E+99", "1E+99"), ("yyyy-mm-dd", "1", "1900-01-01"), ("yyyy-mm-dd", "59", "1900-02-28"),
        ("yyyy-mm-dd", "60", "60"), ("yyyy-mm-dd", "61", "1900-03-01"), ("yyyy-mm-dd h:mm:ss", "45000.99999999", "2023-03-16T00:00:00"),
        ("Short Date", "45000", "2023-03-15"), ("h:mm", "45000.75", "18:00"), ("[h]:mm:ss", "1.5", "36:00:00"), ("yyyy", "nan", "nan"),
    ],
)  # fmt: skip
def test_number_formats(pattern: str, stored: str, shown: str):
    assert writer(pattern)(stored) == shown


def test_precision_and_the_other_epoch():
    assert [precision(one) for one in ("yyyy-mm-dd h:mm", "0.00", "General Date", "General")] == [
        "yMdhm",
        "",
        "yMdhm",
        "",
    ]
    assert writer("yyyy-mm-dd", True)("0") == "1904-01-01"
    assert writer("yyyy-mm-dd", True)("2958400") == "2958400"


def test_kinds_of_cells():
    raw = xlsx([[1, 1.5, True, None, "a&<b>\n 二 ", "_x0041_", False, "=1+1", "  "]])
    assert cells(raw) == [("1", "1.5", "TRUE", "", "a&<b>\n 二 ", "A", "FALSE", "", "  ")]


def test_errors_are_read_as_shown_and_told():
    book = openpyxl.Workbook()
    for row in range(1, 8):
        book.active[f"B{row}"] = "#N/A"
    found = one(saved(book))
    assert found.rows[0].cells == ("", "#N/A")
    assert found.issues[0].text.startswith("The formula of B1, B2, B3, B4, B5 … (7 cells) gives an error")


def test_merged_cells_are_full_of_their_first():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"], book.active["B2"], book.active["C2"] = "姓名", "血压", "收缩压", "舒张压"
    book.active.merge_cells("B1:C1")
    book.active.merge_cells("A1:A2")
    assert cells(saved(book)) == [("姓名", "血压", "血压"), ("姓名", "收缩压", "舒张压")]


def test_sheets_without_cells_are_left_out_and_hidden_ones_told():
    book = openpyxl.Workbook()
    book.active["C3"] = "x"
    book.create_sheet("空")
    hidden = book.create_sheet("字典")
    hidden["A1"] = "y"
    hidden.sheet_state = "hidden"
    found = workbook.read(saved(book))
    assert [(one.name, one.kind) for one in found] == [("Sheet", "xlsx"), ("字典", "xlsx")]
    assert (found[0].rows[0].line, found[0].rows[0].cells) == (3, ("", "", "x"))
    assert "hidden in the workbook" in found[1].issues[0].text
    with pytest.raises(NotATable, match="no cells with text"):
        workbook.read(xlsx([]))


def test_what_other_writers_write():
    head = '<?xml version="1.0"?><x:worksheet xmlns:x="u" xmlns:r="v"><x:sheetData>'
    body = (
        '<x:row><x:c t="inlineStr"><x:is><x:r><x:t>甲</x:t></x:r><x:r><x:t xml:space="preserve"> 乙</x:t></x:r>'
        "<x:rPh sb='0'><x:t>jia</x:t></x:rPh></x:is></x:c><x:c><x:v>7</x:v></x:c><x:c/></x:row>"
        "<!-- <x:row r='9'> --><x:row r='4'><x:c t='str' r='C4' s='0'><x:f>A1</x:f><x:v><![CDATA[a<b]]></x:v></x:c>"
        '<x:c t="d"><x:v>2026-11-09</x:v></x:c><x:c r="E4" s="99"><x:v>5.0</x:v></x:c><x:c r="F4" t="n"><x:f>1</x:f></x:c></x:row>'
    )
    xml = (head + body + "</x:sheetData></x:worksheet>").encode()
    raw = rewritten(xlsx([["x"]]), {}, drop=SHEET)
    out = io.BytesIO(raw)
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr(SHEET, xml)
    found = one(out.getvalue())
    assert [(row.line, row.cells) for row in found.rows] == [
        (1, ("甲 乙", "7", "", "", "")),
        (4, ("", "", "a<b", "2026-11-09", "5")),
    ]


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/SharedStrings.xml", "xl\\sharedstrings.xml"])
def test_shared_texts(name: str):
    inline = b' t="inlineStr"><is><t>x</t></is>'
    out = io.BytesIO(rewritten(xlsx([["x", None, "y&"]]), {SHEET: (inline, b' t="s"><v>1</v>')}))
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr(
            name, "<sst><si><t>no</t></si><si><r><t>王</t></r><r><t>桂\r\n兰</t></r><rPh><t>w</t></rPh></si><si/></sst>"
        )
    assert cells(out.getvalue()) == [("王桂\n兰", "", "y&")]


def test_names_with_every_sign():
    book = openpyxl.Workbook()
    book.active.title = "a>b & '王\"'"
    book.active["A1"] = "x"
    raw = saved(book)
    raw = rewritten(raw, {"xl/workbook.xml": (b"&gt;", b">")})
    assert one(raw).name == "a>b & '王\"'"


def test_one_stray_cell_far_away_costs_nothing():
    book = openpyxl.Workbook()
    for row in range(1, 201):
        book.active.cell(row, 1, "x")
    book.active.cell(1_048_576, 16_384, "stray")
    found = one(saved(book))
    assert {len(row.cells) for row in found.rows} == {1, 16_384}
    assert found.rows[-1].line == 1_048_576


def test_a_merged_area_as_large_as_the_sheet():
    grid = Grid({1: {0: "题"}, 2: {0: "a"}}, [Area(1, 0, 1_048_576, 16_383), Area(1, 5, 2, 6)])
    assert [len(row.cells) for row in grid.rows()] == [1001, 1001]
    many = Grid({row: {0: "x"} for row in range(1, 3000)}, [Area(1, 0, 3000, 999), Area(5, 0, 9, 9)])
    assert len(many.rows()) == 2999


@pytest.mark.parametrize(
    ("part", "old", "new", "sentence"),
    [
        (SHEET, b' t="inlineStr"><is><t>x</t></is>', b' t="s"><v>9</v>', "refers to the text number '9' of 0"),
        (SHEET, b"</sheetData>", b"", "is no XML"),
        (SHEET, b'r="A1"', b'r="ZZZ1"', "it has a column ZZZ"),
        (SHEET, b'<row r="1"', b'<row r="9999999"', "it has a row '9999999'"),
        (SHEET, b'<sheetData>', b'<!DOCTYPE a><sheetData>', "declares a document type"),
        (SHEET, b'<sheetData>', b'\xff<sheetData>', "is not text"),
        ("xl/workbook.xml", b"<sheet ", b"<sheep ", "names no sheets"),
    ],
)  # fmt: skip
def test_damage_is_told(part: str, old: bytes, new: bytes, sentence: str):
    with pytest.raises(NotATable, match=sentence):
        workbook.read(rewritten(xlsx([["x"]]), {part: (old, new)}))


def test_missing_parts():
    raw = xlsx([["x", 1.50]])
    with pytest.raises(NotATable, match="the part of its sheet 'Sheet' is missing"):
        workbook.read(rewritten(raw, {}, drop=SHEET))
    assert cells(rewritten(raw, {}, drop="xl/styles.xml")) == [("x", "1.5")]
    assert cells(rewritten(raw, {}, drop="_rels/.rels")) == [("x", "1.5")]
    with pytest.raises(NotATable, match="damaged"):
        workbook.read(raw[: len(raw) // 2])


def test_archives_that_are_no_workbook(monkeypatch: pytest.MonkeyPatch):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("word/document.xml", "x")
    with pytest.raises(NotATable, match="ZIP archive without an Excel workbook"):
        workbook.read(out.getvalue())
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr("xl/workbook.bin", "x")
    with pytest.raises(NotATable, match="XLSB"):
        workbook.read(out.getvalue())
    locked = bytearray(xlsx([["x"]]))
    at = locked.find(b"PK\x01\x02")
    locked[at + 8] |= 1
    with pytest.raises(NotATable, match="protected by a password"):
        workbook.read(bytes(locked))
    monkeypatch.setattr(workbook_xlsx, "LARGEST", 3 << 20)
    with pytest.raises(NotATable, match="more than 3 MiB"):
        workbook.read(xlsx([["x" * 30_000 + str(row)] for row in range(120)]))


def test_a_part_that_lies_about_its_size_is_damage():
    raw = bytearray(xlsx([["x"] * 50]))
    at = raw.find(b"PK\x01\x02")
    while raw[at + 46 : at + 46 + len(SHEET)] != SHEET.encode():
        at = raw.find(b"PK\x01\x02", at + 1)
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(NotATable, match="cannot be unpacked"):
        workbook.read(bytes(raw))


def test_dates_since_1904():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active["A1"] = d.date(2026, 11, 9)
    assert cells(saved(book)) == [("2026-11-09",)]


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="_\ufffe\uffff"), min_size=1, max_size=6
)
VALUES = st.one_of(TEXT, st.integers(-(10**14), 10**14), st.floats(-1e6, 1e6, width=32), st.booleans())


@given(st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=5))
def test_calamine_and_we_see_the_same_cells(table: list[list[object]]):
    table = [[f"'{value}" if isinstance(value, str) else value for value in row] for row in table]
    raw = xlsx(table)
    oracle = python_calamine.load_workbook(io.BytesIO(raw)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    found = cells(raw)
    assert len(found) == len(oracle)
    for ours, theirs in zip(found, oracle, strict=True):
        for text, value in zip(ours, theirs, strict=True):
            if isinstance(value, float):
                assert float(text) == pytest.approx(value, rel=1e-14, abs=1e-14)
            else:
                assert text == (str(value).upper() if isinstance(value, bool) else value)


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=4))
def test_a_damaged_workbook_is_read_or_refused(at: int, noise: bytes):
    for raw in (WHOLE, OLD):
        place = at % len(raw)
        try:
            workbook.read(raw[:8] + raw[8:place] + noise + raw[max(place, 8) + len(noise) :])
        except NotATable as error:
            assert error.text


# ---- .xls ---------------------------------------------------------------------------------------------------


def xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    one = book.add_sheet("居民")
    one.write_merge(0, 0, 0, 2, "档案")
    one.write(1, 0, "王桂兰")
    one.write(1, 1, 3)
    one.write(1, 2, 3.42)
    one.write(2, 0, MOMENT, xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
    one.write(2, 1, d.date(2026, 11, 9), xlwt.easyxf(num_format_str="YYYY/MM"))
    one.write(2, 2, True)
    one.write(3, 1, 110105194912310020)
    one.row(3).set_cell_error(30, 0x2A)
    one.write(4, 0, 0.5, xlwt.easyxf(num_format_str="0%"))
    hidden = book.add_sheet("字典")
    hidden.write(0, 0, "x")
    hidden.visibility = 1
    book.add_sheet("空")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_an_old_workbook():
    found = workbook.read(OLD)
    assert [(one.name, one.kind) for one in found] == [("居民", "xls"), ("字典", "xls")]
    assert [row.cells[:3] for row in found[0].rows] == [
        ("档案", "档案", "档案"),
        ("王桂兰", "3", "3.42"),
        ("2026-11-09T08:30", "2026-11", "TRUE"),
        ("", "1.10105E+17", ""),
        ("50%", "", ""),
    ]
    assert found[0].rows[3].cells[30] == "#N/A"
    assert "AE4 gives an error" in found[0].issues[0].text
    assert "hidden" in found[1].issues[0].text


def biff2(text: bytes) -> bytes:
    """A worksheet of the oldest kind, as Delphi exporters write it: BOF, one label, one integer, EOF."""

    def record(number: int, data: bytes) -> bytes:
        return number.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data

    label = bytes((0, 0, 0, 0, 0, 0, 0, len(text))) + text
    integer = bytes((0, 0, 1, 0, 0, 0, 0, 42, 0))
    return record(9, bytes((2, 0, 16, 0))) + record(4, label) + record(2, integer) + record(10, b"")


def test_a_bare_stream_of_the_oldest_kind_in_gbk():
    found = one(biff2("王桂兰".encode("gbk")))
    assert found.rows[0].cells == ("王桂兰", "42")
    assert workbook.read(biff2("王".encode("big5")), "BIG5")[0].rows[0].cells[0] == "王"


def test_old_workbooks_that_are_protected_or_damaged():
    with pytest.raises(NotATable, match="protected by a password"):
        workbook.read(workbook.OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(NotATable, match="protected by a password"):
        workbook.read(
            OLD.replace(b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x09\x08\x10\x00\x00\x06\x05\x00", 1).replace(
                BOF_NEXT, FILEPASS, 1
            )
        )
    with pytest.raises(NotATable, match="damaged or of an unknown kind"):
        workbook.read(OLD[:560] + b"\xff" * 900 + OLD[1460:])
    with pytest.raises(NotATable, match="without a workbook"):
        workbook.read(workbook.OLE + bytes(600))


OLD = xls()
WHOLE = xlsx([["姓名", 1, MOMENT], ["王桂兰", 2.5, True]])
_AT = OLD.find(b"\x09\x08\x10\x00") + 20
BOF_NEXT = OLD[_AT : _AT + 10]
FILEPASS = b"\x2f\x00\x06\x00" + BOF_NEXT[4:10]


def test_numbers_of_attributes_that_are_none():
    raw = rewritten(
        xlsx([[1.5]]), {SHEET: (b'<c r="A1"', b'<c s=" " r="A1"'), "xl/styles.xml": (b'numFmtId="0"', b'numFmtId="x"')}
    )
    assert cells(raw) == [("1.5",)]
    with pytest.raises(NotATable, match="it has a row '0'"):
        workbook.read(rewritten(xlsx([["x"]]), {SHEET: (b'<row r="1"', b'<row r="0"')}))


def test_characters_by_number():
    raw = rewritten(xlsx([["x"]]), {SHEET: (b"<t>x</t>", b"<t>&#29579;&#x6842;_xD800_&apos;</t>")})
    assert cells(raw) == [("王桂'",)]
