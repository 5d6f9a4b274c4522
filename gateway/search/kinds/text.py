"""Splitting and unescaping of search values, shared by all kinds (R4 search.html §3.1.1.4.0.1)."""

import re

from gateway.errors import GatewayError

Row = tuple[int, str]
"""A text that stands beside codes: `(param, folded text)`, for `:text`."""

_ESCAPED = re.compile(r"\\([\\,$|])")


def split(text: str, mark: str) -> list[str]:
    """Split at each unescaped `mark`; the parts stay escaped."""
    if "\\" not in text:
        return text.split(mark)
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == mark:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def plain(text: str) -> str:
    r"""Return the text with `\,`, `\|`, `\$` and `\\` unescaped."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def wrong(name: str, text: str, wanted: str) -> GatewayError:
    """Return the error that says which value of which parameter is not what."""
    return GatewayError(f"The value {text!r} of {name!r} is not {wanted}.", where=name)
