"""The 27 cases of Chinese feeds (china.md §5.2), one test each: bytes in through the real intake, judged in the record."""

import base64
import csv
import json
from datetime import date

import pytest

from gateway import settings, wiring
from gateway.listeners.values import Who
from gateway.simulate import numbers
from gateway.store.values import State
from tests.support.county import county, hl7, lab, msh, pid
from tests.support.nasty import (
    ID,
    INSURER,
    MAN,
    OTHER,
    TOWN,
    WANG,
    Town,
    codes,
    contract,
    enrolment,
    followup,
    national,
    referral,
    resident,
    result,
    table,
    visit,
    visitor,
    worded,
)


@pytest.fixture(scope="module")
def catalog():
    return wiring.open_catalog(settings.load(environment={}))


@pytest.fixture
def town(tmp_path, catalog, monkeypatch):
    monkeypatch.setattr(wiring, "open_catalog", lambda _: catalog)  # read once for all tests
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield Town(made)


NAMES = ["王妡", "陈玘", "赵珇", "周玕", "李珅"]  # their second bytes are | ^ ~ \ | in GBK


def test_case_1_gbk_bytes_that_equal_delimiters_shift_no_field(town):
    town.message(*(hl7(msh(f"M{n}"), pid(f"P{n}", name)).decode().encode("gb18030") for n, name in enumerate(NAMES)))
    rows = [resident(n, 姓名=name) for n, name in enumerate(NAMES)]
    report = town.export("residents.txt", table(*rows, delimiter="|"))
    assert (report.fresh, report.quarantined) == (5, 0)
    assert set(town.states()) == {"applied"}
    assert town.people() == NAMES * 2
    assert {(one["birthDate"], one["gender"]) for one in town.patients()} == {
        ("1980-01-01", "male"),
        ("1956-08-07", "male"),
    }


def test_case_2_what_gb2312_and_gbk_lack_is_read_as_gb18030(town):
    names = ["周䶮", "赵喆", "李堃", "王玥", "陈彧", "刘赟", "萧昇", "孙翀", "吴垚", "郑镕", "钱旻"]
    town.message(hl7(msh("M1"), pid("P1", "周䶮")).decode().encode("gb18030"))
    town.export("residents.csv", table(*(resident(n, 姓名=name) for n, name in enumerate(names))))
    town.export("contracts.csv", table(contract(服务包="€ 包")))
    assert town.people()[: len(names) + 1] == ["周䶮", *names]
    assert "€" in json.dumps(town.all("CarePlan")[-1], ensure_ascii=False)


def test_case_3_text_read_in_a_wrong_charset_is_told_and_never_matched_on(town):
    rows = [resident(1, 姓名="寮犱笁"), resident(2, 姓名="寮犱笁"), resident(3, 姓名="锟斤拷锟斤拷"), resident(4)]
    town.export("residents.csv", table(*rows).encode())
    assert set(town.states()) == {"applied"}
    assert town.people() == ["寮犱笁", "寮犱笁", "锟斤拷锟斤拷", "张五"], "as sent; two numbers are two persons"
    assert [town.said("read in a wrong charset", at) for at in range(4)] == [True, True, True, False]
    assert town.said("张三 was meant", 0)
    town.message(hl7(msh("M1"), pid("P1", "寮犱笁")))
    assert town.said("read in the wrong charset before it was sent")


def test_case_4_a_file_of_several_encodings_is_read_line_by_line_with_its_lines_told(town):
    head, *rows = table(resident(1), resident(2), resident(3, 姓名="周䶮")).splitlines(keepends=True)
    raw = b"\xef\xbb\xbf" + (head + rows[0]).encode() + "".join(rows[1:]).encode("gb18030")
    report = town.export("residents.csv", raw)
    assert town.people() == ["张二", "张三", "周䶮"]
    assert any("lines" in text or "line" in place for _, text, place in json.loads(report.facts)["issues"])
    utf8 = hl7(msh("M1"), pid("P1", "李珅"))
    town.message(utf8, hl7(msh("M2"), pid("P2", "王妡")).decode().encode("gb18030"))
    assert town.people()[3:] == ["李珅", "王妡"], "each message by its own evidence"


