"""Tokens: codes, codings, identifiers, contact values and booleans (R4 search.html §3.1.1.4.10).

A row is `(param, code hash, system, code, system hash, exact)`; `exact` is the code again for identifiers, which
are never matched by hash alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.text import plain, split, wrong

Row = tuple[int, int, str, str, int, str | None]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]

_MEMO: dict[tuple[int, str, str], Row] = {}
_MEMO_SIZE = 65536


def row(param: int, system: str, code: str) -> Row:
    """Return the row of a code; equal codings share one tuple."""
    key = (param, system, code)
    made = _MEMO.get(key)
    if made is None:
        if len(_MEMO) >= _MEMO_SIZE:
            _MEMO.clear()
        made = _MEMO[key] = (param, hash64(code), system, code, hash48(system), None)
    return made


def _coding(param: int, value: Any, sink: Sink) -> None:
    code = value.get("code")
    if code:
        key = (param, value.get("system") or "", code)
        sink.append(_MEMO.get(key) or row(*key))


def _concept(param: int, value: Any, sink: Sink) -> None:
    for coding in value.get("coding") or ():
        code = coding.get("code")
        if code:
            key = (param, coding.get("system") or "", code)
            sink.append(_MEMO.get(key) or row(*key))


def _identifier(param: int, value: Any, sink: Sink) -> None:
    text = value.get("value")
    if text:
        system = value.get("system") or ""
        sink.append((param, hash64(text), system, text, hash48(system), text))


def _contact(param: int, value: Any, sink: Sink) -> None:
    text = value.get("value")
    if text:
        sink.append((param, hash64(text), "", text, 0, text))


def _code(param: int, value: Any, sink: Sink) -> None:
    sink.append(_MEMO.get((param, "", value)) or row(param, "", value))


def _boolean(param: int, value: Any, sink: Sink) -> None:
    sink.append(row(param, "", "true" if value is True else "false"))


def _number(param: int, value: Any, sink: Sink) -> None:
    sink.append(row(param, "", str(value)))


INDEX: dict[str, Indexer] = {
    "CodeableConcept": _concept,
    "Coding": _coding,
    "Identifier": _identifier,
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


def parse(name: str, text: str) -> Token:
    """Return the value of `system|code`, `|code`, `system|` or `code`; GatewayError where it is none of them."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 1 and parts[0]:
        return Token(None, parts[0])
    if len(parts) == 2 and any(parts):
        return Token(parts[0], parts[1] or None)
    raise wrong(name, text, "a code, system|code, |code or system|")
