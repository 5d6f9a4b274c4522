"""Reads only the MSH of a message from its bytes: who sent what to whom, for routing, duplicates and the answer."""

import re
from dataclasses import dataclass

from gateway.formats import charset
from gateway.formats.hl7v2_cut import cut
from gateway.formats.hl7v2_syntax import Delimiters, NotHl7, component, read_delimiters

_LEADING = b"\xef\xbb\xbf\x0b\r\n\t \x00"
_HEADER_CAP = 8192
_LINE_END = re.compile(rb"[\r\n\x1c]")
_VERSION = re.compile(r"[0-9.]*(?:\^|$)")
_MSH_MOST = 26  # MSH-25 is the last field of 2.8; more of them mean that segments are glued to the header
_UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """The header of one message; text values are unescaped first components, `fields` is MSH raw (index = number).

    `event`, `structure` and `charset` may be ''. Bytes that cannot be read in any charset stay as surrogate escapes, so
    that the answer carries them back unchanged.
    """

    sending_app: str
    sending_facility: str
    receiving_app: str
    receiving_facility: str
    time: str
    type: str
    event: str
    structure: str
    control_id: str
    processing_id: str
    version: str
    sequence: str
    accept_ack: str
    app_ack: str
    charset: str
    delimiters: Delimiters
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Return the raw field MSH-`number`, '' when absent."""
        return self.fields[number] if number < len(self.fields) else ""


def read(raw: bytes, pinned: str | None = None) -> Envelope:
    """Return the envelope of the message; `pinned` is the feed's charset when it is known. Raises NotHl7."""
    line = _line(raw)
    declared = charset.sniff_hl7(line)
    text = line.decode("ascii") if line.isascii() else _text(line, pinned, declared)
    delimiters, _odd = read_delimiters(text[:12])
    cells = text.split(delimiters.field)
    if len(cells) > _MSH_MOST or (len(cells) > 11 and not _VERSION.match(cells[11])):
        cells = cut(text, delimiters.field)[0][0].split(delimiters.field)
    cells.insert(1, delimiters.field)
    return _envelope(cells, delimiters, declared or "")


def _envelope(cells: list[str], delimiters: Delimiters, declared: str) -> Envelope:
    cells_16 = cells + [""] * (17 - len(cells))

    def part(number: int, which: int = 1) -> str:
        raw = cells_16[number]
        if not raw:
            return ""
        return delimiters.unescape(component(raw.split(delimiters.repetition, 1)[0], which, delimiters)).strip()

    return Envelope(
        sending_app=part(3),
        sending_facility=part(4),
        receiving_app=part(5),
        receiving_facility=part(6),
        time=part(7),
        type=part(9),
        event=part(9, 2),
        structure=part(9, 3),
        control_id=cells_16[10],
        processing_id=part(11),
        version=part(12),
        sequence=part(13),
        accept_ack=part(15),
        app_ack=part(16),
        charset=declared,
        delimiters=delimiters,
        fields=tuple(cells),
    )


def _line(raw: bytes) -> bytes:
    """Return the bytes of the MSH line; only the first 8 KiB are looked at."""
    head = raw[:_HEADER_CAP]
    if head[:2] in _UTF16:
        head = head[: len(head) // 2 * 2].decode("utf-16", "replace").encode("utf-8")
    if not head.startswith(b"MSH"):
        head = head.lstrip(_LEADING)
        if not head.startswith(b"MSH"):
            raise NotHl7(_why_not(head), where="MSH[1]")
    end = _LINE_END.search(head)
    return head[: end.start()] if end else head


def _text(line: bytes, pinned: str | None, declared: str | None) -> str:
    try:
        return charset.decode(line, pinned, declared).text
    except charset.Undecodable:
        return line.decode("ascii", "surrogateescape")


def _why_not(head: bytes) -> str:
    if not head:
        return "The message is empty."
    return f"An HL7 v2 message begins with MSH; this begins with {head[:20]!r}."
