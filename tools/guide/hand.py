"""Rows whose assignment the guide gives in words, computed by hand; each names the row it serves."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.guide import values
from tools.guide.message import component, unescape
from tools.guide.values import ANYTHING, Expected

if TYPE_CHECKING:
    from tools.guide.oracle import Here

MINUTES = {"s": 1 / 60, "min": 1, "h": 60, "d": 1440, "wk": 10080}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def moment(here: "Here") -> Expected | None:
    """DTM in FHIR's form ("must convert v2 date time format")."""
    return values.convert(here.part(1), "dateTime", "DTM", "")


def minutes(here: "Here") -> Expected | None:
    """CQ as minutes, from its unit."""
    unit = MINUTES.get(here.part(2).split("&")[0])
    number = here.part(1)
    if unit is None or not number.isdigit():
        return None
    return Expected("number", (str(int(timedelta(minutes=int(number) * unit).total_seconds() // 60)),))


def attachment_data(here: "Here") -> Expected | None:
    """ED.5 as base64: as sent when ED.4 says Base64."""
    return Expected("text", (here.part(5),)) if here.part(4) == "Base64" else None


def subtype(here: "Here") -> Expected | None:
    """ED.3 is a subtype; the contentType of R4 is a whole MIME type that ends with it."""
    inner = here.part(3)
    return Expected("text", (f"application/{inner}", f"{here.part(2)}/{inner}", inner)) if inner else None


def procedure_end(here: "Here") -> Expected | None:
    """PR1-5 and so many minutes (PR1-7)."""
    start = values.convert("".join(here.segment.reps(5)[:1]), "dateTime", "DTM", "")
    if start is None or not here.part(1).isdigit():
        return None
    return Expected("time", (values.later(start.texts[0], int(here.part(1))),))


def content_type(here: "Here") -> Expected | None:
    """RP.3 "/" RP.4, written without plus signs in the table."""
    return Expected("text", (f"{here.part(3)}/{here.part(4)}",)) if here.part(4) else None


def anything(here: "Here") -> Expected | None:
    """A value left to the implementer: some value must be there."""
    return ANYTHING if here.text else None


def repeated(here: "Here") -> Expected | None:
    """SN as the text that was sent."""
    return Expected("text", (" ".join(here.text.split("^")),))


def name_text(here: "Here") -> Expected | None:
    """XPN as one text; the order follows XPN.11, and Chinese names are written without a blank."""
    family = here.part(1).split("&")[0]
    given = [part for part in (here.part(2), here.part(3)) if part]
    before, after = here.part(5), here.part(4)
    orders = [[before, *given, family, after], [before, family, *given, after]]
    orders += [[*given, family], [family, *given]]
    joined = [sign.join(filter(None, order)) for order in orders for sign in (" ", "")]
    return Expected("text", tuple(dict.fromkeys(joined)))


def namespace(here: "Here") -> Expected | None:
    """HD as a URI: HD.1 is a name and no URI, so any URI that carries it (or HD.2) is right."""
    return values.namespace((here.part(1), here.part(2)))


def as_base64(here: "Here") -> Expected | None:
    """Text as the base64 data of an attachment: the repetitions of the field as lines."""
    number = int(here.row.source.split("-")[1])
    told = "\n".join(unescape(rep) for rep in here.segment.reps(number))
    return Expected("text", (base64.b64encode(told.encode()).decode(),))


def coded_comment(here: "Here") -> Expected | None:
    """NTE-9 as lines, as base64: its own words, then code, text and system joined by hyphens."""
    lines = [here.part(9), "-".join(filter(None, (here.part(1), here.part(2), here.part(3))))]
    told = "\n".join(filter(None, lines))
    return Expected("text", (base64.b64encode(told.encode()).decode(),))


def lasting(start: int, unit: int) -> Callable[["Here"], Expected | None]:
    """Return the rule for a length (AIS-7): so long after the moment in field `start`, in the unit of `unit`."""
    return lambda here: _so_long_after("".join(here.segment.reps(start)[:1]), here, unit)


def offset(unit: int) -> Callable[["Here"], Expected | None]:
    """Return the rule for an offset (AIS-5): so long after the start of the appointment (SCH-11.4)."""

    def moved(here: "Here") -> Expected | None:
        told = [component(rep, [4]) for one in here.all if one.name == "SCH" for rep in one.reps(11)]
        return _so_long_after("".join(told[:1]), here, unit)

    return moved


def _so_long_after(start: str, here: "Here", unit: int) -> Expected | None:
    begun = values.convert(start, "dateTime", "DTM", "")
    factor = MINUTES.get(component("".join(here.segment.reps(unit)[:1]), [1]))
    if begun is None or factor is None or not here.part(1).isdigit():
        return None
    return Expected("time", (values.later(begun.texts[0], int(int(here.part(1)) * factor)),))


HAND: dict[str, Callable[["Here"], Expected | None]] = {
    "HD[uri]#3": namespace,
    "XPN[string]#3": name_text,
    "DTM[dateTime]#3": moment,
    "DR[dateTime]#3": moment,
    "TS[dateTime]#3": moment,
    "DTM[Annotation-Time]#3": moment,
    "CQ[unsignedInt]#3": minutes,
    "ED[Attachment]#8": attachment_data,
    "ED[DocumentReference]#9": attachment_data,
    "ED[Attachment]#6": subtype,
    "ED[DocumentReference]#7": subtype,
    "PR1[Procedure]#12": procedure_end,
    "RP[Attachment]#5": content_type,
    "RP[DocumentReference]#5": content_type,
    "NTE[DocumentReference]#5": as_base64,
    "NTE[DocumentReference]#12": coded_comment,
    "OBX[DocumentReference]#8": as_base64,
    "OBX[DocumentReference]#11": as_base64,
    "AIS[Appointment]#7": offset(6),
    "AIS[Appointment]#9": lasting(4, 8),
    "AIS[ServiceRequest]#7": offset(6),
    "AIS[ServiceRequest]#9": lasting(4, 8),
    "AIG[Appointment]#11": offset(10),
    "AIG[Appointment]#13": lasting(8, 12),
    "AIL[Appointment]#9": offset(8),
    "AIL[Appointment]#11": lasting(6, 10),
    "AIP[Appointment]#9": offset(8),
    "AIP[Appointment]#11": lasting(6, 10),
    "CWE[Device]#7": anything,
    "CWE[Device]#13": anything,
    "CWE[Device]#23": anything,
    "CWE[Device]#6": anything,
    "CWE[Device]#12": anything,
    "CWE[Device]#18": anything,
    "CWE[Device]#22": anything,
}
