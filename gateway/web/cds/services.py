"""The services of CDS Hooks that are offered, and how one call of them is answered."""

from typing import NamedTuple

from gateway import clock
from gateway.access.actor import Actor
from gateway.hooks import Adviser, Consultation
from gateway.web.cds.cards import card
from gateway.web.cds.people import People
from gateway.web.cds.request import SELECT, SIGN, Asked, Json

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "encounter": "Encounter/{{context.encounterId}}",
    "user": "{{context.userId}}",
}
"""Prefetch templates (2.0, Prefetch Template): instance reads only; all of them may be left unsatisfied."""

HOOKS = {"recognition-order-select": SELECT, "recognition-order-sign": SIGN}
"""The hook of each service by the service's id."""

_MOMENTS = {SELECT: "选择医嘱时 on selecting orders", SIGN: "签署医嘱时 on signing orders"}


def discovery() -> Json:
    """Return what the discovery endpoint answers (2.0, Discovery, Response)."""
    return {"services": [_service(name, hook) for name, hook in HOOKS.items()]}


def _service(name: str, hook: str) -> Json:
    return {
        "hook": hook,
        "title": "检查检验结果互认 Mutual recognition of exam results",
        "description": f"提示可互认的已有结果。{_MOMENTS[hook]}: tells whether an earlier result of another house"
        " answers an order of a laboratory test or an examination. It advises and never blocks.",
        "id": name,
        "prefetch": PREFETCH,
    }


class Services(NamedTuple):
    """Answers calls by an adviser; times are shown in `zone`."""

    adviser: Adviser
    people: People
    zone: str

    def answer(self, actor: Actor, asked: Asked, base: str, until: float) -> Json:
        """Return the cards of one call; `base` is our public address of /fhir, `until` a monotonic time."""
        ours = asked.server in ("", base)
        patient = self.people.patient(actor, asked, ours=ours) if asked.drafts else ""
        if not patient:
            return {"cards": []}
        question = Consultation(actor, patient, asked.drafts, self._encounter(actor, asked, ours=ours), _user(asked))
        opinions = self.adviser.consult(question, until - clock.monotonic())
        return {"cards": [card(one, self.adviser.reasons, base, self.zone) for one in opinions]}

    def _encounter(self, actor: Actor, asked: Asked, *, ours: bool) -> Json:
        """Return the encounter as it was sent, else as our record has it."""
        sent = asked.sent("encounter", "Encounter")
        if sent or not (ours and asked.encounter):
            return sent
        return self.people.resource(actor, "Encounter", asked.encounter)


def _user(asked: Asked) -> Json:
    return asked.sent("user", "PractitionerRole")
