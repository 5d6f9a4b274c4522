"""Names in Latin letters: which are pinyin, where their syllables end, and which part is the surname."""

import re
import unicodedata

from gateway.identity import lists
from gateway.search.kinds import pinyin

_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_SYLLABLE = 6
_MOST = 5


def parts(whole: str, family: str, given: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of the surname and those of the given name.

    A comma ends a surname. Pinyin has it first unless only the last word is one; other names have it last.
    """
    last, first = _words(family), _words(given)
    if last and first:
        return (first, last) if _swapped(last, first) else (last, first)
    head, comma, tail = whole.partition(",")
    if comma and _words(head) and _words(tail):
        return _words(head), _words(tail)
    words = _words(whole) or last or first
    if not words or not all(syllables(word, surname=False) for word in words):
        return words[-1:], words[:-1]
    if len(words) == 1:
        sounds = syllables(words[0])
        return (sounds[:1], sounds[1:]) if sounds else (words, ())
    return (words[:1], words[1:]) if words[0] in _surnames() else (words[-1:], words[:-1])


@lists.remembered(32768)
def syllables(word: str, *, surname: bool = True) -> tuple[str, ...]:
    """Return the fewest pinyin syllables that make up a word; () for none, or none that begin as a surname."""
    found = _cut(word.replace("?", ""))
    if not found or len(found) > _MOST or (surname and found[0] not in _surnames()):
        return ()
    return found


def _swapped(last: tuple[str, ...], first: tuple[str, ...]) -> bool:
    """Say whether the surname stands where the given name should: only the given one sounds as a surname."""
    if not all(syllables(word, surname=False) for word in (*last, *first)):
        return False
    return "".join(last) not in _surnames() and "".join(first) in _surnames()


@lists.remembered(8192)
def _words(text: str) -> tuple[str, ...]:
    plain = text.lower().replace("ü", "v").replace("lyu", "lv").replace("nyu", "nv")
    bare = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    return tuple(_WORD.findall(bare.replace("'", "").replace("’", "")))


@lists.remembered(1)
def _surnames() -> frozenset[str]:
    """Return how the known surnames sound."""
    known = lists.surnames()
    return frozenset(
        {pinyin.reading(one)[0] for one in known.single} | {"".join(one) for one in known.compound.values()}
    )


def _cut(word: str) -> tuple[str, ...]:
    """Return the fewest syllables that make up a word; of as many, the one with the longer first."""
    known = pinyin.syllables()
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, min(len(word), _MOST * _LONGEST_SYLLABLE) + 1):
        choices = [
            (*before, word[start:end])
            for start in range(max(0, end - _LONGEST_SYLLABLE), end)
            if (before := best[start]) is not None and word[start:end] in known
        ]
        best.append(max(choices, key=lambda one: (-len(one), [len(part) for part in one])) if choices else None)
    return (best[len(word)] or ()) if len(word) < len(best) else ()
