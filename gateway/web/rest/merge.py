"""The operations Patient/$merge and Patient/$unmerge: two records become one, or two again.

`$merge` has the parameters and the answer of HL7's definition of it, which R4 does not have yet
(http://hl7.org/fhir/R5/patient-operation-merge.html), and two of our own: `reason`, which is required, and `performer`.
"""

import re
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.fhir.bundle import etag
from gateway.fhir.issues import Issue, operation_outcome
from gateway.fhir.primitives import shown
from gateway.identity.merge import Outcome, Wanted
from gateway.web.errors import HttpFault
from gateway.web.rest import asked
from gateway.web.rest.conditions import version
from gateway.web.rest.message import Answer, Request, Rest

Body = dict[str, Any]

_WHERE = "Parameters.parameter"
_PATIENT = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/([0-9]{1,9}))?")
_SIDES = ("source-patient", "target-patient")
_KNOWN = frozenset({*_SIDES, *(f"{side}-identifier" for side in _SIDES), "preview", "reason", "performer"})
_LONGEST = 1000


def merge(rest: Rest, request: Request) -> Answer:
    """Make the source patient one with the target patient; with `preview` only say what that would do."""
    given, wanted = _read(rest, request)
    return _answer(given, wanted, rest.merging.merge(request.actor, wanted))


def unmerge(rest: Rest, request: Request) -> Answer:
    """Undo what made two patients one, and note that they are two persons."""
    given, wanted = _read(rest, request)
    return _answer(given, wanted, rest.merging.unmerge(request.actor, wanted))


def _read(rest: Rest, request: Request) -> tuple[Body, Wanted]:
    """Return the parameters as sent, and what they ask for; raises GatewayError naming the one that is wrong."""
    asked.only(request)
    kind, name = request.path
    if kind != "Patient":
        raise GatewayError(f"{name} is of Patient, not of {kind[:64]}", category=Category.NOT_FOUND)
    if request.media not in asked.JSON:
        text = f"{name} takes Parameters as application/fhir+json, not {request.media or 'nothing'}"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")
    body = resource.loads(request.body)
    found = _parameters(body, name)
    (source, if_match), (target, _) = (_patient(rest, request, found, side) for side in _SIDES)
    held = request.headers.get("if-match")
    if_match = version(held) if held is not None else if_match
    reason, performer = _text(found, "reason"), _text(found, "performer")
    if not reason:
        raise GatewayError(f"{name} needs a reason (valueString): say why they are one, or two", where=_at("reason"))
    wanted = Wanted(source, target, reason, performer, _flag(found, "preview"), if_match)
    return body, wanted


def _parameters(body: Body, name: str) -> dict[str, list[Body]]:
    listed = body.get("parameter") if body.get("resourceType") == "Parameters" else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        text = f"{name} takes a Parameters resource with source-patient, target-patient and reason"
        raise GatewayError(text, where=_WHERE)
    found: dict[str, list[Body]] = {}
    for one in listed:
        found.setdefault(str(one.get("name", ""))[:64], []).append(one)
    strange = next((one for one in found if one not in _KNOWN), None)
    if strange == "result-patient":
        text = "result-patient is not offered: a merge rewrites no record; change the target by an update"
        raise GatewayError(text, where=_at(strange), category=Category.UNSUPPORTED)
    if strange is not None:
        raise GatewayError(f"{strange!r} is no parameter here; known are {', '.join(sorted(_KNOWN))}", where=_WHERE)
    return found


def _patient(rest: Rest, request: Request, found: dict[str, list[Body]], side: str) -> tuple[str, int | None]:
    """Return the id of one side, by its reference or by identifiers that all name it, and the version it bears."""
    references, identifiers = found.get(side, []), found.get(f"{side}-identifier", [])
    if len(references) > 1 or not (references or identifiers):
        raise GatewayError(f"name one {side} (valueReference), or its {side}-identifier", where=_at(side))
    named = _reference(references[0], request.base, side) if references else ("", None)
    if not identifiers:
        return named
    fids = {_identified(rest, request, one, side) for one in identifiers} | ({named[0]} if references else set())
    if len(fids) != 1:
        raise GatewayError(f"the parameters of {side} name several Patients", where=_at(f"{side}-identifier"))
    return fids.pop(), named[1]


def _reference(parameter: Body, base: str, side: str) -> tuple[str, int | None]:
    value = parameter.get("valueReference")
    text = value.get("reference") if isinstance(value, dict) else None
    match = _PATIENT.fullmatch(text.removeprefix(f"{base}/")) if isinstance(text, str) else None
    if match is None:
        told = shown(text) if text is not None else "nothing"
        raise GatewayError(f"{side} is a valueReference to Patient/ID of this server, not {told}", where=_at(side))
    return match[1], int(match[2]) if match[2] else None


def _identified(rest: Rest, request: Request, parameter: Body, side: str) -> str:
    """Return the id of the one Patient that has an identifier; raises GatewayError for none or several."""
    where = _at(f"{side}-identifier")
    value = parameter.get("valueIdentifier")
    system, number = (value.get("system"), value.get("value")) if isinstance(value, dict) else (None, None)
    if not (isinstance(number, str) and number and isinstance(system, str | None)):
        raise GatewayError(f"{side}-identifier is a valueIdentifier with a value", where=where)
    token = "|".join(_escaped(part) for part in ([system, number] if system else [number]))
    page = rest.record.search(request.actor, "Patient", [("identifier", token), ("_count", "2")], None)
    if len(page.matches) != 1:
        many = "no Patient" if not page.matches else "several Patients"
        text = f"{many} that you may see has this identifier; name the {side} by its id"
        raise GatewayError(text, where=where, category=Category.UNPROCESSABLE)
    return str(page.matches[0].fid)


def _escaped(text: str) -> str:
    """Return a token without the signs that part tokens (R4 search.html#escaping)."""
    return re.sub(r"([\\,$|])", r"\\\1", text)


def _text(found: dict[str, list[Body]], name: str) -> str:
    values = found.get(name, [])
    text = values[0].get("valueString") if len(values) == 1 else None
    if values and not (isinstance(text, str) and 0 < len(text.strip()) <= _LONGEST):
        raise GatewayError(f"{name} is one valueString of 1 to {_LONGEST} characters", where=_at(name))
    return text.strip() if isinstance(text, str) else ""


def _flag(found: dict[str, list[Body]], name: str) -> bool:
    values = found.get(name, [])
    flag = values[0].get("valueBoolean") if len(values) == 1 else False
    if not isinstance(flag, bool) or len(values) > 1:
        raise GatewayError(f"{name} is one valueBoolean, true or false", where=_at(name))
    return flag


def _at(name: str) -> str:
    return f"{_WHERE}:{name}"


def _answer(given: Body, wanted: Wanted, done: Outcome) -> Answer:
    """Return the parameters that came in, what became of it, and the target patient."""
    said = [f"preview, nothing was changed: {text}" if wanted.preview else text for text in done.told]
    outcome = operation_outcome([Issue("information", "informational", text) for text in said])
    parts = [
        {"name": "input", "resource": given},
        {"name": "outcome", "resource": outcome},
        {"name": "result", "resource": resource.loads(done.target.body or b"", strict=False)},
    ]
    body = resource.dumps({"resourceType": "Parameters", "parameter": parts})
    return Answer(200, body, {} if wanted.preview else {"etag": etag(done.source.ver)})
