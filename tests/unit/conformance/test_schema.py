"""Schemas: small enough to compile at first use, and never laxer than the tables."""

import json

import pytest

from gateway.conformance.schema import RARE, build
from gateway.fhir import types


def test_a_schema_is_json_and_holds_what_it_points_at():
    schema = build("Observation")
    text = json.dumps(schema)
    pointers = {part.split('"')[0] for part in text.split('"#/definitions/')[1:]}
    assert pointers == set(schema["definitions"])
    assert len(text) < 200_000


@pytest.mark.parametrize("name", ["Patient", "Observation", "DiagnosticReport", "Encounter", "ServiceRequest"])
def test_every_object_is_closed(name):
    for definition in build(name)["definitions"].values():
        assert definition["additionalProperties"] is False
        assert definition["minProperties"] == 1


def test_rare_types_are_values_of_extensions_in_r4():
    kinds = types.elements("Extension")["value"].types
    assert set(kinds) >= RARE
