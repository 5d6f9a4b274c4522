"""Recognition from the bytes on: a hospital's messages, a township's export, and a doctor who is about to order."""

import pytest

from tests.support.county import ROOT, county
from tests.support.nasty import RESIDENT, Town, resident, table
from tests.web.test_recognise import answer, given, named, offering

ID, NAME, BIRTH = "519927196803121514", "李珅", "1968-03-12"
LAB = "https://yigong.example/fhir/CodeSystem/county-hospital/lab-item"
AT = "2026-01-07T09:00:00+08:00"
MESSAGES = ("01-adt-a28-new-person", "02-adt-a04-outpatient", "04-oml-o21-lab-order", "06-oru-r01-chemistry")


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        sent = Town(made)
        for name in MESSAGES:
            sent.message((ROOT / "examples" / "messages" / f"{name}.hl7").read_bytes())
        mine = {"姓名": NAME, "身份证号": ID, "出生日期": BIRTH, "性别": "1", "本人电话": "10012345601"}
        sent.export("residents.csv", table(resident(1, **mine)))
        sent.web = offering(made.store, tmp_path)
        yield sent


def draft(code, patient):
    body = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "occurrenceDateTime": AT}
    coding = {"system": LAB, "code": code}
    return body | {"code": {"coding": [coding]}, "subject": {"reference": f"Patient/{patient}"}}


def test_a_township_doctor_is_told_of_the_hospitals_potassium(town):
    mine, hospitals = [one["resource"]["id"] for one in town.web.fhir(f"Patient?identifier={RESIDENT}|{ID}")["entry"]]
    said = answer(town.web, given(draft("K", mine), draft("CRP", mine), draft("HGB", mine)), mine)
    assert [named(one, "code") for one in said] == [["RECOGNISED"], ["EXPIRED"], ["nothing-found"]]
    (result,) = named(said[0], "result")
    assert (named(result, "source"), named(result, "shown")) == (["青禾县人民医院"], ["5.10 mmol/L"])
    (reference,) = named(result, "value")
    assert town.web.fhir(reference["reference"])["subject"]["reference"] == f"Patient/{hospitals}"
    assert (named(result, "age-days"), named(result, "days-left")) == ([2], [4])


def test_an_order_by_message_and_its_draft_have_the_same_advice(town):
    stored = [one["resource"] for one in town.web.fhir("ServiceRequest?code=3002")["entry"]]
    order = next(one for one in stored if one["status"] == "active")
    patient = order["subject"]["reference"].split("/")[1]
    body = given(organisation="青禾县人民医院")
    body["parameter"].insert(0, {"name": "order", "valueReference": {"reference": f"ServiceRequest/{order['id']}"}})
    (by_message,) = answer(town.web, body, patient)
    (by_draft,) = answer(town.web, given(order | {"status": "draft"}, organisation="青禾县人民医院"), patient)
    assert by_message == by_draft
    assert named(by_message, "item")[0]["code"] == "qinghe-3002"
