"""Other delimiters are rewritten, so one engine reads all senders."""

from gateway.formats import hl7v2
from gateway.mapping.normal import standard_fields


def fields(text, name="PID"):
    return standard_fields(hl7v2.parse(text).first(name))


def test_standard_fields_are_as_sent():
    assert fields("MSH|^~\\&|A\rPID|1||7^^^H&1\r")[3] == "7^^^H&1"


def test_other_delimiters_become_standard_and_standard_characters_are_escaped():
    text = "MSH*:!?@*A\rPID*1**7:::H@1!8*a|b^c?F?d\r"
    assert fields(text)[3] == "7^^^H&1~8"
    assert fields(text)[4] == "a\\F\\b\\S\\c\\F\\d"
    assert fields(text, "MSH")[1] == "*"
