"""Reading files: records, totals, footers, faults, and the same digest whatever the encoding and order of columns."""

import string
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.formats.sheet import NotATable
from gateway.mapping import catalog
from tests.unit.mapping.tables.conftest import LAB, PEOPLE, House, rows

HEAD = "档案编号,姓名,性别,身份证号,体重(kg),费用,日期"
ONE = "1,王桂兰,女,11010519491231002X,61,15.00,2026-11-09 08:12"
TWO = '2,陈玘,男,440524188001010014,58,"1,203.5",2026/11/10'


def test_rows_are_records_with_key_people_and_time(people):
    found = people.tables("town-csv").read(rows(HEAD, ONE, TWO), "people.csv")
    assert (found.table, found.mode, found.rows, found.kind, found.encoding) == ("people", "full", 2, "csv", "utf-8")
    assert found.reconciled is None
    first, second = found.records
    assert (first.number, first.line, first.lines, first.key, first.fault) == (0, 2, 1, "1", "")
    assert first.patient_keys == ("11010519491231002X", "1")
    assert first.time == "2026-11-09T08:12:00+08:00"
    assert second.time == "2026-11-10"
    assert len(first.digest) == 16
    assert first.digest != second.digest


def test_a_masked_number_names_nobody_and_letters_are_one(people):
    found = people.tables("town-csv").read(rows(HEAD, "1,a,,110***********002X,,,", "2,b,,11010519491231002x,,,"))
    assert [record.patient_keys for record in found.records] == [("1",), ("11010519491231002X", "2")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_digests_and_keys_are_the_same_in_every_encoding_and_order(people, encoding):
    tables = people.tables("town-csv")
    expected = tables.read(rows(HEAD, ONE, TWO)).records
    turned = [",".join(reversed(line.split(","))) for line in (HEAD, ONE)]
    raw = "\n".join(turned).encode(encoding)
    assert tables.read(raw).records[0].digest == expected[0].digest
    raw = "\r\n".join((HEAD, ONE, TWO)).encode(encoding)
    assert [(one.key, one.digest) for one in tables.read(raw).records] == [(one.key, one.digest) for one in expected]


def test_padding_and_an_empty_new_column_change_no_digest(people):
    tables = people.tables("town-csv")
    padded = ",".join(f" {cell} " for cell in ONE.split(","))
    assert (
        tables.read(rows(f"{HEAD},新列", f"{padded},")).records[0].digest
        == tables.read(rows(HEAD, ONE)).records[0].digest
    )
    assert tables.read(rows(HEAD, ONE.replace("61", "62"))).records[0].digest != tables.read(rows(HEAD, ONE)).records[0].digest  # fmt: skip


def test_dates_in_keys_are_one_whatever_their_spelling(wide):
    tables = wide.tables("town-csv")
    keys = {tables.read(rows("样本号,检验日期,WBC", f"1,{day},6.2")).records[0].key for day in ("2026-11-06", "2026/11/6", "2026年11月6日")}  # fmt: skip
    assert keys == {"2026-11-06|1"}


def test_rows_of_a_group_are_one_record_whatever_their_order(lab):
    tables = lab.tables("town-csv")
    head, first, other, second = "条码号,项目代码,结果", "7,K,3.42", "8,K,4.1", "7,NA,140"
    found = tables.read(rows(head, first, other, second))
    assert [(record.key, record.line, record.lines) for record in found.records] == [("7", 2, 2), ("8", 3, 1)]
    turned = tables.read(rows(head, second, first, other))
    assert turned.records[0].digest == found.records[0].digest
    assert found.rows == 3


def test_totals_are_reconciled_and_never_imported(people):
    found = people.tables("town-csv").read(rows(HEAD, ONE, TWO, "合计,2例,,,,1218.50,"))
    assert found.rows == len(found.records) == 2
    assert found.skipped[-1] == (4, "total")
    assert found.reconciled is True
    total = found.totals[0]
    assert (total.line, total.label) == (4, "合计")
    assert [(check.what, check.told, check.found) for check in total.checks] == [
        ("rows", Decimal(2), Decimal(2)),
        ("费用", Decimal("1218.50"), Decimal("1218.50")),
    ]


def test_a_wrong_total_is_a_warning(people):
    found = people.tables("town-csv").read(rows(HEAD, ONE, "合计：,3人次,,,,20,"))
    assert found.reconciled is False
    assert [(issue.text, issue.where) for issue in found.issues] == [
        ("the total of rows says 3, the rows give 1", "people 3"),
        ("the total of 费用 says 20, the rows give 15.00", "people 3"),
    ]


def test_partial_totals_count_from_the_last_one(people):
    found = people.tables("town-csv").read(rows(HEAD, ONE, "小计,,,,,15,", TWO, "小计,,,,,1203.5,", "总计,,,,,1218.5,"))
    assert found.reconciled is True
    assert [total.label for total in found.totals] == ["小计", "小计", "总计"]


def test_a_name_is_no_total(people):
    found = people.tables("town-csv").read(rows(HEAD, "合计划,王桂兰,女,,,,", "2,合计,女,,,,"))
    assert [record.key for record in found.records] == ["合计划", "2"]


@pytest.mark.parametrize(
    "line", ["已选择 2 行。", "2 rows selected.", "(2 行受影响)", "已选择2行", "(2 rows affected)"]
)
def test_what_a_program_counted_is_reconciled(people, line):
    found = people.tables("town-csv").read(rows(HEAD, ONE, TWO, line))
    assert found.skipped[-1] == (4, "count")
    assert found.reconciled is True
    assert people.tables("town-csv").read(rows(HEAD, ONE, line)).reconciled is False


def test_what_programs_and_people_write_around_rows_is_no_row(people):
    found = people.tables("town-csv").read(
        rows(HEAD, "----,------,--,-----,--,--,--", ONE, "", HEAD, TWO, ",,,,,,", "填表人: 罗有田,审核人:", "打印时间：2026-11-09", "第1页")
    )  # fmt: skip
    assert [record.line for record in found.records] == [3, 6]
    reasons = [why for _, why in found.skipped]
    assert reasons[1] == "rule"
    assert "header again" in reasons
    assert reasons[-3:] == ["footer", "footer", "footer"]


def test_a_table_names_more_footers(house):
    house.table("people", PEOPLE + "skip: [数据截止]\n")
    found = house.load("people").tables("town-csv").read(rows(HEAD, ONE, "数据截止2026-11-09"))
    assert found.skipped[-1] == (3, "footer")


def test_rows_that_cannot_be_trusted_are_set_aside(people):
    found = people.tables("town-csv").read(
        rows(HEAD, ONE + ",x", ONE + ",,", ",没有编号,,,,,", "5,断", "行,女,,,15,2026", TWO)
    )
    faults = [(record.line, record.fault) for record in found.records if record.fault]
    assert faults[0][1].startswith("has 8 cells, the header 7")
    assert faults[1] == (4, "has no 档案编号, by which a row is known; complete it and send it again")
    assert faults[2][1].startswith("lines 5 and 6 seem to be one row")
    assert faults[2][1] == faults[3][1]
    assert found.rows == 6
    assert [record.key for record in found.records if not record.fault] == ["1", "2"]
    broken = next(record for record in found.records if record.fault)
    assert broken.message.segments == []
    assert broken.message.header.name == "REC"


def test_a_row_without_its_last_cells_is_whole(people):
    found = people.tables("town-csv").read(rows(HEAD, "1,王桂兰", "2,陈玘,男"))
    assert [record.fault for record in found.records] == ["", ""]


def test_bytes_that_are_no_text_park_their_row(people):
    raw = rows(HEAD, ONE) + b"3,\xff\xfe\xfd,,,,,\r\n" + rows(TWO)
    found = people.tables("town-csv").read(raw)
    assert [bool(record.fault) for record in found.records] == [False, True, False]


def test_a_workbook_with_a_sheet_more(people, monkeypatch):
    from gateway.formats import sheet
    from gateway.formats.sheet import Row, Sheet

    def made(name: str, *lines: str) -> Sheet:
        return Sheet([Row(n, 1, tuple(line.split(","))) for n, line in enumerate(lines, 1)], "xlsx", name=name)

    again = "1,陈玘,男,,58,3,2026/11/10"
    sheets = [
        made("说明", "如何填写"),
        made("一月", HEAD, ONE, "合计,9例"),
        made("二月", HEAD, again, "合计,8例"),
        made("空", ""),
    ]
    monkeypatch.setattr(sheet, "read", lambda raw, **_: sheets)
    found = people.tables("town-csv").read(b"")
    assert [(record.number, record.line) for record in found.records] == [(0, 2), (1, 2)]
    assert (found.rows, found.header_line, len(found.totals)) == (2, 1, 2)
    assert [(issue.severity, issue.where) for issue in found.issues] == [
        ("warning", "people 3"),
        ("warning", "people 二月 3"),
        ("warning", "people 二月 2"),
        ("information", "说明"),
    ]
    assert "the key 1 stands in line 2 already, with other cells" in found.issues[2].text


def test_a_sheet_of_another_table_is_not_lost_in_silence(both, monkeypatch):
    from gateway.formats import sheet
    from gateway.formats.sheet import Row, Sheet

    sheets = [
        Sheet([Row(n, 1, tuple(line.split(","))) for n, line in enumerate(lines, 1)], "xlsx", name=name)
        for name, lines in {"人员": (HEAD, ONE), "检验": ("条码号,结果", "7,3.42")}.items()
    ]
    monkeypatch.setattr(sheet, "read", lambda raw, **_: sheets)
    found = both.tables("town-csv").read(b"")
    assert found.table == "people"
    assert [(issue.severity, issue.where) for issue in found.issues] == [("warning", "检验")]
    assert "it looks like lab; send it as a file of its own" in found.issues[0].text


def test_a_needed_part_of_the_key_cannot_be_empty(wide):
    found = wide.tables("town-csv").read(rows("样本号,检验日期,WBC", ",2026-11-06,6.2", "1,2026-11-06,6.2"))
    assert [(record.key, record.fault[:10]) for record in found.records] == [
        ("", "has no 样本号"[:10]),
        ("2026-11-06|1", ""),
    ]


def test_a_feed_without_tables_says_so(people):
    with pytest.raises(GatewayError, match="sends no tables; those that do are town-csv"):
        people.tables("nobody")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    house.table("people", PEOPLE)
    house.table("lab", LAB)
    loaded: catalog.Catalog = house.load("people", "lab")
    return loaded


CELLS = st.one_of(
    st.sampled_from(["", "1", "王桂兰", "合计", "2例", "NULL", "1.10105E+17", "158/94", "高血压(2012);糖尿病", '""', "^~\\&|", "2026-11-09"]),
    st.text(alphabet=string.printable + "王陈䶮　", max_size=6),
)  # fmt: skip
HEADS = st.lists(st.sampled_from(["档案编号", "姓名", "费用", "病史", "血压", "条码号", "结果", "x", "", "项目代码"]), min_size=2, max_size=6)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(head=HEADS, body=st.lists(st.lists(CELLS, max_size=7), max_size=12), before=st.lists(CELLS, max_size=2))
def test_any_sheet_is_a_table_file_in_which_no_row_is_lost_or_no_table(both, head, body, before):
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([before, head, *body])
    tables = both.tables("town-csv")
    try:
        found = tables.read(text.getvalue().encode())
    except NotATable:
        return
    lines = [row.line for record in found.records for row, _ in record.rows]
    lines += [record.line for record in found.records if record.fault and not record.rows]
    skipped = [line for line, _ in found.skipped]
    from gateway.formats import sheet

    assert sorted([*lines, *skipped]) == [row.line for row in sheet.read(text.getvalue().encode())[0].rows]
    mapper = both.mapper("town-csv")
    for record in found.records:
        if not record.fault:
            mapped = mapper.map(record.message)
            assert mapped.populated >= mapped.mapped >= 0


@pytest.fixture
def named(house):
    """A feed that knows its tables by the names of their files."""
    house.table("people", PEOPLE)
    house.table("lab", LAB)
    more = '  people: {mode: full, files: ["*people*"]}\n  lab: {mode: delta, files: ["*lab*"]}\n'
    return house.load(more=more).tables("town-csv")


def test_a_file_that_has_a_tables_key_by_chance_is_not_taken_for_it(named):
    head, row = "档案编号,姓名,随访日期,收缩压,舒张压,转归", "1,王桂兰,2026-11-09,158,94,1"
    with pytest.raises(NotATable, match="looks most like people, but only 2 of its 6 columns"):
        named.read(rows(head, row), "随访.csv")
    assert len(named.read(rows(head, row), "people.csv").records) == 1, "its name says that it is"


def test_a_name_that_fits_another_table_does_not_hide_the_one_it_is(named):
    assert named.read(rows(HEAD, ONE), "lab-of-wards.csv").table == "people"
