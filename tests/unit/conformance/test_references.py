"""References: the forms R4 knows, and a sentence for every other."""

import re

import pytest

from gateway.conformance import references


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Patient/1", "Patient"),
        ("Patient?identifier=x", "Patient"),
        ("Patient", "Patient"),
        ("Nobody/1", ""),
        ("#p", ""),
        ("urn:uuid:x", ""),
        ("https://other.example/Patient/1", ""),
    ],
)
def test_the_type_a_relative_reference_names(text, name):
    assert references.target(text) == name


@pytest.mark.parametrize("text", ["Patient/", "Patient/a b", "Patient/1/2", "Patient/1/_history/", "/Patient/1", "x"])
def test_what_is_no_reference(text):
    assert "is no reference" in references.fault(text, ("Patient",))
    assert re.search(references.pattern(()), text) is None


def test_any_type_may_be_meant():
    assert references.fault("Slot/1", ()) is None
    assert references.fault("Slot/1", ("Slot", "Schedule")) is None
    assert "takes Patient or Group" in references.fault("Slot/1", ("Patient", "Group"))


def test_alternatives_read_like_a_sentence():
    assert references.either(["a"]) == "a"
    assert references.either(["a", "b"]) == "a or b"
    assert references.either(["a", "b", "c"]) == "a, b or c"
