"""What R4 refuses is refused, each fault at its place and in words; what R4 allows passes."""

import copy
import warnings
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.conformance import structure
from gateway.conformance.explain import ISSUE_LIMIT, explain
from gateway.fhir import models, path, resource, types


def changed(base, **changes):
    """Return a copy of `base` with changes; a path is written with __ for dots, None drops the element."""
    found = copy.deepcopy(base)
    for place, value in changes.items():
        if value is None:
            path.drop(found, place.replace("__", "."))
        else:
            path.put(found, place.replace("__", "."), value)
    return found


def only(base, **changes):
    """Return the one issue of `base` with `changes`."""
    found = changed(base, **changes)
    issues = structure.check(found)
    assert len(issues) == 1, issues
    assert issues[0].severity == "error"
    assert not structure.is_valid(found)
    return issues[0]


def test_ordinary_resources_are_right(patient, observation):
    assert structure.check(patient) == []
    assert structure.is_valid(observation)
    assert structure.invalid([patient, observation, {"resourceType": "Patient", "x": 1}, patient]) == [2]


OBSERVATION_FAULTS = [
    ({"colour": "red"}, "structure", "Observation", "no element 'colour'"),
    ({"statsu": "final", "status": "final"}, "structure", "Observation", "did you mean 'status'?"),
    ({"code__coding": [{"cod": "x"}]}, "structure", "Observation.code.coding[0]", "did you mean 'code'?"),
    ({"_subject": {"id": "x"}}, "structure", "Observation", "no element '_subject'"),
    ({"status": None}, "required", "Observation.status", "status is missing"),
    ({"code": None}, "required", "Observation.code", "code is missing"),
    ({"status": "done"}, "code-invalid", "Observation.status", "use amended, cancelled"),
    ({"status": 1}, "value", "Observation.status", "1 is not text"),
    ({"code": "GLU"}, "structure", "Observation.code", "an object (CodeableConcept), not 'GLU'"),
    ({"code": {}}, "structure", "Observation.code", "an empty object"),
    ({"code": []}, "structure", "Observation.code", "stands once"),
    ({"category": {"text": "x"}}, "structure", "Observation.category", "write it in [ ]"),
    ({"category": []}, "structure", "Observation.category", "an empty list"),
    ({"issued": ""}, "value", "Observation.issued", "The text is empty"),
    ({"issued": "2026-03-01"}, "value", "Observation.issued", "is not a date and time to the second"),
    ({"effectiveDateTime": "2026-02-30"}, "value", "Observation.effective", "no day 2026-02-30"),
    ({"effectiveDateTime": "2026-02-29T08:00:00Z"}, "value", "Observation.effective", "no day 2026-02-29"),
    ({"effectiveDateTime": "2026-03-01T08:30:00"}, "value", "Observation.effective", "without a zone"),
    ({"effectiveDateTime": "2026-03-01T08:30+08:00"}, "value", "Observation.effective", "is not a date"),
    ({"effectiveDateTime": "20260301"}, "value", "Observation.effective", "is not a date"),
    ({"effectiveDateTime": "2026-03-01T24:00:00Z"}, "value", "Observation.effective", "is not a date"),
    ({"id": "a_b"}, "value", "Observation.id", "1 to 64 letters"),
    ({"id": "a" * 65}, "value", "Observation.id", "1 to 64 letters"),
    ({"valueQuantity__value": "5.6"}, "value", "Observation.value.value", "without quotes"),
    ({"valueQuantity__value": True}, "value", "Observation.value.value", "is not a number"),
    ({"valueString": "x"}, "structure", "Observation.value", "valueQuantity and valueString are both given"),
    ({"effectiveInstant": "2026-03-01T08:30:00Z"}, "structure", "Observation.effective", "are both given"),
    ({"_valueString": {"id": "x"}}, "structure", "Observation.value", "are both given"),
    ({"subject__reference": "Organization/1"}, "value", "Observation.subject.reference", "points at Organization"),
    ({"subject__reference": "patient 1"}, "value", "Observation.subject.reference", "no reference"),
    ({"subject__reference": "Nobody/1"}, "value", "Observation.subject.reference", "such as Device/123"),
    ({"subject__type": "Organization"}, "value", "Observation.subject.type", "takes Device, Group, Location or"),
    ({"performer": [{"reference": "Patient/1"}, {}]}, "structure", "Observation.performer[1]", "empty object"),
    ({"note": [{"text": "a\x00b"}]}, "value", "Observation.note[0].text", "without control characters"),
    ({"note": [None]}, "structure", "Observation.note[0]", "is null"),
    ({"extension": [{"valueString": "x"}]}, "required", "Observation.extension[0].url", "url is missing"),
    ({"extension": [{"url": "a b"}]}, "value", "Observation.extension[0].url", "without spaces"),
    (
        {"extension": [{"url": "u", "valueString": "x", "valueCode": "y"}]},
        "structure",
        "Observation.extension[0].value",
        "are both given",
    ),
    ({"meta": {"versionId": "a b"}}, "value", "Observation.meta.versionId", "1 to 64"),
    ({"component": [{"valueString": "x"}]}, "required", "Observation.component[0].code", "code is missing"),
    ({"text": {"status": "generated"}}, "required", "Observation.text.div", "div is missing"),
    ({"text": {"status": "generated", "div": 5}}, "value", "Observation.text.div", "5 is not text"),
    ({"referenceRange": [{"low": {"value": float("nan")}}]}, "value", "Observation.referenceRange[0].low.value", ""),
    ({"referenceRange": [{"low": {"value": float("inf")}}]}, "value", "Observation.referenceRange[0].low.value", ""),
]


