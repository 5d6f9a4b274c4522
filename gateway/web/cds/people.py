"""Whom a doctor's system means: the Patient of our record that is certainly the patient of its context, or nobody."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.identity.candidates import Judge
from gateway.identity.decide import Verdict
from gateway.identity.evidence import of_patient
from gateway.record.repository import Repository
from gateway.web.cds.request import Asked, Json

_IDENTIFIERS = 10
_FOUND = 10
_RESERVED = str.maketrans({sign: f"\\{sign}" for sign in "\\,|$"})


class People(NamedTuple):
    """Finds Patients in the record, as far as the actor sees it; `judge` decides whether two records are one person."""

    record: Repository
    judge: Judge

    def patient(self, actor: Actor, asked: Asked, *, ours: bool) -> str:
        """Return the id of the Patient that is meant, empty where it is none or not certain.

        Ids of our own /fhir (`ours`) are taken at their word, unless the prefetched Patient is clearly somebody else.
        Else the prefetched Patient leads: to one with an identifier of it that is certainly the same person.
        """
        sent = asked.sent("patient", "Patient")
        own = self.resource(actor, "Patient", asked.patient) if ours else {}
        if own:
            return asked.patient if not sent or self._verdict(sent, own) != Verdict.CONTRADICTED else ""
        candidates = self._identified(actor, sent)
        same = [body for body in candidates if self._verdict(sent, body) == Verdict.SAME]
        return str(same[0]["id"]) if same else ""

    def resource(self, actor: Actor, kind: str, fid: str) -> Json:
        """Return a resource of the record, empty where the actor sees none of that id."""
        try:
            stored = self.record.read(actor, kind, fid)
        except GatewayError as fault:
            if fault.category in (Category.NOT_FOUND, Category.GONE, Category.INVALID):
                return {}
            raise
        return resource.loads(stored.body or b"{}", strict=False)

    def _identified(self, actor: Actor, sent: Json) -> list[Json]:
        """Return the Patients that have an identifier of the one that was sent."""
        tokens = list(dict.fromkeys(_tokens(sent)))[:_IDENTIFIERS]
        if not tokens:
            return []
        asked = [("identifier", ",".join(tokens)), ("_count", str(_FOUND))]
        page = self.record.search(actor, "Patient", asked, None)
        return [resource.loads(hit.body, strict=False) for hit in page.matches]

    def _verdict(self, sent: Json, own: Json) -> Verdict:
        return self.judge(of_patient(sent, ""), of_patient(own, "")).verdict


def _tokens(patient: Json) -> Iterator[str]:
    """Yield the identifiers of a Patient as search tokens; one without a system says too little."""
    told = patient.get("identifier")
    for one in told if isinstance(told, list) else []:
        system, value = (one.get("system"), one.get("value")) if isinstance(one, dict) else (None, None)
        if isinstance(system, str) and isinstance(value, str) and system.strip() and value.strip():
            yield f"{system.strip().translate(_RESERVED)}|{value.strip().translate(_RESERVED)}"
