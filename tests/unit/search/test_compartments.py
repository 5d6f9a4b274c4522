"""Which resources belong to whom, out of R4's own definitions."""

import pytest

from gateway.errors import Category, GatewayError
from gateway.search import compartments, parameters


def test_r4_defines_five():
    assert compartments.names() == ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")


def test_any_of_the_named_parameters_places_a_resource_there():
    assert compartments.parameters_of("Patient", "Observation") == ("subject", "performer")
    assert compartments.parameters_of("Encounter", "Observation") == ("encounter",)
    assert compartments.parameters_of("Patient", "Organization") == ()
    assert len(compartments.members("Patient")) == 66


def test_every_one_is_a_reference_that_can_be_searched_for():
    for compartment in compartments.names():
        for type_name, names in compartments.members(compartment).items():
            found = parameters.for_type(type_name)
            assert {found[name].kind for name in names} == {"reference"}


@pytest.mark.parametrize("name", ["Observation", "Foo", "x" * 200])
def test_other_types_have_none(name):
    with pytest.raises(GatewayError, match="has no compartment in FHIR R4; Device, Encounter, Patient") as caught:
        compartments.members(name)
    assert caught.value.category is Category.NOT_FOUND
