"""Reading and writing: every digit comes back, no key is lost, the client's text stays the client's."""

import copy
import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.fhir import resource

NUMBERS = [
    "72.50",
    "0.90",
    "1E+2",
    "1e2",
    "1E2",
    "0.0000001",
    "100e-1",
    "-0.0",
    "1.0E-400",
    "12345678901234567890.12345",
]


@pytest.mark.parametrize("text", [*NUMBERS, "7", "-12", "123456789012345678901234567890"])
def test_numbers_come_back_as_sent(text):
    raw = b'{"resourceType":"Observation","value":%b}' % text.encode()
    read = resource.loads(raw)
    assert read["value"] == Decimal(text)
    assert resource.dumps(read) == raw


def test_a_number_survives_copies_and_processes():
    number = resource.loads('{"n":1e2}')["n"]
    for copied in (copy.copy(number), copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert resource.dumps({"n": copied}) == b'{"n":1e2}'
    assert number == 100


def test_what_a_mapping_made_prints_as_json():
    made = {"a": Decimal("1E+2"), "b": Decimal("0E-7"), "c": 1.5, "d": None, "e": True}
    assert resource.dumps(made) == b'{"a":1E+2,"b":0E-7,"c":1.5,"d":null,"e":true}'
    assert json.loads(resource.dumps(made))["a"] == 100


DIGITS = st.text("0123456789", min_size=1, max_size=20)
WHOLE = st.one_of(st.just("0"), DIGITS.map(lambda digits: "1" + digits))
DECIMALS = st.builds(
    "{}{}.{}{}".format, st.sampled_from(["", "-"]), WHOLE, DIGITS, st.sampled_from(["", "e5", "E-12", "E+003"])
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | DECIMALS.map(resource._number) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(DECIMALS)
def test_every_digit_comes_back(text):
    raw = b'{"value":%b}' % text.encode()
    assert resource.dumps(resource.loads(raw)) == raw


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_a_round_trip_changes_nothing(value):
    raw = resource.dumps(value)
    assert resource.loads(raw) == value
    assert resource.dumps(resource.loads(raw, strict=False)) == raw


def test_our_text_has_its_own_order():
    made = {"status": "final", "meta": {"versionId": "1"}, "id": "a", "resourceType": "Observation", "code": {}}
    assert list(json.loads(resource.dumps(made))) == ["resourceType", "id", "meta", "status", "code"]
    assert list(made) == ["status", "meta", "id", "resourceType", "code"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'{"a":1,"a":2}', "'a' stands 2 times"),
        (b'{"resourceType":"Patient","name":[{"given":["x"],"text":"y","given":["z"]}]}', "'given' stands 2 times"),
        (b'{"a\\n":1,"b":{"a\\n":1,"a\\n":2}}', "stands 2 times"),
        (b'{"a":1,"\\u0061":2}', "'a' stands 2 times"),
        (b'{"a" :1,"a"\n:2}', "stands 2 times"),
        (b'{"resourceType":"Patient","id":"1","id":"2"}', "'id' stands 2 times"),
    ],
)
def test_a_key_that_stands_twice_is_refused(raw, text):
    with pytest.raises(GatewayError, match=text) as caught:
        resource.loads(raw)
    assert caught.value.where.startswith("object with ")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"\\":\\"a\\":","b":1}',
        b'{"a":"x\\\\","b":"\\u0022:"}',
        b'{ "a" : { "a" : [ { "a" : 1 } , { "a" : 2 } ] } }',
    ],
)
def test_the_same_key_in_other_objects_and_in_text_is_fine(raw):
    assert resource.loads(raw) == json.loads(raw)


@given(st.text(st.sampled_from('ab"\\:,{} '), max_size=12), st.text(st.sampled_from('ab"\\:,{} '), max_size=12))
def test_text_that_looks_like_keys_never_counts_as_one(key, value):
    raw = json.dumps({key: value, "list": [key, value]} | {"list ": {key: 1}}).encode()
    assert resource.loads(raw) == json.loads(raw)


