"""The exports: exact headers, rows where the truth says, money that adds up, one story through all files."""

from collections import Counter
from datetime import date, timedelta

import pytest

from gateway.formats import sheet
from gateway.simulate import cells, numbers
from gateway.simulate.catalogue import book, columns
from gateway.simulate.values import Person
from tests.unit.simulate.conftest import records

EVERY = set(book("tables"))


def read(county, entry):
    return sheet.read((county.folder / entry["file"]).read_bytes())[0]


def test_all_25_exports_are_written(days):
    assert len(EVERY) == 25
    assert {entry["table"] for entry in days.files if entry["kind"] == "table"} == EVERY


def test_villages_send_workbooks_and_the_insurer_utf8(days):
    for entry in days.files:
        if entry["feed"] == "village-xlsx":
            assert read(days, entry).kind == "xlsx"
        elif entry["feed"] == "insurer-csv":
            assert read(days, entry).encoding == "utf-8"


def test_every_file_has_the_header_of_its_export(days):
    for entry in days.files:
        if entry["kind"] != "table" or not entry["items"]:
            continue
        seen = {
            word.replace("査", "查").replace("箅", "算") for row in read(days, entry).rows[:3] for word in row.cells
        }
        assert set(columns(entry["table"])) <= seen, entry["file"]


def test_every_file_holds_as_many_rows_as_the_truth_counts(days):
    for entry in days.files:
        if entry["kind"] == "table" and entry["items"]:
            raw = (days.folder / entry["file"]).read_bytes()
            assert len(records(raw)) == entry["items"], entry["file"]


def test_labels_of_rows_name_lines_that_begin_a_row(days):
    begins = {}
    for label in days.truth:
        if label.get("line"):
            if label["file"] not in begins:
                begins[label["file"]] = {row.line for row in read(days, label).rows}
            assert label["line"] in begins[label["file"]], label


def test_only_the_cell_cut_in_half_is_not_read(days):
    cut = {(each["file"], each["line"]) for each in days.truth if each["variant"] == "cut-cell"}
    faults = {
        (entry["file"], row.line)
        for entry in days.files
        if entry["kind"] == "table" and entry["items"]
        for row in read(days, entry).rows
        if row.fault
    }
    assert faults <= cut
    assert cut


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("residents", ["个人档案编号"]),
        ("staff", ["工号", "所属机构代码"]),
        ("organisations", ["机构代码"]),
        ("team_members", ["团队编号", "成员工号"]),
        ("service_packages", ["服务包编号", "项目编码"]),
        ("insurance_enrolment", ["人员编号", "险种类型", "参保地区划"]),
        ("item_dictionary", ["机构代码", "本地项目代码"]),
        ("drug_catalogue", ["机构代码", "药品编码"]),
        ("followup_hypertension", ["随访编号"]),
        ("followup_diabetes", ["随访编号"]),
        ("fulfilled_items", ["服务记录编号"]),
        ("slots", ["号源编号"]),
        ("settlements", ["结算流水号"]),
        ("lab_results_long", ["条码号", "项目代码", "报告状态"]),
        ("prescriptions", ["处方号", "组号", "药品编码"]),
        ("health_checks", ["体检编号"]),
        ("remote_consultations", ["会诊编号"]),
        ("population_denominators", ["统计年度", "行政区划代码"]),
        ("discharges", ["病案号", "住院次数"]),
        ("imaging_reports", ["检查号"]),
        ("satisfaction_survey", ["调查编号"]),
    ],
)
def test_business_keys_are_unique(tables, table, key):
    held = Counter(tuple(row[word] for word in key) for row in tables[table])
    assert held
    assert [one for one, times in held.items() if times > 1] == []


def test_contract_numbers_repeat_only_where_one_ends(tables):
    rows = tables["contracts"]
    held = Counter(row["签约编号"] for row in rows)
    ended = {row["签约编号"] for row in rows if row["签约状态"] == "2"}
    assert {number for number, times in held.items() if times > 1} <= ended
    assert [row for row in rows if row["签约状态"] == "2" and row["解约日期"] and row["解约原因"]]


def test_reused_referral_numbers_are_labelled(days):
    labelled = sum(each["variant"] == "number-reused" and each["case"] == "25" for each in days.truth)
    assert labelled >= 1


def cents(text):
    return round(float(text.replace(",", "") or 0) * 100)


def test_settlements_add_up_and_refunds_cancel_what_they_name(tables):
    rows = {row["结算流水号"]: row for row in tables["settlements"]}
    refunds = [row for row in rows.values() if row["退费标志"] == "1"]
    assert refunds
    for row in rows.values():
        parts = ("统筹基金支出", "大病保险支出", "医疗救助支出", "个人账户支出", "个人现金支出")
        assert sum(cents(row[part]) for part in parts) == cents(row["医疗费总额"])
    for row in refunds:
        assert cents(row["医疗费总额"]) == -cents(rows[row["原结算流水号"]]["医疗费总额"])


