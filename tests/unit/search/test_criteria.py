"""Reading of one condition: chains, `_has` and modifiers become values, or a sentence that says what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.search.criteria import DEPTH, Chain, Criterion, Has, criterion
from gateway.search.kinds.token import Token

ZONE = "Asia/Shanghai"
NOW = 1_767_225_600_000_000


def read(kind: str, name: str, value: str = "x"):
    return criterion(kind, name, value, ZONE, NOW)


def test_a_chain_knows_its_type():
    made = read("Observation", "subject:Patient.name:exact")
    assert isinstance(made, Chain)
    assert (made.parameter.name, made.type, made.inner.values[0].mode) == ("subject", "Patient", "exact")
    assert read("Observation", "patient.name").type == "Patient"


def test_the_type_may_be_left_out_where_one_alone_has_the_parameter():
    assert read("Observation", "subject.birthdate", "2026").type == "Patient"


def test_has_nests():
    made = read("Practitioner", "_has:Encounter:practitioner:_has:Observation:encounter:code", "7")
    assert isinstance(made, Has)
    assert isinstance(made.inner, Has)
    assert made.inner.inner == Criterion(made.inner.inner.parameter, (Token(None, "7"),))


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("Observation", "subject.name", "leads to .*Patient; say which, as in subject:.*name"),
        ("Observation", "subject:Nobody.name", "does not lead to 'Nobody' but to Device, Group, Location, Patient"),
        ("Observation", "code.name", "is no reference that a chain could follow"),
        ("Library", "depends-on:Library.name", "no reference that a chain could follow"),
        ("List", "item:Nobody.name", "does not lead to 'Nobody' but to any type"),
        ("Observation", "patient.colour", "Patient has no search parameter 'colour'. Supported: .*birthdate"),
        ("Observation", "patient._text", "search in the narrative"),
        ("Patient", "_has", "is not complete: write _has:Type:parameter:condition"),
        ("Patient", "_has:Observation:patient", "is not complete"),
        ("Patient", "_has:Obs:patient:code", "no resource type 'Obs'"),
        ("Patient", "_has:Observation:code:code", "Observation.code is no reference. Usable: .*subject"),
        ("Patient", "_has:Observation:encounter:code", "does not lead to 'Patient' but to"),
        ("Patient", "_has:Observation:patient:colour", "Observation has no search parameter 'colour'"),
        ("Encounter", "part-of." * (DEPTH + 1) + "status", "follows more than 5 references"),
        ("Patient", "_has:Observation:patient:patient." * 3 + "name", "follows more than 5|search parameter"),
    ],
)
def test_refusals_say_what_is_right(kind, name, text):
    with pytest.raises(GatewayError, match=text) as caught:
        read(kind, name)
    assert caught.value.text.endswith(".")


PIECES = st.sampled_from(
    ["_has", "Patient", "Observation", "subject", "patient", "code", "name", ":", ":", ":", ".", ".", "missing", "", "encounter"]
)  # fmt: skip


@given(st.sampled_from(["Observation", "Patient", "Encounter"]), st.lists(PIECES, max_size=12).map("".join), st.text())
def test_any_name_is_a_condition_or_a_sentence(kind, name, value):
    try:
        assert isinstance(read(kind, name, value), Criterion | Chain | Has)
    except GatewayError as error:
        assert error.text.endswith((".", "?"))
