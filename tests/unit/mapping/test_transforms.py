"""The named functions rules may use."""

import base64

import pytest

from gateway.mapping.making import Making
from gateway.mapping.transforms import CONVERTERS, STEPS


def convert(name, env, raw, **args):
    return CONVERTERS[name](Making(env, "X-1", args))(raw)


@pytest.mark.parametrize(
    ("name", "raw", "args", "expected"),
    [
        ("words", "无", {}, None),
        ("words", "张三", {}, "张三"),
        ("joined", "a^^b", {"with": "-"}, "a-b"),
        ("base64_text", "甲~乙", {}, base64.b64encode("甲\n乙".encode()).decode()),
        ("base64_text", "", {}, None),
        ("base64_text", "C1^甲^L^^^^^^乙", {"coded": True}, base64.b64encode("乙\nC1-甲-L".encode()).decode()),
        ("uri", "LN", {}, "http://loinc.org"),
        ("uri", "", {}, None),
        ("unit", "mmHg", {}, {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}),
        ("unit", "", {}, None),
        ("integer", "0", {"least": 1}, None),
        ("code", "as is", {}, "as is"),
        ("attachment", "http://pacs/1^^IM^JPEG", {"type": "RP"}, {"url": "http://pacs/1", "contentType": "image/jpeg"}),
    ],
)
def test_functions(env, name, raw, args, expected):
    assert convert(name, env, raw, **args).value == expected


def test_a_number_without_unit(env):
    assert str(convert("numeric", env, "<5").value["valueQuantity"]["value"]) == "5"


def test_no_name_is_both_a_conversion_and_a_step():
    assert not CONVERTERS.keys() & STEPS.keys()


@pytest.mark.parametrize(
    ("kind", "raw", "attachment"),
    [
        (
            "TX",
            "第一行~第二行",
            {"contentType": "text/plain", "data": base64.b64encode("第一行\n第二行".encode()).decode()},
        ),
        ("FT", "a", {"contentType": "text/hl7v2", "data": "YQ=="}),
        ("ED", "^AP^PDF^Base64^JVBERg==", {"contentType": "application/pdf", "data": "JVBERg=="}),
        ("RP", "http://pacs/1", {"url": "http://pacs/1"}),
    ],
)
def test_the_content_of_a_document(told, kind, raw, attachment):
    mapped = told("MDM^T02", "PID|1||7", "TXA|1|PN||||||||||D1", f"OBX|1|{kind}|T||{raw}")
    document = next(draft for draft in mapped.drafts if draft.type == "DocumentReference")
    found = document.body["content"][0]["attachment"]
    assert {name: found[name] for name in attachment} == attachment


def test_document_data_that_is_not_what_it_says_is_noted(told):
    mapped = told("MDM^T02", "PID|1||7", "TXA|1|PN||||||||||D1", "OBX|1|ED|T||^AP^PDF^Base64^<x>")
    assert any("encoding" in issue.text for issue in mapped.issues)


def test_several_codes_of_one_cell_are_as_many_concepts(env):
    found = convert("concepts", env, "2/3", split="/", table="family")
    assert [concept["coding"][0]["code"] for concept in found.value] == ["2", "3"]
    assert convert("concepts", env, "/", split="/").value is None
