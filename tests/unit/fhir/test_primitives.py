"""Primitive types: what they take, and a sentence when they do not."""

from decimal import Decimal

import pytest

from gateway.fhir import primitives, types

RIGHT = [
    ("base64Binary", "YWJj\r\nZGVm"),
    ("boolean", False),
    ("canonical", "https://yigong.example/fhir/ValueSet/x|1.0"),
    ("code", "entered-in-error"),
    ("code", "a b"),
    ("decimal", Decimal("1E+2")),
    ("decimal", 0),
    ("id", "A.b-9"),
    ("integer", -(2**31)),
    ("markdown", "# 标题\n\n正文"),
    ("oid", "urn:oid:2.16.156.10011.1.3"),
    ("positiveInt", 1),
    ("string", "\t第一行\r\n　第二行"),
    ("time", "23:59:60"),
    ("unsignedInt", 0),
    ("uri", "urn:x"),
    ("url", "mailto:a@yigong.example"),
    ("uuid", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"),
    ("xhtml", "<div/>"),
]
WRONG = [
    ("base64Binary", "YWJ", "groups of four"),
    ("base64Binary", "YWJj" + " " * 5000 + "*", "groups of four"),
    ("boolean", 1, "true or false"),
    ("canonical", "a b", "without spaces"),
    ("code", "a  b", "doubled spaces"),
    ("code", " a", "leading"),
    ("decimal", "1", "without quotes"),
    ("decimal", False, "not a number"),
    ("decimal", Decimal("NaN"), "JSON can carry"),
    ("decimal", float("-inf"), "JSON can carry"),
    ("id", "患者", "1 to 64"),
    ("integer", 1.0, "without a decimal point"),
    ("integer", 2**31, "outside"),
    ("markdown", "", "empty"),
    ("oid", "2.16.156", "urn:oid:"),
    ("oid", "urn:oid:2.016", "urn:oid:"),
    ("positiveInt", 0, "outside 1 to"),
    ("string", "a\x07", "control characters"),
    ("string", {}, "not text"),
    ("unsignedInt", -1, "outside 0 to"),
    ("uri", "a\nb", "without spaces"),
    ("uuid", "urn:uuid:0F8FAD5B-D9CB-469F-A165-70867728950E", "lower-case"),
    ("xhtml", "", "empty"),
    ("date", "2026-02-30", "no day 2026-02-30"),
    ("dateTime", "2026-02-03T08:30", "without a zone"),
    ("instant", "2026-02-03T08:30:00.5", "without a zone"),
    ("date", "2026-02-03T08:30:00", "is not a date as YYYY"),
    ("dateTime", "3.2.2026", "is not a date"),
]


@pytest.mark.parametrize(("kind", "value"), RIGHT)
def test_right_values_pass(kind, value):
    assert primitives.fault(kind, value) is None


@pytest.mark.parametrize(("kind", "value", "text"), WRONG)
def test_wrong_values_get_a_sentence(kind, value, text):
    sentence = primitives.fault(kind, value)
    assert text in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 250


def test_every_primitive_of_r4_is_known():
    known = {*primitives.PATTERNS, *primitives.WHOLE_NUMBERS, "boolean", "decimal"}
    assert known == types.PRIMITIVES


def test_a_decimal_is_shown_as_a_person_writes_it():
    assert primitives.shown(Decimal("1.50")) == "1.50"
    assert primitives.shown("x" * 500).endswith("…")
