"""By which number a resource is known (decision 7, R2, R3)."""

import pytest

from gateway.mapping import keys
from gateway.mapping.cell import Proto, Ref
from gateway.mapping.draft import Key
from gateway.mapping.environment import Environment, Series
from gateway.mapping.keys import Facts

ENV = Environment(
    "s", "f", identifiers={"IDCard": Series("visit-card", weak=True)}, national={"resident-id": "urn:oid:1"}
)
N = ENV.numbers


def person(*identifiers):
    entries = [{"system": system, "value": value} for system, value in identifiers]
    return keys.patient(Facts(ENV, {"resourceType": "Patient", "identifier": entries}, message="f:M1"))


def test_the_sites_own_numbers_name_a_patient_and_share_the_record():
    found = person((f"{N}mr", "1"), (f"{N}inpatient", "2"), (f"{N}visit-card", "3"), ("urn:oid:1", "4"))
    assert found.keys == (Key(f"{N}mr", "1"), Key(f"{N}inpatient", "2"))
    assert found.guard == {"resident-id": "4"}


def test_weak_numbers_then_the_national_id_name_a_patient_only_without_better():
    assert person((f"{N}visit-card", "3"), ("urn:oid:1", "4")).keys == (Key(f"{N}visit-card", "3"),)
    assert person((f"{N}social-number", "3"), (f"{N}mr", "1")).keys == (Key(f"{N}mr", "1"),)
    assert person(("urn:oid:1", "4")).keys == (Key("urn:oid:1", "4"),)


def test_an_unverified_id_an_account_and_a_bare_value_never_name_a_patient():
    account = {"type": {"coding": [{"code": "AN"}]}, "system": f"{N}account", "value": "1"}
    body = {"resourceType": "Patient", "identifier": [account, {"value": "2"}]}
    body["identifier"].append({"system": f"{N}unverified-resident-id", "value": "3"})
    assert keys.patient(Facts(ENV, body, message="f:M1")).keys == (Key(f"{N}message", "f:M1|patient"),)


def order(*identifiers, **facts):
    body = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": N + kind, "value": v} for kind, v in identifiers],
    }
    return Facts(facts.pop("env", ENV), body, message="f:M1", **facts)


def test_placer_and_filler_share_an_order():
    found = keys.order(order(("placer", "A1"), ("filler", "B1"), ("other", "C1"), patient="patient"))
    assert found.keys == (Key(f"{N}placer", "A1"), Key(f"{N}filler", "B1"))
    assert found.guard == {"patient": "patient"}


def test_an_order_without_number_is_a_child_or_the_messages():
    assert keys.order(order(parent="patient", parts=("CBC",))).parent == "patient"
    assert keys.order(order(parts=("CBC",))).keys == (Key(f"{N}message", "f:M1|servicerequest|CBC"),)


def test_numbers_that_start_again_daily_carry_their_day():
    daily = Environment("s", "f", daily=frozenset({"filler"}))
    facts = order(("placer", "A1"), ("filler", "B1"), env=daily, day="2026-01-02")
    assert [key.day for key in keys.order(facts).keys] == ["", "2026-01-02"]
    assert keys.report(facts).keys[0].day == "2026-01-02"


def test_a_report_is_known_by_filler_and_code_and_guards_its_day():
    facts = order(("placer", "A1"), ("filler", "B1"), parts=("CBC",), patient="patient")
    facts.body["effectiveDateTime"] = "2026-01-02T08:00:00+08:00"
    found = keys.report(facts)
    assert found.keys == (Key(f"{N}report", "B1|CBC"),)
    assert found.guard == {"patient": "patient", "day": "2026-01-02"}
    assert keys.report(order(("placer", "A1"), parts=("CBC",))).keys[0].value == "A1|CBC"


def test_a_report_without_numbers_is_the_patients_at_its_time():
    facts = order(parts=("HR",), patient="patient")
    assert keys.report(facts).keys[0].system == f"{N}message"
    facts.body["effectivePeriod"] = {"start": "2026-01-02"}
    assert keys.report(facts).parent == "patient"


def test_visits():
    facts = order(("visit", "V1"), patient="patient")
    assert keys.encounter(facts).keys == (Key(f"{N}visit", "V1"),)
    bare = order(patient="patient")
    bare.body |= {"class": {"code": "IMP"}, "period": {"start": "2026-01-02T08:00:00+08:00"}}
    same = order(patient="patient")
    same.body |= {"class": {"code": "IMP"}, "period": {"start": "2026-01-02T09:00:00+08:00"}}
    assert keys.encounter(bare).child == keys.encounter(same).child
    assert keys.encounter(order()).keys[0].system == f"{N}message"


def test_specimens_coverages_and_others():
    facts = order(("specimen", "S1"))
    facts.body["collection"] = {"collectedDateTime": "2026-01-02"}
    assert keys.specimen(facts).guard == {"day": "2026-01-02"}
    assert keys.specimen(order(parent="report")).child.startswith("spm-")
    assert keys.coverage(order(parts=("310", "", "77"))).keys == (Key(f"{N}coverage", "310|77"),)
    assert keys.coverage(order(parts=("310", "", ""), parent="patient")).parent == "patient"
    assert keys.numbered(order(("x", "1"))).keys == (Key(f"{N}x", "1"),)
    assert keys.numbered(order(parent="patient")).parent == "patient"
    assert keys.numbered(Facts(ENV, {"resourceType": "A", "identifier": {"system": "s", "value": "1"}})).keys == (
        Key("s", "1"),
    )
    assert keys.child(order(parent="patient", parts=("a",))).child.startswith("ser-")


