"""The region's profiles: what the gateway produces satisfies them, and each of their rules can be broken."""

import copy
import json
import re

import fhirpathpy
import pytest
from fhirpathpy.models import models

from gateway.conformance import claims, rules, validate
from gateway.fhir import types
from gateway.mapping.environment import BASE
from tests.support.golden import golden, ours

STRUCTURE = f"{BASE}/StructureDefinition/"
SYSTEM = f"{BASE}/CodeSystem/"
RESIDENT = "urn:oid:2.16.156.10011.1.3"


def coded(resource, element, system, code=""):
    """Say whether an element holds a coding of a system."""
    values = resource.get(element, [])
    codings = [
        coding for value in (values if isinstance(values, list) else [values]) for coding in value.get("coding", ())
    ]
    return any(coding.get("system") == system and code in ("", coding.get("code")) for coding in codings)


def numbered(resource, kind):
    return any(one.get("system", "").endswith(f"/{kind}") for one in resource.get("identifier", ()))


def subject(resource):
    return resource.get("subject", {}).get("reference", "").split("/")[0]


WHOSE = {
    "resident": ("Patient", lambda _: True),
    "contract": ("CarePlan", lambda one: subject(one) == "Patient"),
    "household-contract": ("CarePlan", lambda one: subject(one) == "Group"),
    "contract-team": ("CareTeam", lambda one: coded(one, "category", f"{SYSTEM}care-team-kind", "combination")),
    "contract-service": ("Task", lambda one: numbered(one, "service-record")),
    "referral": ("ServiceRequest", lambda one: numbered(one, "referral") and "requisition" in one),
    "referral-task": ("Task", lambda one: numbered(one, "referral-task")),
    "medical-insurance": ("Coverage", lambda _: True),
    "shared-report": (
        "DiagnosticReport",
        lambda one: coded(one, "category", "http://terminology.hl7.org/CodeSystem/v2-0074"),
    ),
    "laboratory-result": (
        "Observation",
        lambda one: coded(one, "category", "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"),
    ),
    "visit": ("Encounter", lambda _: True),
    "household": ("Group", lambda _: True),
    "institution": ("Organization", lambda one: "identifier" in one),
    "staff": ("Practitioner", lambda _: True),
    "staff-role": ("PractitionerRole", lambda _: True),
    "prescription": ("MedicationRequest", lambda _: True),
    "insurance-settlement": ("ExplanationOfBenefit", lambda _: True),
}
SHORT = {  # what senders leave out or get wrong, which the profile is there to tell
    "resident": {
        "contracts": 1,
        "fulfilled_items": 1,
        "imaging_reports": 1,
        "lab_results_wide": 1,
        "43-adt-a44-visit-to-another-patient": 1,
    },
    "contract-service": {"fulfilled_items": 1},
    "shared-report": {"lab_results_long": 1},
    "laboratory-result": {"lab_results_long": 1},
    "institution": {"organisations": 1},
}


def produced(name):
    kind, test = WHOSE[name]
    return [(file, one) for file, one in golden() if one["resourceType"] == kind and test(one)]


def errors(name, resource):
    """The errors that a profile finds; its findings carry its title."""
    title = ours().definitions[f"StructureDefinition/{name}"]["title"]
    told = validate.validate(resource, ours(), [STRUCTURE + name])
    return [one for one in told if f"“{title}”" in one.text and one.severity == "error"]


@pytest.mark.parametrize("name", WHOSE)
def test_what_the_gateway_produces_satisfies_the_profile(name):
    wrong = {}
    for file, one in produced(name):
        if errors(name, one):
            wrong[file] = wrong.get(file, 0) + 1
    assert len(produced(name)) > sum(wrong.values())
    assert wrong == SHORT.get(name, {})


def test_every_profile_is_looked_at():
    made = [one for one in rules.everything(ours()) if one.type != "Extension"]
    assert {one.url.removeprefix(STRUCTURE) for one in made} == set(WHOSE)
    claimed = {one.url.removeprefix(STRUCTURE) for one in made if one.claimed}
    assert claimed == set(CLAIMED)


CLAIMED = ("resident", "contract", "household-contract", "referral", "medical-insurance", "shared-report")


