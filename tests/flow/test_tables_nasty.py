"""The nasty rows of real exports (N1 to N5 of the samples), told with rows of our own, through the line to the record."""

import json

import pytest

from gateway.store.values import State
from tests.support import exports
from tests.support.county import county

_RESIDENTS = "个人档案编号,姓名,性别,出生日期,身份证号,本人电话,药物过敏史,建档日期,档案状态\r\n"
_MOTHER = "51992710120300901,王桂兰,2,1949-12-31,11010519491231002X,10000000017,1,2024-04-18,1\r\n"
_CHILD = "51992710120300952,王桂兰之子,1,2026-09-01,11010519491231002X,10000000017,1,2026-09-03,1\r\n"
_LAB = (
    "条码号,报告单号,样本号,就诊卡号,姓名,标本类型,采样时间,审核时间,项目代码,项目名称,结果,单位,参考范围\r\n"
    "2611090000901,20261109-15,15,K00017731,王桂兰,血清,2026-11-09 08:10:00,2026-11-09 10:02:11,GLU,葡萄糖,6.80,mmol/L,3.9-6.1\r\n"
)
_LAB_NEXT = (
    "条码号,报告单号,样本号,就诊卡号,姓名,标本类型,采样时间,审核时间,项目代码,项目名称,结果,单位,参考范围\r\n"
    "2611100000902,20261109-15,15,,周䶮,血清,,2026-11-10 11:20:00,K,钾,6.31,mmol/L,3.5--5.3\r\n"
)


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path, [exports.mappings(tmp_path / "mappings")]) as made:
        yield made


def run(town, text, feed="township-csv"):
    town.send(text.encode() if isinstance(text, str) else text, feed=feed)
    town.work()
    return town.store.files.list()[0]


def issues(row):
    return [issue[2] for issue in json.loads(row.issues)]


def numbers(person):
    return [one["value"] for one in person["identifier"]]


def test_n1_a_newborn_with_its_mothers_number_is_a_person_without_it(town):
    run(town, _RESIDENTS + _MOTHER + _CHILD)
    assert town.states() == ["applied", "applied"]
    mother, child = town.all("Patient")
    assert (mother["name"][0]["text"], child["name"][0]["text"]) == ("王桂兰", "王桂兰之子")
    assert "11010519491231002X" in numbers(mother)
    assert "11010519491231002X" not in numbers(child)
    assert any("birth date" in text for text in issues(town.items()[1]))


def test_n3_commas_quotes_and_line_breaks_in_a_cell_are_one_row(town):
    lines = exports.csv([exports.person(1), exports.person(2)]).decode().split("\r\n")
    lines[1] = 'V00001,"人1, ""小名""\r\n二行",1,1980-01-01,1.50,2026-10-01'
    report = run(town, "\r\n".join(lines), "village-csv")
    first, second = town.items()
    assert (report.fresh, first.offset, first.length, second.offset) == (2, 2, 2, 4)
    assert town.all("Patient")[0]["name"][0]["text"].startswith('人1, "小名"')


def test_n4_a_report_number_used_again_the_next_day_is_no_update(town):
    run(town, _LAB)
    run(town, _LAB_NEXT)
    assert town.states() == ["applied", "applied"]
    before, after = town.all("DiagnosticReport")
    assert before["meta"]["versionId"] == "1"
    assert before["subject"] != after["subject"]
    assert "effectiveDateTime" not in after, "no sampling time is no sampling time"
    assert [one["name"][0]["text"] for one in town.all("Patient")][-1] == "周䶮"


def test_n5_lost_digits_are_dropped_with_an_issue_and_a_total_is_no_row(town):
    rows = [exports.person(1, cost="21,118.40"), exports.person(2, "1.10105E+17", cost="29,254.37")]
    quoted = [tuple(f'"{cell}"' for cell in row) for row in rows]
    report = run(town, exports.csv(quoted, last='合计,,,,"50,372.77",\r\n'), "village-csv")
    assert (report.fresh, report.quarantined) == (2, 0)
    told = json.loads(report.facts)
    assert (told["reconciled"], told["totals"][0]["checks"]) == (True, [["费用", "50372.77", "50372.77", True]])
    row = town.items()[1]
    assert any("1.10105E+17" in text for text in issues(row))
    assert row.state == State.APPLIED
    assert "name" not in town.all("Patient")[1]


def test_rows_of_one_report_are_one_item_and_one_corrected_result_is_one_version_of_it(town):
    head, first = _LAB.split("\r\n", 1)
    second = first.replace("GLU,葡萄糖,6.80,mmol/L,3.9-6.1", "K,钾,4.10,mmol/L,3.5-5.3")
    run(town, f"{head}\r\n{first}{second}")
    assert [(row.offset, row.length) for row in town.items()] == [(2, 2)]
    assert [one["meta"]["versionId"] for one in town.all("Observation")] == ["1", "1"]
    corrected = second.replace("4.10", "4.90").replace("10:02:11", "10:30:00")
    report = run(town, f"{head}\r\n{first}{corrected}")
    assert (report.changed, report.records) == (1, 1)
    assert sorted(one["meta"]["versionId"] for one in town.all("Observation")) == ["1", "2"]
