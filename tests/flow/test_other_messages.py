"""Charges, accounts, prescriptions, specimens, master files, and messages of who is who: bytes in, resources out."""

import json
from pathlib import Path

import pytest

from gateway.record import fsck
from gateway.record.joining import MOVED_FROM
from tests.support.county import ROOT, county, hl7, lab, msh, pid

SITE = ROOT / "mappings" / "county-hospital"
FEEDS = ("county-his", "county-lis", "county-pharmacy")
SAMPLES = sorted(path for feed in FEEDS for path in (SITE / feed / "samples").glob("[45]*.hl7"))


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        yield made


def sample(name: str) -> bytes:
    (path,) = SITE.glob(f"*/samples/{name}-*.hl7")
    return path.read_bytes()


def visit(number: str, bed: str = "11", before: str = "", doctor: str = "") -> str:
    fields = {2: "I", 3: f"9400^402^{bed}^4400^心内科", 7: doctor, 19: number, 44: "20260112083000"}
    fields[6] = before and f"9400^402^{before}^4400^心内科"
    return "|".join(["PV1", *(fields.get(number, "") for number in range(1, 45))])


def last(town, event: str, *segments: str, control: str = "X1", time: str = "20260120090000") -> str:
    """Send one message and return what became of it."""
    town.run(hl7(msh(control, event, time=time), *segments))
    return town.states()[-1]


