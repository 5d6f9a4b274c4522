"""Result values as laboratories really write them (china.md §5.2, case 20)."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def result(told):
    """Map one OBX: `result("NM", "5.10", unit="mmol/L")` gives the Observation and the issues."""

    def give(kind, raw, unit="", ranges="", flag="", status="F"):
        line = f"OBX|1|{kind}|WBC^白细胞^L||{raw}|{unit}|{ranges}|{flag}|||{status}"
        mapped = told("ORU^R01", "PID|1||7", "OBR|1|A1|B1|CBC|||20260102", line)
        found = [draft.body for draft in mapped.drafts if draft.type == "Observation"]
        return found[0], mapped

    return give


def q(value, unit="mmol/L", **more):
    units = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit} if unit else {}
    return {"valueQuantity": {"value": Decimal(value), **more, **units}}


@pytest.mark.parametrize(
    ("kind", "raw", "unit", "expected"),
    [
        ("NM", "5.10", "mmol/L", q("5.10")),
        ("NM", "<0.01", "mmol/L", q("0.01", comparator="<")),
        ("NM", "≥1000", "mmol/L", q("1000", comparator=">=")),
        ("NM", "-0.5", "", q("-0.5", "")),
        ("ST", "68", "/min", q("68", "/min")),
        ("ST", "68", "", {"valueString": "68"}),
        ("ST", "阴性(-)", "", {"valueString": "阴性(-)"}),
        ("ST", "+-", "", {"valueString": "+-"}),
        ("ST", "1:80", "", {"valueString": "1:80"}),
        ("", "1:80", "", {"valueRatio": {"numerator": {"value": Decimal(1)}, "denominator": {"value": Decimal(80)}}}),
        ("NM", "<1:80", "", {"valueRatio": {"numerator": {"value": Decimal(1), "comparator": "<"}, "denominator": {"value": Decimal(80)}}}),
        ("", "4.2", "mmol/L", q("4.2")),
        ("", "溶血", "", {"valueString": "溶血"}),
        ("NM", "1.2↑", "mmol/L", q("1.2") | {"interpretation": [{"text": "↑"}]}),
        ("NM", "3.5 *", "mmol/L", q("3.5") | {"interpretation": [{"text": "*"}]}),
        ("TX", "first\\.br\\second~third", "", {"valueString": "first\nsecond\nthird"}),
        ("XX", "a^b", "", {"valueString": "a b"}),
        ("SN", "^100", "mmol/L", q("100")),
        ("SN", ">^100", "mmol/L", q("100", comparator=">")),
        ("SN", "=^100", "mmol/L", q("100")),
        ("SN", "^1^:^128", "", {"valueRatio": {"numerator": {"value": Decimal(1)}, "denominator": {"value": Decimal(128)}}}),
        ("SN", "^5^-^10", "", {"valueRange": {"low": {"value": Decimal(5)}, "high": {"value": Decimal(10)}}}),
        ("SN", "<>^5", "mg/L", {"valueString": "<> 5 mg/L"}),
        ("SN", "^2^+", "", {"valueString": "2 +"}),
        ("SN", "~", "", {}),
        ("CE", "N^阴性^L", "", {"valueCodeableConcept": {"coding": [{"system": "https://yigong.example/fhir/codes/generic/l", "code": "N", "display": "阴性"}]}}),
        ("TS", "20260102083000", "", {"valueDateTime": "2026-01-02T08:30:00+08:00"}),
        ("DT", "20260231", "", {"valueString": "20260231"}),
        ("TM", "0830", "", {"valueTime": "08:30:00"}),
        ("DR", "20260101^20260102", "", {"valuePeriod": {"start": "2026-01-01", "end": "2026-01-02"}}),
        ("NR", "1^5", "", {"valueRange": {"low": {"value": Decimal(1)}, "high": {"value": Decimal(5)}}}),
        ("NR", "wide", "", {"valueString": "wide"}),
        ("CWE", "", "", {}),
        ("NM", '""', "", {}),
    ],
)  # fmt: skip
def test_value_by_type(result, kind, raw, unit, expected):
    body, _ = result(kind, raw, unit)
    told = {name: item for name, item in body.items() if name.startswith(("value", "interpretation", "component"))}
    assert told == expected


def test_text_that_should_be_a_number_is_kept_and_noted(result):
    body, mapped = result("NM", "见报告")
    assert body["valueString"] == "见报告"
    assert any(issue.where == "OBX[1]-5" and "NM" in issue.text for issue in mapped.issues)


def test_a_unit_without_a_number_is_left_over(result):
    _, mapped = result("ST", "阳性", "mg/L")
    assert [left.where for left in mapped.left if not left.kept] == ["OBX[1]-6"]


def test_repeated_values_become_components_with_the_same_code(result):
    body, _ = result("NM", "5~6", "mmol/L")
    assert "valueQuantity" not in body
    assert [part["valueQuantity"]["value"] for part in body["component"]] == [5, 6]
    assert all(part["code"] == body["code"] for part in body["component"])


def test_repetitions_without_a_value_are_nothing(result):
    body, _ = result("CWE", "~^^")
    assert not {"component", "valueCodeableConcept"} & body.keys()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("^AP^PDF^Base64^JVBERg==", {"contentType": "application/pdf", "data": "JVBERg=="}),
        ("^TEXT^^A^hello", {"contentType": "text/octet-stream", "data": "aGVsbG8="}),
        ("^IM^JPEG^Hex^FFD8", {"contentType": "image/jpeg", "data": "/9g="}),
    ],
)
def test_attached_data(result, raw, expected):
    body, _ = result("ED", raw)
    assert body["extension"][0]["valueAttachment"] == expected


def test_attached_data_that_is_not_what_it_says_is_noted(result):
    body, mapped = result("ED", "^AP^PDF^Base64^<Base64>")
    assert "extension" not in body
    assert any("encoding" in issue.text for issue in mapped.issues)


def test_a_pointer_is_a_url(result):
    body, _ = result("RP", "http://pacs/1^PACS^IM^DICOM")
    assert body["extension"][0]["valueAttachment"]["url"] == "http://pacs/1"


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [("3.5 - 5.3", "3.5", "5.3"), ("3.3--6.1", "3.3", "6.1"), ("7 ~ 40", "7", "40"), ("3.5～9.5", "3.5", "9.5"),
     ("<5", None, "5"), (">=3", "3", None), ("-1.5-2.0", "-1.5", "2.0"), ("男:3-5 女:2-4", None, None), ("阴性", None, None),
     ("9-1", None, None)],
)  # fmt: skip
def test_reference_ranges(result, raw, low, high):
    body, _ = result("NM", "4", "mmol/L", raw)
    found = body["referenceRange"][0]
    assert found["text"] == raw
    assert found.get("low", {}).get("value") == (Decimal(low) if low else None)
    assert found.get("high", {}).get("value") == (Decimal(high) if high else None)


def test_an_empty_range_is_none(result):
    body, _ = result("NM", "4", "", "[ ]")
    assert "referenceRange" not in body


@pytest.mark.parametrize(
    ("sent", "status"),
    [("F", "final"), ("C", "corrected"), ("P", "preliminary"), ("D", "entered-in-error"), ("W", "entered-in-error"),
     ("X", "entered-in-error"), ("R", "preliminary"), ("I", "registered"), ("U", "final"), ("", "unknown"), ("?", "unknown")],
)  # fmt: skip
def test_status(result, sent, status):
    body, _ = result("NM", "4", status=sent)
    assert body["status"] == status


def test_not_asked_says_why_there_is_no_value(result):
    body, _ = result("NM", "", status="N")
    assert body["dataAbsentReason"]["coding"][0]["code"] == "not-asked"


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["NM", "SN", "ST", "", "CE", "TS", "TM", "DR", "NR", "ED", "RP", "FT", "ZZ"]),
    raw=st.text(alphabet="0159.-+<>=:^&~\\阴↑E ", max_size=14),
    unit=st.sampled_from(["", "mmol/L", "10^9/L", "^^"]),
)
def test_no_value_makes_it_raise(told, kind, raw, unit):
    mapped = told("ORU^R01", "PID|1||7", "OBR|1|A1|B1|CBC", f"OBX|1|{kind}|WBC||{raw}|{unit}|{raw}|||F")
    assert mapped.populated >= mapped.mapped
