"""A client's edit as it comes in: its text read and judged before any table is touched."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.conformance import structure
from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.fhir.issues import Invalid, Issue, has_errors
from gateway.fhir.primitives import shown
from gateway.record import attachments, conditional, ids, transaction
from gateway.record.conditional import Condition
from gateway.record.edits import Body, Check, Edit, Rules
from gateway.search import parameters
from gateway.search.extract import Rows

_FID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_SUBSETTED = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")


@dataclass(frozen=True, slots=True)
class Incoming:
    """An edit with its parsed text and condition; `fresh` is the id it gets where the server names it."""

    edit: Edit
    number: int
    """Its position in the request."""
    place: str
    condition: Condition | None = None
    body: Body = field(default_factory=dict)
    text: bytes = b""
    questions: tuple[str, ...] = ()
    """Its references by condition, `Type?query`."""
    fresh: str = ""
    resolved: bool = False
    """Whether its references to other entries are resolved."""
    rows: Rows | None = None
    """Its search rows where they are known already."""


def incoming(edit: Edit, number: int, place: str, zone: str, check: Check, rules: Rules) -> Incoming:
    """Return an edit that can be tried; raises GatewayError for what cannot be read, Invalid for wrong content."""
    known(edit.kind, edit.fid)
    condition = None
    if edit.criteria is not None:
        most = rules.deletes_at_once + 1 if edit.action == "delete" else 2
        condition = conditional.condition(edit.kind, edit.criteria, zone, most)
    elif not edit.fid and edit.action != "create":
        raise GatewayError(f"an {edit.action} needs an id, or conditions that name the resource", where="id")
    if edit.action in ("patch", "delete"):
        return Incoming(edit, number, place, condition)
    body = resource.loads(edit.text)
    _typed(edit, body)
    if edit.action == "update":
        _named(edit, body)
    judged(body, check)
    _whole(edit, body)
    return Incoming(edit, number, place, condition, body, edit.text, questions(body, edit.text), ids.fresh())


def questions(body: Body, text: bytes) -> tuple[str, ...]:
    """Return the references by condition of a resource; most texts hold none and are not walked."""
    return tuple(transaction.asked(body)) if transaction.may_ask(text) else ()


def known(kind: str, fid: str) -> None:
    """Raise GatewayError for a type R4 does not have or an id that can be none."""
    if kind not in parameters.types():
        text = f"{kind[:64]} is not a resource type of FHIR R4; names begin with a capital, as in Patient"
        raise GatewayError(text, category=Category.NOT_FOUND)
    if fid and not _FID.fullmatch(fid):
        raise GatewayError(f"{shown(fid)} is no id: an id is 1 to 64 letters, digits, - and .", where=f"{kind}.id")


def judged(body: Body, check: Check) -> None:
    """Raise Invalid with every finding where a resource has an error."""
    issues = check(body)
    if has_errors(issues):
        raise Invalid(issues)


def rejudged(body: Body, check: Check) -> None:
    """Raise Invalid where resolved references lead to a wrong type; the rest of a resource was judged before."""
    judged(body, check if body.get("meta", {}).get("profile") else structure.check)


def located(fault: GatewayError, place: str) -> None:
    """Let a failure say in which entry of the request it stands; `place` is empty where there is but one."""
    if not place:
        return
    if isinstance(fault, Invalid):
        fault.issues = [replace(issue, where=_under(place, issue.where)) for issue in fault.issues]
    fault.where = place


def pointer_kept(body: Body, stored: Body | None) -> attachments.Pointer | None:
    """Return where a Binary's content is kept; raises Invalid where a client names content that is not its own."""
    place = attachments.pointer(body) if body.get("resourceType") == "Binary" else None
    if place is None or (stored is not None and attachments.pointer(stored) == place):
        return place
    text = f"the extension {attachments.CONTENT} is the server's own: send the content itself as Binary.data"
    raise Invalid([Issue("error", "business-rule", text, "Binary.data")])


def _typed(edit: Edit, body: Body) -> None:
    said = body.get("resourceType")
    if said != edit.kind:
        text = f"the body's resourceType is {shown(said)}, the address says {edit.kind}; they must be the same"
        raise GatewayError(text, where="resourceType")


def _named(edit: Edit, body: Body) -> None:
    """Refuse an update whose body names another id than the address (R4 http.html#update)."""
    said = body.get("id")
    if edit.criteria is None and said != edit.fid:
        text = f"the body's id is {shown(said)}, the address says {edit.fid}; an update needs the same id in both"
        raise GatewayError(text, where=f"{edit.kind}.id")
    if said is not None:
        if not isinstance(said, str):
            raise GatewayError(f"{shown(said)} is no id: an id is text", where=f"{edit.kind}.id")
        known(edit.kind, said or "?")


def _whole(edit: Edit, body: Body) -> None:
    """Refuse an update made from a partial read, which would lose what was left out."""
    tags: list[Any] = body.get("meta", {}).get("tag", [])
    if edit.action == "update" and any((tag.get("system"), tag.get("code")) == _SUBSETTED for tag in tags):
        text = (
            "meta.tag says SUBSETTED: this text is part of a resource, and storing it would lose the rest; "
            "read the whole resource, change that, and send it without the tag"
        )
        raise Invalid([Issue("error", "business-rule", text, f"{edit.kind}.meta.tag")])


def _under(place: str, where: str) -> str:
    """Return a FHIRPath of a resource as one of the request: `Patient.name` -> `Bundle.entry[1].resource.name`."""
    _, dot, rest = where.partition(".")
    return f"{place}.resource{dot}{rest}"