@pytest.mark.parametrize("name", CLAIMED)
def test_what_satisfies_a_claimed_profile_claims_it_whatever_the_base_of_numbers_is(name):
    for _, one in produced(name):
        said = STRUCTURE + name in claims.claims(one, ours())
        assert said == (not errors(name, one))
        text = re.sub(rf"{BASE}/(id|codes)/", r"https://health.example/r4/\1/", json.dumps(one))
        assert claims.claims(json.loads(text), ours()) == claims.claims(one, ours())


def test_a_profile_names_its_elements_in_the_order_of_r4():
    for one in rules.everything(ours()):
        elements = [element["path"].split(".") for element in one.definition["differential"]["element"]]
        order = list(types.elements(one.type))
        tops = [order.index(path[1].removesuffix("[x]")) for path in elements if len(path) > 1]
        assert tops == sorted(tops), one.url
        identifiers = [element["id"] for element in one.definition["differential"]["element"]]
        assert len(set(identifiers)) == len(identifiers), one.url


# Each rule bites


def number(system, value):
    return {"system": system, "value": value}


def resident():
    return {
        "resourceType": "Patient",
        "identifier": [
            number(RESIDENT, "51992719650421004X"),
            number("https://health.example/r4/id/town/visit-card", "K1"),
        ],
        "name": [{"text": "李珅"}],
        "gender": "female",
        "birthDate": "1965-04-21",
    }


def contract():
    kind = {"coding": [{"system": f"{SYSTEM}care-plan-kind", "code": "family-doctor-contract"}]}
    return {
        "resourceType": "CarePlan",
        "identifier": [number("https://health.example/r4/id/town/contract", "QY1")],
        "status": "active",
        "intent": "plan",
        "category": [kind],
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "careTeam": [{"reference": "CareTeam/c"}],
    }


def household_contract():
    kinds = [
        {"coding": [{"system": f"{SYSTEM}care-plan-kind", "code": code}]}
        for code in ("family-doctor-contract", "household-contract")
    ]
    body = {"resourceType": "CarePlan", "status": "unknown", "intent": "plan", "category": kinds}
    return body | {"subject": {"reference": "Group/g"}}


def contract_team():
    role = [{"coding": [{"system": f"{SYSTEM}team-role", "code": "secondary-hospital"}]}]
    return {
        "resourceType": "CareTeam",
        "category": [{"coding": [{"system": f"{SYSTEM}care-team-kind", "code": "combination"}]}],
        "subject": {"reference": "Patient/p"},
        "participant": [{"role": role, "member": {"display": "县医院"}}],
    }


def contract_service():
    return {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "basedOn": [{"reference": "CarePlan/c"}],
        "code": {"text": "测血压"},
        "for": {"reference": "Patient/p"},
        "executionPeriod": {"start": "2026-05-01"},
    }


def referral():
    return {
        "resourceType": "ServiceRequest",
        "identifier": [number("https://health.example/r4/id/town/referral", "ZZ2")],
        "basedOn": [{"identifier": number("https://health.example/r4/id/town/referral", "ZZ1")}],
        "requisition": number("https://health.example/r4/id/town/referral", "ZZ1"),
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": f"{SYSTEM}referral-direction", "code": "down"}]}],
        "code": {"text": "双向转诊"},
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-05-01",
        "requester": {"display": "县医院"},
        "performer": [{"display": "柳溪镇中心卫生院"}],
        "reasonCode": [{"text": "康复"}],
    }


def referral_task():
    return {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "businessStatus": {"coding": [{"system": f"{SYSTEM}referral-step", "code": "C01004"}]},
        "focus": {"reference": "ServiceRequest/s"},
        "for": {"reference": "Patient/p"},
        "executionPeriod": {"start": "2026-05-01"},
    }


def medical_insurance():
    area = {"system": f"{SYSTEM}gbt2260", "code": "519927"}
    return {
        "resourceType": "Coverage",
        "extension": [{"url": f"{STRUCTURE}pooling-area", "valueCoding": area}],
        "identifier": [number(f"{BASE}/NamingSystem/insured-person", "1")],
        "status": "active",
        "type": {"coding": [{"system": f"{SYSTEM}insutype", "code": "390"}]},
        "beneficiary": {"reference": "Patient/p"},
        "payor": [{"display": "青禾县医疗保障局"}],
    }