def test_case_5_a_text_cut_in_a_character_is_flagged_and_its_row_stands(town):
    text = table(visit(1), visit(2, 就诊流水号="JZ000002", 主诉="要求双向转诊"), visit(3, 就诊流水号="JZ000003"))
    raw = text.encode("gb18030").replace("要求双向转诊".encode("gb18030"), "要求双向转诊".encode("gb18030")[:-1])
    report = town.export("visits_outpatient.csv", raw)
    assert (report.fresh, report.quarantined) == (3, 0)
    assert town.states() == ["applied"] * 3
    assert town.said("cut in the middle of a character", 1)
    assert "要求双向转" in json.dumps(town.all("Encounter")[1], ensure_ascii=False)
    assert not town.said("cut", 0)


def test_case_6_rare_spellings_of_a_name_are_stored_as_sent(town):
    names = [
        "薛\ue5e5",
        "薛&#x4DAE;",
        "阿卜杜·热合曼",
        "阿卜杜•热合曼",
        "阿卜杜・热合曼",
        "阿卜杜．热合曼",
        "张  三",
        "張三",
    ]
    town.export("residents.csv", table(*(resident(n, 姓名=name) for n, name in enumerate(names))))
    assert set(town.states()) == {"applied"}
    assert town.people() == names


def test_case_7_ids_are_recovered_where_nothing_is_lost_and_refused_where_digits_are(town):
    wide = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
    held = [numbers.resident_id(date(1956, 8, 7), order, "1") for order in range(31, 35)]
    sound = ["\t" + held[0], "'" + held[1], f'="{held[2]}"', held[3].translate(wide)]
    lost = ["1.10105E+17", numbers.zeroed(ID), "519927201503090000"]
    town.export("residents.csv", table(*(resident(at, 身份证号=number) for at, number in enumerate(sound + lost))))
    assert [national(one) for one in town.patients()] == [[number] for number in held] + [[]] * len(lost)
    assert town.said("has lost digits", 4)
    assert town.said("身份证号", 5)
    assert town.said("spreadsheet", 6), "its check digit happens to be right: no ID either"


def test_case_8_codes_are_strings_and_are_padded_by_an_explicit_map_only(town):
    town.export(
        "contracts.csv", table(contract(1, 人群分类="03"), contract(2, 人群分类="3", 身份证号=MAN, 签约人姓名="张三"))
    )
    padded, bare = (json.dumps(one) for one in town.all("CarePlan"))
    assert '"elder"' in padded
    assert '"elder"' not in bare
    assert '"code": "3"' in bare, "kept as sent"
    assert town.said("code '3' has no target", 1)


def test_case_9_the_last_character_of_an_id_is_canonical_or_missing(town):
    held = [
        number for order in range(1, 60) if (number := numbers.resident_id(date(1956, 8, 7), order, "1"))[-1] == "X"
    ]
    spelled = [held[0].lower(), held[1][:-1] + "×", held[2], held[3][:-1] + " "]
    town.export("residents.csv", table(*(resident(n, 身份证号=number) for n, number in enumerate(spelled))))
    assert [national(one) for one in town.patients()] == [held[:1], held[1:2], held[2:3], []]
    assert town.said("is no resident ID", 3)


def test_case_10_fifteen_digits_and_eighteen_are_one_person_and_both_are_kept(town):
    town.export("contracts.csv", table(contract(1, 身份证号="110105491231002")))
    town.export(
        "contracts.csv", table(contract(2, 身份证号=WANG, 签约编号="QY2", 开始日期="2027-03-12", 结束日期="2028-03-11"))
    )
    person = town.only("Patient")
    assert national(person) == [WANG]
    assert {"110105491231002", WANG} <= {entry["value"] for entry in person["identifier"]}


