"""Queries about persons: reads QBP^Q22, QBP^Q21, QRY^A19 and ADT^ZP1, builds RSP^K22, RSP^K21, ADR^A19 and RSP^K23.

Sources: HL7 v2.5.1 chapters 3.3.56 to 3.3.58, 5.3 and 5.10, and IHE PDQ (ITI TF-2 3.21) for the names in QPD-3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.formats import hl7v2_ack
from gateway.formats.charset import canonical
from gateway.formats.hl7v2 import Message, Segment
from gateway.formats.hl7v2_ack import AckError
from gateway.formats.hl7v2_envelope import Envelope
from gateway.formats.hl7v2_syntax import Delimiters, component, subcomponent

MOST = 200  # persons in one answer
USUAL = 50  # persons in one answer where the query names no limit
_LIMIT = re.compile("0{0,9}[1-9][0-9]{0,8}")
_BREAKS = re.compile(r"[\r\n]+")
_NAME = re.compile(r"@?PID\.(\d{1,2})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?")


class BadQuery(GatewayError):
    """The query cannot be read; `where` is the field at fault."""


class Kind(NamedTuple):
    """One query: how its answer is called, and which segments carry the question."""

    answer: tuple[str, str, str]
    echo: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "QBP^Q22": Kind(("RSP", "K22", "RSP_K22"), ("QPD",)),
    "QBP^Q21": Kind(("RSP", "K21", "RSP_K21"), ("QPD",)),
    "QRY^A19": Kind(("ADR", "A19", "ADR_A19"), ("QRD", "QRF")),
    "ADT^ZP1": Kind(("RSP", "K23", "RSP_K23"), ()),
}


class Wanted(NamedTuple):
    """One thing that must hold: component and sub-component of a PID field (0: the whole), and its value."""

    field: int
    part: int
    value: str
    sub: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: all of `wanted`, at most `limit` persons, going on after `pointer` (empty: from the first)."""

    kind: Kind
    tag: str
    name: str
    wanted: tuple[Wanted, ...]
    limit: int
    pointer: str
    echo: tuple[str, ...]


class Number(NamedTuple):
    """A number of a person with its authority: a name, or the OID of a national series."""

    value: str
    namespace: str = ""
    oid: str = ""
    type: str = ""


