"""Messages become resources: groups never leak, nothing is lost silently, references are whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.draft import Key

ID = "https://yigong.example/fhir/id/generic/"
PID = "PID|1||7^^^^MR||张三||19800101|M"


def of(mapped, kind):
    return [draft for draft in mapped.drafts if draft.type == kind]


def target(mapped, draft, element):
    """Return the drafts an element of a draft refers to."""
    value = draft.body.get(element, [])
    wanted = [id(item) for item in (value if isinstance(value, list) else [value])]
    names = {draft.name: draft for draft in mapped.drafts}
    return [names[name] for reference, name in draft.links if id(reference) in wanted]


def lefts(mapped):
    return {left.where: left.reason for left in mapped.left if not left.kept}


def test_a_note_belongs_to_its_result(told):
    mapped = told(
        "ORU^R01", PID, "OBR|1|A|B|CBC", "NTE|1||of the order",
        "OBX|1|NM|WBC||5", "NTE|1||one", "NTE|2||two~three", "OBX|2|NM|RBC||4", "NTE|1||four",
    )  # fmt: skip
    notes = [[note["text"] for note in draft.body["note"]] for draft in of(mapped, "Observation")]
    assert notes == [["one", "two\nthree"], ["four"]]
    assert of(mapped, "ServiceRequest")[0].body["note"] == [{"text": "of the order"}]


def test_groups_do_not_leak(told):
    mapped = told(
        "ORU^R01", PID, "ORC|RE|A1|B1", "OBR|1|A1|B1|CBC", "OBX|1|NM|WBC||5", "ORC|RE|A2|B2", "OBR|2|A2|B2|GLU", "OBX|1|NM|GLU||6",
        "PID|2||8^^^^MR", "OBR|1|A3|B3|CRP", "OBX|1|NM|CRP||7",
    )  # fmt: skip
    reports = of(mapped, "DiagnosticReport")
    assert [
        [found.body["code"]["coding"][0]["code"] for found in target(mapped, one, "result")] for one in reports
    ] == [["WBC"], ["GLU"], ["CRP"]]
    assert [one.patient for one in reports] == ["patient", "patient", "patient/2"]
    assert [target(mapped, one, "subject")[0].keys[0].value for one in reports] == ["7", "7", "8"]
    assert [target(mapped, one, "basedOn")[0].keys[0].value for one in reports] == ["A1", "A2", "A3"]


def test_orc_and_obr_make_one_order_and_an_obr_alone_its_own(told):
    mapped = told("ORM^O01", PID, "ORC|NW|A1", "OBR|1|A1||CBC", "OBR|2|A2||GLU", "ORC|NW|A3", "OBR|1|A3||CRP")
    assert [draft.keys[0].value for draft in of(mapped, "ServiceRequest")] == ["A1", "A2", "A3"]
    assert [draft.body["status"] for draft in of(mapped, "ServiceRequest")] == ["active", "unknown", "active"]


def test_a_drug_order_is_a_prescription_and_no_test(told):
    mapped = told(
        "ORM^O01",
        PID,
        "ORC|NW|A1||||||||||D1^李",
        "RXO|D7^阿司匹林|100||mg",
        "ORC|NW|A2||||||||||D1^李",
        "OBR|1|A2||CBC",
    )
    assert [draft.keys[0].value for draft in of(mapped, "MedicationRequest")] == ["A1"]
    assert [draft.keys[0].value for draft in of(mapped, "ServiceRequest")] == ["A2"]
    assert of(mapped, "ServiceRequest")[0].body["requester"]["display"] == "李"


def test_an_order_told_by_its_orc_alone_stays_an_order(told):
    assert [draft.body["status"] for draft in of(told("ORM^O01", PID, "ORC|CA|A1"), "ServiceRequest")] == ["revoked"]


def test_several_tests_under_one_number_are_children_of_the_first(told):
    mapped = told("ORM^O01", PID, "ORC|NW|A1", "OBR|1|A1||CBC", "ORC|NW|A1", "OBR|2|A1||GLU")
    first, second = of(mapped, "ServiceRequest")
    assert first.keys and not second.keys
    assert second.parent == first.name


def test_a_specimen_after_the_results_is_still_their_specimen(told):
    mapped = told("ORU^R01", PID, "OBR|1|A|B|CBC", "OBX|1|NM|WBC||5", "SPM|1|S1||BLD")
    specimen = of(mapped, "Specimen")[0]
    assert specimen.keys == (Key(f"{ID}specimen", "S1"),)
    assert target(mapped, of(mapped, "DiagnosticReport")[0], "specimen") == [specimen]
    assert target(mapped, of(mapped, "Observation")[0], "specimen") == [specimen]


def test_lines_of_one_text_join_and_repeated_codes_are_numbered(told):
    mapped = told(
        "ORU^R01", PID, "OBR|1|A|B|CT", "OBX|1|TX|GDT||line one", "OBX|2|TX|GDT||line two", "OBX|3|NM|HR||60", "OBX|4|NM|HR||61",
    )  # fmt: skip
    text, first, second = of(mapped, "Observation")
    assert text.body["valueString"] == "line one\nline two"
    assert second.child == f"{first.child}-2"
    assert len(of(mapped, "DiagnosticReport")[0].body["result"]) == 3


def test_empty_segments_make_no_resources_and_no_broken_references(told):
    mapped = told("ORU^R01", PID, "PV1|1", "OBR|1|A|B|CBC", "OBX|1", "OBX|2|NM|WBC||5")
    assert of(mapped, "Encounter") == []
    assert len(of(mapped, "Observation")) == 1
    report = of(mapped, "DiagnosticReport")[0]
    assert "encounter" not in report.body
    assert len(report.body["result"]) == 1
    names = {draft.name for draft in mapped.drafts}
    assert all(name in names for draft in mapped.drafts for _, name in draft.links)


def test_every_populated_field_is_accounted_for(told):
    mapped = told("ORU^R01", "PID|1||7||张三~李四||||||^^^", "ZZZ|1||x", "OBR|1|A|B|CBC|||||||||||||||||x")
    assert lefts(mapped)["ZZZ[1]-1"] == "no map reads segment ZZZ here"
    assert lefts(mapped)["OBR[1]-21"] == "no rule reads this field"
    assert mapped.populated == mapped.mapped + len({left.where.partition(".")[0] for left in mapped.left})
    assert "PID[1]-11" not in {left.where for left in mapped.left}


def test_what_is_kept_on_purpose_says_why(told):
    mapped = told("ORU^R01", PID)
    kept = {left.where: left.reason for left in mapped.left if left.kept}
    assert kept["PID[1]-1"] == "set number"
    assert "provenance" in kept["MSH[1]-9"]


def test_a_component_without_a_place_is_left_over(told):
    mapped = told("ORU^R01", "PID|1||7^^^^MR^^^^x||张三^^^^^^^^x")
    assert {"PID[1]-3.9", "PID[1]-5.9"} <= lefts(mapped).keys()


def test_further_repetitions_of_a_single_element_are_left_over(told):
    assert "PID[1]-16" in lefts(told("ORU^R01", "PID|1||7|||||||||||||M~S"))


def test_null_clears_and_empty_changes_nothing(told):
    mapped = told("ADT^A08", 'PID|1||7||张三||""|M||||||||""')
    patient = of(mapped, "Patient")[0]
    assert {"birthDate", "maritalStatus"} <= set(patient.clear)
    assert "birthDate" not in patient.body
    assert "address" not in patient.clear


def test_modes(told):
    assert of(told("ADT^A08", PID), "Patient")[0].mode == "replace"
    mapped = told("ORU^R01", PID, "OBR|1|A|B|CBC", "OBX|1|NM|WBC||5")
    assert {draft.type: draft.mode for draft in mapped.drafts} == {
        "Patient": "fill", "ServiceRequest": "advance", "DiagnosticReport": "replace", "Observation": "replace",
    }  # fmt: skip
    assert of(told("ORM^O01", PID, "ORC|NW|A", "OBR|1|A||CBC"), "ServiceRequest")[0].mode == "replace"


def test_source_time_is_the_messages(told):
    assert {draft.source_time for draft in told("ORU^R01", PID).drafts} == {"2026-01-02T10:30:00+08:00"}


def test_without_a_patient_number_the_message_names_the_patient(told):
    mapped = told("ORU^R01", "PID|1||||张三", "OBR|1|A|B|CBC")
    assert of(mapped, "Patient")[0].keys == (Key(f"{ID}message", "generic:M1|patient"),)


def test_without_a_patient_an_order_says_that_its_subject_is_unknown(told):
    subject = of(told("ORM^O01", "ORC|NW|A", "OBR|1|A||CBC"), "ServiceRequest")[0].body["subject"]
    assert subject["extension"][0]["valueCode"] == "unknown"


def test_people_and_places_are_made_once(told):
    mapped = told("ORU^R01", PID, "OBR|1|A|B|CBC", *(f"OBX|{n}|NM|C{n}||5||||||F|||||D1^李" for n in range(1, 4)))
    assert [draft.body["name"][0]["text"] for draft in of(mapped, "Practitioner")] == ["李"]
    assert all(draft.mode == "fill" for draft in of(mapped, "Practitioner"))
    roles = of(mapped, "PractitionerRole")
    assert len(roles) == 1
    assert all(target(mapped, draft, "performer") == roles for draft in of(mapped, "Observation"))
    assert of(mapped, "Observation")[0].body["performer"][0]["display"] == "李"


@pytest.mark.parametrize("event", ["ZZZ^Z01", "QBP^Q11", "NMD^N02", ""])
def test_no_event_is_unsupported(told, event):
    mapped = told(event, PID, "PV1|1|I|W^1^2", "AL1|1||P^青霉素", "OBX|1|NM|WT||60")
    assert {"Patient", "Encounter", "AllergyIntolerance", "Observation"} <= {draft.type for draft in mapped.drafts}


def test_a_merge_names_the_retired_numbers_and_the_survivor(told):
    mapped = told("ADT^A40^ADT_A39", "EVN|A40|20260102", PID, "MRG|8^^^^MR~9^^^^PatientNO")
    merge = mapped.merges[0]
    assert [key.value for key in merge.retired] == ["8", "9"]
    assert merge.survivor == "patient"
    assert merge.where == "MRG[1]"


def test_a_merge_without_numbers_is_an_issue(told):
    mapped = told("ADT^A40^ADT_A39", PID, "MRG|")
    assert mapped.merges == []
    assert mapped.issues[-1].where == "MRG[1]"


def test_trace_says_rule_element_and_field(told):
    mapped = told("ORU^R01", PID, "OBR|1|A|B|CBC", "OBX|1|NM|WBC||5", "OBX|2|NM|RBC||6", trace=True)
    traced = {(one.draft, one.path, one.rule, one.source) for one in mapped.trace}
    assert ("patient", "birthDate", "PID-7", "PID[1]-7") in traced
    assert ("observation/2", "code", "OBX-3", "OBX[2]-3") in traced
    assert ("observation/2", "$this", "OBX-5", "OBX[2]-5") in traced
    assert told("ORU^R01", PID).trace == []


def test_the_envelope_becomes_resources_only_where_asked_for(told, generic):
    lines = (PID, "ORC|NW|A||||||||E1", "OBR|1|A||CBC")
    assert not {"MessageHeader", "Provenance"} & {draft.type for draft in told("ORM^O01", *lines).drafts}
    mapped = told("ORM^O01", *lines, mapper=generic.with_envelope())
    assert {"MessageHeader", "Provenance"} <= {draft.type for draft in mapped.drafts}


def test_shared_conversions_are_not_changed_by_later_messages(told):
    line = "OBX|1|CE|WBC^白细胞^L||N^阴性^L"
    first = of(told("ORU^R01", PID, "OBR|1|A|B|CBC", line), "Observation")[0].body
    copy = repr(first)
    of(told("ORU^R01", PID, "OBR|1|A|B|CBC", line), "Observation")[0].body["code"] = "changed"
    assert repr(first) == copy


def test_other_delimiters_map_alike(generic):
    from gateway.formats import hl7v2

    text = "MSH*:!?@*LIS*H***20260102**ORU:R01*M1*P*2.5\rPID*1**7::::MR!8::::X**a|b\r"
    patient = generic.map(hl7v2.parse(text)).drafts[0].body
    assert [entry["value"] for entry in patient["identifier"]] == ["7", "8"]
    assert patient["name"][0]["family"] == "a|b"


SEGMENTS = st.sampled_from(
    [
        "PID",
        "PV1",
        "ORC",
        "OBR",
        "OBX",
        "NTE",
        "SPM",
        "DG1",
        "AL1",
        "IN1",
        "TXA",
        "RXO",
        "MRG",
        "ZZ1",
        "TQ1",
        "PRT",
        "NK1",
        "PR1",
    ]
)
FIELD = st.one_of(
    st.just(""),
    st.text(alphabet='a1^&~\\.-<张 "F', max_size=6),
    st.sampled_from(["20260230", "NM", '""', "I", "F", "1&2^3~4"]),
)


@settings(max_examples=120, deadline=None)
@given(
    event=st.sampled_from(["ORU^R01", "ADT^A01", "ORM^O01", "OML^O21", "MDM^T02", "RDE^O11", "ADT^A40", "XXX^Y"]),
    rows=st.lists(st.tuples(SEGMENTS, st.lists(FIELD, max_size=24)), max_size=10),
)
def test_nothing_a_sender_writes_makes_it_raise(told, event, rows):
    mapped = told(event, *("|".join((name, *fields)) for name, fields in rows))
    names = {draft.name for draft in mapped.drafts}
    assert len(names) == len(mapped.drafts)
    assert all(draft.keys or draft.parent in names for draft in mapped.drafts)
    assert all(name in names for draft in mapped.drafts for _, name in draft.links)
    assert 0 <= mapped.mapped <= mapped.populated


def test_an_element_refers_to_what_it_was_given_first_where_its_successor_was_not_made(told):
    """RXO-5 makes a drug of its own; the compound that would take its place needs RXC, which is not there."""
    mapped = told("RDE^O11", PID, "ORC|NW|A1", "RXO|D1^Diltiazem|120||mg|C1^capsule", "RXE||D1^Diltiazem|120||mg")
    (request,) = of(mapped, "MedicationRequest")
    (drug,) = target(mapped, request, "medicationReference")
    assert drug.body["code"]["coding"][0]["code"] == "D1"