def test_case_11_borrowed_and_dummy_ids_join_nobody(town):
    mother = resident(1, 姓名="王桂兰", 身份证号=WANG, 出生日期="1949-12-31", 性别="2")
    child = resident(2, 姓名="王桂兰之子", 身份证号=WANG, 出生日期="2026-09-01")
    twins = [
        resident(n, 姓名=f"王桂兰之{word}双", 身份证号=WANG, 出生日期="2026-09-01")
        for n, word in ((3, "大"), (4, "小"))
    ]
    dummies = ["000000000000000000", "111111111111111111", "123456789012345678", "无", "不详"]
    others = [resident(5 + n, 身份证号=number) for n, number in enumerate(dummies)]
    town.export("residents.csv", table(mother, child, *twins, *others))
    people = town.patients()
    assert len(people) == 9
    assert [national(one) for one in people] == [[WANG]] + [[]] * 8
    assert town.said("parent's", 1)
    proposed = [one for one in town.all("RelatedPerson") if WANG in json.dumps(one)]
    assert len(proposed) == 3, "the mother is proposed for a person to confirm"
    assert {one["patient"]["reference"] for one in proposed} == {f"Patient/{one['id']}" for one in people[1:4]}


def test_case_12_birth_dates_that_contradict_are_kept_and_told_and_nothing_is_derived(town):
    rows = [
        resident(1, 身份证号=ID, 出生日期="1956-09-09"),
        resident(2, 出生日期="1900-01-01"),
        resident(3, 出生日期="0000-00-00"),
    ]
    town.export("residents.csv", table(*rows))
    differs, never, zero = town.patients()
    assert (national(differs), differs["birthDate"]) == ([ID], "1956-09-09")
    assert town.said("birth date", 0)
    assert "birthDate" not in never
    assert "birthDate" not in zero
    assert town.said("no date was given", 1)
    assert town.said("no date was given", 2)
    ages = [result(n, 年龄=age, 就诊卡号=f"K{n}") for n, age in enumerate(["3月龄", "5天", "虚岁66"], 1)]
    town.export("lab_results_long.csv", table(*ages))
    assert not any("birthDate" in one for one in town.patients()[3:])
    assert [
        age in json.dumps(one, ensure_ascii=False)
        for age, one in zip(["", "", "虚岁66"], town.all("DiagnosticReport"), strict=True)
    ] == [True] * 3


def test_case_13_masked_values_are_no_identifiers_and_overwrite_no_full_ones(town):
    town.export("residents.csv", table(resident(1, 身份证号=ID, 本人电话="10000000017")))
    masked = resident(1, 身份证号=numbers.masked(ID, 6, 4), 本人电话="100****0017")
    town.export("residents.csv", table(masked))
    person = town.only("Patient")
    assert national(person) == [ID]
    assert [one["value"] for one in person["telecom"]] == ["10000000017"]
    assert town.said("masked number")
    assert town.said("masked telephone number")
    town.export("residents.csv", table(resident(1, 身份证号=ID, 本人电话="10000000017/10000000018")))
    assert [one["value"] for one in town.only("Patient")["telecom"]] == ["10000000017", "10000000018"]
    town.export(
        "contracts.csv",
        table(contract(身份证号=MAN, 联系电话="13800138000"), contract(2, 身份证号=OTHER, 联系电话="无")),
    )
    assert not any("telecom" in one for one in town.patients()[1:])


def test_case_14_a_daily_number_names_a_visit_with_its_place_and_day_only(town):
    same = {"门诊号": "0001", "身份证号": "", "出生日期": ""}
    rows = [visit(1, **same), visit(2, **same | {"姓名": "李珅", "就诊时间": "2026-10-02 08:00:00"}),
            visit(3, **same | {"姓名": "周䶮", "机构名称": "石桥镇中心卫生院", "机构代码": "MB2"})]  # fmt: skip
    town.export("visits_outpatient.csv", table(*rows))
    assert set(town.states()) == {"applied"}
    assert town.people() == ["王桂兰", "李珅", "周䶮"], "another day, another house: other persons"
    assert len(town.all("Encounter")) == 3
    town.message(
        visitor("M1", "P1", "K1", WANG), visitor("M2", "P2", "K1", MAN, name="张三", birth="18800101", sex="M")
    )
    assert town.people()[3:] == ["王桂兰", "张三"], "a card handed on joins nobody"