def test_packages_add_up(tables):
    for row in tables["service_packages"]:
        paid = sum(cents(row[part]) for part in ("医保支付", "公卫补助", "财政补助", "优惠减免", "个人自付"))
        assert paid == cents(row["项目合计"]) == cents(row["项目单价"]) * int(row["年服务次数"])


def test_the_total_of_the_discharges_is_their_sum(day):
    entry = next(each for each in day.files if each.get("table") == "discharges")
    rows = read(day, entry).rows
    total = next(row for row in rows if row.cells[0] == "合计")
    each = [row for row in rows[1:] if row.cells[0] != "合计"]
    assert total.cells[1] == f"{len(each)}例"
    assert cents(total.cells[-1]) == sum(cents(row.cells[-1]) for row in each)
    label = next(mark for mark in day.truth if mark["case"] == "23" and mark["file"] == entry["file"])
    assert (label["line"], label["expect"]["outcome"]) == (total.line, "ignored")


def test_blood_counts_are_numbered_within_their_laboratory(tables):
    held = [(row["检验日期"], row["样本号"]) for row in tables["lab_results_wide"]]
    assert len(set(held)) == len(held) >= 1


def test_follow_ups_are_a_story_over_time(days):
    by_person = {}
    for entry in days.files:
        if entry.get("table") == "followup_hypertension":
            for row in records((days.folder / entry["file"]).read_bytes()):
                by_person.setdefault(row["个人档案编号"], []).append(row)
    values = [int(row["收缩压(mmHg)"]) for rows in by_person.values() for row in rows]
    assert 120 < sum(values) / len(values) < 160
    again = 0
    for rows in by_person.values():
        rows.sort(key=lambda row: row["随访日期"])
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            due = date.fromisoformat(row["下次随访日期"]) - date.fromisoformat(row["随访日期"])
            assert due in (timedelta(days=90), timedelta(days=14))
            again += bool(following) and following["随访日期"] == row["下次随访日期"]
    assert again > 3, "who was off target is seen again on the day the form says"


def test_referrals_lead_to_visits_and_back(days):
    ups, downs = {}, []
    for entry in days.files:
        if entry.get("table") == "referrals":
            for row in records((days.folder / entry["file"]).read_bytes()):
                (downs.append(row) if row["转诊类型"] == "2" else ups.setdefault(row["转诊单号"], row))
    assert ups
    assert downs
    for row in downs:
        assert row["转入医院名称"].endswith("卫生院")
    visits = [row for entry in days.files if entry.get("table") == "visits_outpatient"
              for row in records((days.folder / entry["file"]).read_bytes())]  # fmt: skip
    assert {row["转诊单号"] for row in visits if row.get("转诊单号")} <= set(ups)


def test_fulfilled_items_point_at_the_follow_up(tables):
    follow_ups = {row["随访编号"] for table in ("followup_hypertension", "followup_diabetes") for row in tables[table]}
    contracts = {row["签约编号"] for row in tables["contracts"]}
    for row in tables["fulfilled_items"]:
        assert row["关联业务单号"] in follow_ups
        assert row["签约编号"] in contracts


def test_identifiers_of_the_truth_are_the_persons_own(days):
    for label in days.truth:
        found = label["expect"].get("identifier")
        if found:
            assert found == days.persons[label["person"]]["id"]


def person(name="李珅", number=11, birth=date(1960, 1, 5)):
    return Person(number, name, "1", birth, numbers.resident_id(birth, 3, "1"), "01", None, 1, "0", 1, "10000000011")


@pytest.mark.parametrize("role", list(cells.ROLES))
def test_every_defect_changes_its_cell(role):
    one = person("陈䶮·玥" if role == "name" else "李珅")
    sent = {"id": one.id, "name": "陈䶮·玥", "birth": "1960-01-05", "sex": "1", "phone": one.phone}[role]
    for case, defect in cells.ROLES[role].items():
        for text in [sent[:-1] + "X"] if case.startswith("9.") else [sent, "张三"] if role == "name" else [sent]:
            if defect.fits(one, text):
                assert defect.change(one, text) != text, case


def test_mojibake_is_what_gbk_makes_of_utf8():
    assert cells.mojibake("张三") == "寮犱笁"
    assert cells.mojibake("王") != "王"


def test_masks_keep_head_and_tail():
    assert numbers.masked("10000000031", 3, 4) == "100****0031"
    assert numbers.masked("", 3, 4) == ""
    assert numbers.exponent("110105194912310021") == "1.10105E+17"
    assert numbers.zeroed("110105194912310021") == "110105194912310000"
    assert numbers.wide("1X") == "１Ｘ"
