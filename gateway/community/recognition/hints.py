"""Items of similar names, for the person who closes a gap in a code map: a hint, never a match (china.md §4.3 G3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import fuzz, process

from gateway.community.recognition.items import Item
from gateway.community.recognition.marks import split
from gateway.community.recognition.words import folded

_LEAST = 60.0
_LONGEST = 200
_CACHED = 4096


class Hint(NamedTuple):
    """An item whose name is like the one asked for: the name it has, and how like it is (0 to 100)."""

    item: str
    name: str
    likeness: int


@dataclass(frozen=True, slots=True)
class Index:
    """All names of all items, folded."""

    names: Mapping[str, tuple[tuple[str, str], ...]]
    """Folded name -> (item, name as written)."""
    cache: dict[tuple[str, int], tuple[Hint, ...]] = field(default_factory=dict, repr=False, compare=False)
    """What was asked lately: one unmapped item comes with every order of a day."""

    def like(self, name: str, most: int) -> tuple[Hint, ...]:
        """Return the best items by likeness of a name without its mark, each once; an odd or empty name has none."""
        wanted = folded(split(name[:_LONGEST]).name)
        if not wanted:
            return ()
        found = self.cache.get((wanted, most))
        if found is None:
            if len(self.cache) >= _CACHED:
                self.cache.clear()
            found = self.cache[wanted, most] = self._like(wanted, most)
        return found

    def _like(self, wanted: str, most: int) -> tuple[Hint, ...]:
        best: dict[str, Hint] = {}
        for text, score, _ in process.extract(
            wanted, self.names.keys(), scorer=fuzz.ratio, score_cutoff=_LEAST, limit=4 * most
        ):
            for item, written in self.names[text]:
                best.setdefault(item, Hint(item, written, int(score)))
        return tuple(sorted(best.values(), key=lambda hint: (-hint.likeness, hint.item))[:most])


def index(items: Iterable[Item]) -> Index:
    """Return the index of items; a name in brackets counts with and without them."""
    names: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        for name in item.names:
            for text in {folded(name), folded(re.sub(r"[（(].*?[）)]", "", name))} - {""}:
                names.setdefault(text, []).append((item.id, name))
    return Index({text: tuple(found) for text, found in names.items()})