def test_case_15_idcard_is_the_visit_card_and_identifyno_the_resident_id(town):
    town.message(visitor("M1", "P1", "K20000130", WANG))
    person = town.only("Patient")
    assert national(person) == [WANG]
    (card,) = [entry for entry in person["identifier"] if entry["value"] == "K20000130"]
    assert card["system"].endswith("/visit-card")


def test_case_16_a_code_means_what_its_source_module_and_field_say(town):
    town.export("residents.csv", table(resident(1, RH阴性="1"), resident(2, RH阴性="2")))
    rh = [one["valueCodeableConcept"] for one in town.all("Observation") if "10331-7" in codes(one["code"])]
    assert [value["coding"][0]["display"] for value in rh] == ["阳性", "阴性"]
    town.export("residents-档案.csv", table(resident(3, RH="1"), resident(4, RH="2")))
    bare = [one["valueCodeableConcept"] for one in town.all("Observation") if "RH" in codes(one["code"])]
    assert [value["coding"][0]["display"] for value in bare] == ["阴性", "阳性"], "the same digits, the other way round"
    town.export("followup_hypertension.csv", table(followup(1, 药物不良反应="2"), followup(2, 药物不良反应="1")))
    told = [one["valueBoolean"] for one in town.all("Observation") if "adverse-reaction" in codes(one["code"])]
    assert told == [True, False]


def test_case_17_a_code_of_another_release_is_told_and_kept_never_the_nearest(town):
    town.export("followup_hypertension.csv", table(followup(1, 随访方式="dh"), followup(2, 随访方式="1")))
    assert town.states() == ["applied", "applied"]
    assert town.said("code 'dh' has no target in map followup_hypertension.随访方式", 0)
    odd, known = town.all("Encounter")
    assert odd["class"]["code"] == "dh"
    assert not town.said("随访方式", 1)
    assert known["class"]["code"] != "1"


def test_case_18_synonyms_blanks_and_look_alike_headers_are_read_and_kept(town):
    words = ["男", "男性", "M", "1", "男 "]
    town.export("residents.csv", table(*(resident(n, 性别=word) for n, word in enumerate(words))))
    assert {one["gender"] for one in town.patients()} == {"male"}
    imaging = {"检査号": "DR1", "报告单号": "B1", "姓名": "王桂兰", "身份证号": WANG, "检査类别": "DR", "检査部位": "胸部", "检査时间": "20261001080000",
               "报告时间": "2026-10-01 09:00:00", "报告状态": "已审核", "诊断意见": "未见异常"}  # fmt: skip
    report = town.export("imaging_reports.csv", table(imaging))
    assert (report.table, report.fresh) == ("imaging_reports", 1)
    assert town.only("DiagnosticReport")["conclusion"] == "未见异常"


def test_case_19_dates_in_every_spelling_keep_their_precision_and_are_eight_hours_east(town):
    births = ["19560807", "1956-8-7", "1956/08/07", "1956年8月7日", "07-8月-56", "20674"]
    town.export("residents.csv", table(*(resident(n, 出生日期=text) for n, text in enumerate(births))))
    assert [one["birthDate"] for one in town.patients()] == ["1956-08-07"] * len(births)
    times = {"2026/10/1 8:05": "2026-10-01T08:05:00+08:00", "20261001080501": "2026-10-01T08:05:01+08:00",
             "2026-10-01 24:00:00": "2026-10-02T00:00:00+08:00", "2026-10-01": "2026-10-01"}  # fmt: skip
    town.export("visits_outpatient.csv", table(*(visit(n, 就诊时间=text) for n, text in enumerate(times))))
    assert [one["period"]["start"] for one in town.all("Encounter")] == list(times.values())