class Address(NamedTuple):
    """An address as XAD has it."""

    line: str = ""
    city: str = ""
    state: str = ""
    postal: str = ""
    country: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What PID tells of a person; dates are HL7's (`19800101`)."""

    numbers: tuple[Number, ...] = ()
    names: tuple[tuple[str, str, str], ...] = ()  # family, given, type
    birth: str = ""
    sex: str = ""
    addresses: tuple[Address, ...] = ()
    home_phones: tuple[str, ...] = ()
    work_phones: tuple[str, ...] = ()
    resident_id: str = ""
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a query: persons, or a fault; `pointer` is where the rest begins, empty when this is all."""

    people: Sequence[Person] = ()
    pointer: str = ""
    fault: AckError | None = None


def read(message: Message) -> Query:
    """Return the query in a message of one of the KINDS; raises BadQuery."""
    kind = KINDS[f"{message.type}^{message.event}"]
    if kind.answer[1] == "K23":
        return _home_made(message, kind)
    return _by_example(message, kind) if "QPD" in kind.echo else _original(message, kind)


def respond(
    envelope: Envelope, query: Query | None, result: Result, *, ack_id: str, time: str, encoding: str | None = None
) -> bytes:
    """Return the answer in the message's own charset; `query` is None where it could not be read.

    MSA-1 is AA for an answered query, also when it finds nobody (QAK-2 is NF then), and AE with ERR for a fault.
    """
    kind = query.kind if query else KINDS.get(f"{envelope.type}^{envelope.event}", KINDS["QBP^Q22"])
    delimiters = envelope.delimiters
    code, text = ("AE", result.fault.text) if result.fault else ("AA", "")
    named = delimiters.component.join(kind.answer)
    segments = hl7v2_ack.opening(envelope, code, text, ack_id=ack_id, time=time, error=result.fault, answer_type=named)
    segments.append(_qak(query, result, delimiters))
    segments += [line.split(delimiters.field) for line in (query.echo if query else ())]
    segments += [_pid(number, person, delimiters) for number, person in enumerate(result.people, 1)]
    if result.pointer:
        segments.append(["DSC", delimiters.escape_text(result.pointer), "I"])
    codec = encoding or canonical(envelope.charset) or "utf-8"
    return hl7v2_ack.written(segments, delimiters, codec)


def _by_example(message: Message, kind: Kind) -> Query:
    qpd = message.first("QPD")
    if qpd is None:
        raise BadQuery("The query has no QPD segment, which says what is asked.", where="QPD[1]")
    if kind.answer[1] == "K21":
        wanted = _numbers(qpd, 3, message.delimiters)
    else:
        wanted = [_named(one, message.delimiters) for one in qpd.reps(3)]
    rcp = message.first("RCP")
    limit = rcp.value(2) if rcp else ""
    return _query(message, kind, qpd, qpd.value(2), qpd.raw(1), wanted, limit, "RCP[1]-2")


def _original(message: Message, kind: Kind) -> Query:
    """Read QRD: who is asked for stands in QRD-8, a number or a name (HL7 v2.5.1 5.10.5.3)."""
    qrd = message.first("QRD")
    if qrd is None:
        raise BadQuery("The query has no QRD segment, which says what is asked.", where="QRD[1]")
    what = qrd.value(9).upper()
    if what not in ("", "DEM"):
        raise BadQuery(f"QRD-9 asks for {what!r}; only DEM (demographics) is answered.", where="QRD[1]-9")
    wanted = [Wanted(3, 1, qrd.value(8))] if qrd.value(8) else []
    wanted += [Wanted(5, part, qrd.value(8, part + 1)) for part in (1, 2) if qrd.value(8, part + 1)]
    return _query(message, kind, qrd, qrd.value(4), "", wanted, qrd.value(7), "QRD[1]-7")


def _home_made(message: Message, kind: Kind) -> Query:
    """Read the PID of an ADT^ZP1: each filled field among number, name, birth, sex and resident ID must hold."""
    pid = message.first("PID")
    if pid is None:
        raise BadQuery("The query has no PID segment, which says who is asked for.", where="PID[1]")
    wanted = _numbers(pid, 3, message.delimiters)
    wanted += [Wanted(5, part, pid.value(5, part)) for part in (1, 2) if pid.value(5, part)]
    wanted += [Wanted(number, 1, pid.value(number)) for number in (7, 8, 19) if pid.value(number)]
    return _query(message, kind, pid, message.control_id, "", wanted, "", "")


def _query(
    message: Message, kind: Kind, asking: Segment, tag: str, name: str, wanted: list[Wanted], limit: str, where: str
) -> Query:
    told = tuple(one for one in wanted if one.value)
    if not told:
        raise BadQuery("The query names nobody: give a number, a name or another element of PID.", where=asking.where())
    if limit and not _LIMIT.fullmatch(limit):
        raise BadQuery(f"The most records wanted is {limit!r}; it is a whole number from 1.", where=where)
    dsc = message.first("DSC")
    echo = tuple(_BREAKS.sub(" ", segment.line) for word in kind.echo for segment in message.all(word))
    most = min(int(limit), MOST) if limit else USUAL
    return Query(kind, tag, name, told, most, dsc.value(1) if dsc else "", echo)


def _named(repetition: str, delimiters: Delimiters) -> Wanted:
    """Read one parameter of QPD-3: `@PID.5.1^张`."""
    name, value = (delimiters.unescape(component(repetition, part, delimiters)).strip() for part in (1, 2))
    found = _NAME.fullmatch(name)
    if found is None:
        text = f"QPD-3 asks by {name!r}; name elements of PID, such as @PID.3.1 or @PID.5.1."
        raise BadQuery(text, where="QPD[1]-3")
    return Wanted(int(found[1]), int(found[2] or 1), value, int(found[3] or 0))


def _numbers(segment: Segment, field: int, delimiters: Delimiters) -> list[Wanted]:
    """Read the first CX of a field: number, authority and type."""
    reps = segment.reps(field)
    raw = reps[0] if reps else ""
    parts = [delimiters.unescape(subcomponent(component(raw, part, delimiters), 1, delimiters)) for part in (1, 4, 5)]
    return [Wanted(3, part, value.strip()) for part, value in zip((1, 4, 5), parts, strict=True) if value.strip()]


def _qak(query: Query | None, result: Result, delimiters: Delimiters) -> list[str]:
    """QAK: tag, status (OK, NF or AE), query name, and the number in this answer where it is all there is."""
    status = "AE" if result.fault else ("OK" if result.people else "NF")
    tag, name = (delimiters.escape_text(query.tag), query.name) if query else ("", "")
    cells = ["QAK", tag, status, name]
    if not result.fault and not result.pointer and query and not query.pointer:
        cells += [str(len(result.people)), str(len(result.people)), "0"]
    return cells


def _pid(number: int, person: Person, delimiters: Delimiters) -> list[str]:
    escape = delimiters.escape_text

    def joined(parts: Sequence[str]) -> str:
        return delimiters.component.join(parts).rstrip(delimiters.component)

    def repeated(found: Sequence[str]) -> str:
        return delimiters.repetition.join(found)

    cells = [""] * 31
    cells[0], cells[1] = "PID", str(number)
    cells[3] = repeated(
        [joined((escape(one.value), "", "", _hd(one, delimiters), escape(one.type))) for one in person.numbers]
    )
    cells[5] = repeated(
        [joined((escape(family), escape(given), "", "", "", "", kind)) for family, given, kind in person.names]
    )
    cells[7], cells[8] = person.birth, person.sex
    cells[11] = repeated([joined(_xad(one, delimiters)) for one in person.addresses])
    cells[13] = repeated([escape(phone) for phone in person.home_phones])
    cells[14] = repeated([escape(phone) for phone in person.work_phones])
    cells[19], cells[30] = escape(person.resident_id), "Y" if person.dead else ""
    return cells


def _hd(number: Number, delimiters: Delimiters) -> str:
    namespace = delimiters.escape_text(number.namespace)
    return delimiters.subcomponent.join((namespace, number.oid, "ISO")) if number.oid else namespace


def _xad(address: Address, delimiters: Delimiters) -> tuple[str, ...]:
    line, city, state, postal, country, district = map(delimiters.escape_text, address)
    return (line, "", city, state, postal, country, "", "", district)
