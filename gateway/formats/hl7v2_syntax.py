"""The punctuation of HL7 v2: delimiters, escape sequences, components (HL7 v2.5.1 chapter 2.5 to 2.7)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import GatewayError
from gateway.formats.charset import Undecodable, decode

NULL = '""'
_DEFAULT = "^~\\&"
_SPACES_CAP = 200
_FORMATTING = {"fi": "", "nf": "", "br": "\n", "ce": "\n"}
_NUMBERED = {"sp": "\n", "sk": " ", "in": "", "ti": ""}
_CONTROLS = re.compile(r"[\x00-\x1f]")


class NotHl7(GatewayError):
    """The text does not begin with an MSH segment whose delimiters can be read."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The five separators of one message; `truncation` is the fifth character of MSH-2 (2.7), '' if there is none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""
    encoding: str = ""

    @property
    def msh2(self) -> str:
        """Return the encoding characters as MSH-2 should show them."""
        return f"{self.component}{self.repetition}{self.escape}{self.subcomponent}{self.truncation}"

    def unescape(self, text: str) -> str:
        r"""Return the text with escape sequences resolved; `\X..\` bytes are read in the message's charset.

        Sequences that mean nothing to HL7 (`C:\temp\x`, `\Z01\`, `\C2842\`) stay as they are: nothing is swallowed.
        """
        if self.escape not in text:
            return text
        return _pattern(self.escape).sub(lambda match: _resolve(self, match), text)

    def escape_text(self, text: str) -> str:
        """Return the text as it may stand in a field: `unescape` gives back exactly what went in."""
        for char, code in ((self.escape, "E"), *self._codes()):
            if char and char in text:
                text = text.replace(char, f"{self.escape}{code}{self.escape}")
        return _CONTROLS.sub(lambda match: f"{self.escape}X{ord(match.group()):02X}{self.escape}", text)

    def _codes(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.field, "F"),
            (self.component, "S"),
            (self.subcomponent, "T"),
            (self.repetition, "R"),
            (self.truncation, "P"),
        )


@lru_cache(maxsize=64)
def _pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        f"(?P<hex>(?:{e}[Xx](?:[0-9A-Fa-f]{{2}})++{e})++)"
        f"|{e}(?P<code>[FSTREPHN]){e}"
        f"|{e}\\.(?P<format>(?i:br|ce|fi|nf|sp|sk|in|ti))(?P<count> ?[+-]?[0-9]{{0,4}}){e}"
    )


def _resolve(delimiters: Delimiters, match: re.Match[str]) -> str:
    if match["hex"]:
        return _from_hex(delimiters, match["hex"])
    if match["code"]:
        return _from_code(delimiters, match["code"], match.group())
    name = match["format"].lower()
    if name in _FORMATTING:
        return _FORMATTING[name]
    digits = match["count"].strip(" +-") or "1"
    return _NUMBERED[name] * min(int(digits), _SPACES_CAP)


def _from_code(delimiters: Delimiters, code: str, whole: str) -> str:
    if code in "HN":
        return ""
    chars = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation or "#",
    }
    return chars.get(code, whole)


def _from_hex(delimiters: Delimiters, text: str) -> str:
    """Return the characters of one run of hexadecimal escapes, or the run itself when the bytes are not text."""
    digits = re.sub(r"[^0-9A-Fa-f]", "", text)
    raw = bytes.fromhex(digits)
    try:
        if raw.isascii() or not delimiters.encoding:
            return decode(raw).text
        return raw.decode(delimiters.encoding)
    except (Undecodable, UnicodeDecodeError, LookupError):
        return text


def component(raw: str, number: int, delimiters: Delimiters) -> str:
    """Return the raw component `number` (from 1) of one repetition, '' when absent."""
    if delimiters.component not in raw:
        return raw if number == 1 else ""
    parts = raw.split(delimiters.component, number)
    return parts[number - 1] if len(parts) >= number else ""


def subcomponent(raw: str, number: int, delimiters: Delimiters) -> str:
    """Return the raw sub-component `number` (from 1) of one component, '' when absent."""
    if delimiters.subcomponent not in raw:
        return raw if number == 1 else ""
    parts = raw.split(delimiters.subcomponent, number)
    return parts[number - 1] if len(parts) >= number else ""


def is_null(raw: str) -> bool:
    """Say whether the value is the HL7 null `""`, which deletes what the receiver holds."""
    return raw == NULL


@lru_cache(maxsize=256)
def read_delimiters(head: str, encoding: str = "") -> tuple[Delimiters, str]:
    """Return the delimiters written in `MSH|^~\\&` (up to and with the second field separator), and what was odd.

    Raises NotHl7 when no usable field separator follows the segment name.
    """
    field = head[3:4]
    if not field or field.isalnum() or field.isspace() or field == "_":
        raise NotHl7(f"No field separator follows {head[:3]}: found {field!r}.", where="MSH[1]-1")
    chars = head[4:].split(field, 1)[0]
    if chars.startswith("^~\\\\&"):
        chars, odd = _DEFAULT + chars[5:], "MSH-2 was sent with its escape character doubled; it was read as ^~\\&."
    else:
        odd = ""
    usable = _usable(chars[:4], field)
    if not usable:
        return Delimiters(field, encoding=encoding), f"MSH-2 is {chars!r}; the usual ^~\\& was assumed."
    full = chars[:4] + _DEFAULT[len(chars[:4]) :]
    truncation = chars[4] if len(chars) == 5 and _usable(chars, field) else ""
    return Delimiters(field, full[0], full[1], full[2], full[3], truncation, encoding), odd


def _usable(chars: str, field: str) -> bool:
    full = chars + _DEFAULT[len(chars) :]
    distinct = len(set(full)) == len(full) and field not in full
    return bool(chars) and distinct and not any(c.isalnum() or c.isspace() for c in full)
