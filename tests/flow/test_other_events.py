"""Appointments, documents, vaccinations and referrals: accepted (AA), applied, and told as the right resources."""

import base64

import pytest

from tests.support.county import ROOT, county, hl7, msh, pid

SAMPLES = ROOT / "mappings" / "county-hospital" / "county-his" / "samples"


@pytest.fixture
def town(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield made


def receive(town, *messages):
    """Send messages, work, and return the acknowledgement code of each."""
    codes = []
    with town.gateway.taking("test") as take:
        for raw in messages:
            (payload,) = take(raw, "", "127.0.0.1").payloads
            codes.append(next(line for line in payload.split(b"\r") if line.startswith(b"MSA")).split(b"|")[1].decode())
    town.work()
    return codes


def sample(name):
    (found,) = SAMPLES.glob(f"*-{name}.hl7")
    return found.read_bytes()


def refers(reference, resource):
    return reference["reference"] == f"{resource['resourceType']}/{resource['id']}"


def test_an_appointment_names_who_where_with_what_and_for_which_order(town):
    assert receive(town, sample("siu-s12-appointment")) == ["AA"]
    assert town.states() == ["applied"]
    appointment, patient, order = town.only("Appointment"), town.only("Patient"), town.only("ServiceRequest")
    assert (appointment["status"], appointment["minutesDuration"]) == ("booked", 30)
    assert (appointment["start"], appointment["end"]) == ("2026-01-12T09:00:00+08:00", "2026-01-12T09:30:00+08:00")
    assert refers(appointment["basedOn"][0], order)
    assert refers(order["subject"], patient)
    actors = {part["actor"]["reference"].split("/")[0] for part in appointment["participant"] if "actor" in part}
    assert actors == {"Patient", "Practitioner", "Location", "Device"}
    assert all(part["status"] == "accepted" for part in appointment["participant"])
    assert town.all("Encounter") == [], "a visit that has neither number nor start has not begun"


@pytest.mark.parametrize(
    ("event", "status"),
    [("S13", "booked"), ("S15", "cancelled"), ("S17", "entered-in-error"), ("S26", "noshow")],
)
def test_what_becomes_of_an_appointment_is_told_by_the_event(town, event, status):
    head = "SCH|YY1^HIS|HY1^HIS||||||||||^^^20260112090000^20260112093000"
    booked = hl7(msh("A1", "SIU^S12"), head, pid(), "RGS|1")
    later = hl7(msh("A2", f"SIU^{event}", time="20260105090000"), head, pid(), "RGS|1")
    assert receive(town, booked, later) == ["AA", "AA"]
    appointment = town.only("Appointment")
    assert (appointment["status"], appointment["meta"]["versionId"]) == (status, "1" if status == "booked" else "2")


def test_two_comments_of_an_appointment_stay_two(town):
    lines = ("SCH|YY1^HIS", "NTE|1||空腹", "NTE|2||带片", pid(), "RGS|1", "AIS|1|A|X1^B超^L", "NTE|1||憋尿")
    receive(town, hl7(msh("A1", "SIU^S12"), *lines))
    notes = [each["valueAnnotation"]["text"] for each in town.only("Appointment")["extension"] if "note" in each["url"]]
    assert notes == ["空腹", "带片", "憋尿"]


def test_a_document_keeps_its_parts_its_author_and_its_visit(town):
    assert receive(town, sample("mdm-t02-discharge-summary")) == ["AA"]
    assert town.states() == ["applied"]
    document, visit = town.only("DocumentReference"), town.only("Encounter")
    assert (document["status"], document["docStatus"]) == ("current", "final")
    assert refers(document["subject"], town.only("Patient"))
    assert refers(document["context"]["encounter"][0], visit)
    assert document["author"][0]["display"] == "周慧"
    assert len(document["content"]) == 3
    first = document["content"][0]["attachment"]
    if "data" in first:
        assert base64.b64decode(first["data"]).decode().startswith("孕39周")


@pytest.mark.parametrize(("event", "relation"), [("T06", "appends"), ("T10", "replaces")])
def test_a_document_says_what_it_is_to_its_parent(town, event, relation):
    parent, other = ("TXA|1|X^小结^L||||||||||D1^HIS||||AU||AV", "TXA|1|X^小结^L||||||||||D2^HIS|D1^HIS|||AU||AV")
    receive(town, hl7(msh("D1", "MDM^T02"), pid(), parent), hl7(msh("D2", f"MDM^{event}"), pid(), other))
    first, second = town.all("DocumentReference")
    (link,) = second["relatesTo"]
    assert link["code"] == relation
    assert link["target"]["identifier"]["value"] == first["masterIdentifier"]["value"] == "D1"


def test_a_cancelled_document_is_entered_in_error(town):
    txa = "TXA|1|X^小结^L||||||||||D1^HIS||||AU"
    made, gone = (msh("D1", "MDM^T02"), msh("D2", "MDM^T11", time="20260105090000"))
    receive(town, hl7(made, pid(), txa, "OBX|1|TX|A^正文^L||全文"), hl7(gone, pid(), txa))
    document = town.only("DocumentReference")
    assert (document["status"], document["meta"]["versionId"]) == ("entered-in-error", "2")
    assert "title" not in document["content"][0]["attachment"], "what was said before is kept"


def test_a_vaccination_says_what_when_by_whom_and_its_dose_number(town):
    assert receive(town, sample("vxu-v04-vaccination")) == ["AA"]
    assert town.states() == ["applied"]
    given, dose = town.only("Immunization"), town.only("Observation")
    assert (given["status"], given["lotNumber"], given["occurrenceDateTime"]) == (
        "completed", "MMR2025A031", "2026-01-09T14:55:00+08:00",
    )  # fmt: skip
    assert refers(given["patient"], town.only("Patient"))
    assert {part["function"]["coding"][0]["code"] for part in given["performer"]} == {"OP", "AP"}
    assert refers(dose["partOf"][0], given)
    assert town.all("ServiceRequest") == [], "without a placer number nobody ordered it"


def test_a_vaccination_entered_in_error_is_the_same_one(town):
    raw = sample("vxu-v04-vaccination")
    wrong = raw.replace(b"HIS202601090071", b"HIS202601090099").replace(b"20260109150233", b"20260109160000")
    assert receive(town, raw, wrong.replace(b"|CP|A|", b"|CP|D|")) == ["AA", "AA"]
    assert town.states() == ["applied", "applied"]
    given = town.only("Immunization")
    assert (given["status"], given["meta"]["versionId"]) == ("entered-in-error", "2")


def test_observations_of_the_child_are_not_part_of_a_vaccination(town):
    lines = (pid(), "OBX|1|NM|W^体重^L||18.5|kg|||||F", "ORC|RE||J1^HIS", "RXA|0|1|20260109|20260109|14^疫苗^L|0.5|mL")
    receive(town, hl7(msh("V1", "VXU^V04"), *lines, "OBX|1|NM|D^剂次^L||2||||||F"))
    parts = {each["code"]["coding"][0]["code"]: "partOf" in each for each in town.all("Observation")}
    assert parts == {"W": False, "D": True}


def test_a_referral_asks_one_institution_on_behalf_of_another(town):
    assert receive(town, sample("ref-i12-referral")) == ["AA"]
    assert town.states() == ["applied"]
    referral, task, patient = town.only("ServiceRequest"), town.only("Task"), town.only("Patient")
    assert (referral["status"], referral["intent"], referral["priority"]) == ("active", "order", "asap")
    assert referral["category"][0]["coding"][0]["code"] == "3457005"
    assert refers(referral["subject"], patient)
    assert refers(referral["reasonReference"][0], town.only("Condition"))
    assert refers(referral["insurance"][0], town.only("Coverage"))
    assert refers(referral["supportingInfo"][0], town.only("DiagnosticReport"))
    assert referral["encounter"]["reference"] == f"Encounter/{town.only('Encounter')['id']}"
    roles = {role["code"][0]["coding"][0]["code"]: role for role in town.all("PractitionerRole")}
    assert refers(referral["requester"], roles["RP"])
    assert refers(referral["performer"][0], roles["RT"])
    assert roles["RT"]["organization"]["display"] == "望江市中心医院"
    assert (task["status"], refers(task["focus"], referral), refers(task["owner"], roles["RT"])) == (
        "requested", True, True,
    )  # fmt: skip
    named = [person["name"][0]["text"] for person in town.all("Practitioner")]
    assert sorted(named) == ["柳明远", "马超群"], "who refers and who attends is one person"


@pytest.mark.parametrize(
    ("event", "status", "order", "task"),
    [
        ("REF^I13", "A", "active", "accepted"),
        ("REF^I13", "R", "active", "rejected"),
        ("REF^I13", "E", "revoked", "cancelled"),
        ("REF^I14", "P", "revoked", "cancelled"),
    ],
)
def test_what_becomes_of_a_referral_is_told_by_its_status_and_event(town, event, status, order, task):
    raw = sample("ref-i12-referral")
    change = raw.replace(b"HIS202601110012", b"HIS202601110090").replace(b"20260111083045", b"20260111093000")
    change = change.replace(b"|REF^I12^REF_I12|", f"|{event}^REF_I12|".encode())
    change = change.replace("RF1|P^待接收^".encode("gb18030"), f"RF1|{status}^^".encode())
    assert receive(town, raw, change) == ["AA", "AA"]
    assert town.states() == ["applied", "applied"]
    assert (town.only("ServiceRequest")["status"], town.only("Task")["status"]) == (order, task)