def shared_report():
    return {
        "resourceType": "DiagnosticReport",
        "identifier": [number("https://health.example/r4/id/lab/filler", "BG1")],
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"text": "血常规", "extension": [{"url": f"{STRUCTURE}recognition-mark", "valueString": "★"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-05-01T08:00:00+08:00",
        "issued": "2026-05-01T10:00:00+08:00",
        "result": [{"reference": "Observation/o"}],
    }


def laboratory_result():
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "https://health.example/r4/codes/lab/item", "code": "WBC"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-05-01",
        "valueQuantity": {"value": 5.1, "unit": "10^9/L"},
    }


def visit():
    return {
        "resourceType": "Encounter",
        "identifier": [number("https://health.example/r4/id/town/visit", "1")],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2026-05-01"},
    }


def household():
    return {
        "resourceType": "Group",
        "identifier": [number("https://health.example/r4/id/town/household", "1")],
        "type": "person",
        "actual": True,
        "code": {"coding": [{"system": f"{SYSTEM}group-kind", "code": "household"}]},
        "member": [{"entity": {"reference": "Patient/p"}}],
    }


def institution():
    return {
        "resourceType": "Organization",
        "identifier": [number("urn:oid:2.16.156.10011.1.5", "12511827MB00000060")],
        "name": "县医院",
    }


def staff():
    return {
        "resourceType": "Practitioner",
        "identifier": [number("https://health.example/r4/id/town/staff", "1")],
        "name": [{"text": "王建国"}],
    }


def staff_role():
    return {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/p"},
        "organization": {"display": "县医院"},
    }


def prescription():
    marks = [{"url": STRUCTURE + name, "valueBoolean": True} for name in ("extended-prescription", "long-prescription")]
    return {
        "resourceType": "MedicationRequest",
        "extension": marks,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "氨氯地平"},
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-05-01",
        "requester": {"display": "王建国"},
        "dispenseRequest": {"expectedSupplyDuration": {"value": 28, "unit": "天"}},
        "priorPrescription": {"identifier": {"value": "CF1"}},
    }


def insurance_settlement():
    total = {
        "category": {"coding": [{"system": f"{SYSTEM}settlement-amount", "code": "medfee_sumamt"}]},
        "amount": {"value": -10, "currency": "CNY"},
    }
    return {
        "resourceType": "ExplanationOfBenefit",
        "extension": [{"url": f"{STRUCTURE}refund", "valueBoolean": True}],
        "identifier": [number("https://health.example/r4/id/fund/settlement", "1")],
        "status": "active",
        "type": {"text": "医保结算"},
        "use": "claim",
        "patient": {"reference": "Patient/p"},
        "created": "2026-05-01",
        "insurer": {"display": "青禾县医疗保障局"},
        "provider": {"display": "县医院"},
        "outcome": "complete",
        "related": [{"claim": {"identifier": number("https://health.example/r4/id/fund/settlement", "0")}}],
        "insurance": [{"focal": True, "coverage": {"display": "390"}}],
        "total": [total],
    }


GOOD = {
    "resident": resident,
    "contract": contract,
    "household-contract": household_contract,
    "contract-team": contract_team,
    "contract-service": contract_service,
    "referral": referral,
    "referral-task": referral_task,
    "medical-insurance": medical_insurance,
    "shared-report": shared_report,
    "laboratory-result": laboratory_result,
    "visit": visit,
    "household": household,
    "institution": institution,
    "staff": staff,
    "staff-role": staff_role,
    "prescription": prescription,
    "insurance-settlement": insurance_settlement,
}


def put(path, value):
    """Return a change that puts a value at a path of keys and positions, or removes what is there."""

    def change(resource):
        *before, last = path
        for step in before:
            resource = resource[step]
        if value is None:
            del resource[last]
        else:
            resource[last] = value

    return change


