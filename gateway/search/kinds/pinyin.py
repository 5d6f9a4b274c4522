"""How Chinese names sound: pinyin without tones and initials, so that 张三 is found by zhangsan and by zs."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from itertools import product

import msgspec

_TABLE = "data/pinyin.json"
_BETWEEN = str.maketrans("", "", "·•・ \u3000")
_LONGEST = 24


class _Table(msgspec.Struct):
    syllables: dict[str, str]
    surnames: dict[str, tuple[str, ...]]


@cache
def _sounds() -> tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]:
    text = resources.files("gateway.search").joinpath(_TABLE).read_bytes()
    table = msgspec.json.decode(text, type=_Table)
    return {one: sound for sound, held in table.syllables.items() for one in held}, table.surnames


def spoken(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Return how the Chinese ones of some texts sound, whole and by initials; none that begins another one."""
    return _spoken(tuple(text for text in texts if text and not text.isascii()))


def reading(text: str) -> tuple[str, ...]:
    """Return how each character sounds, the first as a surname is commonly read; '' for one that has no sound."""
    sounds, surnames = _sounds()
    first = surnames.get(text[:1])
    found = tuple(sounds.get(each, "") for each in text)
    return (first[0], *found[1:]) if first else found


@cache
def syllables() -> frozenset[str]:
    """Return every syllable of the table, without tones; ü is written v."""
    return frozenset(_sounds()[0].values())


@lru_cache(maxsize=16384)
def _spoken(texts: tuple[str, ...]) -> tuple[str, ...]:
    found = dict.fromkeys(form for text in texts for form in _forms(text))
    return tuple(form for form in found if not any(other != form and other.startswith(form) for other in found))


def _forms(text: str) -> list[str]:
    """Return the readings of a name: its first character may be a surname with several."""
    sounds, surnames = _sounds()
    bare = text.translate(_BETWEEN)
    if not bare or len(bare) > _LONGEST or any(one not in sounds for one in bare):
        return []
    first = surnames.get(bare[0], (sounds[bare[0]],))
    readings = [(one, *(sounds[each] for each in bare[1:])) for one in first]
    return [how(part) for how, part in product(("".join, _initials), readings)]


def _initials(reading: tuple[str, ...]) -> str:
    return "".join(part[0] for part in reading)
