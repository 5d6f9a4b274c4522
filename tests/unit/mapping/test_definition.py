"""Rules are read from YAML with every mistake told."""

import pytest

from gateway.mapping import definition
from gateway.mapping.definition import Source, When


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PID-5", Source("PID", 5)),
        ("PID-5.1", Source("PID", 5, 1)),
        ("PID-3.4.2", Source("PID", 3, 4, 2)),
        ("CX.4", Source("CX", 0, 4)),
        ("CX.4.1", Source("CX", 0, 4, 1)),
        ("OBR", Source("OBR")),
        ("PID-7/time", Source("PID", 7)),
    ],
)
def test_sources(text, expected):
    assert definition.source(text) == expected
    assert str(expected) == text.split("/")[0]


@pytest.mark.parametrize("text", ["", "pid-5", "PID-0", "PID 5", "PID-5-1"])
def test_wrong_sources(text):
    with pytest.raises(ValueError, match="no field"):
        definition.source(text)


def test_conditions():
    assert definition.when({"present": ["OBX-1", "OBX-2"]}).kind == "present"
    assert definition.when({"absent": "OBX-1"}).sources == (Source("OBX", 1),)
    assert definition.when({"field": "OBX-2", "equals": "NM"}) == When("one_of", (Source("OBX", 2),), frozenset({"NM"}))
    assert definition.when({"field": "OBX-2", "none_of": ["NM", 1]}).values == frozenset({"NM", "1"})


@pytest.mark.parametrize(
    "raw",
    [None, {}, {"if": "x"}, {"present": "OBX-1", "absent": "OBX-2"}, {"field": "OBX-1"}, {"equals": "x"},
     {"field": "OBX-1", "equals": "a", "one_of": ["b"]}],
)  # fmt: skip
def test_wrong_conditions(raw):
    with pytest.raises(ValueError, match="when"):
        definition.when(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("PID-5", "mapping with an `id`"),
        ({"to": "a"}, "mapping with an `id`"),
        ({"id": "PID-5", "to": "a", "script": "1"}, "unknown words script"),
        ({"id": "PID-5"}, "needs a target"),
        ({"id": "PID-5", "to": "a[x]"}, "cannot read the path"),
        ({"id": "nothing", "to": "a"}, "no field"),
    ],
)
def test_wrong_rules(raw, words):
    with pytest.raises(ValueError, match=words):
        definition.rule(raw, "file")


def test_a_rule_repeats_where_its_path_makes_new_elements():
    assert definition.rule({"id": "PID-5", "to": "name[]"}, "f").each
    assert not definition.rule({"id": "PID-5", "to": "name[0].text"}, "f").each
    assert not definition.rule({"id": "PID-5", "to": "name[]", "each": False}, "f").each


def test_uses_and_resources():
    assert definition.use("A[B]").maps == ("A[B]",)
    assert definition.use({"map": ["A[B]", "A[C]"], "after": "OBX"}).after == frozenset({"OBX"})
    with pytest.raises(ValueError, match="a use has"):
        definition.use({"maps": "x"})
    with pytest.raises(ValueError, match="is a mapping"):
        definition.resource("r", "x")
    with pytest.raises(ValueError, match="unknown words kind"):
        definition.resource("r", {"kind": "x"})
    with pytest.raises(ValueError, match="mode is"):
        definition.resource("r", {"mode": "merge"})
    with pytest.raises(ValueError, match="path"):
        definition.resource("r", {"links": {"a[x]": "b"}})
