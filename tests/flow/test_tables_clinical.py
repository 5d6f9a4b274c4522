"""Exports of a clinic's day through the real doors: who a laboratory row is about, and what a reused number does."""

import pytest

from gateway.store.values import State
from tests.support.county import county

FEED = "township-csv"
_LAB = "条码号,报告单号,样本号,病人类型,门诊住院号,姓名,性别,送检机构,标本类型,采样时间,审核时间,报告状态,项目代码,项目名称,结果,单位"
_VISIT = "就诊流水号,机构代码,机构名称,门诊号,姓名,性别,出生日期,身份证号,就诊时间"
HERE, THERE = "柳溪镇中心卫生院", "石桥镇中心卫生院"
ZHOU, MA = "519927194903120245", "519927198109230189"


@pytest.fixture
def town(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield made


def send(town, name, *rows):
    with town.gateway.taking("test") as take:
        take("\r\n".join(rows).encode(), FEED, "127.0.0.1")
    town.work()


def visit(number, house, outpatient, name, resident, day="2026-12-01"):
    return f"{number},MB{house[0]},{house},{outpatient},{name},女,1949-03-12,{resident},{day} 08:00:00"


def result(barcode, report, outpatient, name, value, *, house=HERE, sampled="2026-12-01 08:30:00", status="已审核"):
    audited = "2026-12-01 10:00:00" if status == "已审核" else "2026-12-01 12:00:00"
    return f"{barcode},{report},1,门诊,{outpatient},{name},女,{house},血清,{sampled},{audited},{status},K,钾,{value},mmol/L"


def states(town):
    return [row.reason if row.state == State.PARKED else row.state.name.lower() for row in town.items()]


def test_a_laboratory_row_finds_the_visits_person_by_house_day_and_number(town):
    send(town, "visits", _VISIT, visit("JZ1", HERE, "0001", "周䶮", ZHOU), visit("JZ2", THERE, "0001", "马文", ""))
    send(
        town,
        "lab",
        _LAB,
        result("T1", "L1", "0001", "周䶮", "3.42"),
        result("T2", "L2", "0001", "马文", "4.1", house=THERE),
    )
    people = {one["id"]: one["name"][0]["text"] for one in town.all("Patient")}
    assert sorted(people.values()) == ["周䶮", "马文"]
    owners = {
        people[one["subject"]["reference"].split("/")[1]]: str(one["valueQuantity"]["value"])
        for one in town.all("Observation")
    }
    assert owners == {"周䶮": "3.42", "马文": "4.1"}


def test_the_number_of_the_next_day_is_another_person(town):
    rows = visit("JZ1", HERE, "0001", "周䶮", ZHOU), visit("JZ2", HERE, "0001", "马文", "", day="2026-12-02")
    send(town, "visits", _VISIT, *rows)
    assert states(town) == ["applied", "applied"]
    assert len(town.all("Patient")) == 2


def test_a_report_number_of_another_person_is_parked_and_the_first_stays(town):
    rows = result("T1", "L1", "0001", "周䶮", "3.42"), result("T2", "L1", "0002", "马文", "6.31", sampled="")
    send(town, "lab", _LAB, *rows)
    assert states(town) == ["applied", "key-reused"]
    assert [str(one["valueQuantity"]["value"]) for one in town.all("Observation")] == ["3.42"]


def test_the_withdrawal_of_a_report_passes_by_what_was_set_aside(town):
    rows = result("T1", "L1", "0001", "周䶮", "3.42"), result("T2", "L1", "0002", "马文", "6.31", sampled="")
    send(town, "lab", _LAB, *rows)
    send(town, "later", _LAB, result("T1", "L1", "0001", "周䶮", "3.42", status="反审核"))
    assert states(town) == ["applied", "key-reused", "applied"]
    assert town.only("DiagnosticReport")["status"] == town.only("Observation")["status"] == "entered-in-error"
    assert str(town.only("Observation")["valueQuantity"]["value"]) == "3.42"


def test_two_tubes_of_one_report_are_two_reports_of_one_request(town):
    rows = result("T1", "L1", "0001", "周䶮", "3.42"), result("T2", "L1", "0001", "周䶮", "3.5")
    send(town, "lab", _LAB, *rows)
    assert states(town) == ["applied", "applied"]
    assert len(town.all("DiagnosticReport")) == 2
    assert len(town.all("ServiceRequest")) == 1
