"""Turns the bytes of a sender into text: pinned charset first, then evidence, then the header; never a guess."""

import re
from dataclasses import dataclass, field

from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.formats import charset_evidence as evidence

# HL7 table 0211 and what senders really write (china.md 5.1), normalised by `_key`, and the codec that reads it.
_CODECS = {
    "GB18030": "gb18030",
    "GB180302000": "gb18030",
    "GB180302005": "gb18030",
    "GB180302022": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "GB231280": "gb18030",
    "GB23121980": "gb18030",
    "EUCCN": "gb18030",
    "CP936": "gb18030",
    "MS936": "gb18030",
    "936": "gb18030",
    "WINDOWS936": "gb18030",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "65001": "utf-8",
    "UNICODEUTF16": "utf-16",
    "UTF16": "utf-16",
    "UTF16LE": "utf-16-le",
    "UTF16BE": "utf-16-be",
    "ASCII": "ascii",
    "USASCII": "ascii",
    "ANSI": "ascii",
    "BIG5": "big5hkscs",
    "BIG5HKSCS": "big5hkscs",
    "WINDOWS1252": "cp1252",
    "CP1252": "cp1252",
}
_CODECS.update({f"8859{n}": f"iso8859-{n}" for n in (*range(1, 12), 13, 14, 15, 16)})
_CODECS.update({f"ISO8859{n}": f"iso8859-{n}" for n in (*range(1, 12), 13, 14, 15, 16)})
_CODECS.update({f"LATIN{n}": f"iso8859-{n}" for n in (1, 2)})
_NOT_ALNUM = re.compile(r"[^0-9A-Z]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PLAUSIBLE = 0.5
_SOME_CHINESE = 0.3
_HEADER_CAP = 4096
_MSH_CHARSET = 17  # index of MSH-18 when the line is split at its own separator


class Undecodable(GatewayError):
    """The bytes are not text in any charset that the feed, the header or the bytes themselves support."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(text, where=f"byte {offset}")
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the Python codec that read it (`ascii`, `utf-8`, `gb18030`, …), and what was odd about it."""

    text: str
    encoding: str
    issues: list[Issue] = field(default_factory=list)


def canonical(name: str | None) -> str | None:
    """Return the Python codec for a charset name as senders and HL7 table 0211 write it, or None if unknown."""
    return _CODECS.get(_key(name)) if name else None


def decode(raw: bytes, pinned: str | None = None, declared: str | None = None) -> Decoded:
    """Return the bytes as text; raises `Undecodable` with the byte offset rather than replace or guess.

    A pinned charset (the feed's) is binding. Else the bytes decide, and the declared name (MSH-18) only breaks ties.
    """
    if pinned:
        return _pinned(raw, pinned)
    if raw.isascii():
        return Decoded(raw.decode("ascii"), "ascii")
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return _checked(_strict(raw[len(bom) :], encoding, len(bom)), encoding, declared)
    text, encoding = _detect(raw, canonical(declared))
    return _checked(text, encoding, declared)


def sniff_hl7(raw: bytes) -> str | None:
    """Return the charset name that MSH-18 declares (or MSH-17 when it was put there), or None; tolerates any bytes."""
    start = raw.find(b"MSH", 0, 64)
    if start < 0 or len(raw) < start + 9:
        return None
    header = re.split(rb"[\r\n]", raw[start : start + _HEADER_CAP], maxsplit=1)[0]
    cells = header.split(header[3:4])
    repetition = cells[1][1:2] or b"~"
    for index in (_MSH_CHARSET, _MSH_CHARSET - 1, _MSH_CHARSET + 1, _MSH_CHARSET + 2):
        name = _first_known(cells[index].split(repetition)) if index < len(cells) else None
        if name:
            return name
    return None


def _first_known(cells: list[bytes]) -> str | None:
    names = [cell.decode("ascii", "replace").strip() for cell in cells]
    known = [name for name in names if canonical(name)]
    return next((name for name in known if canonical(name) != "ascii"), known[0] if known else None)


def _key(name: str) -> str:
    return _NOT_ALNUM.sub("", name.upper())


def _pinned(raw: bytes, pinned: str) -> Decoded:
    encoding = canonical(pinned)
    if encoding is None:
        raise GatewayError(
            f"The feed pins the charset '{pinned}', which is not known; use UTF-8, GB18030, BIG5, ASCII or 8859/1."
        )
    bom = next((bom for bom, codec in _BOMS if codec == encoding and raw.startswith(bom)), b"")
    return _checked(_strict(raw[len(bom) :], encoding, len(bom)), encoding, None)


def _strict(raw: bytes, encoding: str, shift: int = 0) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        seen = raw[error.start : error.start + 4].hex(" ")
        raise Undecodable(
            f"The bytes {seen} at offset {error.start + shift} are not {encoding.upper()}. Ask the sender which "
            "charset it uses and pin it for this feed; the original bytes are kept.",
            error.start + shift,
        ) from error


def _detect(raw: bytes, declared: str | None) -> tuple[str, str]:
    """Return text and codec for non-ASCII bytes without a byte order mark."""
    if declared in ("utf-16", "utf-16-le", "utf-16-be") and b"\x00" in raw[:_HEADER_CAP]:
        return _strict(raw, declared), declared
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, declared, error.start)
    return (text, "utf-8") if evidence.wide(text) else _short_utf8(raw, text, declared)