@pytest.mark.parametrize(("changes", "code", "where", "text"), OBSERVATION_FAULTS)
def test_each_fault_of_an_observation_is_caught(observation, changes, code, where, text):
    issue = only(observation, **changes)
    assert (issue.code, issue.where) == (code, where)
    assert text in issue.text


PATIENT_FAULTS = [
    ({"gender": "m"}, "code-invalid", "Patient.gender", "use female, male, other or unknown"),
    ({"birthDate": "1949-12-31T00:00:00Z"}, "value", "Patient.birthDate", "is not a date as YYYY"),
    ({"birthDate": "1949-13"}, "value", "Patient.birthDate", "is not a date"),
    ({"birthDate": 19491231}, "value", "Patient.birthDate", "in quotes"),
    ({"active": "true"}, "value", "Patient.active", "without quotes"),
    ({"multipleBirthInteger": 1.5}, "value", "Patient.multipleBirth", "whole number"),
    ({"multipleBirthInteger": Decimal("1.0")}, "value", "Patient.multipleBirth", "whole number"),
    ({"multipleBirthInteger": 2**31}, "value", "Patient.multipleBirth", "outside"),
    ({"telecom": [{"rank": 0}]}, "value", "Patient.telecom[0].rank", "outside 1 to"),
    ({"photo": [{"data": "abc"}]}, "value", "Patient.photo[0].data", "base64"),
    ({"photo": [{"data": "YWJj", "contentType": " text"}]}, "value", "Patient.photo[0].contentType", "code"),
    ({"name": [{"given": "小明"}]}, "structure", "Patient.name[0].given", "in [ ]"),
    ({"name": [{"given": [None, "小明"]}]}, "structure", "Patient.name[0].given[0]", "is null"),
    ({"name": [{"text": "x" * (1024 * 1024 + 1)}]}, "value", "Patient.name[0].text", "at most 1,048,576"),
    ({"link": [{"other": {"reference": "Patient/2"}}]}, "required", "Patient.link[0].type", "Use refer, replaced-by"),
    ({"_birthDate": {}}, "structure", "Patient.birthDate", "an object with id or extension"),
    ({"_birthDate": {"value": "x"}}, "structure", "Patient.birthDate", "no element 'value'"),
    ({"name": [{"text": "x", "_given": {"id": "x"}}]}, "structure", "Patient.name[0].given", "write it in [ ]"),
    ({"name": [{"text": "x", "_given": [None]}]}, "structure", "Patient.name[0].given[0]", "no value either"),
    (
        {"name": [{"given": ["a", "b"], "_given": [{"id": "x"}]}]},
        "structure",
        "Patient.name[0].given",
        "given has 2 values and _given 1",
    ),
    ({"contained": [{"resourceType": "Basic", "id": "b"}]}, "required", "Patient.contained[0].code", ""),
    (
        {"contained": [{"resourceType": "Basic", "code": {"text": "x"}}]},
        "required",
        "Patient.contained[0].id",
        "needs an id",
    ),
    (
        {"contained": [{"resourceType": "Organization", "id": "o", "name": "x", "contained": [
            {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}]}]},
        "structure",
        "Patient.contained[0].contained",
        "contains no other",
    ),
    ({"contained": ["x"]}, "structure", "Patient.contained[0]", "an object in braces"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "where", "text"), PATIENT_FAULTS)
def test_each_fault_of_a_patient_is_caught(patient, changes, code, where, text):
    issue = only(patient, **changes)
    assert (issue.code, issue.where) == (code, where)
    assert text in issue.text