HOSPITAL_NUMBER = {"system": "urn:oid:2.16.156.10011.1.11", "value": "0007"}
TWO = [
    {"role": [{"coding": [{"system": f"{SYSTEM}team-role", "code": "tertiary-hospital"}]}], "member": {"display": name}}
    for name in "AB"
]
RENEWED = [
    {
        "url": f"{STRUCTURE}contract-status",
        "valueCodeableConcept": {"coding": [{"system": f"{SYSTEM}contract-status", "code": "renewed"}]},
    }
]
CONTRADICTED = [
    {**RENEWED[0], "valueCodeableConcept": {"coding": [{"system": f"{SYSTEM}contract-status", "code": "terminated"}]}}
]
BROKEN = [
    ("resident", put(["identifier", 1], HOSPITAL_NUMBER), "resident-1"),
    ("resident", put(["identifier", 0, "value"], "519927650421004"), "resident-2"),
    ("resident", put(["identifier", 0, "value"], "519927196513210040"), "resident-2"),
    ("resident", put(["identifier", 0, "value"], "519927196504210041"), "resident-3"),
    ("resident", put(["name", 0], {"family": "李", "given": ["珅"]}), "resident-4"),
    ("resident", put(["birthDate"], "1965-04-22"), "resident-5"),
    ("resident", put(["gender"], "male"), "resident-6"),
    ("resident", put(["identifier", 1], number(RESIDENT, "519927197411220059")), "resident-7"),
    ("resident", put(["identifier"], None), "identifier is missing"),
    ("resident", put(["identifier", 1, "system"], None), "system is missing"),
    ("resident", put(["name"], None), "name is missing"),
    ("contract", put(["period", "end"], None), "contract-1"),
    ("contract", put(["status"], "revoked"), "contract-2"),
    ("contract", put(["extension"], CONTRADICTED), "contract-3"),
    ("contract", put(["careTeam"], [{"reference": "CareTeam/a"}, {"reference": "CareTeam/b"}]), "1 times at most"),
    ("contract", put(["careTeam"], None), "careTeam is missing"),
    ("contract", put(["intent"], "order"), "'plan' here"),
    ("contract", put(["subject"], {"reference": "Group/g"}), "reference to Patient"),
    ("contract", put(["identifier"], None), "identifier is missing"),
    ("household-contract", put(["subject"], {"reference": "Patient/p"}), "reference to Group"),
    ("contract-team", put(["participant"], TWO), "contract-team-1"),
    ("contract-team", put(["participant", 0, "role"], None), "role is missing"),
    ("contract-service", put(["executionPeriod"], None), "contract-service-1"),
    ("contract-service", put(["status"], "requested"), "contract-service-2"),
    ("contract-service", put(["basedOn"], None), "basedOn is missing"),
    ("referral", put(["reasonCode"], None), "referral-1"),
    ("referral", put(["requisition", "value"], "ZZ9"), "referral-2"),
    ("referral", put(["identifier", 0], {"system": "urn:oid:2.16.156.10011.1.24", "value": "1"}), "referral-3"),
    ("referral", put(["category", 0, "coding", 0, "code"], "sideways"), "转诊方向"),
    ("referral", put(["category"], None), "category:direction is missing"),
    ("referral", put(["performer"], None), "performer is missing"),
    ("referral-task", put(["status"], "rejected"), "referral-task-1"),
    ("referral-task", put(["executionPeriod"], None), "referral-task-2"),
    ("referral-task", put(["status"], "in-progress"), "referral-task-3"),
    ("medical-insurance", put(["type", "coding", 0, "code"], "03"), "险种类型"),
    ("medical-insurance", put(["extension"], None), "poolingArea is missing"),
    ("medical-insurance", put(["identifier"], None), "identifier is missing"),
    ("shared-report", put(["issued"], None), "shared-report-1"),
    ("shared-report", put(["result"], None), "shared-report-2"),
    (
        "shared-report",
        put(["identifier", 0], {"system": "urn:oid:2.16.156.10011.1.33", "value": "1"}),
        "shared-report-3",
    ),
    ("shared-report", put(["effectiveDateTime"], None), "effective is missing"),
    (
        "shared-report",
        put(["category", 0, "coding", 0, "system"], f"{SYSTEM}report-kind"),
        "category:section is missing",
    ),
    ("laboratory-result", put(["valueQuantity"], None), "laboratory-result-1"),
    ("laboratory-result", put(["valueQuantity", "unit"], None), "laboratory-result-2"),
    ("laboratory-result", put(["code"], {"text": "白细胞"}), "coding is missing"),
    ("visit", put(["identifier", 0], HOSPITAL_NUMBER), "visit-1"),
    ("visit", put(["period"], None), "visit-2"),
    ("household", put(["type"], "animal"), "'person' here"),
    ("household", put(["code"], {"text": "家庭"}), "group-kind"),
    ("institution", put(["identifier", 0, "value"], "12511827MB0000006"), "institution-1"),
    ("institution", put(["identifier", 0, "value"], "12511827MB00000061"), "institution-2"),
    ("institution", put(["name"], None), "institution-3"),
    ("staff", put(["name", 0], {"family": "王建国"}), "staff-1"),
    ("staff-role", put(["organization"], None), "staff-role-1"),
    ("prescription", put(["priorPrescription"], None), "prescription-1"),
    ("prescription", put(["dispenseRequest"], None), "prescription-2"),
    ("insurance-settlement", put(["total", 0, "amount", "value"], 10), "insurance-settlement-1"),
    ("insurance-settlement", put(["related"], None), "insurance-settlement-1"),
    ("insurance-settlement", put(["total", 0, "category", "coding", 0, "code"], "hifp_pay"), "total:whole is missing"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_one_is_good(name):
    assert validate.validate(GOOD[name](), ours(), [STRUCTURE + name]) == []


@pytest.mark.parametrize(("name", "change", "told"), BROKEN, ids=[f"{name}: {told}" for name, _, told in BROKEN])
def test_a_broken_rule_is_told(name, change, told):
    resource = copy.deepcopy(GOOD[name]())
    change(resource)
    assert [one.text for one in validate.validate(resource, ours(), [STRUCTURE + name]) if told in one.text]


def test_every_rule_is_broken_once():
    keys = {
        one["key"]
        for name in GOOD
        for element in ours().definitions[f"StructureDefinition/{name}"]["differential"]["element"]
        for one in element.get("constraint", ())
    }
    assert keys - {told for _, _, told in BROKEN} == set()


def standing(resource, path):
    """What stands at a path of plain names below a resource."""
    found = [resource]
    for name in path.split(".")[1:]:
        below = [one[name] for one in found if isinstance(one, dict) and name in one]
        found = [value for one in below for value in (one if isinstance(one, list) else [one])]
    return found


def judged(name, resource):
    """The rules of a profile that another evaluator of FHIRPath finds broken."""
    broken = set()
    for element in ours().definitions[f"StructureDefinition/{name}"]["differential"]["element"]:
        rule = {"identifier:residentId.value": RESIDENT, "identifier:uscc.value": "urn:oid:2.16.156.10011.1.5"}
        series = rule.get(element["id"].partition(".")[2])
        numbers = [one.get("value") for one in resource.get("identifier", ()) if one.get("system") == series]
        for constraint in element.get("constraint", ()):
            for value in numbers if series else standing(resource, element["path"]):
                plain = not isinstance(value, dict)
                path = f"v.select({constraint['expression']})" if plain else constraint["expression"]
                told = fhirpathpy.evaluate({"v": value} if plain else value, path, {"resource": resource}, models["r4"])
                broken |= set() if told == [True] else {constraint["key"]}
    return broken


@pytest.mark.parametrize(("name", "change"), [one[:2] for one in BROKEN], ids=[f"{one[0]}: {one[2]}" for one in BROKEN])
def test_another_evaluator_finds_the_same_rules_broken(name, change):
    resource = copy.deepcopy(GOOD[name]())
    assert judged(name, resource) == set()
    change(resource)
    issues = validate.validate(resource, ours(), [STRUCTURE + name])
    found = {key for one in issues for key in re.findall(r"\(rule (\S+) of “", one.text)}
    assert judged(name, resource) == found


def test_a_number_that_was_corrected_stands_beside_the_new_one():
    both = resident()
    both["identifier"].append({"use": "old", **number(RESIDENT, "519927196504210041")})
    assert [
        one.text for one in validate.validate(both, ours(), [STRUCTURE + "resident"]) if "resident-7" in one.text
    ] == []


def test_a_foreign_name_may_be_in_parts():
    guest = resident() | {"name": [{"family": "Smith", "given": ["Ann"]}]}
    assert validate.validate(guest, ours(), [STRUCTURE + "resident"]) == []
