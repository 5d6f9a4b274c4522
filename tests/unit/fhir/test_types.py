"""The R4 tables: the facts others build on."""

from importlib import resources

import pytest

from gateway.errors import GatewayError
from gateway.fhir import types


def test_all_of_r4_is_there():
    assert len(types.RESOURCE_TYPES) == 146
    assert {"Patient", "MedicinalProduct", "VisionPrescription"} <= types.RESOURCE_TYPES
    assert not types.RESOURCE_TYPES & {"Resource", "DomainResource", "MetadataResource", "HumanName"}
    assert {"HumanName", "Timing", "Quantity"} <= types.DATA_TYPES
    assert not types.DATA_TYPES & types.PRIMITIVES


def test_an_element_says_what_r4_says():
    status = types.elements("Observation")["status"]
    assert (status.required, status.many, status.types, status.modifier) == (True, False, ("code",), True)
    assert types.codes(status.binding) == {
        *("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
    }
    performer = types.elements("Observation")["performer"]
    assert (performer.many, performer.summary) == (True, True)
    assert "Practitioner" in performer.targets
    assert types.elements("Observation")["focus"].targets == ()


def test_a_choice_is_one_element_and_many_fields():
    value = types.elements("Observation")["value"]
    assert value.choice
    assert value.path == "Observation.value[x]"
    field = types.fields("Observation")["valueQuantity"]
    assert (field.type, field.element) == ("Quantity", value)
    assert "value" not in types.fields("Observation")


def test_inherited_elements_come_first():
    assert list(types.elements("Patient"))[:5] == ["id", "meta", "implicitRules", "language", "text"]
    assert list(types.elements("Patient.contact"))[:3] == ["id", "extension", "modifierExtension"]
    assert types.elements("Age").keys() == types.elements("Quantity").keys()
    assert types.base("Age") == "Quantity"
    assert types.elements("Resource")["id"].types == ("id",)
    assert types.elements("Element")["id"].types == ("string",)


def test_backbone_elements_have_tables_of_their_own():
    assert types.elements("Observation")["component"].types == ("Observation.component",)
    assert types.elements("Observation.component")["referenceRange"].types == ("Observation.referenceRange",)


def test_every_type_named_has_a_table():
    for name in types.RESOURCE_TYPES | types.DATA_TYPES:
        for element in types.elements(name).values():
            for kind in element.types:
                assert kind in types.PRIMITIVES or types.elements(kind)


def test_value_sets_keep_their_systems():
    assert types.value_set("condition-clinical").keys() == {"http://terminology.hl7.org/CodeSystem/condition-clinical"}
    assert types.codes("mimetypes") == frozenset()
    assert types.codes("") == frozenset()


def test_an_unknown_type_is_told():
    with pytest.raises(GatewayError, match="no type 'Person2'"):
        types.elements("Person2")


def test_the_tables_stay_small():
    folder = resources.files("gateway.fhir").joinpath("data")
    assert sum(len(path.read_bytes()) for path in folder.iterdir()) < 600_000
