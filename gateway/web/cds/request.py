"""The request of CDS Hooks, judged: what the doctor's system says of the moment and of the drafts it concerns."""

import uuid
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource

Json = dict[str, Any]
SELECT, SIGN = "order-select", "order-sign"
_LONGEST = 2000


class Asked(NamedTuple):
    """One call of a service. `server` is the FHIR endpoint that its ids belong to, empty where it names none.

    `drafts` are the ServiceRequests that it is about: those just selected, or (order-sign) all of them. `patient` and
    `encounter` are ids, `user` a reference; `prefetch` holds the resources that were sent along.
    """

    server: str
    user: str
    patient: str
    encounter: str
    drafts: tuple[Json, ...]
    prefetch: Json

    def sent(self, key: str, kind: str) -> Json:
        """Return a prefetched resource, empty where there is none of that type (2.0, Prefetch Template)."""
        found = self.prefetch.get(key)
        return found if isinstance(found, dict) and found.get("resourceType") == kind else {}


def parse(body: bytes, hook: str) -> Asked:
    """Return what is asked of the service of a hook; raises GatewayError naming what is malformed.

    CDS Hooks 2.0, Calling a CDS Service (HTTP Request), and the contexts of order-select and order-sign. A bearer token
    (`fhirAuthorization`) is never used: the gateway calls nobody back.
    """
    told = resource.loads(body)
    if told.get("hook") != hook:
        raise GatewayError(f'this service answers the hook {hook}; send "hook": "{hook}"', where="hook")
    _check_instance(told.get("hookInstance"))
    server = _text(told, "fhirServer", "fhirServer", required="fhirAuthorization" in told)
    context, prefetch = told.get("context"), told.get("prefetch") or {}
    for name, value in (("context", context), ("prefetch", prefetch)):
        if not isinstance(value, dict):
            raise GatewayError(f"{name} is a JSON object; send it as the hook {hook} defines it", where=name)
    assert isinstance(context, dict)
    patient = _text(context, "patientId", "context.patientId", required=True).removeprefix("Patient/")
    drafts = _drafts(context.get("draftOrders"))
    return Asked(
        server.rstrip("/"),
        _text(context, "userId", "context.userId", required=True),
        patient,
        _text(context, "encounterId", "context.encounterId").removeprefix("Encounter/"),
        tuple(one for one in _chosen(drafts, context, hook) if _of(one, patient)),
        prefetch,
    )


def _check_instance(told: Any) -> None:
    try:
        uuid.UUID(told if isinstance(told, str) else "")
    except ValueError:
        text = "hookInstance is a UUID of this one call, as in d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
        raise GatewayError(text, where="hookInstance") from None


def _text(body: Json, name: str, where: str, *, required: bool = False) -> str:
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise GatewayError(f"{where} is a text that is not empty; send it as CDS Hooks 2.0 says", where=where)
    return value.strip()


def _drafts(bundle: Any) -> list[Json]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise GatewayError("context.draftOrders is a Bundle of the unsigned orders", where="context.draftOrders")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise GatewayError("the entries of a Bundle are an array", where="context.draftOrders.entry")
    return [_held(entry, number) for number, entry in enumerate(entries)]


def _held(entry: Any, number: int) -> Json:
    held = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(held, dict):
        raise GatewayError("an entry of the drafts holds a resource", where=f"context.draftOrders.entry[{number}]")
    return held


def _chosen(drafts: list[Json], context: Json, hook: str) -> list[Json]:
    orders = [one for one in drafts if one.get("resourceType") == "ServiceRequest"]
    if hook == SIGN:
        return orders
    told = context.get("selections")
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        text = "context.selections is an array of what was selected, as in ServiceRequest/1"
        raise GatewayError(text, where="context.selections")
    chosen = {one.removeprefix("ServiceRequest/") for one in told}
    return [one for one in orders if isinstance(one.get("id"), str) and one["id"] in chosen]


def _of(draft: Json, patient: str) -> bool:
    """Say whether a draft is of the patient of the context; one of another is never answered by this one's results."""
    subject = draft.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str):
        return True
    kind, _, fid = reference.partition("/_history/")[0].rpartition("/")
    return kind.rpartition("/")[2] != "Patient" or fid == patient
