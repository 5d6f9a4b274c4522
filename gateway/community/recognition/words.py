"""Words of local systems for specimens, methods, sides and the like: known by exact spelling, never guessed."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.community.recognition.shelf import Entry, Word


class Group(Entry, frozen=True, kw_only=True):
    """Specimens that are one for an item."""

    id: str
    of: tuple[str, ...]


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


def vocabulary(entries: Mapping[str, Word]) -> tuple[Vocabulary, list[str]]:
    """Return the vocabulary of entries, and the words that would mean two of them."""
    spellings: dict[str, str] = {}
    twice = []
    for entry in entries.values():
        for word in dict.fromkeys(folded(word) for word in _words(entry)):
            if spellings.setdefault(word, entry.id) != entry.id:
                twice.append(f"'{word}' means both {spellings[word]} and {entry.id}")
    return Vocabulary(entries, spellings), twice


def _words(entry: Word) -> Iterable[str]:
    return (word for word in (entry.id, entry.zh, entry.en, *entry.also, *entry.codes) if word)