@given(st.lists(st.sampled_from(["a", "b", 'c"', "d\\", "é"]), min_size=1, max_size=5), st.booleans())
def test_keys_are_refused_exactly_when_one_repeats(names, ascii_only):
    members = ",".join(f"{json.dumps(name, ensure_ascii=ascii_only)}:1" for name in names)
    raw = f'{{"list":[{{{members}}}]}}'
    if len(set(names)) == len(names):
        assert resource.loads(raw)
    else:
        with pytest.raises(GatewayError, match="times in one object"):
            resource.loads(raw)


@pytest.mark.parametrize(
    ("raw", "text", "where"),
    [
        (b"", "ends too early", ""),
        (b"{", "ends too early", ""),
        (b"[]", "a JSON object in braces", "byte 0"),
        (b'"x"', "a JSON object in braces", "byte 0"),
        (b'{"a":1}}', "not JSON", "byte 8"),
        (b'{"a":01}', "not JSON", "byte 6"),
        (b'{"a":NaN}', "not JSON", "byte 5"),
        (b'{"a":1.}', "not JSON", "byte 7"),
        (b"{'a':1}", "not JSON", "byte 1"),
        (b'{"a":"\xb0\xa1"}', "not UTF-8", "byte 6"),
        (b'{"a":"\\ud800"}', "half a character", ""),
        ('{"a":"\ud800"}', "not UTF-8", "byte 6"),
        (b'{"a":1e999}', "400 powers of ten", ""),
        (b'{"a":1e99999999999999999999}', "too many powers of ten", ""),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nests 150 levels deep", ""),
        (b'{"a":' + b"[" * 100_000, "nests deeper than 100", ""),
    ],
)
def test_what_is_no_resource_is_told(raw, text, where):
    with pytest.raises(GatewayError, match=text) as caught:
        resource.loads(raw)
    assert caught.value.where == where


def test_a_byte_order_mark_is_no_harm():
    raw = b'\xef\xbb\xbf{"resourceType":"Patient"}'
    assert resource.loads(raw) == {"resourceType": "Patient"}
    assert resource.splice(raw, "p", 1, "2026").startswith(b'{"resourceType"')


@pytest.mark.parametrize("value", [object(), {"a"}, "\ud800"])
def test_what_json_cannot_carry_is_told(value):
    if isinstance(value, set):
        value = range(3)
    with pytest.raises(GatewayError):
        resource.dumps({"a": value})


def test_splicing_keeps_the_text_of_the_client():
    sent = b'{ "status" : "final",\n "valueQuantity": { "value": 72.50, "x": 1e2 },"resourceType":"Observation"}'
    stored = resource.splice(sent, "o1", 3, "2026-03-01T00:00:00.000Z")
    assert stored == (
        b'{"resourceType":"Observation","id":"o1","meta":{"versionId":"3","lastUpdated":"2026-03-01T00:00:00.000Z"},'
        b'"status":"final","valueQuantity":{ "value": 72.50, "x": 1e2 }}'
    )


def test_splicing_replaces_only_what_the_server_owns():
    sent = (
        b'{"resourceType":"Patient","meta":{"profile":["p"],"versionId":"9","source":"#a"},"id":"other","active":true}'
    )
    stored = resource.loads(resource.splice(sent, "p1", "4", "2026", source="#b"))
    assert stored == {
        "resourceType": "Patient",
        "id": "p1",
        "meta": {"versionId": "4", "lastUpdated": "2026", "source": "#b", "profile": ["p"]},
        "active": True,
    }
    kept = resource.loads(resource.splice(sent, "p1", "4", "2026"))
    assert kept["meta"]["source"] == "#a"


def test_splicing_an_odd_meta_is_refused():
    with pytest.raises(GatewayError, match="meta is not an object"):
        resource.splice(b'{"resourceType":"Patient","meta":[1]}', "p", 1, "2026")


def test_splicing_without_a_type_puts_id_first():
    assert resource.splice(b'{"a":1}', "p", 1, "2026") == (
        b'{"id":"p","meta":{"versionId":"1","lastUpdated":"2026"},"a":1}'
    )


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_splicing_loses_nothing(value):
    value = {name: held for name, held in value.items() if name not in ("id", "meta")}
    stored = resource.loads(resource.splice(resource.dumps(value), "x", 1, "2026"))
    assert {name: held for name, held in stored.items() if name not in ("id", "meta")} == value
