"""Contacts: telephone numbers and addresses in one form (china.md section 5.2 case 13)."""

import unicodedata
from typing import Any, NamedTuple


class Where(NamedTuple):
    """An address folded for matching, and its area."""

    text: str
    area: str


def of_telecom(told: Any) -> tuple[str, ...]:
    """Return the full telephone numbers of a Patient."""
    found = [one.get("value") for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str) and one.isdigit()))


def of_addresses(told: Any) -> Where:
    """Return where a Patient lives."""
    for one in told if isinstance(told, list) else []:
        lines = one.get("line") if isinstance(one, dict) else None
        words = [one.get("text"), *(lines if isinstance(lines, list) else [])] if isinstance(one, dict) else []
        text = next((word for word in words if isinstance(word, str)), "")
        if text:
            return Where("".join(unicodedata.normalize("NFKC", text).split()), "")
    return Where("", "")
