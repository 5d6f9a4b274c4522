"""Redaction: a message's shape without its values, so that it can be sent to a vendor."""

import re

_DELIMITERS = frozenset("|^~\\&\r\n")
_KEPT_FIELDS = {"MSH": frozenset({1, 2, 9, 11, 12, 15, 16, 18}), "OBX": frozenset({1, 2, 11}), "EVN": frozenset({1})}
_QUOTED = re.compile(r"[0-9]|[^\W\d_]", re.UNICODE)


def message(raw: bytes) -> str:
    """Return the message with every letter as x, every ideograph as 某 and every digit as 9; structure stays."""
    text = _decoded(raw).replace("\r\n", "\r").replace("\n", "\r")
    return "\n".join(_segment(line) for line in text.split("\r"))


def sentence(text: str) -> str:
    """Return an issue's sentence without the values it quotes: numbers and quoted words are masked."""
    masked = re.sub(r"'[^']*'|\"[^\"]*\"|[0-9]{3,}", lambda found: _mask(found[0]), text)
    return re.sub(r"[\u3400-\u9fff]+", lambda found: "某" * len(found[0]), masked)


def _segment(line: str) -> str:
    name, separator, rest = line.partition("|")
    if not separator:
        return _mask(line)
    kept = _KEPT_FIELDS.get(name, frozenset())
    first = 2 if name == "MSH" else 1
    fields = [value if number in kept else _mask(value) for number, value in enumerate(rest.split("|"), first)]
    return "|".join([name, *fields])


def _mask(value: str) -> str:
    return "".join(_sign(letter) for letter in value)


def _sign(letter: str) -> str:
    if letter in _DELIMITERS or not _QUOTED.match(letter):
        return letter
    if letter.isdigit():
        return "9"
    return "x" if letter.isascii() else "某"


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("ascii", "replace")
