"""Names: how a person is called, in one form for matching only (china.md section 5.2 cases 3 and 6)."""

import unicodedata
from typing import Any

import msgspec


class Name(msgspec.Struct, frozen=True, array_like=True):
    """One name for matching: its text, surname and given name, and how it sounds without tones."""

    text: str
    family: str
    given: str
    sound: str
    damaged: bool


def of_names(told: Any) -> tuple[Name, ...]:
    """Return the names of a Patient, current ones first."""
    found = [_name(one) for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return tuple(dict.fromkeys(one for one in found if one.text))


def _name(told: dict[str, Any]) -> Name:
    text = told.get("text")
    raw = text if isinstance(text, str) else ""
    folded = "".join(unicodedata.normalize("NFKC", raw).lower().split())
    return Name(folded, folded[:1], folded[1:], "", "�" in folded)
