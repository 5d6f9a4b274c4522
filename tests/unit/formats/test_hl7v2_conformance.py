"""Conformance: deviations named by field, quickly, and never worse than a warning."""

import pytest

from gateway.formats import hl7v2_conformance, hl7v2_tables
from gateway.formats.hl7v2 import parse

MSH = "MSH|^~\\&|HIS|YY|GW|YG|20240101||{type}|1|P|{version}\r"
GOOD = "EVN||20240101\rPID|1||P1^^^HIS^PI||张三||19800101|M\rPV1|1|O\r"


def findings(body: str, type_: str = "ADT^A04", version: str = "2.5") -> list[tuple[str, str]]:
    issues = hl7v2_conformance.check(parse(MSH.format(type=type_, version=version) + body))
    assert all(issue.severity in ("warning", "information") for issue in issues)
    return [(issue.where, issue.text) for issue in issues]


def test_a_good_message_has_no_findings():
    assert findings(GOOD) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GOOD.replace("P1^^^HIS^PI", ""), ("PID[1]-3", "PID-3 Patient identifier list is required and empty.")),
        (GOOD.replace("|O\r", "|\r"), ("PV1[1]-2", "PV1-2 Patient class is required and empty.")),
        (GOOD.replace("19800101", "1980-01-01"), ("PID[1]-7", "PID-7 Date time of birth is not a timestamp (YYYYMMDDHHMMSS): '1980-01-01'.")),
        (GOOD.replace("19800101", "19800231"), ("PID[1]-7", "PID-7 Date time of birth is not a timestamp (YYYYMMDDHHMMSS): '19800231'.")),
        (GOOD.replace("|M\r", "|M~F\r"), ("PID[1]-8", "PID-8 Administrative sex may occur 1 time(s), 2 came.")),
        (GOOD.replace("PID|1|", "PID|A|"), ("PID[1]-1", "PID-1 Set ID PID is not a sequence number (0 to 9999): 'A'.")),
        (GOOD.replace("EVN||20240101\r", ""), ("MSH[1]", "EVN is required in ADT_A01 and missing.")),
        (GOOD + "PV1|2|O\r", ("PV1[2]", "PV1 stands later than ADT_A01 2.5 allows, or too often.")),
        (GOOD + "OBX|1|NM|K||high||||||F\r", ("OBX[1]-5", "OBX-5 Observation value is not a number though OBX-2 says NM: 'high'.")),
        (GOOD + "IN2|1\r", ("IN2[1]", "IN2 came without the segment that begins its group in ADT_A01 2.5.")),
        (GOOD + "RXA|0|1|20240101|20240101|X|1\r", ("RXA[1]", "ADT_A01 2.5 has no place for RXA.")),
        (GOOD.replace("|O\r", "|O" + "|" * 60 + "x\r"), ("PV1[1]-53", "PV1 has 62 fields; 2.5 knows 52.")),
    ],
)  # fmt: skip
def test_findings_name_the_field(body, expected):
    assert expected in findings(body)


@pytest.mark.parametrize(
    "value",
    [
        "2024",
        "202401",
        "20240131",
        "2024013112",
        "202401311259",
        "20240131125959",
        "20240131125959.1234+0800",
        '""',
        "19800101^D",
    ],
)
def test_good_timestamps(value):
    assert findings(GOOD.replace("19800101", value)) == []


@pytest.mark.parametrize(("kind", "good", "bad"), [
    ("NM", "5.10~-3~+.5", "<5"), ("DT", "20240131", "2024013108"), ("TM", "0830~083059.12+0800", "8:30"), ("TS", "20240131", "24.01.31"), ("ST", "<5", None),
])  # fmt: skip
def test_results_are_checked_by_their_own_type(kind, good, bad):
    body = GOOD + "OBX|1|{}|K||{}||||||F\r"
    assert findings(body.format(kind, good)) == []
    assert bad is None or findings(body.format(kind, bad))[0][0] == "OBX[1]-5"


def test_missing_groups_and_unknown_structures_are_told():
    assert ("MSH[1]", "The group PATIENT_RESULT is required in ORU_R01 and missing.") in findings("", "ORU^R01")
    assert findings("", "XYZ^Q99") == [
        ("MSH[1]-9", "No message structure is known for XYZ^Q99; segments were not grouped.")
    ]
    assert findings("PID|1||P1||X\rORC|NW\rNTE|1||x\r", "ORM^O01", "2.4") == []


def test_an_unknown_version_is_judged_by_the_newest():
    assert findings(GOOD, version="2.9")[0] == ("MSH[1]-12", "Version '2.9' is not known; 2.8.2 was taken.")


def test_a_very_bad_message_is_not_a_very_long_list():
    assert len(findings(GOOD + "OBX|x\r" * 500)) == 100


def test_names_of_fields():
    assert hl7v2_tables.field_name("PID", 5, "2.4") == "Patient name"
    assert hl7v2_tables.field_name("PID", 19, "2.4") == "SSN number patient"
    assert hl7v2_tables.field_name("PID", 99, "2.4") == ""
    assert hl7v2_tables.field_name("SPM", 4, "2.3") == "Specimen type"
    assert hl7v2_tables.field_name("ZZZ", 1, "2.4") == ""


def test_a_segment_that_no_version_knows_is_left_alone():
    assert findings(GOOD + "QQQ|1\r") == [("QQQ[1]", "ADT_A01 2.5 has no place for QQQ.")]
