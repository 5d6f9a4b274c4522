"""Parts of resources: what stays, what goes, and the mark that it is a part."""

import pytest

from gateway.errors import GatewayError
from gateway.fhir import resource, summary, types
from tests.support import generated

TAG = summary.SUBSETTED
OBSERVATION = """{"resourceType":"Observation","id":"o1","meta":{"versionId":"2","tag":[{"code":"mine"}]},
"text":{"status":"generated","div":"<div>x</div>"},"modifierExtension":[{"url":"http://m","valueBoolean":true}],
"extension":[{"url":"http://e","valueCode":"y"}],"status":"final","_status":{"id":"s"},"category":[{"text":"lab"}],
"code":{"text":"K"},"valueQuantity":{"value":5.10,"unit":"mmol/L"},"interpretation":[{"text":"high"}],
"note":[{"text":"n"}],"component":[{"code":{"text":"c"},"valueQuantity":{"value":1e2},"interpretation":[{"text":"h"}],
"referenceRange":[{"text":"r"}]}]}"""


@pytest.fixture
def observation():
    return resource.loads(OBSERVATION)


def names(body):
    return set(body) - {"resourceType", "id", "meta", "modifierExtension"}


def test_a_summary_is_what_r4_marks_at_every_depth(observation):
    part = summary.summary(observation)
    assert names(part) == {"status", "_status", "code", "valueQuantity", "component"}
    assert part["component"] == [{"code": {"text": "c"}, "valueQuantity": observation["component"][0]["valueQuantity"]}]
    assert b'"value":5.10,' in resource.dumps(part)
    assert b'"value":1e2' in resource.dumps(part)


def test_text_keeps_the_narrative_and_what_must_be_there(observation):
    assert names(summary.text(observation)) == {"text", "status", "_status", "code"}


def test_data_is_all_but_the_narrative(observation):
    assert names(observation) - names(summary.data(observation)) == {"text"}


@pytest.mark.parametrize("name", ["value", "value[x]", "valueQuantity", "Observation.value"])
def test_elements_are_those_named_and_what_must_be_there(observation, name):
    chosen = name if name != "valueQuantity" else "value"
    assert names(summary.elements(observation, [chosen])) == {"valueQuantity", "status", "_status", "code"}
    assert summary.known(name)


def test_an_element_of_another_type_is_none_of_this_one(observation):
    assert names(summary.elements(observation, ["Patient.note"])) == {"status", "_status", "code"}
    assert not summary.known("Patient.note")
    assert not summary.known("Foo.note")
    assert not summary.known("colour")


@pytest.mark.parametrize("part", [summary.summary, summary.text, summary.data])
def test_each_part_says_that_it_is_one(observation, part):
    made = part(observation)
    assert made["meta"] == {"versionId": "2", "tag": [{"code": "mine"}, TAG]}
    assert part(made)["meta"] == made["meta"]
    assert list(made)[:3] == ["resourceType", "id", "meta"]
    assert observation["meta"] == {"versionId": "2", "tag": [{"code": "mine"}]}


def test_what_has_no_meta_gets_one():
    assert summary.data({"resourceType": "Basic", "code": {}})["meta"] == {"tag": [TAG]}


@pytest.mark.parametrize("body", [{}, {"resourceType": "Foo"}, {"resourceType": 3}])
def test_only_resources_have_parts(body):
    with pytest.raises(GatewayError, match="parts"):
        summary.elements(body, ["id"])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if number % 9 else [])
        for number, name in enumerate(sorted(types.RESOURCE_TYPES))
    ],
)
def test_a_summary_of_every_type_keeps_what_is_marked_and_required_at_its_top(name):
    whole = resource.loads(generated.spoken(generated.full(name)[0]))
    part = summary.summary(whole)
    wanted = {one.name for one in types.elements(name).values() if one.summary or one.required}
    kept = {types.fields(name)[each.removeprefix("_")].element.name for each in part if each != "resourceType"}
    there = {types.fields(name)[each.removeprefix("_")].element.name for each in whole if each != "resourceType"}
    assert kept == (wanted & there) | ({"meta"} | {"modifierExtension"} & there)
