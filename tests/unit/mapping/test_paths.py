"""Target paths write where they say, and never into what other messages share."""

import pytest

from gateway.mapping import paths


def written(*pairs):
    body = {}
    for path, value in pairs:
        paths.writer(path)(body, value)
    return body


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("gender", "male")], {"gender": "male"}),
        ([("period.start", "2026"), ("period.end", "2027")], {"period": {"start": "2026", "end": "2027"}}),
        ([("name[]", {"text": "a"}), ("name[]", {"text": "b"})], {"name": [{"text": "a"}, {"text": "b"}]}),
        ([("name[0].use", "old"), ("name[0].text", "a")], {"name": [{"use": "old", "text": "a"}]}),
        (
            [("note[]", {}), ("note[-].text", "a"), ("note[]", {}), ("note[-].text", "b")],
            {"note": [{"text": "a"}, {"text": "b"}]},
        ),
        ([("a[].b[].c", 1), ("a[].b[].c", 2)], {"a": [{"b": [{"c": 1}]}, {"b": [{"c": 2}]}]}),
        (
            [("extension(u).valueString", "a"), ("extension(u).valueString", "b"), ("extension(v).valueCode", "c")],
            {"extension": [{"url": "u", "valueString": "b"}, {"url": "v", "valueCode": "c"}]},
        ),
        ([("identifier[]", {"value": "1"}), ("identifier[]", {"value": "1"})], {"identifier": [{"value": "1"}]}),
        ([("$this", {"a": 1, "l": [1]}), ("$this", {"a": 2, "l": [2]})], {"a": 2, "l": [1, 2]}),
        ([("extension(u)", {"valueCode": "a"})], {"extension": [{"url": "u", "valueCode": "a"}]}),
    ],
)
def test_a_path_writes_where_it_says(pairs, expected):
    assert written(*pairs) == expected


@pytest.mark.parametrize("path", ["", "a.", "a..b", "a[x]", "1a", "a(b", "a b"])
def test_a_wrong_path_is_refused_with_its_place(path):
    with pytest.raises(ValueError, match="path"):
        paths.parse(path)


def test_shared_values_are_copied_before_they_are_changed():
    shared = {"coding": [{"code": "a"}]}
    body = {}
    paths.writer("code")(body, shared)
    paths.writer("code.text")(body, "words")
    paths.writer("code.coding[0].display")(body, "A")
    assert body == {"code": {"coding": [{"code": "a", "display": "A"}], "text": "words"}}
    assert shared == {"coding": [{"code": "a"}]}


def test_a_reference_is_written_into_itself_because_links_hold_it():
    reference = {"display": "Dr"}
    body = {"requester": reference}
    paths.writer("requester.extension(u).valueString")(body, "phone")
    assert body["requester"] is reference
    assert reference["extension"] == [{"url": "u", "valueString": "phone"}]


def test_constants_are_made_anew_each_time():
    make = paths.constant([{"a": 1}])
    make()[0]["a"] = 2
    assert make() == [{"a": 1}]
    assert paths.constant("x")() == "x"


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ({}, "a", False),
        ({"a": {"b": 1}}, "a.b", True),
        ({"a": {}}, "a.b", False),
        ({"a": [{"b": 1}]}, "a[0].b", True),
        ({"a": []}, "a[0].b", False),
        ({"a": "x"}, "a.b", False),
    ],
)
def test_has_says_whether_something_stands_there(body, path, expected):
    assert paths.has(body, path) is expected
