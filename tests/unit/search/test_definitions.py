"""Search parameters of our own: taken whole, found like R4's, and what is wrong in a file told at the start."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.search import definitions, extract, parameters
from gateway.search.criteria import criterion
from gateway.settings import shipped

RELEASE = "https://yigong.example/fhir/StructureDefinition/release"


@pytest.fixture(autouse=True)
def _again(tmp_path):
    yield
    definitions.install(tmp_path / "none")


def write(folder, name: str = "one", **given) -> None:
    (folder / "searchparameters").mkdir(exist_ok=True)
    extension = [{"url": definitions.NUMBER, "valueInteger": given.pop("number", 20000)}]
    made = {
        "resourceType": "SearchParameter",
        "extension": extension,
        "code": "due",
        "base": ["Task"],
        "type": "date",
        "expression": "Task.restriction.period",
        **given,
    }
    (folder / "searchparameters" / f"{name}.json").write_text(json.dumps(made), "utf-8")


def test_the_shipped_ones_are_searched_like_those_of_r4():
    definitions.install(shipped("profiles"))
    slot = parameters.for_type("Slot")
    assert slot["release-audience"].id == 20002
    audience = {"url": "audience", "valueCodeableConcept": {"coding": [{"code": "primary-care"}]}}
    made = extract.rows({"resourceType": "Slot", "extension": [{"url": RELEASE, "extension": [audience]}]}, "Slot")
    assert [(row[0], row[3]) for row in made.token] == [(20002, "primary-care")]
    assert criterion("Slot", "release-audience", "primary-care", "UTC", 0).values[0].matches(made.token[0])
    period = {"resourceType": "Coverage", "period": {"start": "2026", "end": "2026"}}
    assert len(extract.rows(period, "Coverage").date) == 1
    numbers = [one.id for name in parameters.types() for one in parameters.for_type(name).values()]
    assert len(numbers) == len(set(numbers))


def test_parameters_taken_before_are_forgotten(tmp_path):
    write(tmp_path)
    definitions.install(tmp_path)
    assert "due" in parameters.for_type("Task")
    definitions.install(tmp_path / "none")
    assert "due" not in parameters.for_type("Task")
    assert definitions.canonical() == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"number": 19999}, "must give one number from 20000 to 32767"),
        ({"extension": []}, "must give one number"),
        ({"base": ["Chore"]}, "its base 'Chore' is no resource type"),
        ({"code": "when due"}, "its code 'when due' is not letters"),
        ({"code": "status"}, "R4 has a parameter 'status' of Task already"),
        ({"type": "special"}, "its type 'special' is not one of date, number"),
        ({"expression": "Task.first()"}, "Search cannot follow"),
        ({"expression": "Task.owner"}, "leads to nothing that is a date"),
        ({"expression": "Patient.name"}, "leads to nothing that is a date"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, given, text):
    write(tmp_path, **given)
    with pytest.raises(GatewayError, match=text) as caught:
        definitions.install(tmp_path)
    assert caught.value.text.startswith("The search parameter ")


def test_a_number_is_not_given_twice(tmp_path):
    write(tmp_path)
    write(tmp_path, "two", code="other", expression="Task.executionPeriod")
    with pytest.raises(GatewayError, match=r"has the number 20000 of Task.due: give it another"):
        definitions.install(tmp_path)


def test_a_file_that_is_no_json(tmp_path):
    write(tmp_path)
    (tmp_path / "searchparameters" / "one.json").write_text("{", "utf-8")
    with pytest.raises(GatewayError, match=r"one.json cannot be read as JSON"):
        definitions.install(tmp_path)
