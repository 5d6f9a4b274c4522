"""What the gates look at, as plain frozen values: the order, an earlier result, and the moment in which it is asked."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from gateway.community.recognition.catalogue import Coding
from gateway.community.recognition.marks import Mark
from gateway.community.recognition.places import House
from gateway.community.recognition.policy import Patient

Identity = Literal["same", "certain", "probable", "possible", "certainly-not", ""]
"""Whether the result's patient is the order's: the same record, or the grade of the link (`identity.decide`)."""
NOBODY = House("")


@dataclass(frozen=True, slots=True)
class Order:
    """One ordered item. `occurrence` is a FHIR dateTime, empty for now; `circumstances` as in exceptions.yaml."""

    codings: tuple[Coding, ...]
    name: str = ""
    specimen: str = ""
    side: str = ""
    occurrence: str = ""
    circumstances: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """A result: a number with its UCUM unit, or words; neither where the laboratory gave none."""

    number: Decimal | None = None
    unit: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """An earlier result as the record has it; nothing in it has been judged yet.

    `status` is the result's FHIR status, `report_status` its report's where that is another resource. `taken` is when
    the specimen was taken or the examination done, never the report's time, which is `issued`. Ruling R12: `measured`
    is the testing laboratory, `acquired` the site that made the pictures; who collected or read does not count.
    """

    codings: tuple[Coding, ...]
    identity: Identity = ""
    status: str = ""
    report_status: str = ""
    name: str = ""
    marks: tuple[Mark, ...] = ()
    specimen: str = ""
    method: str = ""
    modalities: tuple[str, ...] = ()
    part: str = ""
    contrast: str = ""
    side: str = ""
    taken: str = ""
    issued: str = ""
    measured: House = NOBODY
    acquired: House = NOBODY
    value: Value = field(default_factory=Value)
    has_range: bool = False
    conditions: tuple[str, ...] = ()
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, for what kind of patient, and when; times without an offset stand in `zone`."""

    receiver: House
    now: datetime
    patient: Patient = "outpatient"
    zone: str = "Asia/Shanghai"
