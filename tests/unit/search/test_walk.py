"""Walkers: every step reaches the values it should, through lists and choices."""

from typing import Any

from gateway.search import parameters
from gateway.search.walk import compile_all, relative


def reached(expression: str, resource: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return (type, value) of everything an expression reaches."""
    found: list[tuple[str, Any]] = []

    def leaf(type_name: str) -> Any:
        return lambda value, sink: sink.append((type_name, value))

    for walker in compile_all(expression, resource["resourceType"], leaf, parameters.elements()):
        start = resource.get(walker.key) if walker.key else resource
        for value in start if isinstance(start, list) else [] if start is None else [start]:
            walker.emit(value, found)
    return found


def test_lists_are_walked_at_every_level():
    patient = {"resourceType": "Patient", "name": [{"given": ["a", "b"]}, {"given": ["c"]}, {}]}
    assert [value for _, value in reached("Patient.name.given", patient)] == ["a", "b", "c"]


def test_a_choice_is_walked_by_its_types():
    observation = {"resourceType": "Observation", "valueQuantity": {"value": 1}}
    assert reached("Observation.value", observation) == [("Quantity", {"value": 1})]
    assert reached("(Observation.value as Quantity)", observation) == [("Quantity", {"value": 1})]
    assert reached("(Observation.value as string)", observation) == []


def test_filters_keep_what_they_say():
    patient = {
        "resourceType": "Patient",
        "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
        "extension": [{"url": "http://x", "valueString": "found"}, {"url": "http://y", "valueString": "other"}],
    }
    assert [value["value"] for _, value in reached("Patient.telecom.where(system='phone')", patient)] == ["1"]
    assert reached("Patient.extension('http://x')", patient) == [("string", "found")]


def test_references_are_kept_by_their_type():
    expression = "Encounter.participant.individual.where(resolve() is Practitioner)"
    targets = ["Practitioner/a", "PractitionerRole/b", "https://elsewhere.example/fhir/Practitioner/c"]
    people = [{"individual": {"reference": target}} for target in targets]
    people.append({"individual": {"type": "Practitioner", "identifier": {"value": "d"}}})
    found = reached(expression, {"resourceType": "Encounter", "participant": people})
    assert [value.get("reference") for _, value in found] == [targets[0], targets[2], None]


def test_whether_anything_but_false_is_there():
    expression = "Patient.deceased.exists() and Patient.deceased != false"
    cases = [({}, False), ({"deceasedBoolean": False}, False), ({"deceasedDateTime": "2026"}, True)]
    for given, wanted in cases:
        assert reached(expression, {"resourceType": "Patient", **given}) == [("boolean", wanted)]
    never = compile_all(expression, "Patient", lambda _: None, parameters.elements())
    assert never == []


def test_the_first_entry_of_a_bundle():
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"id": "1"}}, {"resource": {"id": "2"}}]}
    assert reached("Bundle.entry[0].resource", bundle) == [("Resource", {"id": "1"})]
    assert reached("Bundle.entry[0].resource", {"resourceType": "Bundle"}) == []


def test_items_with_an_extension():
    expression = "QuestionnaireResponse.item.where(hasExtension('http://s')).answer.value.ofType(Reference)"
    marked = {"extension": [{"url": "http://s"}], "answer": [{"valueReference": {"reference": "Patient/1"}}]}
    plain = {"answer": [{"valueReference": {"reference": "Patient/2"}}]}
    found = reached(expression, {"resourceType": "QuestionnaireResponse", "item": [marked, plain]})
    assert found == [("Reference", {"reference": "Patient/1"})]


def test_expressions_relative_to_an_element():
    found: list[Any] = []
    emits = relative("value.as(Quantity)", "Observation.component", lambda _: _append, parameters.elements())
    for emit in emits:
        emit({"valueQuantity": 1, "valueString": "x"}, found)
    assert found == [1]
    assert relative("as(Range)", "Quantity", lambda _: _append, parameters.elements()) == []


def _append(value: Any, sink: Any) -> None:
    sink.append(value)
