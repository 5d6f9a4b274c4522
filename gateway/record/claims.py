"""Claims: what a patient should have one of at a time, such as an active family-doctor team (A3, N2, R19).

A second one is stored like the first and told: which of them holds is decided by people, by the rules of contracts.
"""

from typing import Any

from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key
from gateway.record.states import State, alias
from gateway.store.values import AliasKey

_SYSTEM = "https://yigong.example/fhir/claim/"
_DAY = len("2026-01-01")
_NEVER, _EVER = "0000", "9999"

Body = dict[str, Any]


def key(draft: Draft, patient: State) -> AliasKey:
    """Return the number by which the holder of a patient's claim is known."""
    return alias(draft.type, Key(_SYSTEM + draft.claim.replace(" ", "-"), patient.fid))


def at_once(one: Body, other: Body) -> bool:
    """Say whether two are active in overlapping periods; a period without an end goes on."""
    if one.get("status") != "active" or other.get("status") != "active":
        return False
    first, second = _span(one), _span(other)
    return first[0] <= second[1] and second[0] <= first[1]


def holder(body: Body) -> str:
    """Return whose claim it is: the number, else the name of the first participant."""
    participants = body.get("participant") or [{}]
    member = participants[0].get("member", {})
    return str(member.get("identifier", {}).get("value") or member.get("display", ""))


def told(draft: Draft, held: State, current: Body, body: Body) -> Issue:
    """Return the issue that names both."""
    text = (
        f"two {draft.claim}s at once: {holder(body)} beside {holder(current)} ({held.reference}); both were stored and "
        "neither was closed: a person decides which one holds"
    )
    return Issue("warning", "business-rule", text, draft.name)


def _span(body: Body) -> tuple[str, str]:
    period = body.get("period", {})
    return str(period.get("start", _NEVER))[:_DAY], str(period.get("end", _EVER))[:_DAY]
