"""Discriminators that lead through extensions, types of a choice, references and patterns in patterns."""

from gateway.conformance import validate
from tests.unit.conformance.region import extension, region, structure, url


def errors(resource, *definitions):
    found = validate.validate(resource, region(*definitions), [url("p")])
    return [(one.code, one.where) for one in found if one.severity == "error"]


def closed(kind, path, place, *parts, on="Patient"):
    slicing = {"slicing": {"discriminator": [{"type": kind, "path": path}], "rules": "closed"}}
    return structure("p", on, (place, slicing), *parts)


def test_an_extension_tells_slices():
    part = [
        ("Patient.contact:next", {"max": "1"}),
        ("Patient.contact:next.extension:held", {"type": [{"code": "Extension", "profile": [url("held")]}]}),
    ]
    profile = closed("exists", "extension('" + url("held") + "')", "Patient.contact", *part)
    contact = {"name": {"text": "x"}, "extension": [{"url": url("held"), "valueString": "x"}]}
    patient = {"resourceType": "Patient", "contact": [contact]}
    assert errors(patient, profile, extension("held", "Patient.contact")) == []
    del contact["extension"]
    assert errors(patient, profile, extension("held", "Patient.contact")) == [("structure", "Patient.contact[0]")]


def test_the_type_of_a_choice_tells_slices():
    part = [
        ("Observation.component:number", {"max": "1"}),
        ("Observation.component:number.value[x]", {"type": [{"code": "Quantity"}]}),
    ]
    profile = closed("type", "value", "Observation.component", *part, on="Observation")
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    component = {"code": {"text": "y"}, "valueQuantity": {"value": 1}}
    assert errors(result | {"component": [component]}, profile) == []
    other = {"code": {"text": "z"}, "valueString": "1"}
    assert errors(result | {"component": [component, other]}, profile) == [("structure", "Observation.component[1]")]


def test_a_value_of_one_type_of_a_choice_tells_slices():
    part = [
        ("Observation.component:gram", {"max": "1"}),
        ("Observation.component:gram.value[x]", {"patternQuantity": {"code": "g", "system": "urn:u"}}),
    ]
    profile = closed("value", "value", "Observation.component", *part, on="Observation")
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    gram = {"code": {"text": "y"}, "valueQuantity": {"value": 1, "code": "g", "system": "urn:u"}}
    assert errors(result | {"component": [gram]}, profile) == []
    text = {"code": {"text": "z"}, "valueString": "1"}
    assert errors(result | {"component": [text]}, profile) == [("structure", "Observation.component[0]")]


def test_oftype_names_the_type_of_a_choice():
    part = [("Observation.component:number", {"max": "1"}), ("Observation.component:number.value[x]", {"min": 1})]
    profile = closed("exists", "value.ofType(Quantity)", "Observation.component", *part, on="Observation")
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    component = {"code": {"text": "y"}, "valueQuantity": {"value": 1}}
    assert errors(result | {"component": [component]}, profile) == []
    text = {"code": {"text": "z"}, "valueString": "1"}
    assert errors(result | {"component": [text]}, profile) == [("structure", "Observation.component[0]")]


def test_a_pattern_in_a_profile_of_the_type_tells_slices():
    named = structure("named", "HumanName", ("HumanName.use", {"fixedCode": "official"}), kind="complex-type")
    part = ("Patient.name:official", {"max": "1", "type": [{"code": "HumanName", "profile": [url("named")]}]})
    profile = closed("value", "use", "Patient.name", part)
    name = {"use": "official", "text": "王"}
    assert errors({"resourceType": "Patient", "name": [name]}, profile, named) == []
    two = {"resourceType": "Patient", "name": [name, name]}
    assert errors(two, profile, named) == [("structure", "Patient.name")]
    usual = {"resourceType": "Patient", "name": [{"use": "usual", "text": "王"}]}
    assert errors(usual, profile, named) == [("structure", "Patient.name[0]")]


def test_a_code_inside_a_pattern_tells_slices():
    pattern = {"coding": [{"system": "urn:c", "code": "a"}]}
    part = ("CarePlan.category:a", {"max": "1", "patternCodeableConcept": pattern})
    profile = closed("value", "coding.code", "CarePlan.category", part, on="CarePlan")
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": "Patient/1"}}
    assert errors(plan | {"category": [pattern]}, profile) == []
    other = {"coding": [{"system": "urn:c", "code": "b"}]}
    assert errors(plan | {"category": [other]}, profile) == [("structure", "CarePlan.category[0]")]


def test_a_profile_behind_a_reference_tells_slices():
    ward = structure("ward", "Organization", ("Organization.alias", {"min": 1}))
    target = [{"code": "Reference", "targetProfile": [url("ward")]}]
    part = ("Patient.generalPractitioner:ward", {"type": target})
    profile = closed("profile", "resolve()", "Patient.generalPractitioner", part)
    organization = {"resourceType": "Organization", "id": "o", "name": "x", "alias": ["y"]}
    patient = {"resourceType": "Patient", "contained": [organization], "generalPractitioner": [{"reference": "#o"}]}
    assert errors(patient, ward, profile) == []
    del organization["alias"]
    assert errors(patient, ward, profile) == [("structure", "Patient.generalPractitioner[0]")]


def test_a_list_that_is_fixed_is_equal_entry_by_entry():
    profile = structure("p", "Patient", ("Patient.name", {"fixedHumanName": {"given": ["小", "明"]}}))
    assert errors({"resourceType": "Patient", "name": [{"given": ["小", "明"]}]}, profile) == []
    wrong = {"resourceType": "Patient", "name": [{"given": ["小"]}]}
    assert errors(wrong, profile) == [("value", "Patient.name[0]")]
