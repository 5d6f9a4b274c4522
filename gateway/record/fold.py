"""Folding: what a resource becomes when one more message tells about it (architecture decision 7)."""

from typing import Any

from gateway.mapping.draft import Draft

Body = dict[str, Any]

# A result segment is a snapshot: what a re-issued report leaves out is no longer said.
SNAPSHOTS = frozenset({"Observation", "DiagnosticReport", "Specimen", "DocumentReference"})

# What a lifecycle message may move on without owning the rest of the resource.
_ADVANCING = frozenset({"status", "period", "effectivePeriod", "occurrenceDateTime", "location", "class", "issued"})

# A state that has ended is not opened again by a message that only advances (reliability 1.5).
_TERMINAL: dict[str, frozenset[str]] = {
    "ServiceRequest": frozenset({"completed", "revoked", "entered-in-error"}),
    "Encounter": frozenset({"finished", "cancelled", "entered-in-error"}),
    "Task": frozenset({"completed", "failed", "cancelled", "rejected", "entered-in-error"}),
}

_UNION_BY_VALUE = ("identifier",)


def fold(current: Body | None, draft: Draft, *, older: bool = False) -> Body:
    """Return the resource after `draft`; `older` says that its source time is before the stored one's.

    Withdrawals (status entered-in-error) outrank every order of time; an older source only fills gaps.
    """
    if current is None:
        return draft.body
    if _withdraws(draft.body):
        return {**current, **_status_of(draft.body)}
    if older or draft.mode == "fill":
        return _fill(current, draft.body)
    if draft.mode == "advance":
        return _advance(current, draft)
    if draft.type in SNAPSHOTS:
        return draft.body
    return _replace(current, draft)


def _withdraws(body: Body) -> bool:
    return body.get("status") == "entered-in-error"


def _status_of(body: Body) -> Body:
    return {name: value for name, value in body.items() if name in ("status", "note")}


def _fill(current: Body, said: Body) -> Body:
    missing = {name: value for name, value in said.items() if name not in current and not _taken(current, name)}
    return _with_identifiers({**current, **missing}, current, said)


def _replace(current: Body, draft: Draft) -> Body:
    merged = {name: value for name, value in current.items() if not _displaced(name, draft)}
    merged.update(draft.body)
    return _with_identifiers(merged, current, draft.body)


def _advance(current: Body, draft: Draft) -> Body:
    ended = current.get("status") in _TERMINAL.get(draft.type, frozenset())
    moved = dict(current)
    for name, value in draft.body.items():
        if name == "period" and "period" in current:
            moved["period"] = {**current["period"], **value}
        elif name in _ADVANCING and not (ended and name == "status"):
            moved[name] = value
    return _fill(moved, draft.body)


def _displaced(name: str, draft: Draft) -> bool:
    return name in draft.clear or (name not in draft.body and _taken(draft.body, name))


def _taken(body: Body, name: str) -> bool:
    """Say whether `body` already has another type of the choice element `name` belongs to (deceased[x] …)."""
    for stem in ("deceased", "multipleBirth", "effective", "value", "occurrence", "onset", "medication"):
        if name.startswith(stem) and name != stem:
            return any(other.startswith(stem) and other != name for other in body)
    return False


def _with_identifiers(merged: Body, current: Body, said: Body) -> Body:
    for name in _UNION_BY_VALUE:
        if name in current and name in said:
            merged[name] = _union(current[name], said[name])
    return merged


def _union(old: list[Body], new: list[Body]) -> list[Body]:
    """Return the new identifiers and those old ones they do not restate; a number once known is not forgotten."""
    stated = {(entry.get("system"), entry.get("value")) for entry in new}
    return [*new, *(entry for entry in old if (entry.get("system"), entry.get("value")) not in stated)]
