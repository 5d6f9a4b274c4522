"""The condition interpreter, on the forms the guide really uses."""

import pytest

from tools.guide.conditions import Unreadable, holds, parse

VALUES = {
    "": ["own"],
    "PID-3.1": ["7"],
    "PID-11": ["a", "b"],
    "PID-7": ["199001010830"],
    "ROL-3": ["PP^x^HL70443"],
    "ROL-3.1": ["PP"],
    "ROL-3.3": ["HL70443"],
    "OBX-2": ["SN"],
    "OBX-33": ["one"],
    "PID-12": ["430400"],
    "PID-11.9": ["430400"],
    "CWE.1": ["x"],
}


def lookup(ref):
    return VALUES.get(ref, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("IF PID-3.1 VALUED", True),
        ("IF PID-3.1 IS NOT VALUED", False),
        ("IF PID-4 NOT VALUED", True),
        ("IF PV1-20 VALUE", False),
        ("If CWE.1 IS VALUED", True),
        ("IF XCN.19 DOES NOT EXIST AND IF XCN.20 DOES NOT EXIST", True),
        ("IF XCN.19 NOT VALUED XCN.20 NOT VALUED", True),
        ("IF TQ1-3.9 IS EMPTY", True),
        ('IF ROL-3 IS "PP"', True),
        ('IF ROL-3.1 EQUALS "PP" AND ROL-3.3 EQUALS "HL70443"', True),
        ('IF ROL-3.3 EQUALS "HL70443" AND ROL-3.1 IS NOT "PP"', False),
        ('IF OBX-2="SN"', True),
        ("IF OBX-2 IN (\"ST\", 'SN')", True),
        ('IF OBX-2 NOT IN ("ST", "TX")', True),
        ('IF OBX-29 NOT IN ("QST")', True),
        ("IF PID-11 LST.COUNT GREATER THAN 1", True),
        ("IF PID-11 LST.count LESS THAN OR EQUALS 1", False),
        ("IF OBX-33 COUNT=1", True),
        ("IF OBX-33 COUNT>1", False),
        ("IF PID-7 LENGTH GREATER THAN 8", True),
        ("IF PID-33 AND PID-34 VALUED", False),
        ("IF PRT-5 OR PID-7 IS VALUED", True),
        ("IF PRT-5 AND PRT-6 AREA NOT VALUED", True),
        ("IF (PID-4 VALUED OR PID-7 VALUED) AND PID-11 VALUED", True),
        ('IF IAM-15 VALUED AND NOT "SEL"', False),
        ('IF PID-3.1 VALUED AND NOT "7"', False),
        ("IF NOT VALUED", False),
        ('IF NOT VALUED OR NOT IN ("ISO")', True),
        ('IF NOT EQUAL TO "="', True),
        ("IF PID-11.9 NOT EQUALS PID-12", False),
        ("IF CX.4 IN http://hl7.org/fhir/identifier-registry.html", False),
        ('IF (OBX-2 EQUALS "SN"  AND PID-3.1 EQUALS "7"', True),
    ],
)
def test_forms_of_the_guide(text, expected):
    assert holds(parse(text), lookup) is expected


@pytest.mark.parametrize("text", ["IF PID-3 %", "IF PID-3 AND", "IF PID-3 VALUED NOT VALUED"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(Unreadable):
        parse(text)