def test_case_20_results_are_numbers_with_comparators_or_text_never_cut(town):
    values = ["<0.01", ">1000", "阴性(-)", "1:80", "+-", "1.2↑", "3.5 *", "见报告", "溶血", "0.10"]
    town.message(lab("M1", "R1", *((f"C{n}", value) for n, value in enumerate(values))).replace(b"|NM|", b"|ST|"))
    rows = [result(1, 项目代码=f"C{n}", 结果=value, 参考范围="7 ~ 40") for n, value in enumerate(values)]
    town.export("lab_results_long.csv", table(*rows))
    for found in (town.all("Observation")[: len(values)], town.all("Observation")[len(values) :]):
        said = [one.get("valueQuantity") or one.get("valueString") or worded(one) for one in found]
        numbers_ = [(one.get("comparator", ""), str(one["value"])) for one in said if isinstance(one, dict)]
        assert numbers_[:2] == [("<", "0.01"), (">", "1000")]
        assert ("", "0.1") in numbers_ or ("", "0.10") in numbers_
        assert next(text for text in said if isinstance(text, str)) == "阴性(-)"
        assert {"1:80", "见报告", "溶血"} <= {text for text in said if isinstance(text, str)}
    assert town.all("Observation")[-1]["referenceRange"][0]["low"]["value"] == 7


def test_case_21_reports_come_again_are_withdrawn_and_come_before_their_order(town):
    first, again = lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "5.1"))
    corrected = lab("M3", "R1", ("GLU", "6.2"), status="C", time="20260106120000")
    town.message(first, again, corrected, lab("M4", "R1", ("GLU", "5.1"), time="20260106090000"))
    assert [(one["valueQuantity"]["value"], one["meta"]["versionId"]) for one in town.all("Observation")] == [
        (6.2, "2")
    ]
    town.message(lab("M5", "R1", ("GLU", "6.2"), status="W", time="20260106130000"))
    assert town.only("Observation")["status"] == "entered-in-error"
    order = hl7(msh("M6", "ORM^O01"), pid("P2"), "ORC|NW||R2", "OBR|1||R2|GLU^血糖^QHLIS")
    town.message(lab("M7", "R2", ("GLU", "7.0"), patient="P2"), order)
    assert len(town.all("DiagnosticReport")) == 2
    assert set(town.states()) == {"applied"}
    town.message(visitor("M8", "P3", event="ADT^A08", visit="V3", time="20261001080000"),
                 visitor("M9", "P3", event="ADT^A04", visit="V3", time="20261001075000"))  # fmt: skip
    assert len(town.patients()) == 3, "a change before its registration doubles nobody"
    town.export("lab_results_long.csv", table(result(1)))
    town.export("lab_results_long.csv", table(result(1, 报告状态="反审核", 审核时间="2026-10-01 12:00:00")))
    assert town.all("Observation")[-1]["status"] == "entered-in-error"


def test_case_22_frames_storms_reused_control_numbers_and_documents(town):
    one, two = hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2", "李珅"))
    assert town.county.send(one + two, one + two, one + two) == ["stored", "duplicate", "duplicate"]
    town.county.work()
    assert town.states() == ["applied", "applied"], "two messages in one frame, one effect however often it comes"
    town.message(hl7(msh("M1"), pid("P3", "周䶮")))
    assert town.people() == ["张三", "李珅", "周䶮"], "a control number used again is told apart by the bytes"
    pdf = b"%PDF-1.4 " + bytes(range(256)) * 4096
    text = base64.b64encode(pdf).decode()
    town.message(
        lab("M4", "R9", ("PDF", "x"))
        .replace(b"|NM|PDF", b"|ED|PDF")
        .replace(b"|x|", f"|^AP^PDF^Base64^{text}|".encode())
    )
    assert town.states()[-1] == "applied"
    assert town.only("Binary")["contentType"] == "application/pdf"


