"""JSON Patch: what RFC 6902 says, digits kept, and faults that name the operation they stand in."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Category, GatewayError
from gateway.fhir import json_patch, resource

PERSON = b'{"resourceType":"Patient","name":[{"given":["a","b"]},{"family":"x"}],"a/b":1,"m~n":2,"z":1.10}'


def patched(*operations, text=PERSON):
    body = resource.loads(text)
    before = resource.dumps(body)
    made = json_patch.apply(body, json_patch.read(json.dumps(operations).encode()))
    assert resource.dumps(body) == before, "the document itself is left alone"
    return made


def refused(*operations, text=PERSON):
    with pytest.raises(GatewayError) as told:
        patched(*operations, text=text)
    return told.value


@pytest.mark.parametrize(
    ("operation", "pointer", "value"),
    [
        ({"op": "add", "path": "/gender", "value": "male"}, ("gender",), "male"),
        ({"op": "add", "path": "/name/0/given/1", "value": "c"}, ("name", 0, "given"), ["a", "c", "b"]),
        ({"op": "add", "path": "/name/0/given/-", "value": "c"}, ("name", 0, "given"), ["a", "b", "c"]),
        ({"op": "add", "path": "/name/1/family", "value": "y"}, ("name", 1, "family"), "y"),
        ({"op": "replace", "path": "/name/0/given/0", "value": {"x": []}}, ("name", 0, "given", 0), {"x": []}),
        ({"op": "replace", "path": "/a~1b", "value": 9}, ("a/b",), 9),
        ({"op": "replace", "path": "/m~0n", "value": 9}, ("m~n",), 9),
        ({"op": "remove", "path": "/name/0/given/0"}, ("name", 0, "given"), ["b"]),
        ({"op": "move", "from": "/name/1", "path": "/name/0"}, ("name", 0), {"family": "x"}),
        ({"op": "copy", "from": "/name/1/family", "path": "/f"}, ("f",), "x"),
        ({"op": "move", "from": "/z", "path": "/z"}, ("a/b",), 1),
        ({"op": "test", "path": "/a~1b", "value": 1.0}, ("a/b",), 1),
        ({"op": "test", "path": "/name/0", "value": {"given": ["a", "b"]}}, ("a/b",), 1),
        ({"op": "add", "path": "", "value": {"resourceType": "Basic"}}, ("resourceType",), "Basic"),
        ({"op": "replace", "path": "", "value": {"resourceType": "Basic"}}, ("resourceType",), "Basic"),
        ({"op": "copy", "from": "", "path": "/self"}, ("self", "z"), resource.loads(PERSON)["z"]),
    ],
)
def test_operations(operation, pointer, value):
    found = patched(operation)
    for token in pointer:
        found = found[token]
    assert found == value


def test_numbers_keep_their_digits():
    text = b'{"resourceType":"Observation","valueQuantity":{"value":72.50},"low":1e2}'
    operations = b'[{"op":"copy","from":"/valueQuantity","path":"/other"},{"op":"add","path":"/x","value":0.10}]'
    made = json_patch.apply(resource.loads(text), json_patch.read(operations))
    expected = (
        b'{"resourceType":"Observation","valueQuantity":{"value":72.50},"low":1e2,"other":{"value":72.50},"x":0.10}'
    )
    assert resource.dumps(made) == expected


def test_what_a_removal_leaves_empty_goes_too():
    made = patched({"op": "remove", "path": "/name/1/family"}, {"op": "remove", "path": "/name/0/given/0"})
    assert made["name"] == [{"given": ["b"]}]
    made = patched(*({"op": "remove", "path": "/name/0"} for _ in range(2)))
    assert "name" not in made
    made = patched({"op": "remove", "path": "/name/1/family"}, {"op": "add", "path": "/name/1/text", "value": "t"})
    assert made["name"][1] == {"text": "t"}


@pytest.mark.parametrize(
    ("operation", "where"),
    [
        ({"op": "remove", "path": "/none"}, "path"),
        ({"op": "replace", "path": "/name/5", "value": 1}, "path"),
        ({"op": "add", "path": "/name/9", "value": 1}, "path"),
        ({"op": "add", "path": "/name/01", "value": 1}, "path"),
        ({"op": "remove", "path": "/name/-"}, "path"),
        ({"op": "add", "path": "/none/x", "value": 1}, "path"),
        ({"op": "add", "path": "/z/x", "value": 1}, "path"),
        ({"op": "copy", "from": "/none", "path": "/x"}, "from"),
        ({"op": "move", "from": "/name", "path": "/name/0/x"}, "path"),
        ({"op": "remove", "path": ""}, "path"),
        ({"op": "replace", "path": "", "value": 1}, "path"),
        ({"op": "test", "path": "/z", "value": 2}, "value"),
        ({"op": "test", "path": "/a~1b", "value": True}, "value"),
        ({"op": "test", "path": "/name", "value": []}, "value"),
        ({"op": "test", "path": "/name/0", "value": {"given": "a"}}, "value"),
        ({"op": "test", "path": "/resourceType", "value": None}, "value"),
    ],
)
def test_what_cannot_be_done_names_its_operation(operation, where):
    fine = {"op": "test", "path": "/a~1b", "value": 1}
    fault = refused(fine, operation)
    assert (fault.category, fault.where) == (Category.UNPROCESSABLE, f"patch[1].{where}")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"", "patch"),
        (b"{", "patch"),
        (b"[", "patch"),
        (b'{"op":"add"}', "patch"),
        (b'[],"x":1', "patch"),
        (b'[],"patch":[]', "patch"),
        (b"[1]", "patch[0].op"),
        (b'[{"op":"frob","path":""}]', "patch[0].op"),
        (b'[{"op":["add"],"path":""}]', "patch[0].op"),
        (b'[{"op":"remove"}]', "patch[0]"),
        (b'[{"op":"remove","path":1}]', "patch[0].path"),
        (b'[{"op":"remove","path":"name"}]', "patch[0].path"),
        (b'[{"op":"remove","path":"/~2"}]', "patch[0].path"),
        (b'[{"op":"add","path":"/x"}]', "patch[0]"),
        (b'[{"op":"remove","path":"/x","path":"/y"}]', "patch"),
        (b'[{"op":"remove","path":"/x"},{"op":"move","path":"/x","from":"y"}]', "patch[1].from"),
    ],
)
def test_a_document_that_is_no_patch(text, where):
    with pytest.raises(GatewayError) as told:
        json_patch.read(text)
    assert (told.value.category, told.value.where) == (Category.INVALID, where)


def test_a_patch_has_an_end():
    with pytest.raises(GatewayError) as told:
        json_patch.read(b"[" + b",".join([b'{"op":"remove","path":"/x"}'] * 1001) + b"]")
    assert told.value.category == Category.TOO_LARGE


def test_copies_of_copies_are_bounded():
    doubling = [{"op": "copy", "from": "", "path": f"/c{n}"} for n in range(60)]
    assert refused(*doubling).category == Category.TOO_LARGE
    deeper = [{"op": "copy", "from": "/d", "path": "/d" * (n + 2)} for n in range(60)]
    fault = refused({"op": "add", "path": "/d", "value": {}}, *deeper)
    assert fault.category in (Category.UNPROCESSABLE, Category.TOO_LARGE)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "", "~", "/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab/~-0"), inner, max_size=3),
    max_leaves=6,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0", "~1", "~", ""]), max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    document=st.dictionaries(st.sampled_from("ab0/~"), VALUES, max_size=4),
    operations=st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
                "path": POINTERS,
                "from": POINTERS,
                "value": VALUES,
            }
        ),
        max_size=5,
    ),
)
def test_any_patch_gives_a_document_or_a_sentence(document, operations):
    before = json.dumps(document)
    try:
        made = json_patch.apply(document, json_patch.read(json.dumps(operations).encode()))
    except GatewayError as fault:
        assert fault.where.startswith("patch")
    else:
        json.loads(resource.dumps(made))
    assert json.dumps(document) == before
