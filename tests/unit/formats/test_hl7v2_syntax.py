"""Escapes: what a doctor wrote is what is read, and nothing that is no escape is swallowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.hl7v2 import is_null, parse
from gateway.formats.hl7v2_syntax import Delimiters

STANDARD = Delimiters()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10\\S\\9/L", "10^9/L"),
        ("a\\F\\b\\T\\c\\R\\d\\E\\e", "a|b&c~d\\e"),
        ("\\E\\R\\", "\\R\\"),
        ("\\E\\.br\\E\\", "\\.br\\"),
        ("x\\.br\\y\\.BR\\z", "x\ny\nz"),
        ("a\\.sp3\\b\\.sk 2\\c\\.in+4\\d\\.ti-2\\\\.fi\\e\\.nf\\\\.ce\\f", "a\n\n\nb  cde\nf"),
        ("\\H\\重要\\N\\", "重要"),
        ("\\X0D0A\\", "\r\n"),
        ("\\X0d\\\\X0a\\", "\r\n"),
        ("\\XE5BCA0\\", "张"),
        ("\\XE5\\\\XBC\\\\XA0\\三", "张三"),
        ("\\XD5C5C8FD\\", "张三"),
        ("\\XFF\\", "\\XFF\\"),
        ("\\X0\\", "\\X0\\"),
        ("\\XZZ\\", "\\XZZ\\"),
        ("C:\\temp\\new\\file", "C:\\temp\\new\\file"),
        ("\\Z01\\\\C2842\\\\M2842\\", "\\Z01\\\\C2842\\\\M2842\\"),
        ("\\", "\\"),
        ("\\\\", "\\\\"),
        ("100\\P\\", "100#"),
        ("a\\.sp9999\\b", "a" + "\n" * 200 + "b"),
        ("plain", "plain"),
    ],
)
def test_escapes(text, expected):
    assert STANDARD.unescape(text) == expected


def test_hexadecimal_escapes_are_read_in_the_charset_of_the_message():
    message = parse("MSH|^~\\&|HIS\rPID|1||||\\XD1AA\\\\XD1B9\\", encoding="gb18030")
    assert message.segments[1].value(5) == "血压"
    assert Delimiters(encoding="latin-1").unescape("\\XE9\\") == "é"
    assert Delimiters(encoding="utf-8").unescape("\\XD5C5\\") == "\\XD5C5\\"
    assert Delimiters(encoding="nonsense").unescape("\\XD5C5\\") == "\\XD5C5\\"


@pytest.mark.parametrize(
    "delimiters", [STANDARD, Delimiters("$", "%", "*", "!", "@"), Delimiters(truncation="#", encoding="gb18030")]
)
@given(text=st.text(max_size=60))
def test_what_is_escaped_comes_back(delimiters, text):
    escaped = delimiters.escape_text(text)
    assert delimiters.unescape(escaped) == text
    assert not set(escaped) & {
        delimiters.field,
        delimiters.component,
        delimiters.repetition,
        "\r",
        "\n",
        "\x0b",
        "\x1c",
    }


@given(st.text(st.sampled_from("\\XFSTREPHN.brsp019ABC &^"), max_size=80))
def test_any_text_can_be_unescaped(text):
    STANDARD.unescape(text)


@pytest.mark.parametrize(
    "text", ["\\" * 200_000, "\\X" + "41" * 200_000, "\\X41\\" * 50_000, "\\.sp" * 50_000, "\\E\\" * 60_000]
)
def test_deep_escapes_take_one_pass(text):
    assert STANDARD.unescape(text)


def test_the_hl7_null_is_known():
    assert is_null('""')
    assert not is_null("")