@pytest.mark.parametrize("delimiter", [",", "\t", "|", "\x01"])
def test_case_23_files_in_every_shape_lose_no_row(town, delimiter):
    rows = [resident(n) for n in range(3)]
    text = table(*rows, delimiter=delimiter)
    head = text.splitlines(keepends=True)[0]
    report = town.export("residents.csv", text + head)
    assert (report.records, report.fresh, report.quarantined) == (3, 3, 0)
    turned = [dict(reversed(row.items())) for row in rows]
    again = town.export("residents.csv", table(*turned, delimiter=delimiter))
    assert (again.unchanged, again.fresh) == (3, 0), "the order of columns says nothing"
    described = [referral(1, 病情描述='患者诉"胸闷",\r\n休息可缓解'), referral(2), referral(3)]
    quoted = town.export(
        "referrals.csv",
        table(*described, delimiter=delimiter, quoting=csv.QUOTE_ALL) if delimiter != "\x01" else table(*described[1:]),
    )
    assert quoted.quarantined == 0
    assert set(town.states()) == {"applied"}
    discharges = [{"机构名称": "青禾县人民医院", "病案号": f"0023193{n}", "住院次数": "1", "姓名": "王桂兰", "身份证号": WANG,
                   "入院时间": "2026110908", "出院时间": "2026111810", "总费用": "1,000.50"} for n in range(2)]  # fmt: skip
    closing = table({**dict.fromkeys(discharges[0], ""), "机构名称": "合计", "总费用": "2,001.00"}).splitlines()[1]
    report = town.export("discharges.csv", table(*discharges) + closing + "\r\n")
    told = json.loads(report.facts)
    assert (report.records, told["reconciled"]) == (2, True)
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    page = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>" for line in lines)
    web = town.export("档案.xls", f"<table>{page}</table>")
    assert json.loads(web.facts)["kind"] == "html"


def test_case_23_an_empty_file_is_no_row_and_nothing_goes_missing(town):
    town.export("residents.csv", table(resident(1), resident(2)))
    intake = town.county.gateway.intake()
    intake.start()
    answer = intake.take(b"", Who("folder", "test", feed=TOWN, file="residents.csv"))
    intake.stop(5)
    town.county.work()
    assert answer.verdict.value in ("refused", "stored")
    assert [one.missing for one in town.store.files.list()][-1] == 0
    assert town.states()[:2] == ["applied", "applied"]


def test_case_24_contracts_that_cannot_all_be_true_are_stored_and_told(town):
    second = contract(
        2,
        团队编号="TD0204",
        签约团队="四团队",
        开始日期="2026-05-20",
        结束日期="2031-05-19",
        联系电话="100****0017",
        签约周期="5年",
    )
    town.export("contracts.csv", table(contract(1), second))
    assert [one["status"] for one in town.all("CarePlan")] == ["active", "active"], "neither is closed silently"
    assert town.said("two active teams at once: TD0204 beside TD0101")
    assert [one["value"] for one in town.only("Patient")["telecom"]] == ["10000000017"]
    odd = [contract(3, 身份证号=MAN, 签约人姓名="张三", 结束日期="2025-03-11"), contract(4, 身份证号=ID, 签约人姓名="李四", 签约状态="4"),
           contract(5, 身份证号=OTHER, 签约人姓名="赵五", 签约状态="2", 解约日期="2026-06-01", 解约原因="06"),
           contract(6, 身份证号=OTHER, 签约人姓名="赵五", 签约状态="3", 开始日期="2026-06-01", 团队编号="TD0204")]  # fmt: skip
    town.export("contracts.csv", table(*odd))
    ends, draft, void, renewed = town.all("CarePlan")[2:]
    assert ends["period"] == {"start": "2026-03-12"}
    assert town.said("before it begins", 2)
    assert [one["status"] for one in (draft, void, renewed)] == ["draft", "revoked", "active"]
    assert not any("two active teams" in text for at in range(2, 6) for text in town.issues(at)), (
        "ended, then signed anew"
    )


