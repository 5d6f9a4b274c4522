"""R4's own rules at their elements, also those that are judged by a function."""

import pytest

from gateway.conformance import validate
from tests.unit.conformance.region import region

NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml">text</div>'


def keys(resource, severity="error"):
    found = validate.validate(resource, region())
    return [
        (one.text.rpartition("(rule ")[2].partition(" ")[0], one.where) for one in found if one.severity == severity
    ]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"name": [{"id": "n"}]}, ("ele-1", "Patient.name[0]")),
        ({"birthDate": None, "_birthDate": {"id": "n"}}, ("ele-1", "Patient.birthDate")),
        ({"extension": [{"url": "urn:x", "valueString": "x", "extension": [{"url": "y", "valueString": "y"}]}]}, ("ext-1", "Patient.extension[0]")),
        ({"extension": [{"url": "urn:x"}]}, ("ext-1", "Patient.extension[0]")),
        ({"generalPractitioner": [{"reference": "#none"}]}, ("ref-1", "Patient.generalPractitioner[0]")),
        ({"contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]}, ("dom-3", "Patient")),
        ({"text": {"status": "generated", "div": "<div><script>x</script></div>"}}, ("txt-1", "Patient.text.div")),
        ({"text": {"status": "generated", "div": NARRATIVE.replace("text", "")}}, ("txt-2", "Patient.text.div")),
        ({"contact": [{"gender": "male"}]}, ("pat-1", "Patient.contact[0]")),
        ({"telecom": [{"value": "1"}]}, ("cpt-2", "Patient.telecom[0]")),
        ({"address": [{"period": {"start": "2021", "end": "2020"}}]}, ("per-1", "Patient.address[0].period")),
        ({"photo": [{"data": "YWJj"}]}, ("att-1", "Patient.photo[0]")),
    ],
)  # fmt: skip
def test_a_patient(patient, changes, wanted):
    body = {name: value for name, value in (patient | changes).items() if value is not None}
    assert keys(body) == [wanted]


def test_what_is_contained_may_be_named_from_anywhere_or_name_its_container(patient):
    organization = {"resourceType": "Organization", "id": "o", "name": "x"}
    patient["contained"] = [organization]
    patient["managingOrganization"] = {"reference": "#o"}
    assert keys(patient) == []
    account = {"resourceType": "Account", "id": "a", "status": "active", "subject": [{"reference": "#"}]}
    patient["contained"] += [account]
    assert keys(patient) == []


def test_rules_of_documents_and_histories_stand_in_bundles():
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"resource": {"resourceType": "Basic", "code": {"text": "x"}}}],
    }
    assert {key for key, _ in keys(bundle)} == {"bdl-9", "bdl-10", "bdl-11"}


def test_advice_is_a_warning(patient):
    concepts = {"resourceType": "ValueSet", "status": "active", "name": "not a name"}
    assert keys(concepts) == []
    assert keys(concepts, "warning") == [("vsd-0", "ValueSet")]


def test_a_resource_without_a_name_is_advised_nothing():
    assert keys({"resourceType": "ValueSet", "status": "active"}, "warning") == []