@pytest.mark.parametrize(
    ("value", "where", "text"),
    [
        ({}, "Resource", "resourceType is missing"),
        ({"resourceType": None}, "Resource", "resourceType is missing"),
        ({"resourceType": "Pateint"}, "Resource", "did you mean Patient?"),
        ({"resourceType": "Zzzzzz"}, "Resource", "not a resource type"),
        ({"resourceType": ["Patient"]}, "Resource", "not a resource type"),
        ({"resourceType": "DomainResource"}, "Resource", "not a resource type"),
        ({"resourceType": "HumanName"}, "Resource", "not a resource type"),
    ],
)
def test_what_is_no_resource_is_told(value, where, text):
    (issue,) = structure.check(value)
    assert issue.where == where
    assert text in issue.text


def test_a_required_concept_needs_a_code_of_its_value_set():
    base = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    right = {"coding": [{"system": "urn:x", "code": "y"}, {"system": clinical, "code": "active"}]}
    assert structure.check(base | {"clinicalStatus": right}) == []
    for wrong in (
        {"coding": [{"system": clinical, "code": "on"}]},
        {"coding": [{"system": "urn:other", "code": "active"}]},
        {"coding": [{"code": "active"}]},
        {"text": "active"},
    ):
        issue = only(base, clinicalStatus=wrong)
        assert (issue.code, issue.where) == ("code-invalid", "Condition.clinicalStatus")
        assert "active, inactive" in issue.text


def test_a_needed_choice_names_its_types():
    base = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    issue = only(base, subject={"reference": "Patient/1"})
    assert issue.where == "MedicationRequest.medication"
    assert "CodeableConcept or Reference" in issue.text


ALLOWED = [
    {"subject": {"reference": "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"}},
    {"subject": {"reference": "https://other.example/fhir/Organization/1"}},
    {"subject": {"reference": "#p"}},
    {"subject": {"reference": "Patient/1/_history/2"}},
    {"subject": {"reference": "Patient?identifier=urn:oid:2.16.156.10011.1.3|11010519491231002X"}},
    {"subject": {"display": "王小明"}},
    {"subject": {"type": "Patient", "identifier": {"value": "1"}}},
    {"subject": {"type": "https://yigong.example/fhir/StructureDefinition/Crowd", "display": "x"}},
    {"effectiveDateTime": "2024-02-29"},
    {"effectiveDateTime": "2026"},
    {"effectiveDateTime": "2016-12-31T23:59:60Z"},
    {"issued": "2026-03-01T08:30:00.123456-11:30"},
    {"valueQuantity": {"value": Decimal("72.50")}},
    {"valueQuantity": {"value": Decimal("1E+2")}},
    {"valueQuantity": {"value": 100}},
    {"valueQuantity": {"value": resource.Number("1e2")}},
    {"status": None, "_status": {"extension": [{"url": "u", "valueCode": "unknown"}]}},
    {"valueQuantity": None, "_valueString": {"extension": [{"url": "u", "valueCode": "unknown"}]}},
    {"valueQuantity": None, "valueString": "1,200　单位", "_valueString": {"id": "v"}},
    {"valueQuantity": None, "valueInteger": -3},
    {"extension": [{"id": "e", "url": "u", "valueString": "x"}]},
    {"extension": [{"url": "u", "extension": [{"url": "v", "valueBoolean": False}]}]},
    {"extension": [{"url": "u", "valueTiming": {"repeat": {"count": 3}}}]},
    {"note": [{"text": "line\r\nline\ttab"}]},
    {"text": {"status": "empty", "div": "<div/>"}},
    {"contained": [{"resourceType": "Patient", "id": "p", "name": [{"text": "王小明"}]}]},
]


@pytest.mark.parametrize("changes", ALLOWED)
def test_what_r4_allows_passes(observation, changes):
    assert structure.check(changed(observation, **changes)) == []


def test_nulls_keep_places_in_lists_of_primitives(patient):
    name = {"given": [None, "小明"], "_given": [{"extension": [{"url": "u", "valueString": "x"}]}, None]}
    assert structure.check(patient | {"name": [name]}) == []
    assert structure.is_valid(patient | {"_birthDate": {"extension": [{"url": "u", "valueDateTime": "2026"}]}})


def test_a_bad_resource_in_a_bundle_is_found_at_its_place(observation, patient):
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": patient, "request": {"method": "PUT", "url": "Patient/p1"}},
            {"resource": changed(observation, status=None), "request": {"method": "POST", "url": "Observation"}},
            {"request": {"method": "DELETE", "url": "Observation/1"}},
        ],
    }
    (issue,) = structure.check(bundle)
    assert issue.where == "Bundle.entry[1].resource.status"
    assert structure.check(changed(bundle, entry__drop=None)) == [issue]
    bundle["entry"][1]["resource"] = observation
    assert structure.is_valid(bundle)
    bundle["entry"][2]["resource"] = {"id": "no type"}
    assert structure.check(bundle)[0].where == "Bundle.entry[2].resource"


