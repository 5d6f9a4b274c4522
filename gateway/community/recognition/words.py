"""Words of local systems for specimens, methods, sides and the like: known by exact spelling, never guessed."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.community.recognition.shelf import Entry, Word


class Group(Entry, frozen=True, kw_only=True):
    """Specimens that are one for an item."""

    id: str
    of: tuple[str, ...]


class Spelling(Entry, frozen=True, kw_only=True):
    """More words for an entry of a vocabulary (`of`), as one site writes them: 高效液相色谱法(HPLC)."""

    of: Literal[
        "specimens", "methods", "conditions", "absent_values", "sides", "modalities", "contrasts", "parts"
    ]  # fmt: skip
    id: str
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one kind of thing; `get` gives its id, empty where the word is unknown."""

    entries: Mapping[str, Word]
    spellings: Mapping[str, str]

    def get(self, word: str) -> str:
        """Return the id of a word; an empty word and an unknown one have none."""
        return self.spellings.get(folded(word), "")

    def name(self, word: str, language: str) -> str:
        """Return what an id is called in zh or en; the id itself where there is no name."""
        entry = self.entries.get(word)
        return (entry.zh if language == "zh" else entry.en) or word if entry is not None else word


@dataclass(frozen=True, slots=True)
class Words:
    """All vocabularies, and the groups of specimens."""

    specimens: Vocabulary
    methods: Vocabulary
    conditions: Vocabulary
    absent: Vocabulary
    sides: Vocabulary
    modalities: Vocabulary
    contrasts: Vocabulary
    parts: Vocabulary
    groups: Mapping[str, frozenset[str]]


def folded(word: str) -> str:
    """Return a word without blanks, in one width and case; nothing else is made equal."""
    return "".join(unicodedata.normalize("NFKC", word).split()).casefold()


def vocabulary(entries: Mapping[str, Word], more: Iterable[Spelling]) -> tuple[Vocabulary, list[str]]:
    """Return the vocabulary of entries with more words for them, and a sentence for each word that is wrong."""
    spellings: dict[str, str] = {}
    wrong = [f"more words are for '{one.id}', which is not there" for one in more if one.id not in entries]
    told = [(entry.id, _words(entry)) for entry in entries.values()] + [(one.id, one.also) for one in more]
    for name, words in told:
        for word in dict.fromkeys(map(folded, words)):
            if spellings.setdefault(word, name) != name:
                wrong.append(f"'{word}' means both {spellings[word]} and {name}")
    return Vocabulary(entries, spellings), wrong


def _words(entry: Word) -> tuple[str, ...]:
    return tuple(word for word in (entry.id, entry.zh, entry.en, *entry.also, *entry.codes) if word)
