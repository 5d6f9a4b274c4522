"""Telephone numbers as typed, and resident IDs that are a parent's."""

import pytest

from gateway.mapping import persons
from gateway.mapping.environment import Environment
from gateway.mapping.making import Making

SYSTEM = "urn:oid:2.16.156.10011.1.3"
ENV = Environment("town", "f", absent=frozenset({"无"}), national={"resident-id": SYSTEM})


def _phone(raw, **args):
    return persons.phone(Making(ENV, "REC-3", args))(raw)


@pytest.mark.parametrize(
    ("raw", "value", "use"),
    [
        ("10000000017", "10000000017", "mobile"),
        ("100 0000 0007", "10000000007", "mobile"),
        ("+8610000000017", "10000000017", "mobile"),
        ("0000-5220001", "0000-5220001", None),
        ("（0000）5220001", "(0000)5220001", None),
        ("0000-5220001转12", "0000-5220001转12", None),
    ],
)
def test_numbers(raw, value, use):
    found = _phone(raw).value
    assert (found["system"], found["value"], found.get("use")) == ("phone", value, use)
    assert _phone(raw, use="work").value["use"] == "work"


def test_two_numbers_in_one_cell():
    assert [one["value"] for one in _phone("10000000017/0000-5220001").value] == ["10000000017", "0000-5220001"]
    cell = _phone("10000000017、138****1234")
    assert cell.value["value"] == "10000000017"
    assert "masked" in cell.notes[0].text


@pytest.mark.parametrize(
    ("raw", "why"),
    [("138****1234", "masked"), ("100＊＊＊＊0031", "masked"), ("13800138000", "nobody has"), ("11111111111", "nobody has"),
     ("00000000", "nobody has"), ("电话没有", "is no telephone"), ("无", "no number was given")],
)  # fmt: skip
def test_what_reaches_nobody_is_an_issue(raw, why):
    cell = _phone(raw)
    assert cell.value is None
    assert why in cell.notes[0].text


def test_nothing():
    assert _phone("") == (None, (), (), None)


class Running:
    """A row with a birth date, a name and a sex."""

    def __init__(self, birth, name, sex=""):
        self.peers = {"REC": ["REC", birth, name, sex]}
        self.told = []

    def note(self, number, notes):
        self.told += [(number, note.text) for note in notes]


def _own(raw, birth="", name="王桂兰", sex="", **args):
    making = Making(ENV, "REC-4", {"birth": "REC-1", "name": "REC-2", "sex": "REC-3"} | args)
    run, body = Running(birth, name, sex), {}
    persons.own_resident(making)(run, body, raw)
    return body, [text for _, text in run.told]


def test_a_persons_own_number():
    body, told = _own("11010519491231002x", "1949-12-31", sex="女")
    assert body == {"identifier": [{"system": SYSTEM, "value": "11010519491231002X"}]}
    assert told == []


def test_a_newborn_with_the_mothers_number():
    body, told = _own("110105188002160244", "2026-08-15", "赵雅之子")
    assert body == {}
    assert "surely a parent's" in told[0]
    body, told = _own("110105188002160244", "", "赵雅之女")
    assert body == {}
    assert "no birth date proves" in told[0]


def test_a_small_difference_keeps_both_with_an_issue():
    body, told = _own("11010519491231002X", "1950-01-01")
    assert body["identifier"]
    assert "another birth date" in told[0]
    body, told = _own("11010519491231002X", "1949-12-31", sex="男")
    assert body["identifier"]
    assert "another sex" in told[0]


def test_a_wrong_check_digit_is_kept_as_no_number_of_a_person():
    body, told = _own("110105194912310021", "1949-12-31", to="identifier[]")
    assert body["identifier"][0]["system"].endswith("unverified-resident-id")
    assert "check digit" in told[0]


def test_fifteen_digits_are_upgraded_and_kept():
    body, _ = _own("110105491231002", "1949-12-31")
    assert [entry["value"] for entry in body["identifier"]] == ["11010519491231002X", "110105491231002"]


def test_without_columns_to_compare():
    making = Making(ENV, "REC-4", {})
    body = {}
    persons.own_resident(making)(Running("", ""), body, "11010519491231002X")
    assert body["identifier"]
