"""Residents and their contracts as a township exports them: what a doctor or manager looks for in the record.

The rows are the golden samples of the feed `township-csv`; the published county samples are read where they are.
"""

import csv
import io
import json

import pytest

from gateway.conformance import structure
from gateway.formats.sheet import NotATable
from gateway.mapping import catalog
from tests.support.told import FEED, ROOT, SAMPLES, SITE, Told, code, extended, numbers, read

COUNTY = ROOT.parent / "shared" / "samples" / "csv"
SYSTEM = "https://yigong.example/fhir/CodeSystem/"
RESIDENT, RECORD = "urn:oid:2.16.156.10011.1.3", "urn:oid:2.16.156.10011.1.2"
RH = "urn:oid:2.16.156.10011.2.3.1.250"
TABLES = (
    "organisations", "staff", "residents", "contracts", "team_members", "service_packages", "fulfilled_items",
    "population_denominators", "satisfaction_survey",
)  # fmt: skip


@pytest.mark.parametrize("table", [table for table in TABLES if table != "residents"])
def test_only_the_personal_record_owns_demographics(told, table):
    modes = {record.modes["patient"] for record in told(table) if "patient" in record.modes}
    assert modes <= {"fill"}


# residents


def test_a_newborn_with_the_mothers_number_is_stored_without_it(told):
    record = told("residents")[2]
    assert numbers(record.one("Patient")) == {RECORD: "51992711520400077"}
    assert record.keys["patient"] == [(RECORD, "51992711520400077")]
    mother = next(body for body in record.all("RelatedPerson") if extended(body, "proposed"))
    assert numbers(mother) == {RESIDENT: "519927198802160246"}
    assert (code(mother["relationship"][0]), mother["name"]) == ("MTH", [{"text": "何梅"}])
    assert any("身份证号" in issue and "parent" in issue for issue in record.issues)


def test_the_digits_of_rh_mean_what_their_header_says(told):
    """Ask 马秀英: RH阴性 2 = yes, RH 1 = negative: two statements, both negative; 马建国: RH阴性 1 = no."""
    first, second = told("residents")[:2]
    found = [one for one in first.all("Observation") if code(one["code"]) == "10331-7"]
    assert [one["code"]["coding"][1]["code"] for one in found] == ["RH阴性", "RH"]
    assert [one["valueCodeableConcept"]["coding"][0] for one in found] == [
        {"system": RH, "code": "1", "display": "阴性"}
    ] * 2
    (other,) = [one for one in second.all("Observation") if code(one["code"]) == "10331-7"]
    assert other["valueCodeableConcept"]["coding"][0] == {"system": RH, "code": "2", "display": "阳性"}


def test_without_a_site_no_digit_of_sex_blood_or_allergy_means_anything(tmp_path):
    """The base tables know words only (R4): a site that says nothing gets every digit as sent, with an issue."""
    (tmp_path / "base").symlink_to(ROOT / "mappings" / "base")
    (tmp_path / "elsewhere" / FEED).mkdir(parents=True)
    (tmp_path / "elsewhere" / "site.yaml").write_text("site: elsewhere\n", encoding="utf-8")
    (tmp_path / "elsewhere" / FEED / "feed.yaml").write_text(
        "format: csv\ntables: {residents: {mode: full}}\n", encoding="utf-8"
    )
    raw = (SAMPLES / "residents.csv").read_bytes()
    records = read(catalog.load([tmp_path]), raw, "residents.csv")
    first, second = records[0], records[1]
    assert "gender" not in first.one("Patient")
    for one in first.all("Observation"):
        assert one["valueCodeableConcept"]["coding"][0]["system"].startswith(
            "https://yigong.example/fhir/codes/elsewhere/"
        )
    assert [code(one["code"]) for one in first.all("AllergyIntolerance")] == ["2", "3"]
    for column in ("性别", "血型", "RH阴性", "RH", "药物过敏史"):
        assert any(f"{column}: code" in issue for issue in first.issues)
    assert code(second.one("AllergyIntolerance")["code"]) == "716186003"
    assert second.one("Patient")["gender"] == "male"


def test_no_allergy_is_a_fact_and_silence_is_none(told):
    records = told("residents")
    none = records[1].one("AllergyIntolerance")
    assert none["code"]["coding"][0] == {
        "system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"
    }  # fmt: skip
    assert code(records[2].one("AllergyIntolerance")["code"]) == "716186003"
    assert [code(one["code"]) for one in records[0].all("AllergyIntolerance")] == ["91936005", "91939003"]
    assert records[4].all("AllergyIntolerance") == records[5].all("AllergyIntolerance") == []


def test_an_allergy_without_map_is_kept_as_sent(told):
    record = told("residents")[3]
    assert [code(one["code"]) for one in record.all("AllergyIntolerance")] == ["294466005", "头孢", "9"]
    assert record.all("AllergyIntolerance")[1]["code"]["text"] == "头孢"
    assert sum("药物过敏史" in issue for issue in record.issues) == 2