def test_results_are_children_by_code_and_of_a_person_by_time_too():
    one = keys.observation(order(parent="report", parts=("WBC", "")))
    assert one.child == keys.observation(order(parent="report", parts=("WBC", ""))).child
    assert one.child != keys.observation(order(parent="report", parts=("WBC", "2"))).child
    early = order(parent="patient", patient="patient", parts=("WT",))
    early.body["effectiveDateTime"] = "2026-01-02"
    late = order(parent="patient", patient="patient", parts=("WT",))
    late.body["effectiveDateTime"] = "2026-01-03"
    assert keys.observation(early).child != keys.observation(late).child
    assert keys.observation(order()).keys[0].system == f"{N}message"


def test_roles_are_shared_by_who_and_where_and_things_by_number_or_name():
    assert keys.role(order(parts=("D1", "H", "OP"))).keys == (Key(f"{N}role", "D1|H|OP"),)
    assert keys.role(order(parts=("", "", "OP"), parent="order")).parent == "order"
    assert keys.thing(Facts(ENV, {"resourceType": "Organization", "name": "H"})).keys[0].value == "H"
    assert keys.thing(Facts(ENV, {"resourceType": "Organization"}, parent="order")).parent == "order"


def test_people_and_places_by_identifier_else_name():
    body = {"resourceType": "Practitioner", "identifier": [{"value": "D1"}], "name": [{"family": "Li"}]}
    assert keys.by_identifier(body, ENV) == (Key(f"{N}staff", "D1"),)
    assert body["identifier"] == [{"system": f"{N}staff", "value": "D1"}]
    assert keys.by_identifier({"resourceType": "Organization", "name": "H"}, ENV) == (
        Key(f"{N}organization-name", "H"),
    )
    assert keys.by_identifier({"resourceType": "Device"}, ENV) == ()
    proto = Proto("Practitioner", {}, (Key("s", "1"),))
    found = keys.by_identifier({"resourceType": "PractitionerRole"}, ENV, (Ref("practitioner", False, proto),))
    assert found == (Key(f"{N}practitionerrole-name", "s|1"),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "H"}, "H"),
        ({"name": [{"text": "张三", "family": "张"}]}, "张三"),
        ({"name": [{"prefix": ["Dr"], "given": ["A"], "family": "B"}]}, "Dr A B"),
        ({"name": []}, ""),
        ({}, ""),
    ],
)
def test_names_for_people(body, words):
    assert keys.named(body) == words


DAILY = Environment("s", "f", national={"resident-id": "urn:oid:1"}, daily=frozenset({"outpatient"}))


def of_the_day(*identifiers, day="2026-11-09"):
    body = {"resourceType": "Patient", "identifier": list(identifiers)}
    return keys.patient(Facts(DAILY, body, message="f:M1", day=day))


def test_a_number_of_the_day_names_a_patient_only_with_its_day():
    entry = {"system": f"{N}柳溪/outpatient", "value": "0613"}
    assert of_the_day(entry).keys == (Key(entry["system"], "0613", "2026-11-09"),)
    told = entry | {"period": {"start": "2026-11-08"}}
    assert of_the_day(told).keys == (Key(entry["system"], "0613", "2026-11-08"),)
    assert of_the_day(entry, day="").keys == (Key(f"{N}message", "f:M1|patient"),)


def test_a_number_of_the_day_stands_beside_a_national_id_and_never_beside_the_sites_own():
    daily = {"system": f"{N}outpatient", "value": "0613"}
    national = {"system": "urn:oid:1", "value": "4"}
    assert of_the_day(daily, national).keys == (
        Key("urn:oid:1", "4"),
        Key(f"{N}outpatient", "0613", "2026-11-09"),
    )
    assert of_the_day(daily, {"system": f"{N}mr", "value": "1"}).keys == (Key(f"{N}mr", "1"),)


def test_what_is_coded_is_one_child_for_each_code():
    def condition(**body):
        return keys.coded(Facts(ENV, {"resourceType": "Condition"} | body, parent="patient", message="f:M1"))

    coded = condition(code={"coding": [{"system": "s", "code": "I10"}]})
    assert (coded.parent, coded.child[:4]) == ("patient", "con-")
    assert condition(code={"coding": [{"code": "I10"}], "text": "x"}).child == coded.child
    assert condition(code={"text": "高血压"}).child != coded.child
    assert condition(type=[{"text": "高血压"}]).child == condition(code={"text": "高血压"}).child
    alone = keys.coded(Facts(ENV, {"resourceType": "Condition", "code": {"text": "x"}}, message="f:M1"))
    assert alone.keys == (Key(f"{N}message", "f:M1|condition"),)


def test_a_visit_number_may_be_the_institutions():
    body = {"resourceType": "Encounter", "identifier": [{"system": f"{N}visit", "value": "JZ1"}]}
    found = keys.encounter(Facts(ENV, body, ("MB1",), message="f:M1"))
    assert found.keys == (Key(f"{N}visit", "JZ1|MB1"),)


def test_the_15_digits_of_an_old_resident_id_do_not_stand_before_the_number_of_today():
    entries = [
        {"system": "urn:oid:1", "value": "519927197605140110"},
        {"use": "old", "system": f"{N}resident-id-15", "value": "519927760514011"},
    ]
    found = keys.patient(Facts(ENV, {"resourceType": "Patient", "identifier": entries}, message="f:M1"))
    assert found.keys == (Key("urn:oid:1", "519927197605140110"),)
