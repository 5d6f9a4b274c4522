"""Rows whose assignment the guide gives in words, computed by hand; each names the row it serves."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.guide import values
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
    "CWE[Device]#7": anything,
    "CWE[Device]#13": anything,
    "CWE[Device]#23": anything,
    "CWE[Device]#6": anything,
    "CWE[Device]#12": anything,
    "CWE[Device]#18": anything,
    "CWE[Device]#22": anything,
}
