"""Records through the engine: places as lines and columns, cells counted once, items, groups, cleared elements."""

from decimal import Decimal

from tests.unit.mapping.tables.conftest import PEOPLE, rows


def _mapped(catalog, *lines, number=0, trace=False):
    record = catalog.tables("town-csv").read(rows(*lines)).records[number]
    return catalog.mapper("town-csv").map(record.message, trace=trace)


def _bodies(mapped, kind):
    return [draft.body for draft in mapped.drafts if draft.type == kind]


def test_a_row_becomes_resources(people):
    mapped = _mapped(
        people,
        "档案编号,姓名,性别,身份证号,体重(kg),血压,病史,费用,日期",
        "1,王桂兰,女,11010519491231002x,61.50,158/94,高血压(2012-03);糖尿病,15,2026-11-09",
    )
    patient = _bodies(mapped, "Patient")[0]
    assert patient["identifier"] == [
        {"system": "urn:oid:2.16.156.10011.1.2", "value": "1"},
        {"system": "urn:oid:2.16.156.10011.1.3", "value": "11010519491231002X"},
    ]
    weight, pressure = _bodies(mapped, "Observation")
    assert weight["valueQuantity"]["value"].as_tuple() == Decimal("61.50").as_tuple()
    assert weight["valueQuantity"]["unit"] == "kg"
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [158, 94]
    assert pressure["component"][0]["valueQuantity"]["code"] == "mm[Hg]"
    illnesses = _bodies(mapped, "Condition")
    assert [one["code"]["text"] for one in illnesses] == ["高血压", "糖尿病"]
    assert illnesses[0]["onsetDateTime"] == "2012-03"
    assert illnesses[0]["recordedDate"] == "2026-11-09"
    assert _bodies(mapped, "Invoice")[0]["totalGross"] == {"value": Decimal(15), "currency": "CNY"}
    assert mapped.left == []
    assert mapped.issues == []
    assert mapped.populated == mapped.mapped
    assert {draft.source_time for draft in mapped.drafts} == {"2026-11-09"}


def test_places_are_lines_and_columns(people):
    mapped = _mapped(
        people,
        "档案编号,姓名,性别,检查结果,病史,体重(kg),备用",
        "1,王桂兰,7,好,高血压(不可能),很重,x",
        trace=True,
    )
    assert ("people 2: 性别", "warning") in [(issue.where, issue.severity) for issue in mapped.issues]
    assert "people 2: 体重(kg)" in [issue.where for issue in mapped.issues]
    assert "people 2: 病史" in [issue.where for issue in mapped.issues]
    assert [(left.where, left.kept, left.reason) for left in mapped.left] == [
        ("people 2: 检查结果", True, "told elsewhere"),
        ("people 2: 备用", False, "no rule reads this column"),
    ]
    traces = {(trace.path, trace.rule, trace.source) for trace in mapped.trace}
    assert ("name[0].text", "姓名", "people 2: 姓名") in traces
    assert ("code.text", "结果.1", "people 2: 病史.1") in traces
    assert ("status", "always/status", "people 2") in traces
    assert mapped.populated - mapped.mapped == 2


def test_issues_of_cells_go_with_the_message(people):
    found = people.tables("town-csv").read(rows("档案编号,姓名,身份证号", "1,王桂兰,1.10105E+17"))
    message = found.records[0].message
    assert [(issue.where, issue.severity) for issue in message.issues] == [("people 2: 身份证号", "warning")]
    assert message.control_id == "town-csv|people|1"
    assert (message.type, message.event, message.structure, message.version) == ("TABLE", "people", "TABLE_people", "")
    assert message.text == "1\t王桂兰\t1.10105E+17"
    assert [segment.name for segment in message.all("REC")] == ["REC"]
    assert message.first("ITM") is None
    assert message.first("ROW").ordinal == 1


def test_rows_of_a_group_share_a_report(lab):
    mapped = _mapped(
        lab,
        "条码号,姓名,项目代码,结果,单位,参考范围,检验者",
        "7,王桂兰,K,3.42↓,mmol/L,3.5--5.3,何秀英",
        "7,王桂兰,NA,<140,mmol/L,,杜建国",
        "7,王桂兰,PRO,-,,,何秀英",
    )
    report = _bodies(mapped, "DiagnosticReport")[0]
    potassium, sodium, protein = _bodies(mapped, "Observation")
    assert len(report["result"]) == 3
    assert potassium["valueQuantity"]["value"] == Decimal("3.42")
    assert potassium["interpretation"] == [{"text": "↓"}]
    assert potassium["referenceRange"][0]["low"]["value"] == Decimal("3.5")
    assert sodium["valueQuantity"]["comparator"] == "<"
    assert protein["valueString"] == "-"
    assert [(left.where, left.reason) for left in mapped.left] == [
        ("lab 3: 检验者", "only the first row of a record counts here, and this row says something else")
    ]
    assert [draft.child for draft in mapped.drafts if draft.type == "Observation"] != ["", "", ""]


