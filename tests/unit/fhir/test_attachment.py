"""Base64 in parts, what kind of file bytes are, and which kinds a browser would run."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fhir import attachment


@given(st.binary(max_size=600))
def test_reads_what_base64_stands_for(content):
    text = base64.b64encode(content).decode()
    assert attachment.is_base64(text)
    assert attachment.size_of(text) == len(content)
    assert b"".join(attachment.decoded(text)) == content


def test_decodes_large_content_in_parts():
    content = bytes(range(256)) * 4000
    parts = list(attachment.decoded(base64.b64encode(content).decode()))
    assert b"".join(parts) == content
    assert {len(part) for part in parts[:-1]} == {attachment.PART_CHARS // 4 * 3}


@pytest.mark.parametrize("text", ["A", "AAA", "AA=A", "A===", "AAA!", "AA==AAAA", "甲甲甲甲", "AAAA\n"])
def test_what_is_no_base64_is_not_decoded(text):
    assert not attachment.is_base64(text)
    with pytest.raises(ValueError, match=r"base64|[Pp]adding|data|characters"):
        list(attachment.decoded(text))


@given(st.text(alphabet="AB+/=\n 甲", max_size=40))
def test_believes_only_what_can_be_decoded(text):
    if attachment.is_base64(text):
        assert len(b"".join(attachment.decoded(text))) == attachment.size_of(text)


@pytest.mark.parametrize(
    ("head", "media"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"RIFF\0\0\0\0WEBPVP8", "image/webp"),
        (b"BM\x36\0\0\0\0\0\0\0", "image/bmp"),
        (b"\0" * 128 + b"DICM", "application/dicom"),
        (b"{\\rtf1", "application/rtf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"\xef\xbb\xbf <!DOCTYPE html>", "text/html"),
        (b"<!-- a --> <HTML>", "text/html"),
        (b"<?xml version='1.0'?><a/>", "application/xml"),
        (b"<?xml version='1.0'?><SVG onload=''>", "image/svg+xml"),
        (b"<svg>", "image/svg+xml"),
        (b"BM and other words", ""),
        (b"plain words", ""),
        (b"", ""),
    ],
)
def test_tells_files_by_their_beginning(head, media):
    assert attachment.sniff(head) == media


@given(st.binary(max_size=200))
def test_any_beginning_is_told_without_a_fault(head):
    found = attachment.sniff(head)
    assert not found or attachment.is_media_type(found)


@pytest.mark.parametrize(
    ("declared", "found", "contradiction"),
    [
        ("application/pdf", "application/pdf", False),
        ("Application/PDF", "application/pdf", False),
        ("application/pdf", "image/png", True),
        ("image/png", "text/html", True),
        ("text/plain", "text/html", False),
        ("application/octet-stream", "image/png", False),
        ("", "image/png", False),
        ("text/plain", "", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip", False),
        ("application/pdf", "application/zip", True),
        ("application/msword", "application/x-ole-storage", False),
        ("text/rtf", "application/rtf", False),
        ("application/fhir+xml", "application/xml", False),
        ("image/jpg", "image/jpeg", False),
    ],
)
def test_a_type_contradicts_bytes_only_where_both_cannot_be(declared, found, contradiction):
    assert attachment.contradicts(declared, found) is contradiction


def test_only_passive_types_are_shown():
    shown = ["application/pdf", "image/png", "IMAGE/JPEG", "text/plain", "audio/mpeg"]
    saved = ["text/html", "image/svg+xml", "application/xhtml+xml", "application/xml", "text/xml", "x/y", ""]
    assert all(map(attachment.may_be_shown, shown))
    assert not any(map(attachment.may_be_shown, saved))


def test_media_types_cannot_smuggle_headers():
    assert attachment.is_media_type("application/vnd.oasis.opendocument.text")
    for text in ("text/html\r\nset-cookie: a", "text", "text/", "text/a;b=c", "文/本", "a/" + "b" * 101):
        assert not attachment.is_media_type(text)


def test_the_beginning_of_what_is_no_base64_is_empty():
    assert attachment.head_of("!!!!") == b""
    assert attachment.head_of(base64.b64encode(b"%PDF-" + b"x" * 5000).decode()).startswith(b"%PDF-")
