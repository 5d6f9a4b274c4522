"""Paths: read, put and drop by name and position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.fhir import path


@pytest.fixture
def patient():
    return {"resourceType": "Patient", "name": [{"given": ["小", "明"]}, {"text": "x"}], "active": False}


def test_reading(patient):
    assert path.get(patient, "name[0].given[1]") == "明"
    assert path.get(patient, "Patient.name[1].text") == "x"
    assert path.get(patient, "active") is False
    assert path.get(patient, "Patient") is patient


@pytest.mark.parametrize("place", ["name[2]", "name.text", "active.x", "active[0]", "gender", "name[0].given[1].x"])
def test_reading_what_is_not_there(patient, place):
    assert path.get(patient, place, "nothing") == "nothing"


def test_putting_makes_what_is_missing(patient):
    path.put(patient, "name[2].given[0]", "三")
    path.put(patient, "Patient.contact[0].name.text", "y")
    path.put(patient, "name[0].given[0]", "大")
    assert patient["name"][2] == {"given": ["三"]}
    assert patient["contact"] == [{"name": {"text": "y"}}]
    assert patient["name"][0]["given"] == ["大", "明"]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("name[5].text", "skips places"),
        ("name[0].given[9]", "skips places"),
        ("active.x", "needs an object"),
        ("active[0]", "needs a list"),
        ("name.text", "needs an object"),
        ("Patient", "whole resource"),
    ],
)
def test_putting_where_nothing_can_stand(patient, place, text):
    with pytest.raises(GatewayError, match=text):
        path.put(patient, place, 1)


def test_dropping(patient):
    assert path.drop(patient, "name[0].given[0]")
    assert patient["name"][0] == {"given": ["明"]}
    assert path.drop(patient, "active")
    assert not path.drop(patient, "active")


@pytest.mark.parametrize(
    "place", ["name[7]", "name[7].x", "name.x", "active[0]", "gender.x", "active.x.y", "name[0].given[0].x"]
)
def test_dropping_what_is_not_there(patient, place):
    assert not path.drop(patient, place)


@pytest.mark.parametrize("text", ["", "a..b", "a[x]", "a[0", "[0]", "a b", "a.[1]", "1a"])
def test_what_is_no_path(text):
    with pytest.raises(GatewayError, match="is not a path"):
        path.parse(text)


NAMES = st.sampled_from(["a", "b", "valueString", "_birthDate"])


@given(st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=5), st.integers())
def test_what_was_put_is_read_and_dropped(parts, value):
    place = ".".join(name + "[0]" * first for name, first in parts)
    node = {}
    path.put(node, place, value)
    assert path.get(node, place) == value
    assert path.drop(node, place)
    assert path.get(node, place) is None
