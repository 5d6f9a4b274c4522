"""What the laboratory sends: reports, their corrections and withdrawals, and documents."""

import base64
from datetime import datetime, timedelta

from gateway.simulate.catalogue import book
from gateway.simulate.hl7 import Post, person_cells, pid, pv1, segment, staff, stamp, text
from gateway.simulate.laboratory import Result
from gateway.simulate.values import LIS, Mark, Order, Person

FINAL, CORRECTED, WITHDRAWN, PRELIMINARY = "F", "C", "X", "P"
_OF_RESULT = {FINAL: "F", CORRECTED: "C", WITHDRAWN: "W", PRELIMINARY: "P"}


def report(order: Order, results: list[Result], marks: list[Mark], *, status: str = FINAL, at: datetime | None = None,
           person: Person | None = None) -> Post:  # fmt: skip
    """Return a laboratory report (ORU^R01); `person` is another than the order's where a number was used again."""
    visit = order.visit
    who = person or visit.person
    when = at or order.reported or order.at
    numbers = {"admission": visit.number} if visit.inpatient else {"outpatient": visit.outpatient}
    lines = [pid(who, person_cells(who), **numbers if who is visit.person else {})]
    if who is visit.person:
        lines.append(pv1(visit, doctor=False))
    lines.append(_obr(order, status, when))
    drawn = stamp(order.sampled or order.at)
    lines += [_obx(place, result, status, drawn) for place, result in enumerate(results, 1)]
    return Post(when + timedelta(seconds=20), LIS, "ORU^R01", lines, who.number, marks)


def document(post: Post, size: int) -> None:
    """Add the report as a PDF to a message, base64 in one field (OBX-5 ED)."""
    body = b"%PDF-1.4\n%" + b"simulated report " * (size // 17) + b"\n%%EOF\n"
    packed = base64.b64encode(body).decode()
    fields = {
        1: str(len(post.lines)),
        2: "ED",
        3: "PDF^检验报告单^QHLAB",
        5: f"LIS^application^pdf^Base64^{packed}",
        11: "F",
    }
    post.lines.append(segment("OBX", fields))


def _obr(order: Order, status: str, when: datetime) -> str:
    panel = book("clinic")["panels"][order.code]
    drawn = order.sampled or order.at
    return segment("OBR", {
        1: "1", 2: f"{order.number}^HIS", 3: f"{order.report}^LIS", 4: f"{order.code}^{panel['name']}^QHLAB",
        7: stamp(drawn), 14: stamp(drawn + timedelta(minutes=17)), 15: "&".join(panel["specimen"]),
        16: staff(order.visit.doctor), 22: stamp(when), 24: panel["section"], 25: status,
    })  # fmt: skip


def _obx(place: int, result: Result, status: str, drawn: str) -> str:
    kind, value = ("NM", result.value) if result.numeric else ("ST", text(result.value))
    return segment("OBX", {
        1: str(place), 2: kind, 3: f"{result.code}^{result.name}^QHLAB", 5: value, 6: text(result.unit),
        7: text(result.range), 8: result.flag, 11: _OF_RESULT[status], 14: drawn,
    })  # fmt: skip
