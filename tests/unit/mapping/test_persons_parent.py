"""Whose number a newborn carries: the parent it names is proposed, never taken for the child's own."""

import pytest

from gateway.mapping.making import Making
from gateway.mapping.transforms import STEPS

RESIDENT = "urn:oid:2.16.156.10011.1.3"
MOTHER = "519927199102030023"


class Row:
    """A row of three cells: number, birth date, name."""

    def __init__(self, *cells: str) -> None:
        self.fields = ["REC", *cells]
        self.peers = {"REC": self.fields}


def proposed(env, number, birth, name):
    step = STEPS["parent_resident_id"](Making(env, "REC-1", {"birth": "REC-2", "name": "REC-3"}))
    body: dict[str, object] = {}
    step(Row(number, birth, name), body, number)
    return body


@pytest.mark.parametrize(("number", "code", "word"), [(MOTHER, "MTH", "母亲"), ("519927199004050012", "FTH", "父亲")])
def test_the_parent_is_proposed_with_number_name_and_kind(env, number, code, word):
    body = proposed(env, number, "2026-08-15", "赵雅之子")
    assert body["identifier"] == [{"system": RESIDENT, "value": number}]
    assert body["name"] == [{"text": "赵雅"}]
    assert body["relationship"][0]["coding"][0]["code"] == code
    assert body["relationship"][0]["text"] == f"{word}（按身份证号推定，待核实）"
    assert body["extension"] == [
        {"url": "https://yigong.example/fhir/StructureDefinition/proposed", "valueBoolean": True}
    ]


def test_a_parent_without_a_name_of_that_form_has_none(env):
    assert "name" not in proposed(env, MOTHER, "2026-08-15", "李小宝")


@pytest.mark.parametrize(("number", "birth"), [(MOTHER, "1991-02-03"), ("12345", "2026-08-15"), ("", "2026-08-15")])
def test_ones_own_number_and_no_number_propose_nobody(env, number, birth):
    assert proposed(env, number, birth, "李小宝") == {}
