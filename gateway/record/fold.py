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

# A household is told member by member, a row each: what one row says of its member leaves the others.
_MEMBERED = frozenset({"Group"})

# Elements whose parts are told by different messages: the admission says where from, the discharge where to.
_PARTED = ("period", "hospitalization")


def fold(current: Body | None, draft: Draft, *, older: bool = False) -> Body:
    """Return the resource after `draft`; `older` says that its source time is before the stored one's.

    Withdrawals (status entered-in-error) outrank every order of time; an older source only fills gaps, and an older
    snapshot says nothing any more.
    """
    if current is None:
        return draft.body
    if withdraws(draft.body):
        return {**current, **_status_of(draft.body)}
    if draft.type in _MEMBERED:
        return _with_members(current, draft, older=older)
    if draft.type in SNAPSHOTS and draft.mode == "replace":
        return current if older else draft.body
    if older or draft.mode == "fill":
        return _fill(current, draft.body)
    return _advance(current, draft) if draft.mode == "advance" else _replace(current, draft)


def withdraws(body: Body) -> bool:
    """Say whether a body takes back what was said (R2)."""
    return body.get("status") == "entered-in-error"


def _status_of(body: Body) -> Body:
    return {name: value for name, value in body.items() if name in ("status", "note")}


def _fill(current: Body, said: Body) -> Body:
    missing = {name: value for name, value in said.items() if name not in current and not _taken(current, name)}
    filled = {**current, **missing}
    if "identifier" in current and "identifier" in said:
        filled["identifier"] = _beside(current["identifier"], said["identifier"])
    return filled


def _replace(current: Body, draft: Draft) -> Body:
    kept = {name: value for name, value in current.items() if not _displaced(name, draft)}
    merged = {**kept, **draft.body}
    for name in _PARTED:
        if name in kept and name in draft.body:
            merged[name] = {**kept[name], **draft.body[name]}
    if "extension" in kept and "extension" in draft.body:
        merged["extension"] = _by_url(kept["extension"], draft.body["extension"])
    return _with_identifiers(merged, current, draft.body)


def _with_members(current: Body, draft: Draft, *, older: bool) -> Body:
    """Return a group after one of its members told: a known member as restated (unless older), a new one added."""
    restate = draft.mode == "replace" and not older
    merged = _replace(current, draft) if restate else _fill(current, draft.body)
    stated = {_entity(member): member for member in draft.body.get("member", ())}
    kept = [stated.pop(_entity(member), member) if restate else member for member in current.get("member", ())]
    known = {_entity(member) for member in kept}
    members = [*kept, *(member for entity, member in stated.items() if entity not in known)]
    return {**merged, "member": members} if members else merged


def _entity(member: Body) -> str:
    return str(member.get("entity", {}).get("reference", ""))


def _by_url(old: list[Body], new: list[Body]) -> list[Body]:
    """Return the extensions as restated, each in its place: what was not sent is unchanged (decision 7)."""
    said: dict[str, list[Body]] = {}
    for entry in new:
        said.setdefault(str(entry.get("url")), []).append(entry)
    restated = frozenset(said)
    found: list[Body] = []
    for entry in old:
        url = str(entry.get("url"))
        found += said.pop(url, []) if url in restated else [entry]
    return [*found, *(entry for entries in said.values() for entry in entries)]


def _advance(current: Body, draft: Draft) -> Body:
    ended = current.get("status") in _TERMINAL.get(draft.type, frozenset())
    moved = dict(current)
    for name, value in draft.body.items():
        if name == "period" and "period" in current:
            moved["period"] = {**current["period"], **value}
        elif name in _ADVANCING and not (name == "status" and (ended or (value == "unknown" and "status" in current))):
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
    """Return the old identifiers as restated, then the new ones; a number once known is not forgotten.

    Each keeps its place, so that messages which bring different numbers in turn make no versions.
    """
    stated = {_number(entry): entry for entry in new}
    kept = [stated.pop(_number(entry), entry) for entry in old]
    return [*kept, *stated.values()]


def _beside(old: list[Body], new: list[Body]) -> list[Body]:
    """Return the old identifiers, more only where they said nothing, then the new ones: a former number stays one."""
    stated = {_number(entry): entry for entry in new}
    kept = [{**stated.pop(_number(entry), {}), **entry} for entry in old]
    return [*kept, *stated.values()]


def _number(entry: Body) -> tuple[Any, Any]:
    return entry.get("system"), entry.get("value")
