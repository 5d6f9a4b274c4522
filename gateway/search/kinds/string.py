"""Strings: names, addresses and texts, compared by folded prefix (R4 search.html §3.1.1.4.8).

A row is `(param, folded text, exact text)`; `exact` is "" where it equals the folded text, and SPOKEN where the row
is how a name sounds, so that `:exact` never takes it.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from gateway.search.hashes import hash64
from gateway.search.kinds.pinyin import spoken
from gateway.search.kinds.text import plain, wrong

Row = tuple[int, str, str]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]
Mode = Literal["starts", "contains", "exact"]

# A PostgreSQL b-tree entry holds 2,700 bytes: 300 characters of any script fit, folded and exact.
LONGEST = 300
SPOKEN = "\ufdd0"
"""No text holds this character."""

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
        sink.append((param, folded, "" if text == folded else exactly(text)))


def exactly(text: str) -> str:
    """Return a text as a row keeps it: a long one by its beginning and a hash of the whole."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 17]}#{hash64(text) & (1 << 64) - 1:016x}"


def _parts(*names: str) -> Indexer:
    def index(param: int, value: Any, sink: Sink) -> None:
        for name in names:
            found = value.get(name)
            for text in found if isinstance(found, list) else (found,):
                add(param, text, sink)

    return index


_name = _parts("text", "family", "given", "prefix", "suffix")


def named(param: int, value: Any, sink: Sink) -> None:
    """Append the rows of a person's name: as written, and how its Chinese parts sound."""
    _name(param, value, sink)
    texts = (value.get("text"), value.get("family"), *(value.get("given") or ()))
    sink += [(param, sound, SPOKEN) for sound in spoken(texts)]


def heard(param: int, text: Any, sink: Sink) -> None:
    """Append the rows of one part of a person's name."""
    add(param, text, sink)
    sink += [(param, sound, SPOKEN) for sound in spoken((text,))]


INDEX: dict[str, Indexer] = {
    "string": add,
    "markdown": add,
    "code": add,
    "HumanName": _name,
    "Address": _parts("text", "line", "city", "district", "state", "postalCode", "country"),
}

PERSONS = frozenset({"Patient", "Person", "Practitioner", "RelatedPerson"})
PERSONAL: dict[str, Indexer] = {**INDEX, "HumanName": named}
"""The indexers of persons, whose names are also found by how they sound …"""
PART: dict[str, Indexer] = {**INDEX, "string": heard}
"""… and those of parameters that are one part of such a name."""
PARTS = frozenset({"family", "given"})
NAMED = PARTS | {"name", "phonetic"}


@dataclass(frozen=True, slots=True)
class String:
    """What a query asks: folded text for `starts` and `contains`, the text as sent for `exact`."""

    text: str
    mode: Mode

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        if self.mode == "exact":
            return found[2] != SPOKEN and exactly(self.text) == (found[2] or found[1])
        return found[1].startswith(self.text) if self.mode == "starts" else self.text in found[1]


def parse(name: str, text: str, modifier: str) -> String:
    """Return the value for no modifier, `exact` or `contains`; GatewayError for an empty text."""
    value = plain(text)
    mode: Mode = "exact" if modifier == "exact" else "contains" if modifier == "contains" else "starts"
    wanted = value if mode == "exact" else fold(value)[:LONGEST]
    if not wanted:
        raise wrong(name, text, "a text")
    return String(wanted, mode)


def spellings(text: str, modifier: str) -> tuple[str, ...]:
    """Return the texts to look for: `zhang san` also as names sound in a row, without the space."""
    joined = "".join(text.split())
    return (text, joined) if not modifier and text.isascii() and joined not in ("", text) else (text,)
