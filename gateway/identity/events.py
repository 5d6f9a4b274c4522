"""What is written down of links, cases and events: the evidence for them, as compact JSON text."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.identity.decide import Decision, Reason
from gateway.store.identity import NewEvent

LINKER = "linker"
"""The actor of everything nobody decided."""

LINKED = "linked"
UNLINKED = "unlinked"
PROPOSED = "proposed"
SETTLED = "settled"
DELETED = "deleted"
DECIDED = {"same": "decided-same", "different": "decided-different", "later": "decided-later"}

WAS_LINKED = Reason(
    "was-linked", "the two were linked; what they say now no longer allows it", "两条记录曾被关联，现有信息已不再支持"
)
MEMBER_APART = Reason(
    "member-apart",
    "the two agree, but one of them, or a record linked to it, is surely not the person of a record of the other side",
    "两条记录相符，但其中一方或与其关联的记录与对方某条记录肯定不是同一人",
)
TOO_MANY = Reason(
    "too-many",
    "linked, the two would make a person of more records than one may have",
    "若关联，同一人的记录数将超过上限",
)
DECIDED_SAME = Reason(
    "decided-same",
    "a person called the two the same; what they say now contradicts it",
    "人工曾判定为同一人，现有信息与之矛盾",
)
CROWDED = Reason(
    "crowded",
    "more records are as near to one of the two and are not asked about: many share a number, a telephone or a name",
    "与其中一方相近的记录过多，未逐一提问：可能多人共用号码、电话或姓名",
)
STICKY = frozenset({WAS_LINKED.code, DECIDED_SAME.code})
"""Reasons of a case that only a person closes, whatever the records say later."""


class Told(NamedTuple):
    """What a case, link or event says: the score in bits, its reasons, its parts, who decided it and with what."""

    score: float
    reasons: tuple[Reason, ...]
    parts: tuple[tuple[str, str, float], ...]
    model: str
    actor: str


class _Stored(msgspec.Struct, omit_defaults=True):
    decision: str = ""
    score: float = 0.0
    reasons: list[Any] = []
    parts: list[tuple[str, str, float]] = []
    model: str = ""
    actor: str = ""
    cut: list[str] = []


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Stored)


def link_text(decision: Decision | None, actor: str) -> str:
    """Return the evidence of a link `same`: how it was decided, short, because a person may have very many."""
    told = _Stored("same", actor=actor)
    if decision is not None:
        codes = [one.code for one in decision.reasons]
        told = _Stored("same", _rounded(decision.bits), codes, model=decision.model, actor=actor)
    return _ENCODER.encode(told).decode()


def event_text(decision: Decision | None, more: Iterable[Reason] = (), cut: Sequence[str] = ()) -> str:
    """Return the evidence of an event: score, codes of the reasons, every part of the score, blocks that were cut."""
    codes = [one.code for one in (*more, *(decision.reasons if decision else ()))]
    parts = _parts(decision) if decision else []
    score = _rounded(decision.bits) if decision else 0.0
    return _ENCODER.encode(_Stored(score=score, reasons=codes, parts=parts, cut=list(cut))).decode()


def case_text(reasons: Iterable[Reason], decision: Decision) -> str:
    """Return the reasons of a case in both languages, with every part of the score."""
    return _ENCODER.encode(_Stored(reasons=list(reasons), parts=_parts(decision))).decode()


def reasons_of(text: str) -> tuple[Reason, ...]:
    """Return the reasons a case, link or event bears; where only codes were kept, the sentences are empty."""
    found = _DECODER.decode(text).reasons
    return tuple(Reason(one, "", "") if isinstance(one, str) else Reason(*one) for one in found)


def codes_of(text: str) -> frozenset[str]:
    """Return the codes of the reasons a case, link or event bears."""
    return frozenset(one.code for one in reasons_of(text))


def told(text: str) -> Told:
    """Return what the JSON text of a case, link or event says."""
    stored = _DECODER.decode(text)
    return Told(stored.score, reasons_of(text), tuple(stored.parts), stored.model, stored.actor)


def event(at_us: int, action: str, pair: tuple[int, int], actor: str, text: str, model: str) -> NewEvent:
    """Return an event about two records."""
    return NewEvent(at_us, action, min(pair), max(pair), actor, text, model)


def _parts(decision: Decision) -> list[tuple[str, str, float]]:
    return [(part.field, part.level, _rounded(part.bits)) for part in decision.parts]


def _rounded(bits: float) -> float:
    return round(bits, 3)
