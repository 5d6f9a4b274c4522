"""How sure it is that each Patient is of the person: by the evidence of the links that lead to it."""

import json
from collections.abc import Iterable
from typing import Any

from gateway.identity.survivorship import LEVELS, Assurance, Level
from gateway.store.values import Link

MERGED = "replaced-by"
LINKER = "linker"


def levels(rules: Assurance, start: int, links: Iterable[Link]) -> dict[int, Level]:
    """Return pid -> level for a Patient and all that links lead to from it; the Patient itself is surely of the person.

    Of the ways that lead to a Patient the surest counts, and of a way its least sure step.
    """
    steps = [(link.from_pid, link.to_pid, LEVELS.index(level(rules, link))) for link in links]
    found = {start: len(LEVELS) - 1}
    for _ in range(len(steps)):
        before = dict(found)
        for one, other, sure in (*steps, *((other, one, sure) for one, other, sure in steps)):
            if one in found:
                found[other] = max(found.get(other, -1), min(found[one], sure))
        if found == before:
            break
    return {pid: LEVELS[sure] for pid, sure in found.items()}


def level(rules: Assurance, link: Link) -> Level:
    """Return how sure one link is; a merge is its site's own word, a decision that of the person who took it."""
    if link.kind == MERGED:
        return rules.merged
    evidence = _evidence(link)
    actor = evidence.get("actor")
    if isinstance(actor, str) and actor not in ("", LINKER):
        return rules.decided
    given = [rules.reasons.get(code) for code in _codes(evidence.get("reasons"))]
    given.append(rules.grades.get(str(evidence.get("grade") or evidence.get("decision"))))
    return max((one for one in given if one), key=LEVELS.index, default=rules.otherwise)


def _evidence(link: Link) -> dict[str, Any]:
    try:
        found = json.loads(link.evidence)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _codes(reasons: Any) -> list[str]:
    """Return the codes of reasons, which are told as texts, as lists that begin with it, or as objects."""
    codes = [_code(one) for one in reasons] if isinstance(reasons, list) else []
    return [code for code in codes if isinstance(code, str)]


def _code(reason: Any) -> Any:
    if isinstance(reason, dict):
        return reason.get("code")
    return reason[0] if isinstance(reason, list) and reason else reason