def test_the_outcome_of_a_response_is_checked():
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "bad-code"}]}
    bundle = {"resourceType": "Bundle", "type": "batch-response", "entry": [
        {"response": {"status": "400", "outcome": outcome}}]}  # fmt: skip
    assert structure.check(bundle)[0].where == "Bundle.entry[0].response.outcome.issue[0].code"


def test_resources_in_parameters_are_checked_at_any_depth(patient):
    inner = {"name": "inner", "resource": changed(patient, gender="m")}
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "outer", "part": [inner]}]}
    (issue,) = structure.check(parameters)
    assert issue.where == "Parameters.parameter[0].part[0].resource.gender"
    inner["resource"] = patient
    assert structure.check(parameters) == []


def test_findings_stop_at_a_limit(observation):
    wrong = changed(observation, category=[{"txt": "x"}] * (ISSUE_LIMIT + 50))
    assert len(structure.check(wrong)) == ISSUE_LIMIT


def test_nesting_has_a_limit(observation):
    extension = {"url": "u", "valueStrin": "x"}
    for _ in range(120):
        extension = {"url": "u", "extension": [extension]}
    (issue,) = structure.check(changed(observation, extension=[extension]))
    assert issue.code == "too-long"


def test_schemas_can_be_compiled_ahead(maker):
    structure.warm(["Slot", "Slot", "Nothing"])
    assert structure.is_valid(maker().resource("Slot"))


def check_type(maker, name):
    for choice in range(3):
        made = maker(choice).resource(name)
        assert explain(made) == []
        assert structure._quick(made), "the quick yes holds for everyday forms"
    assert explain(maker().resource(name, depth=0)) == []


def mutations(made, name):
    yield made | {"zzz": 1}
    for element in types.elements(name).values():
        kinds = [kind[0].upper() + kind[1:] for kind in element.types] if element.choice else [""]
        key = next((element.name + kind for kind in kinds if element.name + kind in made), None)
        if key is None:
            continue
        value = made[key]
        if element.required:
            yield {name: held for name, held in made.items() if name != key}
        yield made | {key: [] if element.many else [value]}
        yield made | {key: value[0] if element.many else {}}
        yield made | {key: None}
        if element.types[0] not in types.PRIMITIVES:
            yield made | {key: [{"zzz": 1}] if element.many else {"zzz": 1}}
            yield made | {key: ["text"] if element.many else "text"}


def check_mutations(maker, name):
    for wrong in mutations(maker().resource(name), name):
        assert not structure._quick(wrong), "a schema never allows what R4 refuses"
        assert explain(wrong)


@pytest.mark.parametrize("name", sorted(types.RESOURCE_TYPES))
def test_schema_and_explanation_agree(maker, name):
    check_type(maker, name)
    check_mutations(maker, name)


# R4B rebuilt these two; the models of the other 126 shared types must take whatever we take.
REBUILT = {"Evidence", "EvidenceVariable"}


@pytest.mark.parametrize("name", sorted(types.RESOURCE_TYPES - REBUILT))
def test_what_we_accept_the_models_accept(maker, name):
    if not models.shared(name):
        assert [issue.severity for issue in models.explain({"resourceType": name})] == ["information"]
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for choice in range(2):
            assert models.explain(maker(choice).resource(name)) == []


MODEL_SEES = [row for row in OBSERVATION_FAULTS if row[1] in ("structure", "required")]


@pytest.mark.parametrize(("changes", "code", "where", "text"), MODEL_SEES)
def test_what_the_models_refuse_we_refuse(observation, changes, code, where, text):
    wrong = changed(observation, **changes)
    if any(issue.severity == "error" for issue in models.explain(wrong)):
        assert structure.check(wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.text(max_size=5) | st.sampled_from(["final", "2026-02-30", "Patient/1", "male"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["status", "code", "coding", "text", "value", "subject", "reference", "extension", "url", "x"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["subject", "code", "status", "component", "extension", "note", "contained"]), JSON)
def test_any_json_gets_an_answer_and_the_quick_yes_is_never_wrong(key, value):
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, key: value}
    issues = explain(made)
    assert all(issue.where.startswith("Observation") and issue.text[-1] in ".?" for issue in issues)
    if structure._quick(made):
        assert issues == []


@pytest.mark.parametrize("number", ["1e2", "0.0000001", "1E-3"])
def test_a_number_of_any_spelling_is_judged_wherever_it_stands(number):
    text = '{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"https://a.example/x","valueDecimal":%s}]}'
    assert structure.check(resource.loads(text % number)) == []
    assert structure.check(resource.loads(text.replace("valueDecimal", "valueCode") % number))
