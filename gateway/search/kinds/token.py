"""Tokens: codes, codings, identifiers, contact values and booleans (R4 search.html §3.1.1.4.10).

A row is `(param, code hash, system, code, system hash, exact, words, mark)`. `exact` is the code again for
identifiers, which are never matched by hash alone. `words` is the folded display of a coding, or `system|code` of an
identifier's type; `mark` is its 31-bit hash, 0 for none. Texts that stand beside codes have rows of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.string import LONGEST, fold
from gateway.search.kinds.text import plain, split, wrong

Row = tuple[int, int, str, str, int, str | None, str, int]
Indexer = Callable[[int, Any, Any], None]
"""Appends what a value is found by to the `token` and `text` lists of the rows of a resource."""

_MEMO: dict[tuple[int, str, str, str | None], Row] = {}
_MEMO_SIZE = 65536
_TYPED = "\0type "


def mark_of(words: str) -> int:
    """Return the 31-bit hash that stands in a row for words; 0 (one byte in SQLite) for none."""
    return hash64(words) & 0x7FFFFFFF if words else 0


def row(param: int, system: str, code: str, display: str | None = None) -> Row:
    """Return the row of a code; equal codings share one tuple."""
    key = (param, system, code, display)
    made = _MEMO.get(key)
    if made is None:
        if len(_MEMO) >= _MEMO_SIZE:
            _MEMO.clear()
        words = fold(display)[:LONGEST] if display else ""
        made = _MEMO[key] = (param, hash64(code), system, code, hash48(system), None, words, mark_of(words))
    return made


def _coding(param: int, value: Any, made: Any) -> None:
    code, display = value.get("code"), value.get("display")
    if code:
        key = (param, value.get("system") or "", code, display)
        made.token.append(_MEMO.get(key) or row(*key))
    elif display:
        told(param, display, made)


def _concept(param: int, value: Any, made: Any) -> None:
    text = value.get("text")
    for coding in value.get("coding") or ():
        code, display = coding.get("code"), coding.get("display")
        if code:
            key = (param, coding.get("system") or "", code, display)
            made.token.append(_MEMO.get(key) or row(*key))
        elif display:
            told(param, display, made)
        if display == text:
            text = None
    if text:
        told(param, text, made)


def told(param: int, text: str, made: Any) -> None:
    """Append the row of a text that no code carries: `(param, folded text)`."""
    folded = fold(text)[:LONGEST]
    if folded:
        made.text.append((param, folded))


def identified(param: int, value: Any, made: Any) -> None:
    """Append the rows of an Identifier: one, and one more for each further type that it, or its like, has."""
    kind, text = value.get("type"), value.get("value")
    types = _types(kind) if kind else ()
    if kind and kind.get("text"):
        told(param, kind["text"], made)
    if text:
        system = value.get("system") or ""
        again = types and any(row[3] == text and row[0] == param and row[2] == system for row in made.token)
        if not again:
            made.token.append((param, 0, system, text, hash48(system), text, *(types[0] if types else ("", 0))))
        for words, mark in types if again else types[1:]:
            made.token.append((param, 0, _TYPED, text, hash48(_TYPED + words), text, words, mark))


def _types(kind: Any) -> list[tuple[str, int]]:
    names = [typed(one.get("system") or "", one["code"]) for one in kind.get("coding") or () if one.get("code")]
    return [(name, mark_of(name)) for name in dict.fromkeys(names)]


def typed(system: str, code: str) -> str:
    """Return what stands for the type of an identifier."""
    return f"{system}|{code}"


def _contact(param: int, value: Any, made: Any) -> None:
    text = value.get("value")
    if text:
        made.token.append((param, 0, "", text, 0, text, "", 0))


def _code(param: int, value: Any, made: Any) -> None:
    made.token.append(_MEMO.get((param, "", value, None)) or row(param, "", value))


def _boolean(param: int, value: Any, made: Any) -> None:
    made.token.append(row(param, "", "true" if value is True else "false"))


def _number(param: int, value: Any, made: Any) -> None:
    made.token.append(row(param, "", str(value)))


INDEX: dict[str, Indexer] = {
    "CodeableConcept": _concept,
    "Coding": _coding,
    "Identifier": identified,
    "ContactPoint": _contact,
    "code": _code,
    "id": _code,
    "string": _code,
    "uri": _code,
    "url": _code,
    "canonical": _code,
    "oid": _code,
    "uuid": _code,
    "boolean": _boolean,
    "integer": _number,
    "positiveInt": _number,
    "unsignedInt": _number,
}


@dataclass(frozen=True, slots=True)
class Token:
    """What a query asks: `None` leaves that part open; system "" means explicitly no system."""

    system: str | None
    code: str | None

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return (self.system is None or found[2] == self.system) and (self.code is None or found[3] == self.code)


@dataclass(frozen=True, slots=True)
class OfType:
    """`:of-type`: an identifier's value together with its type (`typed`)."""

    type: str
    value: str

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return found[5] is not None and found[3] == self.value and found[6] == self.type


@dataclass(frozen=True, slots=True)
class Words:
    """`:text`: how a display, a concept's text or a reference's display begins, folded."""

    text: str

    def matches(self, found: Any) -> bool:
        """Say whether a row of a code, or of a text beside codes, satisfies this value."""
        held = found[1] if len(found) == 2 else found[6] if found[5] is None else ""
        return bool(held) and held.startswith(self.text)


def parse(name: str, text: str) -> Token:
    """Return the value of `system|code`, `|code`, `system|` or `code`; GatewayError where it is none of them."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 1 and parts[0]:
        return Token(None, parts[0])
    if len(parts) == 2 and any(parts):
        return Token(parts[0], parts[1] or None)
    raise wrong(name, text, "a code, system|code, |code or system|")


def parse_type(name: str, text: str) -> OfType:
    """Return the value of `type-system|type-code|value`; GatewayError where it is none."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 3 and parts[1] and parts[2]:
        return OfType(typed(parts[0], parts[1]), parts[2])
    raise wrong(name, text, "type-system|type-code|value, such as http://terminology.hl7.org/CodeSystem/v2-0203|MR|7")


def parse_words(name: str, text: str) -> Words:
    """Return the value of `:text`; GatewayError for an empty text."""
    wanted = fold(plain(text))[:LONGEST]
    if not wanted:
        raise wrong(name, text, "a text")
    return Words(wanted)
