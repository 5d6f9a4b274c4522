"""What is said of an outcome, in Chinese and English: the codes statistics count, details, doctors' reasons."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.community.recognition.shelf import Entry, Word

RECOGNISED = "RECOGNISED"
WORDS = frozenset({"item", "found", "issuer", "days", "age", "left", "mark", "what"})
"""Words in braces that texts may have."""
BRACES = re.compile(r"\{([a-z]+)\}")


class GateText(Word, frozen=True, kw_only=True):
    """A gate's name and rule, for documents and consoles."""

    rule_zh: str
    rule_en: str


class Reason(Entry, frozen=True, kw_only=True):
    """What is said of one code and detail."""

    code: str
    detail: str
    zh: str
    en: str
    gate: Literal["", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"] = ""


class Override(Entry, frozen=True, kw_only=True):
    """What a doctor may give as the reason of a repeat; `local` ones are this region's own additions."""

    source: str
    code: str
    zh: str
    en: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class Reasons:
    """All texts, by code and detail."""

    gates: Mapping[str, GateText]
    texts: Mapping[tuple[str, str], Reason]
    overrides: Mapping[str, Override]

    def tell(self, code: str, detail: str, zh: Mapping[str, str], en: Mapping[str, str]) -> tuple[str, str]:
        """Return the sentences of an outcome in Chinese and English, with the words given for each language."""
        text = self.texts[code, detail]
        return _filled(text.zh, zh), _filled(text.en, en)


def _filled(text: str, words: Mapping[str, str]) -> str:
    return BRACES.sub(lambda found: words.get(found[1], ""), text)
