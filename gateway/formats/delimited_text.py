"""Turns the bytes of a text table into text, line by line where the file as a whole has no one charset."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from gateway.fhir.issues import Issue
from gateway.formats import charset
from gateway.formats import charset_evidence as evidence
from gateway.formats.sheet_model import NotATable, lines_named

_UTF8_BOM = codecs.BOM_UTF8
_UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_BYTE_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPED = re.compile("[\udc00-\udcff]")
_SAMPLE = 4096
_CONVINCING = 0.5
_ESCAPE = "gateway-keep-byte"


@dataclass(frozen=True, slots=True)
class Text:
    """The text, the codec of most of it, what was odd, and the lines (1-based) that could not be read, with why.

    Bytes that are no character stand in the text as `\\xNN`.
    """

    text: str
    encoding: str
    issues: list[Issue] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)


def decode(raw: bytes, pinned: str | None = None, declared: str | None = None) -> Text:
    """Return the bytes as text: pinned charset, byte order mark, evidence of the whole, evidence of each line.

    `declared` is what the file says of itself (an HTML or XML header); it only breaks ties.

    Raises NotATable when the whole reads equally well in two charsets, GatewayError for a pinned charset nobody knows.
    """
    for bom, encoding in _UTF16_BOMS.items():
        if raw.startswith(bom):
            return _cleaned(_escaping(raw[2:], encoding))
    unmarked = _utf16_without_mark(raw)
    if unmarked and not pinned:
        return _cleaned(_escaping(raw, unmarked))
    return _cleaned(_pinned(raw, pinned) if pinned else _detected(raw, declared))


def _pinned(raw: bytes, pinned: str) -> Text:
    encoding = charset.canonical(pinned) or ""
    body = raw.removeprefix(_UTF8_BOM)
    lie = body is not raw and len(body) < len(raw) and encoding != "utf-8"
    try:
        decoded = charset.decode(body, pinned)
        read = Text(decoded.text, decoded.encoding, decoded.issues)
    except charset.Undecodable:
        read = _escaping(body, encoding)
    if lie:
        read.issues.append(_bom_lie(read.encoding))
    return read


def _detected(raw: bytes, declared: str | None) -> Text:
    body = raw.removeprefix(_UTF8_BOM)
    try:
        decoded = charset.decode(raw, declared=declared)
    except charset.Undecodable:
        read = _without_mark(body, declared)
        if len(body) < len(raw) and read.encoding != "utf-8":
            read.issues.append(_bom_lie(read.encoding))
        return read
    if _suspect(decoded):
        return _by_line(raw)
    return Text(decoded.text, decoded.encoding, decoded.issues)


def _without_mark(body: bytes, declared: str | None) -> Text:
    try:
        decoded = charset.decode(body, declared=declared)
    except charset.Undecodable as error:
        if _reads(body, "utf-8") or _reads(body, "gb18030"):
            raise NotATable(error.text, where=error.where) from error
        return _by_line(body)
    if _suspect(decoded):
        return _by_line(body)
    return Text(decoded.text, decoded.encoding, decoded.issues)


def _suspect(decoded: charset.Decoded) -> bool:
    """Say whether what was read as GB18030 looks like UTF-8 in places."""
    return decoded.encoding == "gb18030" and any(issue.where.startswith("character") for issue in decoded.issues)


def _reads(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _by_line(raw: bytes) -> Text:
    """Read each line by its own evidence; what most lines are breaks the ties."""
    lines = _BYTE_LINES.findall(raw)
    votes = Counter(_vote(line) for line in lines if not line.isascii())
    main = "gb18030" if votes["gb18030"] >= votes["utf-8"] else "utf-8"
    others: dict[str, list[int]] = {}
    bad: dict[int, str] = {}
    parts = []
    for number, line in enumerate(lines, start=1):
        text, encoding = _line(line, main)
        parts.append(text)
        if not encoding:
            bad[number] = _undecodable(text, main)
        elif encoding not in (main, "ascii"):
            others.setdefault(encoding, []).append(number)
    issues = [_mixed(encoding, main, numbers) for encoding, numbers in others.items()]
    text = "".join(parts)
    issues += charset.decode(_shown(text).encode(), "utf-8").issues
    return Text(text, main, issues, bad)


def _vote(line: bytes) -> str:
    return "utf-8" if _reads(line, "utf-8") else "gb18030" if _reads(line, "gb18030") else ""


def _line(line: bytes, main: str) -> tuple[str, str]:
    """Return text and codec of a line; the codec is '' when no charset reads it, and the bytes are kept escaped."""
    try:
        decoded = charset.decode(line, declared=main)
    except charset.Undecodable:
        return (line.decode(main), main) if _reads(line, main) else (line.decode(main, _ESCAPE), "")
    if main == "utf-8" and decoded.encoding == "gb18030" and not _chinese(decoded):
        return line.decode(main, _ESCAPE), ""
    return decoded.text, decoded.encoding


def _chinese(decoded: charset.Decoded) -> bool:
    """Say whether a line in a file of UTF-8 is GB18030 indeed, not UTF-8 with a broken character."""
    return not _suspect(decoded) and evidence.chinese_share(decoded.text) >= _CONVINCING


def _escaping(raw: bytes, encoding: str) -> Text:
    """Return the text in one charset, its undecodable lines marked."""
    text = raw.decode(encoding, _ESCAPE)
    bad: dict[int, str] = {}
    if _ESCAPED.search(text):
        for number, line in enumerate(_BREAK.split(text), start=1):
            if _ESCAPED.search(line):
                bad[number] = _undecodable(line, encoding)
    return Text(text, encoding, [], bad)


def _keep_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_ESCAPE, _keep_byte)


def _shown(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\x{ord(found.group()) - 0xDC00:02x}", text)


def _undecodable(line: str, encoding: str) -> str:
    found = _ESCAPED.search(line)
    at = found.start() if found else 0
    bytes_ = " ".join(f"{ord(char) - 0xDC00:02x}" for char in _ESCAPED.findall(line)[:4])
    return (
        f"The bytes {bytes_} after character {at} of the line are not {encoding.upper()} (a character cut in two, or "
        "another charset). Correct the line at the source, or pin the charset for this feed."
    )


def _utf16_without_mark(raw: bytes) -> str:
    """Return the codec if zero bytes stand at one parity only, as UTF-16 writes digits, delimiters and line ends."""
    sample = raw[:_SAMPLE]
    high, low = sample[1::2].count(0), sample[0::2].count(0)
    if high + low < max(len(sample) // 20, 2) or min(high, low) > (high + low) // 20:
        return ""
    encoding = "utf-16-le" if high > low else "utf-16-be"
    return encoding if _reads(raw[: len(raw) // 2 * 2], encoding) else ""


def _cleaned(read: Text) -> Text:
    """Show undecodable bytes as `\\xNN`, drop NUL and byte order marks, and say lines where characters were counted."""
    text = read.text
    issues = [_located(issue, text) for issue in read.issues]
    if "\x00" in text:
        lines = [number for number, line in enumerate(_BREAK.split(text), start=1) if "\x00" in line]
        issues.append(
            Issue("warning", "value", f"Zero bytes were left out in {lines_named(lines)}.", f"line {lines[0]}")
        )
        text = text.replace("\x00", "")
    text = _shown(text) if read.bad else text
    return Text(text.replace("\ufeff", ""), read.encoding, issues, read.bad)


def _located(issue: Issue, text: str) -> Issue:
    if not issue.where.startswith("character "):
        return issue
    offset = int(issue.where.removeprefix("character "))
    return replace(issue, where=f"line {len(_BREAK.findall(text, 0, offset)) + 1}")


def _bom_lie(encoding: str) -> Issue:
    return Issue(
        "information",
        "informational",
        f"The file starts with the byte order mark of UTF-8, but its text is {encoding.upper()}; it was read as that.",
        "line 1",
    )


def _mixed(encoding: str, main: str, lines: list[int]) -> Issue:
    return Issue(
        "warning",
        "value",
        f"The file is {main.upper()}, but {lines_named(lines)} {'is' if len(lines) == 1 else 'are'} "
        f"{encoding.upper()}; each line was read in its own charset. Ask the sender to export in one.",
        f"line {lines[0]}",
    )