def named(town, number: str) -> dict:
    """Return the Patient that has a number, not one it was merged into."""
    found = [one for one in town.all("Patient") if number in {each["value"] for each in one["identifier"]}]
    (one,) = [one for one in found if one.get("active", True)]
    return one


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_every_sample_is_applied_and_a_second_time_changes_nothing(tmp_path, path: Path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        raw = path.read_bytes()
        town.run(raw)
        assert town.states() == ["applied"], town.items()[0].issues
        before = {kind: town.all(kind) for kind in _kinds(path)}
        assert all(before.values())
        town.run(_again(raw))
        assert town.states() == ["applied", "applied"], town.items()[1].issues
        assert {kind: town.all(kind) for kind in before} == before
        assert [finding for step in fsck.check(town.store) for finding in step.findings] == []


def _kinds(path: Path) -> set[str]:
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return {body["resourceType"] for body in told if "resourceType" in body}


def _again(raw: bytes) -> bytes:
    """Return the message under another control id."""
    fields = raw.split(b"|", 10)
    fields[9] += b"R"
    return b"|".join(fields)


def test_swapped_beds_are_each_others(town):
    town.run(
        hl7(msh("M1", "ADT^A01"), pid("P1"), visit("V1", "11")), hl7(msh("M2", "ADT^A01"), pid("P2"), visit("V2", "12"))
    )
    both = (pid("P1"), visit("V1", "12", "11"), pid("P2"), visit("V2", "11", "12"))
    assert last(town, "ADT^A17", *both) == "applied"
    beds = [{one["status"]: one["location"]["display"] for one in each["location"]} for each in town.all("Encounter")]
    assert beds == [{"active": "12", "completed": "11"}, {"active": "11", "completed": "12"}]
    subjects = [each["subject"]["reference"] for each in town.all("Encounter")]
    assert subjects == [f"Patient/{named(town, number)['id']}" for number in ("P1", "P2")]


@pytest.mark.parametrize("event", ["ADT^A18", "ADT^A40"])
def test_an_unlink_undoes_a_merge_of_either_form_and_keeps_its_evidence(town, event):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2", "李四")), lab("M3", "R1", ("GLU", "5"), patient="P2"))
    assert last(town, event, pid("P1"), "MRG|P2^^^^LocalID", control="M4", time="20260110080000") == "applied"
    survivor = named(town, "P1")
    assert last(town, "ADT^A37", pid("P1"), pid("P2", "李四"), control="M5", time="20260111080000") == "applied"
    apart = named(town, "P2")
    assert apart["id"] != survivor["id"]
    assert ("active" in apart, "link" in apart, apart["name"][0]["text"]) == (False, False, "李四")
    assert town.only("DiagnosticReport")["subject"]["reference"] == f"Patient/{apart['id']}"
    with town.store.read() as tx:
        pids = tx.heads([("Patient", apart["id"])])
        (link,) = tx.links([pids["Patient", apart["id"]].pid], ended=True)
    assert (link.state, "P2" in link.evidence, link.ended_us is not None) == ("ended", True, True)
    town.run(lab("M6", "R2", ("K", "4"), patient="P2"))
    assert town.all("DiagnosticReport")[-1]["subject"]["reference"] == f"Patient/{apart['id']}"
    assert last(town, "ADT^A37", pid("P1"), pid("P2", "李四"), control="M7") == "applied"
    assert named(town, "P2")["meta"]["versionId"] == apart["meta"]["versionId"]


def test_what_was_filed_while_two_were_one_is_told_to_a_person(town):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    last(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M3", time="20260110080000")
    last(town, "ADT^A37", pid("P1"), pid("P2"), control="M4")
    assert "until a person has looked at it" in town.items()[-1].issues


def test_an_old_message_told_anew_does_not_undo_an_unlink(town):
    items = town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    last(town, "ADT^A40", pid("P1", "张三丰"), "MRG|P2^^^^LocalID", control="M3", time="20260110080000")
    last(town, "ADT^A37", pid("P1"), pid("P2"), control="M4")
    before = town.all("Patient")
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert set(town.states()) == {"applied"}
    assert [one.get("active", True) for one in town.all("Patient")] == [True, True]
    assert [one["id"] for one in town.all("Patient")] == [one["id"] for one in before]
    assert len(items) == 2


def test_a_merge_in_a_circle_is_parked_with_its_reason(town):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    assert last(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M3") == "applied"
    assert last(town, "ADT^A40", pid("P2"), "MRG|P1^^^^LocalID", control="M4") == "parked refused"
    assert "circle" in town.items()[-1].issues


def test_a_visit_moved_to_another_patient_says_whose_it_was(town):
    town.run(
        hl7(msh("M1", "ADT^A01"), f"{pid('P1')}||||||||||A1", visit("V1")),
        hl7(msh("M2"), pid("P2")),
        lab("M3", "R1", ("GLU", "5"), patient="P1"),
    )
    report = town.only("DiagnosticReport")
    move = (f"{pid('P2')}||||||||||A1", "MRG|P1^^^^LocalID||A1||V1")
    assert last(town, "ADT^A44", *move) == "applied"
    wrong, right = named(town, "P1"), named(town, "P2")
    encounter = town.only("Encounter")
    assert encounter["subject"]["reference"] == f"Patient/{right['id']}"
    assert {"url": MOVED_FROM, "valueReference": {"reference": f"Patient/{wrong['id']}"}} in encounter["extension"]
    assert (encounter["status"], encounter["meta"]["versionId"]) == ("in-progress", "2")
    assert town.only("DiagnosticReport") == report, "no result is moved silently"
    assert "was moved from" in town.items()[-1].issues
    old, new = town.all("Account")
    assert (old["status"], new["status"]) == ("inactive", "active")
    assert new["subject"][0]["reference"] == f"Patient/{right['id']}"
    assert last(town, "ADT^A44", *move, control="X2") == "applied"
    assert town.only("Encounter")["meta"]["versionId"] == "2"
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert town.only("Encounter")["subject"]["reference"] == f"Patient/{right['id']}"
    assert set(town.states()) == {"applied"}


def test_a_visit_of_a_third_patient_is_not_moved(town):
    town.run(*(hl7(msh(f"M{n}"), pid(f"P{n}")) for n in (1, 2)), hl7(msh("M3", "ADT^A01"), pid("P3"), visit("V1")))
    assert last(town, "ADT^A44", pid("P2"), "MRG|P1^^^^LocalID||||V1") == "parked refused"
    assert "neither of the two" in town.items()[-1].issues


def test_a_changed_number_leads_to_the_same_record_and_the_old_one_too(town):
    town.run(hl7(msh("M1"), pid("P1")))
    assert last(town, "ADT^A47", pid("N1"), "MRG|P1^^^^LocalID") == "applied"
    town.run(hl7(msh("M3", time="20260121080000"), pid("N1", "新名")), lab("M4", "R1", ("K", "4"), patient="P1"))
    person = town.only("Patient")
    numbers = {one["value"]: one.get("use") for one in person["identifier"]}
    assert (person["name"][0]["text"], numbers) == ("新名", {"P1": "old", "N1": None})
    assert town.only("DiagnosticReport")["subject"]["reference"] == f"Patient/{person['id']}"


def test_a_number_changed_into_anothers_is_refused(town):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    assert last(town, "ADT^A47", pid("P2"), "MRG|P1^^^^LocalID") == "parked refused"
    assert last(town, "ADT^A47", pid("P1"), "MRG|P1^^^^LocalID", control="X2") == "parked refused"


def test_a_wrong_resident_id_is_corrected_by_a_change_of_number(town):
    right, wrong = "519927199102283522", "519927199102283549"
    before = pid("P8").replace("LocalID", f"LocalID~{wrong}^^^^IdentifyNO")
    after = pid("P9").replace("LocalID", f"LocalID~{right}^^^^IdentifyNO")
    town.run(hl7(msh("M1"), before))
    assert last(town, "ADT^A47", after, f"MRG|P8^^^^LocalID~{wrong}^^^^IdentifyNO") == "applied"
    assert {one["value"]: one.get("use") for one in town.only("Patient")["identifier"]} == {
        "P8": "old", wrong: "old", "P9": None, right: None,
    }  # fmt: skip


def test_a_withdrawn_allergy_is_an_error_without_a_clinical_state(town):
    allergy = "IAM|1|DA|PENI^青霉素^QHGM|SV|皮疹|{}|G1"
    town.run(hl7(msh("M1", "ADT^A60"), pid("P1"), allergy.format("A")))
    assert last(town, "ADT^A60", pid("P1"), allergy.format("D")) == "applied"
    found = town.only("AllergyIntolerance")
    assert found["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert ("clinicalStatus" in found, found["meta"]["versionId"]) == (False, "2")


def test_a_refund_is_a_negative_row_beside_the_charge(town):
    town.run(sample("49"), sample("50"))
    assert town.states() == ["applied", "applied"]
    amounts = {
        (one["identifier"][0]["value"], str(one["priceOverride"]["value"]), one["quantity"]["value"])
        for one in town.all("ChargeItem")
    }
    assert amounts == {("SF2601050007", "180.0", 1), ("SF2601050008", "20", 1), ("SF2601050007", "-180.0", -1)}
    visit_of_charge = {one["context"]["reference"] for one in town.all("ChargeItem")}
    assert visit_of_charge == {f"Encounter/{town.only('Encounter')['id']}"}


def test_a_transaction_number_of_another_person_is_parked(town):
    charge = "FT1|1|T1||20260105||CG|X^Y|||1|{}"
    town.run(hl7(msh("M1", "DFT^P03"), pid("P1"), charge.format("5.00")))
    assert last(town, "DFT^P03", pid("P2"), charge.format("6.00")) == "parked key-reused"


def test_charges_without_a_person_are_parked(town):
    assert last(town, "DFT^P03", "FT1|1|T1||20260105||CG|X^Y|||1|5.00") == "parked unidentified"


def test_an_account_begins_changes_and_ends(town):
    town.run(sample("46"), sample("47"), sample("48"))
    account = town.only("Account")
    assert (account["status"], account["servicePeriod"]["end"]) == ("inactive", "2026-01-13T11:00:00+08:00")
    basic, large = sorted(town.all("Coverage"), key=lambda one: one["type"]["coding"][0]["code"])
    assert basic["period"]["end"] == "2026-01-31", "as changed by P05"
    assert basic["identifier"][-1]["value"] == "519927D000310062"
    assert {one["coding"][0]["code"] for one in (basic["type"], large["type"])} == {"310", "330"}
    assert [one["coverage"]["reference"] for one in account["coverage"]] == [f"Coverage/{basic['id']}"]


def test_specimens_that_come_first_hold_their_own_results(town):
    town.run(sample("55"))
    blood, urine = sorted(town.all("Specimen"), key=lambda one: one["identifier"][0]["value"])
    of = {one["code"]["coding"][0]["code"]: one["specimen"]["reference"] for one in town.all("Observation")}
    assert of == {
        "HEM": f"Specimen/{blood['id']}", "WBC": f"Specimen/{blood['id']}", "PRO": f"Specimen/{urine['id']}",
    }  # fmt: skip
    told = {one["code"]["coding"][0]["code"]: one for one in town.all("DiagnosticReport")}
    assert told["3001"]["specimen"] == [{"reference": f"Specimen/{blood['id']}"}]
    assert len(told["3001"]["result"]) == 1, "haemolysis is said of the specimen, not of the blood count"


def test_a_formula_of_herbs_is_one_prescription_with_its_ingredients(town):
    town.run(sample("56"))
    request, formula = town.only("MedicationRequest"), town.only("Medication")
    assert request["medicationReference"]["reference"] == f"Medication/{formula['id']}"
    assert "medicationCodeableConcept" not in request
    herbs = [(one["itemCodeableConcept"]["coding"][0]["display"], one["strength"]["numerator"]["value"])
             for one in formula["ingredient"]]  # fmt: skip
    assert herbs == [("法半夏", 9), ("陈皮", 10), ("茯苓", 15), ("炙甘草", 6)]


def test_a_stopped_prescription_stays_stopped(town):
    town.run(sample("57"))
    status = {one["identifier"][0]["value"]: one["status"] for one in town.all("MedicationRequest")}
    assert status == {"CF260108-0031": "active", "CF251216-0007": "stopped"}


def test_staff_of_the_master_file_are_those_that_messages_name(town):
    town.run(hl7(msh("M1", "ADT^A01", time="20260101080000"), pid("P1"), visit("V1", doctor="0288^吴倩")))
    town.run(sample("52"))
    staff = {one["identifier"][0]["value"]: one for one in town.all("Practitioner")}
    assert (staff["0288"]["active"], staff["0288"]["name"][0]["text"]) == (False, "吴倩")
    assert (staff["1131"]["active"], staff["1131"]["gender"], staff["1031"]["active"]) == (True, "female", False)
    posts = {one["organization"]["display"] for one in town.all("PractitionerRole") if "organization" in one}
    assert {"心内科", "胸痛中心"} <= posts


def test_places_of_the_master_file_are_those_that_visits_name(town):
    town.run(hl7(msh("M1", "ADT^A01", time="20260101080000"), pid("P1"), visit("V1", "11")), sample("53"))
    places = {one["identifier"][0]["value"]: one for one in town.all("Location")}
    bed = places["poc:9400/ro:402/bd:11"]
    assert (bed["name"], bed["status"], bed["meta"]["versionId"]) == ("心内科病区402房11床", "active", "2")
    assert bed["partOf"]["reference"] == f"Location/{places['poc:9400/ro:402']['id']}"
    assert places["poc:9300/ro:301/bd:06"]["status"] == "inactive"
    assert town.only("Encounter")["location"][0]["location"]["reference"] == f"Location/{bed['id']}"


def test_a_master_file_nobody_has_a_rule_for_is_parked_as_unmapped(town):
    assert (
        last(town, "MFN^M01", "MFI|ZFY^收费项目||UPD|||AL", "MFE|MAD|1||X1|ST", "ZFY|X1|床位费|20") == "parked unmapped"
    )
