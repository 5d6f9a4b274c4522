"""Strings: names, addresses and texts, compared by folded prefix (R4 search.html §3.1.1.4.8).

A row is `(param, folded text, exact text)`; `exact` is "" where it equals the folded text.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from gateway.search.kinds.text import plain, wrong

Row = tuple[int, str, str]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]
Mode = Literal["starts", "contains", "exact"]

# A PostgreSQL b-tree entry holds 2,700 bytes; 500 characters of any script fit.
LONGEST = 500

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Return the text without differences of case, width, Latin diacritics, spacing and CJK compatibility forms."""
    if text.isascii():
        return " ".join(text.lower().split())
    wide = text.translate(_WIDTH)
    return " ".join("".join(map(_fold_one, unicodedata.normalize("NFC", wide).casefold())).split())


def _fold_one(character: str) -> str:
    if "\u00c0" <= character <= "\u024f" or "\u1e00" <= character <= "\u1eff":
        return "".join(c for c in unicodedata.normalize("NFD", character) if not "\u0300" <= c <= "\u036f")
    return "" if "\u0300" <= character <= "\u036f" else character


def add(param: int, text: Any, sink: Sink) -> None:
    """Append the row of one text."""
    if isinstance(text, str) and text:
        folded = fold(text)[:LONGEST]
        sink.append((param, folded, "" if text == folded else text))


def _parts(*names: str) -> Indexer:
    def index(param: int, value: Any, sink: Sink) -> None:
        for name in names:
            found = value.get(name)
            for text in found if isinstance(found, list) else (found,):
                add(param, text, sink)

    return index


INDEX: dict[str, Indexer] = {
    "string": add,
    "markdown": add,
    "code": add,
    "HumanName": _parts("text", "family", "given", "prefix", "suffix"),
    "Address": _parts("text", "line", "city", "district", "state", "postalCode", "country"),
}


@dataclass(frozen=True, slots=True)
class String:
    """What a query asks: folded text for `starts` and `contains`, the text as sent for `exact`."""

    text: str
    mode: Mode

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        if self.mode == "exact":
            return self.text == (found[2] or found[1])
        return found[1].startswith(self.text) if self.mode == "starts" else self.text in found[1]


def parse(name: str, text: str, modifier: str) -> String:
    """Return the value for no modifier, `exact` or `contains`; GatewayError for an empty text."""
    value = plain(text)
    mode: Mode = "exact" if modifier == "exact" else "contains" if modifier == "contains" else "starts"
    wanted = value if mode == "exact" else fold(value)[:LONGEST]
    if not wanted:
        raise wrong(name, text, "a text")
    return String(wanted, mode)
