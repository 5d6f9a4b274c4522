"""Names of an invented population: as frequent as in life, by decade of birth, and how letters sound and look."""

from bisect import bisect
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from typing import Generic, TypeVar

from gateway.simulate.catalogue import Book, book
from gateway.simulate.streams import Stream
from gateway.simulate.values import MALE

T = TypeVar("T")
RANK_OFFSET = 4  # the first of a list is not overwhelmingly the commonest
_CLANS = 30  # surnames a whole village may bear


class Lot(Generic[T]):
    """Things to draw from, each as likely as its weight says; cheap for long lists."""

    __slots__ = ("_edges", "_things")

    def __init__(self, weights: Iterable[tuple[T, float]]) -> None:
        pairs = [(thing, weight) for thing, weight in weights if weight > 0]
        self._things = [thing for thing, _ in pairs]
        self._edges = list(accumulate(weight for _, weight in pairs))

    def draw(self, stream: Stream) -> T:
        """Return one of the things."""
        at = bisect(self._edges, stream.unit() * self._edges[-1])
        return self._things[min(at, len(self._things) - 1)]


def ranked(words: Iterable[str]) -> Lot[str]:
    """Return a lot of which the first are the likeliest (one over the rank)."""
    return Lot((word, 1 / (rank + RANK_OFFSET)) for rank, word in enumerate(words))


@lru_cache(maxsize=256)
def lot(*path: str) -> Lot[str]:
    """Return the lot of a list or a table of weights in population_names.yaml."""
    found = names()
    for step in path:
        found = found[step]
    if isinstance(found, dict):
        return Lot((str(key), float(value)) for key, value in found.items())
    return ranked(str(found).split())


def names() -> Book:
    """Return the data of names."""
    return book("population_names")


@lru_cache(maxsize=1)
def _surnames() -> Lot[str]:
    tail = str(names()["tail"]).split()
    weights = [1 / (rank + 10) for rank in range(len(tail))]
    scale = names()["tail_share"] / sum(weights)
    rare = [(name, weight * scale) for name, weight in zip(tail, weights, strict=True)]
    return Lot([*((str(name), float(share)) for name, share in names()["surnames"].items()), *rare])


def surname(stream: Stream) -> str:
    """Return a surname as often as it is met."""
    return _surnames().draw(stream)


def clan(stream: Stream) -> str:
    """Return a surname that a village shares: one of the common ones, each as likely."""
    common: list[str] = list(names()["surnames"])
    return stream.pick(common[:_CLANS])


def given(stream: Stream, year: int, sex: str, shared: str = "") -> str:
    """Return a given name of the fashion of a birth year; `shared` is the letter that brothers and sisters have."""
    fashion = (_decade(year), "male" if sex == MALE else "female")
    entry = names()["given"][fashion[0]][fashion[1]]
    if shared:
        return shared + lot("given", *fashion, "second").draw(stream)
    kind = stream.unit()
    if kind < entry["single"]:
        return lot("given", *fashion, "letters").draw(stream)
    if kind < entry["single"] + entry["common"]:
        return lot("given", *fashion, "names").draw(stream)
    return lot("given", *fashion, "first").draw(stream) + lot("given", *fashion, "second").draw(stream)


@lru_cache(maxsize=256)
def _decade(year: int) -> str:
    decades = [int(key) for key in names()["given"]]
    return str(max((start for start in decades if start <= year), default=min(decades)))


def dotted(stream: Stream) -> str:
    """Return a name of two parts with a middle dot."""
    return f"{lot('dotted', 'first').draw(stream)}·{lot('dotted', 'second').draw(stream)}"


def rare(stream: Stream) -> str:
    """Return a letter that some systems cannot write."""
    return stream.pick(str(names()["rare"]).split())


def parted(name: str) -> tuple[str, str]:
    """Return surname and given name; a dotted name is all given name."""
    if "·" in name:
        return "", name
    at = 2 if len(name) > 2 and name[:2] in _compound() else 1
    return name[:at], name[at:]


@lru_cache(maxsize=1)
def _compound() -> frozenset[str]:
    return frozenset(name for name in str(names()["tail"]).split() if len(name) == 2)


@lru_cache(maxsize=1)
def sounds() -> dict[str, str]:
    """Return the sound of every letter that has one here."""
    table: dict[str, str] = names()["sounds"]
    return {letter: sound for sound, letters in table.items() for letter in letters}


def pinyin(name: str) -> str:
    """Return the name as a registration desk romanises it, '' where a letter is not known."""
    found = sounds()
    family, rest = parted(name)
    parts = [[found.get(letter, "") for letter in part] for part in (family, rest) if part]
    return "" if any(not all(part) for part in parts) else " ".join("".join(part) for part in parts).upper()


@lru_cache(maxsize=4096)
def alike_in_sound(letter: str) -> Lot[str] | None:
    """Return the other letters of the same sound, None where there are none."""
    sound = sounds().get(letter)
    others = names()["sounds"][sound].replace(letter, "") if sound else ""
    return ranked(others) if others else None


def turned_by_sound(text: str, at: int, stream: Stream) -> str:
    """Return the text with another letter of the same sound at a place, or as it is where there is none."""
    others = alike_in_sound(text[at])
    return text[:at] + others.draw(stream) + text[at + 1 :] if others else text


def twins(stream: Stream, family: str, year: int, sexes: tuple[str, str]) -> tuple[str, str]:
    """Return the names of twins: one letter apart, said alike, big and small, turned, or free."""
    one = given(stream, year, sexes[0])
    kind = stream.weighted(book("population")["families"]["twin_names"])
    if kind == "big_small":
        return f"{family}大双", f"{family}小双"
    if kind == "one_sound":
        other = turned_by_sound(one, stream.whole(0, len(one) - 1), stream)
    elif kind == "turned" and len(one) > 1:
        other = one[::-1]
    elif kind == "one_letter" and len(one) > 1:
        other = one[0] + given(stream, year, sexes[1])[-1]
    else:
        other = given(stream, year, sexes[1])
    if other == one:
        other = f"{one[0]}{'宇' if one[-1] != '宇' else '涵'}"
    return family + one, family + other
