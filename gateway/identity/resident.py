"""The resident ID (GB 11643): what is proven, what is damaged, and what a damaged one may have been (china.md §3.3)."""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from stdnum.cn import ric

from gateway.identity import lists

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_NEARLY = re.compile(r"[0-9]{16,18}[0-9X]")
_LENGTH = 18
_KEPT = 15  # digits that a spreadsheet keeps; it writes noughts for the others
_OLD = re.compile(r"[0-9]{15}")
_BLANKS = re.compile(r"[\s\-‐–—_.·,，:：()\u200b]+")
_LIKE_X = str.maketrans({"×": "X", "*": "X", "Х": "X", "Χ": "X", "✕": "X", "╳": "X", "✖": "X", "⨯": "X", "❌": "X"})
_PERMITS = {"81": "residence-permit", "82": "residence-permit", "83": "residence-permit"}
_FOREIGNER = "9"
_FIRST_YEAR, _LAST_YEAR = 1800, 2099
_UNSURE = ("000", "996", "997", "998", "999")
_LEAST, _MOST = 6, 24
_MOST_REPAIRS = 24
_DIGITS = "0123456789"


class Resident(NamedTuple):
    """A number read as a resident ID: its text, whether it is proven, and the `kind` of permit it is instead.

    `upgraded` is one that had fifteen digits, whose slips no check digit shows.
    """

    text: str
    proven: bool = False
    kind: str = ""
    upgraded: bool = False


_NOTHING = Resident("")


@lists.remembered(32768)
def read(value: str) -> Resident:
    """Return what a number in capitals is as a resident ID; an empty text for a dummy."""
    text = _BLANKS.sub("", value)
    dummies = lists.dummies()
    if (
        dummies.numbers.fullmatch(value)
        or dummies.numbers.fullmatch(text)
        or not _LEAST <= len(text) <= _MOST
        or not any(one in _DIGITS for one in text)
    ):
        return _NOTHING
    text = text[:17] + text[17:].translate(_LIKE_X) if len(text) == 18 else text
    if _OLD.fullmatch(text):
        return _upgraded(text)
    if not _SHAPE.fullmatch(text):
        return Resident(text)
    if dummies.resident.fullmatch(text):
        return _NOTHING
    if not valid(text) or dummies.shortened.fullmatch(text):
        return Resident(text)
    kind = "foreigner-card" if text[0] == _FOREIGNER else _PERMITS.get(text[:2], "")
    return Resident(text, proven=True, kind=kind)


def valid(text: str) -> bool:
    """Say whether date and check digit are right; the area may be abolished, so it is not asked for."""
    return _dated(text[6:14]) and bool(ric.calc_check_digit(text) == text[17])


def birth_of(number: str) -> str:
    """Return the birth date inside a resident ID, as a FHIR date."""
    return f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def sex_of(number: str) -> str:
    """Return the sex inside a resident ID: the 17th digit is odd for men (GB 11643)."""
    return "male" if int(number[16]) % 2 else "female"


def strangeness(number: str, birth: str, sex: str) -> int:
    """Return how many of birth and sex a resident ID contradicts; an unknown one is none."""
    wrong_birth = bool(birth) and not birth_of(number).startswith(birth)
    return 2 * wrong_birth + (bool(sex) and sex_of(number) != sex)


def repairs(damaged: str, birth: str = "", sex: str = "") -> tuple[str, ...]:
    """Return the proven IDs one slip of the hand away from a damaged one, likeliest first, at most twenty-four.

    A slip is one wrong digit, two that changed places, one too many or one left out; what birth and sex contradict is
    left out. One that is valid, somebody's former number, is itself.
    """
    if not _NEARLY.fullmatch(damaged):
        return ()
    if len(damaged) == _LENGTH and valid(damaged):
        return (damaged,)
    found = (
        one
        for one in dict.fromkeys(_slips(damaged))
        if _SHAPE.fullmatch(one) and valid(one) and not strangeness(one, birth, sex)
    )
    dummies = lists.dummies().resident
    return tuple(one for one in found if not dummies.fullmatch(one))[:_MOST_REPAIRS]


def near(damaged: str, number: str) -> bool:
    """Say whether a damaged number may be `number`: the same, masked, cut short, or one slip of the hand away."""
    if damaged == number:
        return True
    if len(damaged) != len(number):
        return _lost(damaged, number) if len(damaged) < len(number) else _lost(number, damaged)
    if "*" in damaged or "X" in damaged[:-1]:
        return all(a == b or a in "*X" for a, b in zip(damaged, number, strict=True)) and _enough(damaged)
    wrong = [at for at in range(len(number)) if damaged[at] != number[at]]
    if damaged.endswith("000") and wrong[0] >= _KEPT:
        return True
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return damaged[wrong[0]] == number[wrong[1]] and damaged[wrong[1]] == number[wrong[0]]
    return len(wrong) == 1


def _upgraded(old: str) -> Resident:
    """Return the 18 characters of 15 digits, where they are sure.

    996 to 999 were for those born before 1900, and what has a whole date may be 18 digits that lost three.
    """
    longer = f"{old[:6]}19{old[6:]}"
    if not _dated(longer[6:14]) or _dated(old[6:14]) or old[12:] in _UNSURE:
        return Resident(old)
    text = longer + str(ric.calc_check_digit(longer + "0"))
    return _NOTHING if lists.dummies().resident.fullmatch(text) else Resident(text, proven=True, upgraded=True)


@lists.remembered(65536)
def _dated(digits: str) -> bool:
    year = int(digits[:4])
    try:
        date(year, int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return _FIRST_YEAR <= year <= _LAST_YEAR


def _slips(text: str) -> Iterator[str]:
    if len(text) > _LENGTH:
        yield from (text[:at] + text[at + 1 :] for at in range(len(text)))
        return
    if len(text) < _LENGTH:
        yield f"{text}X"  # a form long gone took no X
        yield from (text[:at] + digit + text[at:] for at in range(len(text) + 1) for digit in _DIGITS)
        return
    yield text[:17] + str(ric.calc_check_digit(text))
    for at in range(17):
        yield text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    for at in range(17):
        for digit in _DIGITS:
            if digit != text[at]:
                yield text[:at] + digit + text[at + 1 :]


def _lost(shorter: str, longer: str) -> bool:
    """Say whether one character was left out."""
    if len(shorter) + 1 != len(longer):
        return False
    at = next((at for at, one in enumerate(shorter) if one != longer[at]), len(shorter))
    return shorter[at:] == longer[at + 1 :]


def _enough(masked: str) -> bool:
    return sum(one not in "*X" for one in masked) >= 8
