"""Attachments and Binary: base64 in parts, what kind of file some bytes are, and which kinds run code when shown."""

import base64
import binascii
import re
from collections.abc import Iterator

OCTETS = "application/octet-stream"
PART_CHARS = 4 << 16  # of base64; a multiple of four, so each part can be decoded by itself
_MEDIA = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,99}/[A-Za-z0-9][\w!#$&^.+-]{0,99}", re.ASCII)
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_HEAD = 512

# Beginnings of files (each format's own specification); the first that fits holds.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_MARKUP = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script|iframe|svg|\?xml)\b", re.I | re.S)

# Formats that are a zip, XML, OLE or plain text inside: the beginning says less than the declared type.
_WITHIN: dict[str, re.Pattern[str]] = {
    "application/zip": re.compile(r"application/(zip|epub\+zip|vnd\..*|java-archive|x-zip.*|ofd|.*\+zip)"),
    "application/xml": re.compile(r"(application|text)/(.*\+)?xml|image/svg\+xml|application/xhtml\+xml|text/.*"),
    "application/x-ole-storage": re.compile(r"application/(msword|vnd\.ms-.*|x-ole-storage|x-msi)"),
    "application/rtf": re.compile(r"(application|text)/(rtf|richtext|x-rtf)"),
    "image/jpeg": re.compile(r"image/(jpeg|jpg|pjpeg)"),
    "image/tiff": re.compile(r"image/(tiff|tif|x-tiff|dng|x-.*)"),
    "application/gzip": re.compile(r"application/(gzip|x-gzip|x-tgz|.*\+gzip)"),
    "text/html": re.compile(r"(text/html|application/xhtml\+xml|text/.*)"),
    "image/svg+xml": re.compile(r"(image/svg\+xml|(application|text)/xml)"),
}
_SHOWN = re.compile(r"application/pdf|image/(png|jpeg|gif|tiff|bmp|webp)|text/plain|audio/.+|video/.+")


def is_media_type(text: str) -> bool:
    """Say whether text is a media type, such as `application/pdf` (RFC 6838 4.2), without parameters."""
    return _MEDIA.fullmatch(text) is not None


def is_base64(text: str) -> bool:
    """Say whether text is base64 without blanks, whole groups of four (RFC 4648 4)."""
    return len(text) % 4 == 0 and _ALPHABET.fullmatch(text) is not None


def size_of(text: str) -> int:
    """Return how many bytes some base64 stands for."""
    return len(text) // 4 * 3 - (len(text) - len(text.rstrip("=")))


def decoded(text: str) -> Iterator[bytes]:
    """Yield the bytes of some base64 in parts of 196,608 bytes; raises ValueError where it is none."""
    if len(text) % 4:
        raise ValueError("base64 comes in groups of four characters")
    for start in range(0, len(text), PART_CHARS):
        try:
            yield base64.b64decode(text[start : start + PART_CHARS], validate=True)
        except binascii.Error as fault:
            raise ValueError(str(fault)) from None


def head_of(text: str) -> bytes:
    """Return the first bytes of some base64, enough to tell what it is; empty where it is none."""
    try:
        return base64.b64decode(text[: _HEAD // 3 * 4], validate=True)
    except binascii.Error:
        return b""


def sniff(head: bytes) -> str:
    """Return the media type the first bytes of a file tell, empty where they tell none."""
    found = next((media for magic, media in _MAGIC if head.startswith(magic)), "")
    if found:
        return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[128:132] == b"DICM":
        return "application/dicom"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    return _markup(head)


def contradicts(declared: str, found: str) -> bool:
    """Say whether a declared media type cannot be true of a file whose beginning tells another."""
    if not found or not declared or declared.lower() in (found, OCTETS):
        return False
    within = _WITHIN.get(found)
    return within is None or within.fullmatch(declared.lower()) is None


def may_be_shown(media: str) -> bool:
    """Say whether a browser shows files of this type without running anything in them (HTML and SVG it would run)."""
    return _SHOWN.fullmatch(media.lower()) is not None


def _markup(head: bytes) -> str:
    found = _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf"))
    if found is None:
        return ""
    word = found[1].lower()
    if word == b"svg" or (word == b"?xml" and b"<svg" in head.lower()):
        return "image/svg+xml"
    return "application/xml" if word == b"?xml" else "text/html"
