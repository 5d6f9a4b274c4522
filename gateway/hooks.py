"""The doors of a community service: what it offers to the web, handed over as plain values by the wiring."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

from gateway.access.actor import Actor

Json = dict[str, Any]


class Call(NamedTuple):
    """One call of an operation on a resource: who asks, on which resource, with which Parameters (not yet judged).

    `base` is the public address of the FHIR endpoint, with which references may begin.
    """

    actor: Actor
    kind: str
    fid: str
    body: Json
    base: str


class Operation(NamedTuple):
    """A FHIR operation on a resource of one type: `name` with its `$`; `run` audits, and raises GatewayError."""

    name: str
    kind: str
    run: Callable[[Call], Json]


class Consultation(NamedTuple):
    """Draft orders (ServiceRequests) of a doctor's system for one Patient of the record, by its id.

    `encounter` and `user` (a PractitionerRole) are what that system knows of them, not yet judged; empty where nothing.
    """

    actor: Actor
    patient: str
    drafts: tuple[Json, ...]
    encounter: Json
    user: Json


class Opinion(NamedTuple):
    """What is to be said of one draft order and one earlier result; of `identity` nothing but the question is told.

    `draft` and `values` are relative references, `images` addresses. Days are of 24 hours.
    """

    draft: str
    show: Literal["prompt", "information", "identity"]
    code: str
    zh: str
    en: str
    item: str
    source: str = ""
    marks: tuple[str, ...] = ()
    value: str = ""
    taken: str = ""
    age: int | None = None
    left: int | None = None
    values: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


class Reason(NamedTuple):
    """A reason that a doctor may give for not following an opinion; `system` is its code system."""

    system: str
    code: str
    zh: str
    en: str


class Adviser(Protocol):
    """Gives opinions on draft orders; it audits whose record it looked into, and keeps silent on any failure."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What a doctor may answer to a prompt."""

    def consult(self, asked: Consultation, seconds: float) -> list[Opinion]:
        """Return at most one opinion on each draft, within so many seconds or none at all; never raises."""
