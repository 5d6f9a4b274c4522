"""Names where one component is not enough."""

import pytest

from gateway.mapping import names
from gateway.mapping.making import Making


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("张三^ZHANGSAN", "张三"), ("张^三", "张三"), ("阿卜杜·热合曼", "阿卜杜·热合曼"), ("Doe^Jane", None), ("", None)],
)
def test_a_chinese_name_is_written_as_one(raw, expected):
    assert names.chinese_name(raw).value == expected


@pytest.mark.parametrize(("raw", "expected"), [("Doe^Jane^J", "Jane J Doe"), ("王^小明", "王小明"), ("^", None)])
def test_full_name(raw, expected):
    assert names.full_name(raw).value == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1.2.3", {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}),
        ("550E8400-e29b-41d4-a716-446655440000", {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:550e8400-e29b-41d4-a716-446655440000"}),
        ("lab.example", {"value": "lab.example"}),
        ("", None),
    ],
)  # fmt: skip
def test_universal_ids(raw, expected):
    assert names.universal(raw).value == expected


def test_authorities_devices_and_words():
    assert names.namespace("HIS&1.2&ISO").value == "HIS"
    assert names.namespace("&1.2&ISO").value == "1.2"
    assert names.namespace("").value is None
    assert names.device_name("AU5800").value == {"name": "AU5800", "type": "user-friendly-name"}
    assert names.device_name("").value is None
    assert names.text_concept("a").value == {"text": "a"}
    assert names.text_concept("").value is None


def test_endpoints_of_systems(env):
    convert = names.endpoint(Making(env, "MSH-3"))
    assert convert("HIS^1.2.3^ISO").value == "urn:oid:1.2.3"
    assert convert("HIS^lab.example^DNS").value == "urn:dns:lab.example"
    assert names.endpoint(Making(env, "MSH-25", {"plain": True}))("HIS^lab.example^DNS").value == "lab.example"
    absent = convert("HIS")
    assert absent.value is None
    assert absent.beside["extension"][0]["valueCode"] == "unknown"


def test_the_event_of_a_message(env):
    convert = names.event_coding(Making(env, "MSH-9"))
    assert convert("ADT^A01^ADT_A01").value["code"] == "A01"
    assert convert("ADT").value is None