def test_a_household_is_a_group_with_its_head(told):
    wife, head = told("residents")[:2]
    for record in (wife, head):
        group = record.one("Group")
        assert (group["type"], group["actual"], group["managingEntity"]) == ("person", True, {"display": "马建国"})
        assert numbers(group) == {SITE + "household": "JT51992711520400001"}
        assert group["member"][0]["entity"]["reference"].startswith("Patient/")
        assert group["member"][0]["inactive"] is False
    assert code(extended(wife.one("Group")["member"][0], "relation-to-head")[0]) == "SPS"
    kin = wife.one("RelatedPerson")
    assert (kin["name"], code(kin["relationship"][1])) == ([{"text": "马建国"}], "SPS")
    assert head.all("RelatedPerson") == []


def test_the_head_is_a_parent_of_the_daughter_of_the_house(told):
    head = next(body for body in told("residents")[2].all("RelatedPerson") if not extended(body, "proposed"))
    assert code(head["relationship"][1]) == "PRN"


def test_past_and_family_history_come_apart(told):
    record = told("residents")[0]
    assert [(code(one["code"]), one["onsetDateTime"]) for one in record.all("Condition")] == [
        ("38341003", "2009-05"), ("230690007", "2020")
    ]  # fmt: skip
    family = {
        code(one["relationship"]): [code(c["code"]) for c in one["condition"]]
        for one in record.all("FamilyMemberHistory")
    }
    assert family == {"FTH": ["38341003"], "MTH": ["38341003", "73211009"]}


def test_what_is_masked_or_lost_identifies_nobody(told):
    masked, upgraded, lost = told("residents")[3:]
    assert numbers(masked.one("Patient")) == {RECORD: "51992711520400090"}
    assert "telecom" not in masked.one("Patient")
    assert "gender" not in masked.one("Patient")
    assert numbers(upgraded.one("Patient"))[RESIDENT] == "519927197605140110"
    assert RESIDENT not in numbers(lost.one("Patient"))
    assert any("has lost digits" in issue for issue in lost.issues)


def test_the_dead_and_the_gone_are_inactive(told):
    dead, gone = (record.one("Patient") for record in told("residents")[3:5])
    assert (dead["active"], dead["deceasedBoolean"], code(extended(dead, "record-status")[0])) == (
        False,
        True,
        "deceased",
    )
    assert (gone["active"], "deceasedBoolean" in gone) == (False, False)


def test_two_telephone_numbers_of_one_cell_are_two(told):
    contact = told("residents")[0].one("Patient")["contact"][0]
    assert [point["value"] for point in contact["telecom"]] == ["10000000102", "0000-5330101"]
    assert [point["value"] for point in told("organisations")[0].one("Location")["telecom"]] == [
        "0000-5220002", "0000-5220003"
    ]  # fmt: skip


def test_the_english_headers_of_another_vendor_are_the_same_columns(book):
    raw = "personName,sexCode,birthday,idCard,phoneNumber,regionCode,phrId,empiId\r\n"
    raw += "陆喆,男,1970-04-01,519927197004010150,10000000307,519927115,51992711520400300,E77\r\n"
    (record,) = read(book, raw.encode(), "export.csv")
    patient = record.one("Patient")
    assert (patient["name"], patient["gender"], patient["birthDate"]) == ([{"text": "陆喆"}], "male", "1970-04-01")
    assert numbers(patient) == {RESIDENT: "519927197004010150", RECORD: "51992711520400300"}
    assert extended(patient["address"][0], "area-code") == [{"system": SYSTEM + "area", "code": "519927115"}]
    assert record.left == []


def test_an_old_number_of_15_digits_leads_to_the_same_person_as_the_new_one(told):
    """Both exports name 吴䶮: the record by its 15 digits, the contract by 18; one key has to be common to them."""
    record, contract = told("residents")[4], told("contracts")[2]
    assert set(contract.keys["patient"]) <= set(record.keys["patient"])


def test_a_file_without_record_numbers_is_refused_with_what_was_seen(book):
    with pytest.raises(NotATable, match="residents lacks 个人档案编号"):
        read(book, "姓名,性别,出生日期,民族,血型\r\n陆喆,男,1970-04-01,汉族,A\r\n".encode(), "residents.csv")


# contracts


def test_contract_states(told):
    plans = [next(body for body in record.all("CarePlan") if "identifier" in body) for record in told("contracts")]
    assert [plan["status"] for plan in plans] == ["active", "active", "revoked", "draft", "unknown"]
    assert [code(extended(plan, "contract-status")[0]) for plan in plans] == [
        "renewed", "signed", "terminated", "awaiting-signature", "7"
    ]  # fmt: skip
    assert (extended(plans[2], "terminated-on"), code(extended(plans[2], "termination-reason")[0])) == (
        ["2025-12-08"], "moved-away"
    )  # fmt: skip


