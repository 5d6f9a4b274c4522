"""Numbers: which identifiers of a Patient name a person, nationally or within their own series (ruling R3)."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.identity import lists, resident

_SERIES = re.compile(r"/id/[^/]+/(?:[^/]+/)?(?P<kind>[^/]+)$")
_FORMULA = re.compile(r'="?(?P<value>[^"]*)"?')
_QUOTES = "'\"`´‘’“” \t\r\n\ufeff"
_SEPARATORS = re.compile(r"[\s\-‐–—_.·()\u200b]+")
_MASK = re.compile(r"\*{2,}|X{3,}|\d\*\d?")
_RESIDENT, _UNVERIFIED, _FORMER, _DOCUMENT, _NATIONAL, _LOCAL, _COPY = range(7)
_MOST = 8
_SHORT = 8  # a national number of so few characters is a number of something else


class Numbers(NamedTuple):
    """The numbers of one Patient, sorted by what they prove.

    `flags`: two-ids where it has two resident IDs, fifteen-digits where its ID was written without century and check
    digit, so that a slip of the hand in it shows nowhere.
    """

    resident: str
    damaged: str
    documents: tuple[str, ...]
    national: tuple[str, ...]
    local: tuple[str, ...]
    flags: tuple[str, ...]


class _Judged(NamedTuple):
    slot: int
    value: str
    upgraded: bool = False


def of_identifiers(told: Any, birth: str = "", sex: str = "") -> Numbers:
    """Return what the identifiers of a Patient are worth; of two resident IDs, the one that fits birth and sex."""
    slots: tuple[list[str], ...] = ([], [], [], [], [], [], [])
    for slot, value in _sorted(told):
        slots[slot].append(value)
    proven = sorted(dict.fromkeys(slots[_RESIDENT]), key=lambda one: resident.strangeness(one, birth, sex))
    first = proven[0] if proven else ""
    damaged = (one for one in (*slots[_UNVERIFIED], *proven[1:], *slots[_FORMER]) if not _told_by(one, first))
    national = [one for one in slots[_NATIONAL] if one.partition("|")[2] != first]
    flags = (("two-ids", len(proven) > 1), ("fifteen-digits", first != "" and first in slots[_COPY]))
    return Numbers(
        first,
        next(damaged, ""),
        _kept(slots[_DOCUMENT]),
        _kept(national),
        _kept(slots[_LOCAL]),
        tuple(flag for flag, holds in flags if holds),
    )


def _sorted(told: Any) -> Iterator[tuple[int, str]]:
    """Yield what every identifier proves, by its slot; a number that came as fifteen digits also as a copy."""
    for one in _entries(told):
        system = one.get("system")
        found = _judged(system if isinstance(system, str) else "", one["value"], _type(one.get("type")))
        if found is not None and not _of_one_day(one.get("period")):
            yield _FORMER if found.slot == _RESIDENT and one.get("use") == "old" else found.slot, found.value
            if found.upgraded:
                yield _COPY, found.value


def _told_by(damaged: str, proven: str) -> bool:
    """Say whether a damaged number is the proven one again, masked or cut short."""
    return damaged == proven or (proven != "" and not resident.read(damaged).proven and resident.near(damaged, proven))


def lasting(local: str) -> bool:
    """Say whether a local number stays with one person: a visit card or a number of the day is handed on."""
    return _kind(local.partition("|")[0]) not in lists.documents().passing


def card(local: str) -> bool:
    """Say whether a local number is that of a card, which a person has until it is lost and handed on."""
    return _kind(local.partition("|")[0]) in lists.documents().cards


def folded(raw: str) -> str:
    """Return a number as it is compared: plain capitals, without what spreadsheets put around it."""
    text = raw if raw.isascii() else unicodedata.normalize("NFKC", raw)
    text = text.strip(_QUOTES)
    formula = _FORMULA.fullmatch(text)
    return (formula["value"] if formula else text).strip(_QUOTES).upper()


def _entries(told: Any) -> Iterator[dict[str, Any]]:
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and isinstance(one.get("value"), str) and one["value"]:
            yield one


def _type(told: Any) -> str:
    """Return the codes and words of an identifier's type that the lists know, first one first."""
    if not isinstance(told, dict):
        return ""
    codings = told.get("coding")
    words = [told.get("text")]
    for one in codings if isinstance(codings, list) else ():
        if isinstance(one, dict):
            words += [one.get("code"), one.get("display")]
    telling = lists.documents().telling
    return next((word for word in words if isinstance(word, str) and word in telling), "")


def _of_one_day(period: Any) -> bool:
    """Say whether a number was somebody's for a day only, as 门诊号 are (china.md section 5.2 case 14)."""
    return isinstance(period, dict) and isinstance(period.get("end"), str) and period.get("start") == period["end"]


@lists.remembered(4096)
def _kind(system: str) -> str:
    """Return which of an institution's own series a system is, '' for others'."""
    series = _SERIES.search(system)
    return series["kind"] if series else ""


@lists.remembered(32768)
def _judged(system: str, raw: str, told: str) -> _Judged | None:
    """Return what one identifier proves, None where it says nothing: a dummy, a masked number, words for none."""
    known = lists.documents()
    value = folded(raw)
    if not value or len(value) > known.longest or value.lower() in lists.dummies().words:
        return None
    kind = _kind(system)
    if kind in known.unverified:
        return _resident(value, trusted=False)
    claims = told in known.resident_claims and resident.read(value).proven
    if system in known.resident_systems or told in known.resident_types or claims:
        return _resident(value, trusted=True)
    if kind in known.copies:
        number = resident.read(value)
        return _Judged(_COPY, number.text) if number.proven else None
    return _number(system, kind, value, told)


def _number(system: str, kind: str, value: str, told: str) -> _Judged | None:
    """Return what a number that is no resident ID proves."""
    known = lists.documents()
    bare = _SEPARATORS.sub("", value)
    dummies = lists.dummies().numbers
    if not bare or _MASK.search(bare) or dummies.fullmatch(bare) or dummies.fullmatch(value):
        return None
    if system in known.national:
        return _Judged(_NATIONAL, f"{known.national[system]}|{bare}") if len(bare) > _SHORT else None
    document = known.kinds.get(told) or known.kinds.get(kind)
    if document is not None:
        return _Judged(_DOCUMENT, _document(document, bare))
    return _Judged(_LOCAL, f"{system}|{value}") if system else None


def _resident(value: str, *, trusted: bool) -> _Judged | None:
    """Return what a number that claims to be a resident ID is: proven, a permit with the same form, or damaged."""
    number = resident.read(value)
    if not number.text:
        return None
    if number.kind:
        return _Judged(_DOCUMENT, f"{number.kind}|{number.text}")
    slot = _RESIDENT if number.proven and trusted else _UNVERIFIED
    return _Judged(slot, number.text, number.upgraded)


def _document(kind: str, bare: str) -> str:
    """Return a document as "kind|value"; one told only as a document is told by its form."""
    number = resident.read(bare)
    if number.kind:
        return f"{number.kind}|{number.text}"
    if kind == "document":
        kind = next((name for name, shape in lists.documents().shapes if shape.fullmatch(bare)), kind)
    if kind == "permit-hk-mo":
        bare = bare[:9]  # two digits behind it count how often the permit was issued
    return f"{kind}|{bare.replace('第', '').removesuffix('号')}"


def _kept(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:_MOST]
