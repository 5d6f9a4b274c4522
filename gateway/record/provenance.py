"""Provenance as it is shown: where one stored version came from, told from its columns (decision 14)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.fhir import resource, temporal
from gateway.store.engine import ReadTx
from gateway.store.values import Op, Stored, WorkRow

_ID = re.compile("([0-9]{1,15})-([0-9]{1,8})")
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_CODE = re.compile("[A-Z]+")
_CODES = {Op.CREATE: "CREATE", Op.UPDATE: "UPDATE", Op.DELETE: "DELETE"}
_MODES = {
    "replace": "the message owns the resource",
    "fill": "the message filled what was missing",
    "advance": "the message moved the state on",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One Provenance: its id, the version it tells of, and its text."""

    id: str
    ver: int
    body: bytes


def identify(text: str) -> tuple[int, int] | None:
    """Return the pid and version a Provenance id stands for, None for an id this server never gave."""
    found = _ID.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def of_versions(tx: ReadTx, versions: Sequence[Stored]) -> list[Rendered]:
    """Return the Provenance of some versions, in their order."""
    items = tx.work_rows({version.item_id for version in versions if version.item_id})
    numbers = {version.mapping_id for version in versions if version.mapping_id}
    mappings = {number: tx.mapping_digest(number) for number in numbers}
    return [
        render(version, items.get(version.item_id or 0), mappings.get(version.mapping_id or 0)) for version in versions
    ]


def render(version: Stored, item: WorkRow | None, mapping: str | None) -> Rendered:
    """Return the Provenance of a version (http://hl7.org/fhir/R4/provenance.html).

    `item` is the message it came from, where the inbox still tells of it; `mapping` the digest that names the
    definitions it was mapped with.
    """
    name = f"{version.pid}-{version.ver}"
    recorded = temporal.instant(version.updated_us)
    body: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": recorded},
        "target": [{"reference": f"{version.type}/{version.fid}/_history/{version.ver}", "type": version.type}],
    }
    if version.source_us:
        body["occurredDateTime"] = temporal.instant(version.source_us)
    body["recorded"] = recorded
    if mapping:
        body["policy"] = [f"urn:yigong:mapping:{mapping}"]
    if version.reason:
        body["reason"] = [_reason(version.reason)]
    body["activity"] = _activity(version)
    body["agent"] = _agents(version, item, mapping)
    if version.item_id:
        body["entity"] = [{"role": "source", "what": _source(version.item_id, item)}]
    return Rendered(name, version.ver, resource.dumps(body))


def _activity(version: Stored) -> dict[str, Any]:
    coded: dict[str, Any] = {"coding": [{"system": _OPERATION, "code": _CODES[version.op]}]}
    if version.mode in _MODES:
        coded["text"] = f"{version.mode}: {_MODES[version.mode]}"
    return coded


def _reason(text: str) -> dict[str, Any]:
    """Return why: a purpose of use (v3-ActReason, such as TREAT) as its code, anything else in words."""
    return {"coding": [{"system": _PURPOSE, "code": text}]} if _CODE.fullmatch(text) else {"text": text}


def _agents(version: Stored, item: WorkRow | None, mapping: str | None) -> list[dict[str, Any]]:
    """Return who had a part in a version: the site of a message, or the client that wrote it and its site."""
    if version.actor and not version.item_id:
        author = _agent("author", _named("actor", version.actor))
        return [author | ({"onBehalfOf": _named("site", version.site)} if version.site else {})]
    agents = [_agent("author", _named("site", version.site or "unknown"))]
    if item is not None:
        agents.append(_agent("transmitter", _named("feed", item.feed)))
    if mapping:
        agents.append(_agent("assembler", {**_named("mapping", mapping), "display": "Yigong Gateway mapping"}))
    if version.actor:
        agents.append(_agent("enterer", _named("actor", version.actor)))
    return agents


def _agent(role: str, who: dict[str, Any]) -> dict[str, Any]:
    return {"type": {"coding": [{"system": _PARTICIPANT, "code": role}]}, "who": who}


def _named(kind: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": f"urn:yigong:{kind}", "value": value}, "display": value}


def _source(item_id: int, item: WorkRow | None) -> dict[str, Any]:
    what: dict[str, Any] = {"identifier": {"system": "urn:yigong:inbox", "value": str(item_id)}}
    if item is not None:
        event = "^".join(part for part in (item.type, item.event) if part)
        words = (event or "message", item.control_id, f"of feed {item.feed}")
        received = f"received {temporal.instant(item.received_us)}"
        what["display"] = " ".join(word for word in (*words, received) if word)
    return what
