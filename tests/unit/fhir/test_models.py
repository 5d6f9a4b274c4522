"""The doorway to fhir.resources: readable detail, and honest silence where it has no model."""

import pytest

from gateway.fhir import models


def test_a_right_resource_has_no_findings():
    assert models.explain({"resourceType": "Patient", "birthDate": "1949-12-31"}) == []


def test_findings_have_places_and_codes():
    wrong = {
        "resourceType": "Observation",
        "code": {"text": 3},
        "component": [{"valueString": "x"}],
        "foo": 1,
        "effectiveDateTime": "2026-02-30",
    }
    found = {issue.where: issue for issue in models.explain(wrong)}
    assert found["Observation.component[0].code"].code == "required"
    assert found["Observation.foo"].code == "structure"
    assert "day" in found["Observation.effectiveDateTime"].text
    assert all(issue.severity == "error" and issue.text.endswith(".") for issue in found.values())


def test_rules_between_elements_are_told():
    (issue,) = models.explain(
        {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueString": "x", "valueInteger": 1}
    )
    assert (issue.code, issue.where) == ("invariant", "Observation")


@pytest.mark.parametrize("name", ["MedicinalProduct", "Nothing", "DomainResource", 3, None])
def test_a_type_without_a_model_is_said_to_be_unjudged(name):
    (issue,) = models.explain({"resourceType": name})
    assert issue.severity == "information"


def test_a_fault_inside_the_models_is_no_crash():
    entry = {"resource": {"resourceType": "MedicinalProduct"}}
    (issue,) = models.explain({"resourceType": "Bundle", "type": "collection", "entry": [entry]})
    assert issue.severity == "information"
    assert "could not judge" in issue.text


def test_the_shared_types_are_128():
    from gateway.fhir import types

    assert sum(models.shared(name) for name in types.RESOURCE_TYPES) == 128
