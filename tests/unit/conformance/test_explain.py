"""Explanations: sentences that help, tested further through `structure.check`."""

from gateway.conformance.explain import explain


def test_long_values_are_shortened():
    (issue,) = explain({"resourceType": "Binary", "contentType": "text/plain", "data": "!" * 5000})
    assert len(issue.text) < 200


def test_several_faults_are_told_together():
    issues = explain({"resourceType": "Patient", "gender": "m", "birthDate": "1949-02-30", "nam": []})
    assert [issue.where for issue in issues] == ["Patient.gender", "Patient.birthDate", "Patient"]


def test_a_long_list_of_codes_is_cut():
    (issue,) = explain({"resourceType": "GraphDefinition", "name": "x", "status": "active", "start": "Pateint"})
    assert "one of its 148 codes" in issue.text


def test_something_else_than_an_object_is_told():
    (issue,) = explain(["Patient"])
    assert "an object in braces" in issue.text