def test_the_team_of_a_person_holds_the_1_1_1_hospitals(told):
    first, second = (record.one("CareTeam") for record in told("contracts")[:2])
    assert [(code(one["role"][0]), one["member"]["display"]) for one in first["participant"]] == [
        ("family-doctor-team", "石桥乡第七家庭医生团队"),
        ("family-doctor", "陆喆"),
        ("contract-institution", "石桥乡卫生院"),
        ("secondary-hospital", "青禾县中医医院"),
        ("tertiary-hospital", "省立第一医院"),
    ]
    assert first["participant"][0]["member"]["identifier"] == {"system": SITE + "team", "value": "TD0207"}
    assert first["period"] == {"start": "2026-03-05", "end": "2027-03-04"}
    assert {code(one["role"][0]) for one in second["participant"]} == {
        "family-doctor-team", "family-doctor", "contract-institution"
    }  # fmt: skip


def test_a_household_contract_is_one_plan_with_a_plan_for_each_member(told):
    first, second = told("contracts")[:2]
    for record in (first, second):
        household, member = record.all("CarePlan")
        assert household["subject"]["reference"].startswith("Group/")
        assert member["partOf"][0]["reference"].startswith("CarePlan/")
        assert household["contributor"] == member["contributor"] == [{"display": "马建国"}]
    assert len(told("contracts")[2].all("CarePlan")) == 1


def test_a_back_dated_contract_keeps_both_days_its_money_and_its_groups(told):
    plan = told("contracts")[3].one("CarePlan")
    assert (extended(plan, "signed-on"), plan["created"]) == (["2026-05-20"], "2026-06-30T23:58:10+08:00")
    assert plan["period"]["end"] == "2031-05-19"
    first = next(body for body in told("contracts")[0].all("CarePlan") if "identifier" in body)
    assert str(extended(first, "personal-fee")[0]["value"]) == "1120.50"
    assert [code(group) for group in extended(first, "population-group")] == ["elder", "hypertension"]
    assert [one["detail"]["code"]["text"] for one in first["activity"]] == ["基础包", "高血压中级包"]


def test_two_contracts_of_one_person_are_both_there(told):
    third, fourth = told("contracts")[2:4]
    assert third.keys["plan"] != fourth.keys["plan"]
    assert third.keys["patient"] == fourth.keys["patient"] == [(RESIDENT, "519927197605140110")]
    assert "telecom" not in fourth.one("Patient")


def test_a_child_signed_with_the_mothers_number_is_not_the_mother(told):
    record = told("contracts")[4]
    assert numbers(record.one("Patient")) == {}


# the county's published samples


@pytest.fixture(scope="module")
def county(book):
    """Return the records of one published sample; skipped where they are not."""

    def tell(table: str) -> list[Told]:
        path = COUNTY / f"{table}.csv"
        if not path.exists():
            pytest.skip(f"SKIPPED, NOT PASSED: {path.name} of the shared samples is not there")
        return read(book, path.read_bytes(), path.name)

    return tell


@pytest.mark.parametrize("table", TABLES)
def test_published_samples_have_a_place_for_every_cell(county, table):
    records = county(table)
    assert records
    assert [left for record in records for left in record.left] == []
    assert [
        issue for record in records for body in record.bodies for issue in structure.check({**body, "id": "x"})
    ] == []


def test_published_n1_the_newborn_is_never_linked_to_the_mother(county):
    record = county("residents")[2]
    assert RESIDENT not in numbers(record.one("Patient"))
    mother = next(body for body in record.all("RelatedPerson") if extended(body, "proposed"))
    assert (mother["name"], numbers(mother)) == ([{"text": "赵雅"}], {RESIDENT: "110105188002160244"})


def test_published_n2_both_contracts_are_stored_and_the_masked_phone_is_not(county):
    third, fourth = county("contracts")[2:]
    assert [record.one("CarePlan")["status"] for record in (third, fourth)] == ["active", "active"]
    assert third.one("Patient")["telecom"][0]["value"] == "10000000031"
    assert "telecom" not in fourth.one("Patient")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("table", TABLES)
def test_the_encoding_of_a_file_changes_nothing(book, told, table, encoding):
    text = (SAMPLES / f"{table}.csv").read_text(encoding="utf-8")
    if encoding == "utf-16":
        rows = csv.reader(io.StringIO(text, newline=""))
        out = io.StringIO()
        csv.writer(out, delimiter="\t").writerows(rows)
        text = out.getvalue()
    found = read(book, text.encode(encoding), f"{table}.csv")
    plain = [json.dumps(record.bodies, default=str, ensure_ascii=False) for record in told(table)]
    assert [json.dumps(record.bodies, default=str, ensure_ascii=False) for record in found] == plain
