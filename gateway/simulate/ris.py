"""What the imaging system sends: that an exam was done, and its report."""

from datetime import timedelta

from gateway.simulate.catalogue import book
from gateway.simulate.hl7 import Post, person_cells, pid, pv1, segment, staff, stamp, text
from gateway.simulate.values import RIS, Mark, Order, Staff


def arrived(order: Order) -> Post:
    """Return the news that the exam has begun (ORM^O01, ORC-1 SC)."""
    visit, at = order.visit, order.sampled or order.at
    exam = book("clinic")["imaging"][order.code]
    lines = [
        pid(visit.person, person_cells(visit.person)), pv1(visit, doctor=False),
        segment("ORC", {1: "SC", 2: f"{order.number}^HIS", 3: f"{order.report}^RIS", 5: "IP", 9: stamp(at)}),
        segment("OBR", {1: "1", 2: f"{order.number}^HIS", 3: f"{order.report}^RIS",
                        4: f"{order.code}^{exam['name']}^QHCT", 24: exam["section"]}),
    ]  # fmt: skip
    return Post(at, RIS, "ORM^O01", lines, visit.person.number)


def report(order: Order, reader: Staff, findings: list[str], marks: list[Mark], status: str = "F") -> Post:
    """Return the report of an exam (ORU^R01): what was seen, and the impression."""
    visit, done = order.visit, order.reported or order.at
    exam = book("clinic")["imaging"][order.code]
    seen = "\\.br\\".join(map(text, findings[0].split("|")))
    numbers = {"admission": visit.number} if visit.inpatient else {"outpatient": visit.outpatient}
    lines = [
        pid(visit.person, person_cells(visit.person), **numbers), pv1(visit, doctor=False),
        segment("ORC", {1: "RE", 2: f"{order.number}^HIS", 3: f"{order.report}^RIS"}),
        segment("OBR", {
            1: "1", 2: f"{order.number}^HIS", 3: f"{order.report}^RIS", 4: f"{order.code}^{exam['name']}^QHCT",
            7: stamp(order.sampled or order.at), 16: staff(visit.doctor), 22: stamp(done), 24: exam["section"],
            25: status, 32: f"{reader.number}&{reader.name}"}),
        segment("OBX", {1: "1", 2: "FT", 3: "GDT^检查所见^QHCT", 5: seen, 11: status}),
        segment("OBX", {1: "2", 2: "FT", 3: "IMP^诊断意见^QHCT", 5: text(findings[1]), 11: status}),
    ]  # fmt: skip
    return Post(done + timedelta(seconds=40), RIS, "ORU^R01", lines, visit.person.number, marks)
