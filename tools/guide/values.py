"""What the oracle expects at a leaf, how it is made from v2 text, and when an output value equals it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from tools.guide.message import unescape

ZONE = "+08:00"
SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "UCUM": "http://unitsofmeasure.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "ISO+": "http://unitsofmeasure.org",
}
CANONICAL = {
    "http://hl7.org/fhir/R4/extension-data-absent-reason.html": (
        "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    ),
}
KINDS = {
    "date": "date",
    "datetime": "time",
    "instant": "time",
    "time": "clock",
    "boolean": "bool",
    "decimal": "number",
    "integer": "number",
    "positiveint": "number",
    "unsignedint": "number",
}
STAMP = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d+)?([+-]\d{4})?$")
FHIR_STAMP = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$")


@dataclass(frozen=True, slots=True)
class Expected:
    """A leaf: its kind and the texts any one of which is right; kind `any` accepts whatever is there."""

    kind: str
    texts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "anything" if self.kind == "any" else " or ".join(repr(text) for text in self.texts)


ANYTHING = Expected("any")


def constant(text: str, name: str = "") -> Expected:
    """Return the expectation of an assigned constant."""
    text = text.strip()
    known = (text, CANONICAL[text]) if text in CANONICAL else (text,)
    if text.startswith("https://hl7.org/fhir/"):
        known = (text, text.replace("https:", "http:", 1))
    return Expected("bool" if name.endswith("Boolean") else "text", known)


def system(name: str) -> Expected:
    """Return the URI of a coding system's v2 name; a local name may become any URI."""
    digits = re.fullmatch(r"HL7?-?(\d{4})", name)
    if digits:
        return Expected("text", (f"http://terminology.hl7.org/CodeSystem/v2-{digits[1]}",))
    known = SYSTEMS.get(name)
    return Expected("text", (known,)) if known else ANYTHING


def kind_of(fhir_type: str, v2_type: str, name: str) -> str:
    """Return how a leaf is compared, from the FHIR type, else the element's name, else the v2 type."""
    known = KINDS.get(fhir_type.lower().strip())
    if known:
        return known
    if name.endswith("Boolean"):
        return "bool"
    if fhir_type.lower() in ("string", "code", "uri", "markdown", "identifier"):
        return "text"
    if v2_type in ("DTM", "TS", "DT"):
        return "time"
    return "clock" if v2_type == "TM" else "text"


def namespace(texts: tuple[str, ...]) -> Expected:
    """Return the expectation of an authority's name used as a system: any URI that carries the name."""
    return Expected("namespace", tuple(text for text in texts if text))


def convert(text: str, fhir_type: str, v2_type: str, name: str) -> Expected | None:
    """Return the expectation of a primitive v2 value; None when the value cannot have that type."""
    kind = kind_of(fhir_type, v2_type, name)
    text = unescape(text)
    if kind in ("date", "time"):
        stamp = STAMP.match(text)
        return Expected(kind, (_fhir(stamp, kind == "date"),)) if stamp else None
    if kind == "clock":
        return Expected("clock", (":".join((text[0:2], text[2:4] or "00", text[4:6] or "00")),))
    if kind == "bool":
        return Expected("bool", ({"Y": "true", "N": "false"}.get(text, text),))
    return Expected(kind, (text,))


def _fhir(stamp: re.Match[str], date_only: bool) -> str:
    year, month, day, hour, minute, second, fraction, zone = stamp.groups()
    text = "-".join(part for part in (year, month, day) if part)
    if date_only or not hour:
        return text
    shift = f"{zone[:3]}:{zone[3:]}" if zone else ZONE
    return f"{text}T{hour}:{minute or '00'}:{second or '00'}{fraction or ''}{shift}"


def later(stamp: str, minutes: int) -> str:
    """Return a FHIR dateTime so many minutes later."""
    return (datetime.fromisoformat(stamp) + timedelta(minutes=minutes)).isoformat()


def equal(expected: Expected, got: object) -> bool:
    """Whether an output value means what is expected."""
    if expected.kind == "any":
        return got not in (None, "", [], {})
    return any(_equal(expected.kind, text, got) for text in expected.texts)


def _equal(kind: str, text: str, got: object) -> bool:
    if kind == "bool":
        return isinstance(got, bool) and got == (text == "true")
    if isinstance(got, bool) or not isinstance(got, str | int | float | Decimal):
        return False
    if kind == "number":
        return _number(text) == _number(str(got)) is not None
    if kind == "namespace":
        return ":" in str(got) and _bare(text) in _bare(str(got))
    if kind in ("date", "time"):
        return _moment(text) == _moment(str(got)) is not None
    plain = str(got)
    return " ".join(plain.split()) == " ".join(text.split()) or plain in (f"urn:oid:{text}", f"urn:uuid:{text}")


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str) -> tuple[object, ...] | None:
    """Return a comparable form: the precision and, where there is a time, the moment in UTC."""
    stamp = FHIR_STAMP.match(text)
    if stamp is None:
        return None
    if stamp[4] is None:
        return tuple(part for part in stamp.groups()[:3] if part)
    zoned = text if stamp[8] else text + ZONE
    if stamp[6] is None:
        zoned = zoned.replace(f"{stamp[4]}:{stamp[5]}", f"{stamp[4]}:{stamp[5]}:00", 1)
    return ("moment", datetime.fromisoformat(zoned).timestamp())
