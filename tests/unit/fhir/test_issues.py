"""Issues as an OperationOutcome that R4 takes."""

from gateway.conformance import structure
from gateway.fhir import issues
from gateway.fhir.issues import Issue


def test_an_outcome_is_right_r4():
    found = [Issue("error", "required", "status is missing.", "Observation.status"), Issue("warning", "value", "Odd.")]
    outcome = issues.operation_outcome(found)
    assert structure.check(outcome) == []
    assert outcome["issue"][0]["expression"] == ["Observation.status"]
    assert "expression" not in outcome["issue"][1]


def test_errors_are_told_from_warnings():
    assert issues.has_errors([Issue("warning", "value", "x"), Issue("fatal", "value", "x")])
    assert not issues.has_errors([Issue("information", "value", "x")])
