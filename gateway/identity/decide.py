"""Decides whether two records are one person: the rules first, then the score where they leave it open (R3, R17)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from gateway.identity import rules as rulebook
from gateway.identity.agreement import compare, told_births, told_sex
from gateway.identity.evidence import Evidence
from gateway.identity.model import Model
from gateway.identity.rules import HEIGHT, Book, Reason, Ruling, Verdict
from gateway.identity.score import Part, Score, score

__all__ = ["Decision", "Part", "Reason", "Verdict", "decide"]

_UNSCORED = Score(0.0, ())
_GRADES = {
    Verdict.SAME: "certain",
    Verdict.REVIEW: "probable",
    Verdict.APART: "possible",
    Verdict.CONTRADICTED: "certainly-not",
}


class Decision(NamedTuple):
    """What is said of two records, and why; `bits` and `parts` are empty where the rules forbid whatever the score."""

    verdict: Verdict
    grade: str
    bits: float
    reasons: tuple[Reason, ...]
    parts: tuple[Part, ...]
    model: str


def decide(a: Evidence, b: Evidence, model: Model, rules: Book | None = None) -> Decision:
    """Return whether two records are one person; pure, symmetric, never raises (china.md section 5.2 cases 1-15).

    A threshold that a rule names and the model lacks is `auto`.
    `rules` are those that came with the gateway where none are given. The grade is a FHIR match grade: `certain` is
    what is linked without asking, `probable` and `possible` are for a person, the former above the automatic threshold.
    """
    ruling = (rules or rulebook.ours()).ruling(compare(a, b), frozenset((*a.flags, *b.flags)))
    if HEIGHT[ruling.ceiling] <= HEIGHT[Verdict.APART]:
        return _decision(ruling.ceiling, ruling.forbids, ruling, _UNSCORED, model)
    if not ruling.scored and ruling.floor == Verdict.APART:
        return _decision(Verdict.APART, (), ruling, _UNSCORED, model)
    told = score(model, values(a), values(b))
    auto = model.thresholds["auto"]
    reached = [one for one in ruling.scored if told.bits >= model.thresholds.get(one.bits, auto)]
    best = max((one.verdict for one in reached), key=HEIGHT.__getitem__, default=ruling.floor)
    why = tuple(one.reason for one in reached if one.verdict == best) if best != ruling.floor else ruling.proves
    if HEIGHT[ruling.ceiling] < HEIGHT[best] or (ruling.ceiling == best != Verdict.SAME):
        best, why = ruling.ceiling, (*ruling.forbids, *why)
    return _decision(best, why, ruling, told, model)


def values(evidence: Evidence) -> Mapping[str, Any]:
    """Return evidence as the named values that a model reads; an ID that is one's own tells birth date and sex too."""
    told = msgspec.structs.asdict(evidence)
    births = told_births(evidence)
    told["birth"] = births if len(births) > 1 else "".join(births)
    told["sex"] = told_sex(evidence)
    return told


def _decision(verdict: Verdict, why: tuple[Reason, ...], ruling: Ruling, told: Score, model: Model) -> Decision:
    grade = _GRADES[verdict]
    if verdict == Verdict.REVIEW and told.bits < model.thresholds["auto"]:
        grade = "possible"
    return Decision(verdict, grade, told.bits, (*why, *ruling.facts), told.parts, model.version)
