"""An order and a result of a Wuhan-like city that pass every gate of recognition, to change one thing at a time."""

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from gateway.community.recognition import knowledge
from gateway.community.recognition.catalogue import OWN, Coding
from gateway.community.recognition.facts import Context, Order, Result, Value
from gateway.community.recognition.gates import judge
from gateway.community.recognition.marks import split
from gateway.community.recognition.places import House
from gateway.settings import shipped

NOW = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
HERE = House("WH-0001", "本院", area="420102", community="江城医共体", level=3)
SISTER = House("WH-0101", "分院", area="420102", community="江城医共体", level=1)
OTHER = House("WH-0002", "外院", area="420106", level=3)
YICHANG = House("YC-0001", "宜昌医院", area="420502", level=3)
COUNTY = House("MB000001951992711A1001", "青禾县人民医院", area="519927", community="青禾县医共体", level=2)
CENTRE = House("MB000101151992711C2101", "柳溪镇中心卫生院", area="519927", community="青禾县医共体", level=1)


@lru_cache(maxsize=1)
def known():
    """The shipped knowledge."""
    return knowledge.load(shipped("profiles") / "recognition")


def own(code):
    return (Coding(OWN, code),)


def days_ago(days, hour=10):
    """A moment so many days before the order, as FHIR writes it."""
    return (NOW.replace(hour=hour) - timedelta(days=days)).isoformat()


def order(code="potassium", **other):
    return Order(own(code), **other)


def result(code="potassium", *, days=2, mark="★", issuer=OTHER, **other):
    """A marked result of the item, taken so many days ago at another house of the city; pictures are within reach."""
    item = known().catalogue.item(code)
    plain = {
        "identity": "certain",
        "status": "final",
        "report_status": "final",
        "marks": split(f"{mark} X").marks if mark else (),
        "taken": days_ago(days),
        "measured": issuer,
        "acquired": issuer,
        "value": Value(Decimal("4.1"), getattr(item, "unit", ""))
        if getattr(item, "numeric", False)
        else Value(text="阴性(-)"),
        "has_range": True,
        "reachable": True,
    }
    return Result(own(code), **(plain | other))


def context(receiver=HERE, patient="outpatient", now=NOW, **other):
    return Context(receiver, now, patient, **other)


def advice(asked=None, found=None, at=None, knows=None):
    """What the gates say; everything left out is what passes."""
    return judge(asked or order(), found or result(), at or context(), knows or known())


def outcome(*told, **more):
    """Gate, code and detail of an advice."""
    said = advice(*told, **more)
    return said.gate, said.code, said.detail


def changed(value, /, **other):
    return dataclasses.replace(value, **other)