def _short_utf8(raw: bytes, text: str, declared: str | None) -> tuple[str, str]:
    """Decide over bytes that are valid UTF-8 without any Chinese: 血压 in GBK also reads as two Cyrillic letters."""
    if evidence.only_units(text):
        return text, "utf-8"
    try:
        chinese = raw.decode("gb18030")
    except UnicodeDecodeError:
        return text, "utf-8"
    if evidence.frequent(chinese):
        return chinese, "gb18030"
    if declared == "utf-8" or evidence.latin_words(text) or evidence.chinese_share(chinese) < _PLAUSIBLE:
        return text, "utf-8"
    if declared == "gb18030":
        return chinese, "gb18030"
    raise _ambiguous(raw, "UTF-8", "GB18030")


def _not_utf8(raw: bytes, declared: str | None, offset: int) -> tuple[str, str]:
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError as error:
        return _other(raw, declared, max(offset, error.start))
    if declared in (None, "gb18030", "utf-8", "ascii"):
        return _gb(raw, text, declared)
    return _gb_or_other(raw, text, declared)


def _gb(raw: bytes, text: str, declared: str | None) -> tuple[str, str]:
    if declared == "gb18030" or evidence.some_frequent(text):
        return text, "gb18030"
    if evidence.european_runs(raw) > _PLAUSIBLE > evidence.chinese_share(text):
        raise _ambiguous(raw, "GB18030", "8859/1")
    return text, "gb18030"


def _gb_or_other(raw: bytes, text: str, declared: str) -> tuple[str, str]:
    """Decide between GB18030 and a declared 8859/x or BIG5: the header is often a default nobody looked at."""
    if declared == "big5hkscs":
        return _strict(raw, declared), declared
    european = evidence.european_runs(raw)
    share = evidence.chinese_share(text)
    if share >= _SOME_CHINESE > european and (evidence.frequent(text) or _several(text)):
        return text, "gb18030"
    if european > _PLAUSIBLE > share:
        return _strict(raw, declared), declared
    raise _ambiguous(raw, "GB18030", declared)


def _several(text: str) -> bool:
    return sum(char > "\x7f" for char in text) >= 2


def _other(raw: bytes, declared: str | None, offset: int) -> tuple[str, str]:
    if declared == "big5hkscs":
        return _strict(raw, declared), declared
    if declared and declared not in ("gb18030", "utf-8", "ascii") and evidence.european_runs(raw) > _PLAUSIBLE:
        return _strict(raw, declared), declared
    seen = raw[offset : offset + 4].hex(" ")
    raise Undecodable(
        f"The bytes {seen} at offset {offset} are neither UTF-8 nor GB18030 (a text cut in the middle of a character, "
        "or another charset). Ask the sender, or pin the charset for this feed; the original bytes are kept.",
        offset,
    )


def _ambiguous(raw: bytes, one: str, two: str) -> Undecodable:
    offset = next(index for index, byte in enumerate(raw) if byte > 0x7F)
    seen = raw[offset : offset + 4].hex(" ")
    return Undecodable(
        f"The bytes {seen} at offset {offset} can be read as {one} and as {two}, and the rest of the message does not "
        "tell which. Pin the charset for this feed; the original bytes are kept.",
        offset,
    )


def _checked(text: str, encoding: str, declared: str | None) -> Decoded:
    issues = [_garble_issue(garble) for garble in evidence.garbles(text)]
    expected = canonical(declared)
    if expected not in (None, encoding, "ascii") and not text.isascii():
        issues.append(
            Issue(
                "information",
                "informational",
                f"The header declares '{declared}', but the bytes are {encoding.upper()}; it was read as that.",
                "MSH[1]-18",
            )
        )
    return Decoded(text, encoding, issues)


def _garble_issue(garble: evidence.Garble) -> Issue:
    meant = f"probably '{garble.meant}'" if garble.meant else "the original characters are lost"
    return Issue(
        "warning",
        "value",
        f"'{garble.found}' was read in the wrong charset before it was sent to us: {meant}. Nothing is matched on it.",
        f"character {garble.offset}",
    )
