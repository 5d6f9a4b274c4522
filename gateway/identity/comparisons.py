"""Comparisons: how far two values of one field agree, as the first of the field's levels that holds; all symmetric."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein

from gateway.identity.contacts import same_phone
from gateway.identity.glyphs import UNREADABLE
from gateway.identity.resident import near

MISSING = -1
# Returns the place of the level in the comparator's own order, or MISSING where one side says nothing.
Compare = Callable[[Any, Any], int]


class Step(NamedTuple):
    """One level between the same and different: at least `at` alike (0 to 1), or at most `edits` apart."""

    at: float | None
    edits: int | None


class Comparator(NamedTuple):
    """A way to compare: its levels from the best to the worst, how many values it reads, and their parts with terms."""

    make: Callable[[Sequence[Step]], Compare]
    head: tuple[str, ...]  # levels of a fixed meaning before, and `tail` after, the steps that a model names itself
    tail: tuple[str, ...]
    stepped: bool = False
    reads: int = 1
    terms: tuple[str, ...] = ("value",)

    def order(self, told: Iterable[str]) -> tuple[str, ...]:
        """Return all levels in order, with the steps among the names that a model tells."""
        fixed = self.head + self.tail
        steps = tuple(name for name in told if name not in fixed) if self.stepped else ()
        return self.head + steps + self.tail


def _exact(steps: Sequence[Step]) -> Compare:
    """Return 0 for the same text, 1 for another."""

    def compare(a: Any, b: Any) -> int:
        return (0 if a == b else 1) if a and b else MISSING

    return compare


def _text(steps: Sequence[Step]) -> Compare:
    """Return 0 for the same text, then the first step that holds, then different."""
    tests = [_holds(step) for step in steps]
    last = len(tests) + 1

    def compare(a: str, b: str) -> int:
        if not a or not b:
            return MISSING
        if a == b:
            return 0
        if b < a:  # Jaro's count of transpositions may depend on the order
            a, b = b, a
        for place, holds in enumerate(tests, 1):
            if holds(a, b):
                return place
        return last

    return compare


def _holds(step: Step) -> Callable[[str, str], bool]:
    if step.edits is not None:
        most = step.edits
        return lambda a, b: OSA.distance(a, b, score_cutoff=most) <= most
    least = step.at or 0.0
    return lambda a, b: JaroWinkler.similarity(a, b) >= least


def _place(steps: Sequence[Step]) -> Compare:
    """Return how alike two addresses are: same, a step of likeness by edits, the same area, different.

    Addresses of a county begin alike, so a prefix counts nothing here.
    """
    likeness = [step.at or 0.0 for step in steps]
    same_area, different = len(likeness) + 1, len(likeness) + 2

    def compare(a: tuple[str, str], b: tuple[str, str]) -> int:
        (told_a, area_a), (told_b, area_b) = a, b
        if told_a and told_b:
            if told_a == told_b:
                return 0
            alike = Levenshtein.normalized_similarity(told_a, told_b)
            for place, least in enumerate(likeness, 1):
                if alike >= least:
                    return place
        elif not area_a or not area_b:
            return MISSING
        return same_area if area_a and area_a == area_b else different

    return compare


_SAME, _PARTIAL, _SWAPPED, _EDIT, _PART, _YEAR, _OTHER = range(7)
_DATE = ("same", "partial", "swapped", "edit", "part", "year", "different")


def _date(steps: Sequence[Step]) -> Compare:
    """Return how two ISO dates, maybe partial, agree."""
    return _dates


def _dates(a: str, b: str) -> int:
    if not a or not b:
        return MISSING
    if a == b:
        return _SAME
    if len(a) != len(b) or len(a) != 10:
        return _PARTIAL if a.startswith(b) or b.startswith(a) else _OTHER
    return _whole_dates(a, b)


def _whole_dates(a: str, b: str) -> int:
    year, month, day = a[:4] == b[:4], a[5:7] == b[5:7], a[8:] == b[8:]
    if year and a[5:7] == b[8:] and a[8:] == b[5:7]:
        return _SWAPPED
    if OSA.distance(a, b, score_cutoff=1) <= 1:
        return _EDIT
    if year + month + day == 2:
        return _PART
    return _YEAR if year else _OTHER


_NUMBER = ("same", "damaged", "different")


def _number(steps: Sequence[Step]) -> Compare:
    """Return how resident IDs agree: the proven ones first, else a damaged one against what the other side has."""
    return _numbers


def _numbers(a: tuple[str, str], b: tuple[str, str]) -> int:
    (proven_a, damaged_a), (proven_b, damaged_b) = a, b
    if proven_a and proven_b:
        return 0 if proven_a == proven_b else 2
    one, other = proven_a or damaged_a, proven_b or damaged_b
    if not one or not other:
        return MISSING
    return 1 if near(one, other) or near(other, one) else 2


_PHONE = ("same", "edit", "different")


def _phone(steps: Sequence[Step]) -> Compare:
    """Return how telephone numbers agree: the same, with or without the area code; one slip apart; different."""
    return _phones


def _phones(a: str, b: str) -> int:
    if not a or not b:
        return MISSING
    if a == b or (len(a) != len(b) and same_phone(a, b)):
        return 0
    return 1 if OSA.distance(a, b, score_cutoff=1) <= 1 else 2


_NUMBERED = ("same", "different")


def _numbered(steps: Sequence[Step]) -> Compare:
    """Return how lists of "kind|value" agree: a shared number is the same, one kind with other values is different.

    Where the two sides have no kind in common, nothing is said (MISSING).
    """
    return _kinds


def _kinds(a: Sequence[str], b: Sequence[str]) -> int:
    if not a or not b:
        return MISSING
    if not set(a).isdisjoint(b):
        return 0
    kinds = {one.partition("|")[0] for one in a}
    return 1 if any(one.partition("|")[0] in kinds for one in b) else MISSING


_NAME = ("same", "sound", "damaged", "close", "given", "family", "different")
_TEXT, _SOUND, _HURT, _CLOSE, _GIVEN, _FAMILY, _NONE = range(7)

_NEARLY = 0.75


def _name(steps: Sequence[Step]) -> Compare:
    """Return how two Names (gateway.identity.names) agree.

    The same text; the same sound (homophones, pinyin against Hanzi, parts in another order); the same but for damaged
    places; the same surname and at least half of the given name; the same given name of two signs or more; only the
    same surname; different.
    """
    return _names


def _names(a: Any, b: Any) -> int:
    damaged = a.damaged or b.damaged
    if a.text == b.text:
        return _HURT if damaged else _TEXT
    if damaged and (UNREADABLE in a.text or UNREADABLE in b.text):
        return _HURT if _fits(a.text, b.text) else _NONE
    if a.sound and b.sound and (a.sound == b.sound or _parts(a.sound) == _parts(b.sound)):
        return _HURT if damaged else _SOUND
    if not a.family or not b.family:  # a transcription whose parts nobody marked
        return _CLOSE if Levenshtein.normalized_similarity(a.text, b.text) >= _NEARLY else _NONE
    if a.family == b.family:
        return _CLOSE if _half(a.given, b.given) else _FAMILY
    return _GIVEN if len(a.given) > 1 and a.given == b.given else _NONE


def _parts(sound: str) -> list[str]:
    return sorted(sound.split())


def _half(a: str, b: str) -> bool:
    """Return whether at least half of the longer given name stands in the other, at its place or shifted by a gap."""
    if not a or not b:
        return False
    longer = max(len(a), len(b))
    return 2 * (longer - OSA.distance(a, b)) >= longer


def _fits(a: str, b: str) -> bool:
    """Return whether two texts may be one when what is unreadable stands for anything: all that is legible in order."""
    if len(a) == len(b):
        legible = [x == y for x, y in zip(a, b, strict=True) if UNREADABLE not in (x, y)]
        return bool(legible) and all(legible)
    shorter, longer = sorted((a.replace(UNREADABLE, ""), b.replace(UNREADABLE, "")), key=len)
    signs = iter(longer)
    return bool(shorter) and all(any(sign == other for other in signs) for sign in shorter)


COMPARATORS: Mapping[str, Comparator] = {
    "exact": Comparator(_exact, ("same",), ("different",)),
    "text": Comparator(_text, ("same",), ("different",), stepped=True),
    "date": Comparator(_date, _DATE, ()),
    "number": Comparator(_number, _NUMBER, (), reads=2, terms=()),
    "phone": Comparator(_phone, _PHONE, ()),
    "numbered": Comparator(_numbered, _NUMBERED, (), terms=()),
    "name": Comparator(_name, _NAME, (), terms=("family", "given")),
    "place": Comparator(_place, ("same",), ("area", "different"), stepped=True, reads=2, terms=()),
}


def comparison(kind: str, steps: Sequence[Step]) -> Compare:
    """Return the comparison of a kind; of tuples of single values the best pair counts."""
    made = COMPARATORS[kind].make(steps)
    return made if kind in ("number", "numbered", "place") else best_of(made)


def best_of(compare: Compare) -> Compare:
    """Return a comparison of single values or tuples of values: the best of all pairs counts."""

    def compare_all(a: Any, b: Any) -> int:
        if not a or not b:
            return MISSING
        if type(a) is not tuple:
            return compare(a, b) if type(b) is not tuple else _best(compare, (a,), b)
        return _best(compare, a, b if type(b) is tuple else (b,))

    return compare_all


def _best(compare: Compare, a: Sequence[Any], b: Sequence[Any]) -> int:
    if len(a) == 1 == len(b):
        return compare(a[0], b[0])
    return min((found for one in a for other in b if (found := compare(one, other)) >= 0), default=MISSING)