def test_case_25_referrals_are_accepted_in_part_and_a_reused_number_is_parked(town):
    rows = [referral(1, 转入医院代码="", 转入医院名称="青禾县中医医院（青禾县第二人民医院、青禾县康"), referral(2, 转诊类型="2", 转诊状态="2"),
            referral(3, 转诊诊断="胸闷查因"), referral(4), referral(4, 病人身份证号=MAN, 病人姓名="张三")]  # fmt: skip
    report = town.export("referrals.csv", table(*rows))
    assert report.records == 5
    assert town.states() == ["applied"] * 4 + ["parked key-reused"]
    cut, alone, words, kept = town.all("ServiceRequest")
    assert cut["performer"] == [{"display": "青禾县中医医院（青禾县第二人民医院、青禾县康"}], (
        "a cut name is nobody's number"
    )
    assert "down" in codes(alone["category"][0])
    assert "basedOn" not in alone
    assert words["reasonCode"][0] == {"text": "胸闷查因"}
    assert kept["meta"]["versionId"] == "1", "the other person's referral is not touched"
    town.export("referrals.csv", table(referral(2, 转诊类型="2", 转诊状态="2"), referral(1, 转诊状态="1")))
    assert all(item.state in (State.APPLIED, State.PARKED) for item in town.items())


def test_case_26_old_schemes_second_schemes_and_house_codes(town):
    rows = [enrolment(1, 险种类型="03", 险种名称="新型农村合作医疗", 参保状态="正常参保"), enrolment(1, 险种类型="310", 险种名称="职工基本医疗保险"),
            enrolment(2, 证件号码=MAN, 姓名="张三", 参保地区划="519900", 人员类别="Z17", 单位名称="家庭共济")]  # fmt: skip
    town.export("insurance_enrolment.csv", table(*rows), INSURER)
    assert town.states() == ["applied"] * 3
    merged, employed, elsewhere = town.all("Coverage")
    assert "390" in codes(merged["type"])
    assert "新型农村合作医疗" in codes(merged["type"]), "what was sent is kept"
    assert "310" in codes(employed["type"])
    assert merged["beneficiary"] == employed["beneficiary"] != elsewhere["beneficiary"]
    assert town.said("Z17", 2)


def test_case_27_campuses_merged_houses_and_rooms_that_send_under_the_centre(town):
    base = {
        "机构代码": "MB000001951992711A1001",
        "机构名称": "青禾县人民医院",
        "统一社会信用代码": "",
        "上级机构代码": "",
        "停用标志": "0",
    }
    campus = base | {
        "机构代码": "MB000001951992711A1002",
        "机构名称": "青禾县人民医院南院区",
        "上级机构代码": base["机构代码"],
    }
    merged = base | {
        "机构代码": "MB000109951992711C2109",
        "机构名称": "旧桥乡卫生院",
        "上级机构代码": "MB000101151992711C2101",
        "停用标志": "1",
    }
    centre = base | {"机构代码": "MB000101151992711C2101", "机构名称": "柳溪镇中心卫生院"}
    for row in (base, campus):
        row["统一社会信用代码"] = numbers.society_code("12519927MB0000019")
    town.export("organisations.csv", table(base, campus, merged, centre))
    houses = {one["name"]: one for one in town.all("Organization") if "name" in one}
    assert set(houses) == {"青禾县人民医院", "青禾县人民医院南院区", "旧桥乡卫生院", "柳溪镇中心卫生院"}
    assert houses["青禾县人民医院南院区"]["partOf"]["reference"] == f"Organization/{houses['青禾县人民医院']['id']}"
    assert houses["旧桥乡卫生院"]["active"] is False
    assert houses["旧桥乡卫生院"]["partOf"]["reference"] == f"Organization/{houses['柳溪镇中心卫生院']['id']}"
    town.export("visits_outpatient.csv", table(visit(1, 机构名称="柳溪镇河湾村卫生室")))
    place = town.only("Encounter")["serviceProvider"]
    assert place["display"] == "柳溪镇河湾村卫生室", "the room by its name, within the centre whose code it sends"
    assert place["reference"] == f"Organization/{houses['柳溪镇中心卫生院']['id']}"
