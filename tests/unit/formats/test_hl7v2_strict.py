"""The strict judge: hl7apy's findings in our words, and no exception whatever is fed to it."""

import pytest

from gateway.formats import hl7v2_strict
from gateway.formats.hl7v2_syntax import Delimiters

GOOD = (
    "MSH|^~\\&|HIS|YY|GW|YG|20240101||ADT^A01^ADT_A01|1|P|2.5\rEVN||20240101\r"
    "PID|1||P1^^^HIS||张三||19800101|M\rPV1|1|O"
)


def test_a_valid_message_has_no_errors():
    assert [issue for issue in hl7v2_strict.judge(GOOD) if issue.severity == "error"] == []


def test_findings_have_a_place_and_a_sentence():
    issues = hl7v2_strict.judge(GOOD.replace("|O", "|"))
    assert ("PV1-2", "error", "Strict check: Missing required child PV1.PV1_2.") in [
        (i.where, i.severity, i.text) for i in issues
    ]


@pytest.mark.parametrize("msh2", ["^~\\\\&", "^~\\&#"])
def test_odd_encoding_characters_do_not_hide_the_rest(msh2):
    issues = hl7v2_strict.judge(GOOD.replace("^~\\&", msh2).replace("|O", "|"))
    assert any(issue.where == "PV1-2" for issue in issues)


@pytest.mark.parametrize(
    "text", ["", "PID|1", "MSH|^~\\&", "MSH|^~\\&|||||||XXX^YYY|1|P|9.9\rQQQ|1", "MSH|^~\\&|" + "\x00" * 50]
)
def test_nothing_makes_it_raise(text):
    assert hl7v2_strict.judge(text)


def test_other_delimiters_are_judged_too():
    text = GOOD.translate(str.maketrans("|^", "$%"))
    assert not [issue for issue in hl7v2_strict.judge(text) if issue.severity == "fatal"]
    assert Delimiters().msh2 == "^~\\&"
