"""Headers: found by what they say, whatever senders do to them."""

import pytest

from gateway.formats.sheet import NotATable
from gateway.mapping.tables.header import plain, unit_in
from tests.unit.mapping.tables.conftest import rows


@pytest.mark.parametrize(
    "head",
    [
        "档案编号,姓名,身份证号,检查结果,体重(kg)",
        "phrId,personName,idCard,检查结果,体重",
        " 档案编号 ,姓  名,证件号码,检査结果,体重（kg）",
        "PHRID,XM,身份证件号码,检查结果,体重【公斤】",
        "*档案编号,姓名：,身份证号,检查结果,体重 (kg)",
        "档案编号(必填),姓名,身份证号(18位),检查结果,体重[kg]",
    ],
)
def test_header_families_name_the_same_columns(people, head):
    found = people.tables("town-csv").read(rows(head, "1,王桂兰,11010519491231002X,好,61"))
    assert found.header_line == 1
    assert found.issues == ()
    assert set(found.records[0].layout.at) == {"档案编号", "姓名", "身份证号", "检查结果", "体重(kg)"}


def test_titles_above_the_header_and_columns_in_any_order(people):
    found = people.tables("town-csv").read(
        rows("柳溪镇居民档案（2026年）", ",,,,", "日期,姓名,档案编号,性别,费用", "2026-11-09,王桂兰,1,女,15")
    )
    assert found.header_line == 3
    assert found.records[0].key == "1"
    assert found.skipped == ((1, "above the header"), (2, "above the header"), (3, "header"))


def test_two_merged_header_lines_are_one(house):
    house.table(
        "pressure",
        """
columns: [编号, {name: 收缩压, also: [血压收缩压]}, 舒张压, 左侧血压, 右侧血压]
key: [编号]
maps: {O: [{id: 收缩压, to: valueString}, {id: 舒张压, to: interpretation}, {id: 右侧血压, to: comment}]}
resources: {o: {type: Observation, on: {REC: O}, keys: child}}
""",
    )
    tables = house.load("pressure").tables("town-csv")
    found = tables.read(rows("编号,血压,,", ",收缩压,舒张压,备注", "1,158,94,x"))
    assert found.header_line == 1
    assert found.skipped == ((1, "header"), (2, "header"))
    assert found.records[0].layout.at == {"编号": 0, "收缩压": 1, "舒张压": 2}
    assert found.records[0].layout.unknown == ["血压备注"]
    found = tables.read(rows("编号,血压,血压", ",收缩压,舒张压", "1,158,94"))
    assert found.records[0].layout.at == {"编号": 0, "收缩压": 1, "舒张压": 2}


def test_a_row_of_data_is_no_second_header_line(people):
    found = people.tables("town-csv").read(rows("档案编号,姓名,", "1,姓名,x", "2,y,z"))
    assert [record.key for record in found.records] == ["1", "2"]


def test_unknown_and_double_columns_are_told(people):
    found = people.tables("town-csv").read(rows("档案编号,姓名,备用一,姓名", "1,王桂兰,x,陈玘"))
    texts = [issue.text for issue in found.issues]
    assert texts == [
        "no rule reads the columns 备用一; their cells are left over",
        "the columns 姓名 stand there twice; the first counts",
    ]
    mapped = people.mapper("town-csv").map(found.records[0].message)
    assert [(left.where, left.reason, left.kept) for left in mapped.left] == [
        ("people 2: 备用一", "no rule reads this column", False),
        ("people 2: 姓名", "no rule reads this column", False),
    ]


def test_row_numbers_are_no_column(people):
    one = people.tables("town-csv").read(rows(",档案编号,姓名", "7,1,王桂兰")).records[0]
    other = people.tables("town-csv").read(rows("序号,姓名,档案编号", "12,王桂兰,1")).records[0]
    assert one.digest == other.digest
    mapped = people.mapper("town-csv").map(one.message)
    assert mapped.left == []
    assert mapped.populated == mapped.mapped == 2


def test_a_missing_column_is_named_with_what_was_seen(people):
    with pytest.raises(NotATable) as fault:
        people.tables("town-csv").read(rows("编码,姓名,性别", "1,王桂兰,女"))
    assert "lacks 档案编号" in fault.value.text
    assert "Seen were: 编码, 姓名, 性别" in fault.value.text
    assert fault.value.where == "line 1"


def test_no_header_at_all(people):
    with pytest.raises(NotATable, match=r"No header was found in the first 20 rows\. The tables looked for are people"):
        people.tables("town-csv").read(rows("a,b,c", "1,2,3"))


def test_the_table_is_told_by_the_file_name_else_by_the_header(house):
    both = """
columns: [编号, 姓名, {one}]
key: [编号]
maps: {{P: [{{id: 编号, to: "identifier[]", transform: identifier}}]}}
resources: {{p: {{type: Patient, on: {{REC: P}}, keys: patient}}}}
"""
    house.table("first", both.format(one="身高"))
    house.table("second", both.format(one="体重"))
    house.write(
        "site/town-csv/feed.yaml",
        "format: csv\ntables:\n  first: {files: ['*身高*', 'First_*']}\n  second: {files: ['second*']}\n",
    )
    from gateway.mapping import catalog

    tables = catalog.load([house.folder]).tables("town-csv")
    raw = rows("编号,姓名,体重", "1,王桂兰,61")
    assert tables.read(raw).table == "second"
    assert tables.read(raw, "C:\\出\\居民身高.csv").table == "first"
    assert tables.read(raw, "FIRST_20261109.CSV").table == "first"
    assert tables.read(raw, "unknown.csv").table == "second"
    assert tables.read(rows("编号,姓名", "1,王桂兰"), "second.csv").table == "second"


def test_of_two_headers_the_fuller_counts(people):
    found = people.tables("town-csv").read(rows("档案编号,姓名", "档案编号,姓名,性别,日期", "1,王桂兰,女,2026"))
    assert found.header_line == 2


def test_plain_headers():
    assert plain("检査　结箅 （ＫＧ）*：") == "检查结算(kg)"
    assert unit_in("WBC（×10⁹/L）") == "×10⁹/L"
    assert unit_in("姓名") == ""
