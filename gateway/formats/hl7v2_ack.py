"""Builds the answer to a message: MSH, MSA and, when something is wrong, ERR with the place and the reason."""

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.formats.charset import canonical
from gateway.formats.hl7v2_envelope import Envelope
from gateway.formats.hl7v2_syntax import Delimiters

# HL7 table 0357.
CONDITIONS = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "104": "Value too long",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}
_WHERE = re.compile(r"^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?)?$")
_SURROGATES = range(0xDC80, 0xDD00)
_LONG_ERR = (2, 5)


@dataclass(frozen=True, slots=True)
class AckError:
    """Why a message was not accepted: HL7 table 0357 code, a sentence for people, and the place as `PID[1]-5`."""

    code: str
    text: str
    where: str = ""
    severity: str = "E"


def build(
    envelope: Envelope | None,
    code: str,
    text: str = "",
    *,
    ack_id: str,
    time: str,
    error: AckError | None = None,
    encoding: str | None = None,
    control_id: str = "",
) -> bytes:
    """Return the acknowledgement with MSA-1 = `code` (AA, AE, AR, CA, CE, CR), in the message's own charset.

    `time` is an HL7 timestamp, `encoding` the codec the message was read with (else the declared one, else UTF-8);
    without an envelope (`envelope=None`) MSA-2 is `control_id`. Sources: HL7 v2.5.1 chapters 2.9 and 2.15.
    """
    delimiters = envelope.delimiters if envelope else Delimiters()
    segments = opening(envelope, code, text, ack_id=ack_id, time=time, error=error, control_id=control_id)
    codec = encoding or canonical(envelope.charset if envelope else "") or "utf-8"
    return written(segments, delimiters, codec)


def opening(
    envelope: Envelope | None,
    code: str,
    text: str = "",
    *,
    ack_id: str,
    time: str,
    error: AckError | None = None,
    control_id: str = "",
    answer_type: str = "",
) -> list[list[str]]:
    """Return the fields of MSH, MSA and ERR of an answer; `answer_type` is MSH-9 where it is no mere ACK."""
    delimiters = envelope.delimiters if envelope else Delimiters()
    segments = [
        _msh(envelope, delimiters, ack_id, time),
        ["MSA", code, envelope.field(10) if envelope else delimiters.escape_text(control_id)],
    ]
    if answer_type:
        segments[0][8] = answer_type
    if text:
        segments[1].append(delimiters.escape_text(text))
    if error:
        segments.append(_err(error, delimiters, _version(envelope)))
    return segments


def written(segments: Iterable[Sequence[str]], delimiters: Delimiters, codec: str) -> bytes:
    """Return segments as bytes; a character the charset lacks is named by its number, never printed as `?`."""
    return "".join(_line(cells, delimiters) + "\r" for cells in segments).encode(codec, _HANDLER)


def _line(cells: Sequence[str], delimiters: Delimiters) -> str:
    return delimiters.field.join(cells).rstrip(delimiters.field)


def _msh(envelope: Envelope | None, delimiters: Delimiters, ack_id: str, time: str) -> list[str]:
    if envelope is None:
        return ["MSH", delimiters.msh2, "", "", "", "", time, "", "ACK", ack_id, "P", "2.4"]
    header = envelope.field
    cells = ["MSH", delimiters.msh2, header(5), header(6), header(3), header(4), time, ""]
    cells += [_type(envelope), ack_id, header(11) or "P", header(12) or "2.4"]
    if envelope.charset:
        cells += ["", "", "", "", "", delimiters.escape_text(envelope.charset)]
    return cells


def _type(envelope: Envelope) -> str:
    """Return MSH-9: the trigger is echoed, the structure only to versions that know it (2.3.1 and later)."""
    if not envelope.event:
        return "ACK"
    delimiters = envelope.delimiters
    parts = ["ACK", delimiters.escape_text(envelope.event)]
    if _version(envelope) >= (2, 4) or envelope.structure:
        parts.append("ACK")
    return delimiters.component.join(parts)


def _version(envelope: Envelope | None) -> tuple[int, ...]:
    text = envelope.version if envelope else "2.4"
    return tuple(int(part) for part in text.split(".") if part.isdigit()) or (2, 4)


def _err(error: AckError, delimiters: Delimiters, version: tuple[int, ...]) -> list[str]:
    """Return ERR in the long form of 2.5 and later, or the one field of older versions."""
    place = _WHERE.match(error.where)
    groups = [group or "" for group in place.groups()] if place else []
    name = CONDITIONS.get(error.code, "Application internal error")
    if version >= _LONG_ERR:
        location = _join(_erl(groups), delimiters.component)
        condition = delimiters.component.join((error.code, name, "HL70357"))
        return ["ERR", "", location, condition, error.severity, "", "", "", delimiters.escape_text(error.text)]
    condition = delimiters.subcomponent.join((error.code, delimiters.escape_text(error.text), "HL70357"))
    return ["ERR", delimiters.component.join((*(groups[:3] or ("", "", "")), condition))]


def _erl(groups: list[str]) -> list[str]:
    """Return segment, sequence, field, repetition, component, sub-component of ERL (repetition 1 unless said)."""
    if len(groups) > 2 and groups[2]:
        groups = [*groups[:3], groups[3] or "1", *groups[4:]]
    return groups


def _join(parts: list[str], separator: str) -> str:
    return separator.join(parts).rstrip(separator)


def _unencodable(error: UnicodeError) -> tuple[bytes | str, int]:
    """Give back the sender's own undecoded bytes, and name other characters by number rather than print `?`."""
    assert isinstance(error, UnicodeEncodeError)
    char = error.object[error.start]
    if ord(char) in _SURROGATES:
        return bytes((ord(char) - 0xDC00,)), error.start + 1
    return f"[U+{ord(char):04X}]", error.start + 1


_HANDLER = "gateway-hl7v2-ack"
codecs.register_error(_HANDLER, _unencodable)