def test_every_cell_of_a_wide_table_is_a_result(wide):
    mapped = _mapped(wide, "样本号,检验日期,白细胞（10^9/L）,CRP", "1,2026-11-06,11.8 *,<0.5")
    leukocytes, protein = _bodies(mapped, "Observation")
    assert leukocytes["code"] == {"text": "WBC"}
    assert leukocytes["valueQuantity"] == {
        "value": Decimal("11.8"), "unit": "10^9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L",
    }  # fmt: skip
    assert leukocytes["interpretation"] == [{"text": "*"}]
    assert leukocytes["effectiveDateTime"] == "2026-11-06"
    assert protein["valueQuantity"]["unit"] == "mg/L"
    assert mapped.populated == mapped.mapped == 4
    children = [draft.child for draft in mapped.drafts if draft.type == "Observation"]
    assert len(set(children)) == 2


def test_an_item_that_nobody_reads_is_left_over(wide):
    mapped = _mapped(wide, "样本号,检验日期,WBC,CRP", "1,2026-11-06,,-")
    assert (mapped.populated, mapped.left) == (2, [])


def test_an_unread_item_column_is_reported(house):
    house.table("people", PEOPLE.replace("equals: 病史", "equals: 别的"))
    mapped = _mapped(house.load("people"), "档案编号,病史", "1,高血压;糖尿病")
    assert [left.where for left in mapped.left] == ["people 2: 病史", "people 2: 病史"]


def test_empty_cells_clear_where_the_feed_says_so(house):
    house.table("people", PEOPLE)
    mapped = _mapped(house.load("people", more="empty: clear\n"), "档案编号,姓名,性别,病史", "1,,未查,")
    patient = mapped.drafts[0]
    assert patient.clear == ("name", "gender")
    assert (mapped.populated, mapped.mapped, mapped.left) == (1, 1, [])
    mapped = _mapped(house.load("people"), "档案编号,姓名,性别", "1,,未查")
    assert mapped.drafts[0].clear == ()


def test_a_number_of_another_person_is_guarded(house):
    house.table(
        "lab",
        """
columns: [条码号, 姓名, 身份证号, 采样时间]
key: [条码号]
maps:
  P: [{id: 身份证号, to: "identifier[]", transform: resident_id}, {id: 姓名, to: "name[0].text"}]
  R: [{id: 条码号, to: "identifier[]", transform: identifier, args: {kind: barcode}}, {id: 采样时间, to: effectiveDateTime, transform: date_time}]
  N: [{id: 姓名, to: conclusion}]
resources:
  p: {type: Patient, on: {REC: P}, keys: patient}
  r: {type: DiagnosticReport, on: {REC: R}, keys: owned, links: {subject: p}}
  n: {type: DiagnosticReport, on: {REC: N}, keys: owned, parent: p, by: [姓名]}
""",
    )
    catalog = house.load("lab", more="daily: [barcode]\n")
    mapped = _mapped(catalog, "条码号,姓名,身份证号,采样时间", "7,王桂兰,11010519491231002X,2026-11-09 08:12")
    report = mapped.drafts[1]
    assert report.keys[0] == ("https://yigong.example/fhir/id/town/barcode", "7", "2026-11-09")
    assert report.guard == {"patient": "p", "day": "2026-11-09"}
    assert (mapped.drafts[2].parent, mapped.drafts[2].child[:2]) == ("p", "o-")


def test_organisations_by_code_and_name(house):
    house.table(
        "visits",
        """
columns: [编号, 机构代码, 机构名称, 转入代码, 转入名称]
key: [编号]
maps:
  Visit:
    - {id: 编号, to: "identifier[]", transform: identifier, args: {kind: visit}}
    - {id: 机构名称, to: serviceProvider.display}
  Org: [{id: 机构代码, to: "identifier[]", transform: identifier, args: {kind: organisation}}, {id: 机构名称, to: name}]
  To: [{id: 转入代码, to: "identifier[]", transform: identifier, args: {kind: organisation}}, {id: 转入名称, to: name}]
resources:
  visit: {type: Encounter, on: {REC: Visit}, keys: numbered, links: {serviceProvider: org, "hospitalization.destination": to}}
  org: {type: Organization, on: {REC: {map: Org, when: {present: 机构代码}}}, keys: by_identifier, mode: fill}
  to: {type: Organization, on: {REC: {map: To, when: {present: 转入代码}}}, keys: thing, mode: fill}
""",
    )
    catalog = house.load("visits")
    head = "编号,机构代码,机构名称,转入代码,转入名称"
    mapped = _mapped(catalog, head, "1,MB1,柳溪镇中心卫生院,MB2,青禾县人民医院")
    visit, org, _ = mapped.drafts
    assert org.keys == (("https://yigong.example/fhir/id/town/organisation", "MB1", ""),)
    assert org.body["name"] == "柳溪镇中心卫生院"
    assert visit.body["serviceProvider"] == {"display": "柳溪镇中心卫生院"}
    assert [name for _, name in visit.links] == ["org", "to"]
    mapped = _mapped(catalog, head, "1,MB1,柳溪镇中心卫生院,MB1,柳溪镇中心卫生院")
    assert [draft.type for draft in mapped.drafts] == ["Encounter", "Organization"]
    mapped = _mapped(catalog, head, "1,,柳溪镇中心卫生院,,")
    assert [draft.type for draft in mapped.drafts] == ["Encounter"]
    assert mapped.drafts[0].body["serviceProvider"] == {"display": "柳溪镇中心卫生院"}
