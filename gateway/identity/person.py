"""The FHIR Person of linked Patients, rendered when it is asked for: whose records, each value, and who told it.

It is made of what one reader may see (architecture decision 8), so two readers may see two Persons of one human being.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.fhir import resource, temporal
from gateway.identity import assurance, survivorship
from gateway.identity.survivorship import Chosen, Json, Member, Rules, Said
from gateway.store.values import Link

TOLD_BY = "https://yigong.example/fhir/StructureDefinition/told-by"
TOLD_OTHERWISE = "https://yigong.example/fhir/StructureDefinition/told-otherwise"
_SITE = "urn:yigong:site"
_VALUE = {"gender": "valueCode", "birthDate": "valueDate", "name": "valueString"}
_PLAIN = ("gender", "birthDate")
_LISTS = ("identifier", "name", "telecom", "gender", "birthDate", "address")


def standing(rules: Rules, members: Sequence[Member], links: Iterable[Link], updated_us: int) -> bytes:
    """Return the text of the Person of some Patients, the oldest first; its id is that of the oldest one."""
    values = survivorship.chosen(rules, members)
    body: Json = {"resourceType": "Person", "id": members[0].fid, "meta": _meta(members, updated_us)}
    for name in _LISTS:
        body |= _element(name, values.get(name, []))
    body["active"] = any(one.in_use for one in members)
    levels = assurance.levels(rules.assurance, members[0].pid, links)
    body["link"] = [_link(one, levels[one.pid]) for one in members if one.pid in levels]
    return resource.dumps(body)


def elsewhere(fid: str, member: Member, updated_us: int) -> bytes:
    """Return the text of the Person under the id of another of its Patients: out of use, it names the standing one."""
    body = {
        "resourceType": "Person",
        "id": member.fid,
        "meta": _meta([member], updated_us),
        "active": False,
        "link": [{"target": {"reference": f"Person/{fid}", "type": "Person"}}],
    }
    return resource.dumps(body)


def _meta(members: Sequence[Member], updated_us: int) -> Json:
    """Return when it last changed, and every sensitivity label of the records it shows."""
    labels: list[Any] = []
    for one in members:
        labels += [label for label in one.body.get("meta", {}).get("security", ()) if label not in labels]
    return {"lastUpdated": temporal.instant(updated_us), **({"security": labels} if labels else {})}


def _link(one: Member, level: str) -> Json:
    return {
        "target": {"reference": f"Patient/{one.fid}", "type": "Patient", "display": one.site},
        "assurance": level,
    }


def _element(name: str, values: Sequence[Chosen]) -> Json:
    if not values:
        return {}
    if name in _PLAIN:
        return {name: values[0].value, f"_{name}": {"extension": _sources(name, values[0])}}
    return {name: [_sourced(name, each) for each in values]}


def _sourced(name: str, chosen: Chosen) -> Json:
    kept = chosen.value.get("extension", [])
    return {**chosen.value, "extension": [*kept, *_sources(name, chosen)]}


def _sources(name: str, chosen: Chosen) -> list[Json]:
    """Return who told a value, the winner with why it won, and who says otherwise."""
    told = [_told_by(one, chosen.because if not number else "") for number, one in enumerate(chosen.tellers)]
    return [*told, *(_otherwise(name, said) for said in chosen.otherwise)]


def _told_by(one: Member, because: str) -> Json:
    why = [{"url": "because", "valueCode": because}] if because else []
    return {"url": TOLD_BY, "extension": [*_who(one), *why]}


def _otherwise(name: str, said: Said) -> Json:
    value = said.value if name in _PLAIN else _words(said)
    return {"url": TOLD_OTHERWISE, "extension": [{"url": "value", _VALUE[name]: value}, *_who(said.member)]}


def _words(said: Said) -> str:
    """Return a name as its record writes it."""
    parts = [said.value.get("family"), *(said.value.get("given") or ())]
    return str(said.value.get("text") or "".join(part for part in parts if isinstance(part, str)) or said.key)


def _who(one: Member) -> list[Json]:
    site = {"identifier": {"system": _SITE, "value": one.site}, "display": one.site}
    return [
        {"url": "patient", "valueReference": {"reference": f"Patient/{one.fid}"}},
        {"url": "site", "valueReference": site},
    ]
