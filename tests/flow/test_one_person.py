"""One person, one record: three sites send bytes in their own ways, and a village doctor finds the county's report."""

import io

import pytest
from openpyxl import Workbook

from gateway.conformance import structure
from tests.support.county import ROOT, county
from tests.support.nasty import RESIDENT, VILLAGE, Town, resident, table, visit
from tests.web.county import make

ID, NAME, BIRTH = "519927196803121514", "李珅", "1968-03-12"
MESSAGES = ("01-adt-a28-new-person", "02-adt-a04-outpatient", "05-oru-r01-blood-count", "08-oru-r01-ct-report")


def workbook(*rows):
    book, kept = Workbook(), io.BytesIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    for line in (names, *([row.get(name, "") for name in names] for row in rows)):
        book.active.append(line)
    book.save(kept)
    return kept.getvalue()


@pytest.fixture
def town(database_url, tmp_path):
    """County HIS and LIS by HL7 (01 in GBK), the township by CSV in GB18030, the village by a workbook."""
    with county(database_url, tmp_path) as made:
        sent = Town(made)
        for name in MESSAGES:
            sent.message((ROOT / "examples" / "messages" / f"{name}.hl7").read_bytes())
        mine = {"姓名": NAME, "身份证号": ID, "出生日期": BIRTH, "性别": "1", "本人电话": "10012345601"}
        namesake = {"姓名": NAME, "身份证号": "", "出生日期": "1981-07-01", "性别": "1", "本人电话": ""}
        sent.export("residents.csv", table(resident(1, **mine), resident(2, **namesake)))
        seen = visit(1, 姓名=NAME, 身份证号=ID, 出生日期=BIRTH, 性别="1", 机构名称="柳溪镇河湾村卫生室")
        sent.export("visits_outpatient.xlsx", workbook(seen), feed=VILLAGE)
        sent.web = make(made.store, tmp_path, page_size=50)
        yield sent


def found(web, path):
    bundle = web.fhir(path)
    assert structure.check(bundle) == []
    return [one["resource"] for one in bundle.get("entry", ())]


def sites(web, kind, patient):
    """What a search by a Patient finds: each resource's id and the site it came from, told in the same answer."""
    told = found(web, f"{kind}?patient={patient}&_revinclude=Provenance:target")
    authors = {
        one["target"][0]["reference"].split("/")[1]: agent["who"]["identifier"]["value"]
        for one in told
        if one["resourceType"] == "Provenance"
        for agent in one["agent"]
        if agent["type"]["coding"][0]["code"] == "author"
    }
    return {one["id"]: authors[one["id"]] for one in told if one["resourceType"] == kind}


def test_the_village_doctors_patient_finds_the_county_hospitals_report_and_not_a_namesakes(town):
    web = town.web
    (person,) = found(web, f"Person?identifier={RESIDENT}|{ID}")
    members = {one["target"]["display"]: one["target"]["reference"].split("/")[1] for one in person["link"]}
    assert sorted(members) == ["county-hospital", "township-centre", "village-clinic"]
    assert {one["assurance"] for one in person["link"]} == {"level4"}
    assert (person["name"][0]["text"], person["birthDate"], person["gender"]) == (NAME, BIRTH, "male")

    village = members["village-clinic"]
    reports = sites(web, "DiagnosticReport", village)
    assert list(reports.values()) == ["county-hospital"] * 2
    results = sites(web, "Observation", village)
    assert (len(results), set(results.values())) == (22, {"county-hospital"})
    assert set(sites(web, "Encounter", members["county-hospital"]).values()) == {"county-hospital", "village-clinic"}
    assert found(web, f"DiagnosticReport?patient={village}&_linked=false") == []

    everything = found(web, f"Patient/{village}/$everything?_count=50")
    assert {one["id"] for one in everything if one["resourceType"] == "Patient"} == set(members.values())
    assert set(reports) <= {one["id"] for one in everything}
    (asked,) = found(web, f"Observation?patient.identifier={RESIDENT}|{ID}&_count=1")[:1]
    assert asked["subject"]["reference"] == f"Patient/{members['county-hospital']}", "no reference is ever rewritten"

    people = found(web, f"Person?name={NAME}")
    assert sorted(len(one["link"]) for one in people) == [1, 3]
    (other,) = [one for one in people if len(one["link"]) == 1]
    assert other["birthDate"] == "1981-07-01"
    assert found(web, f"DiagnosticReport?patient={other['id']}") == []
