"""What the hospital information system sends: registrations, admissions, discharges, changes, merges, orders."""

from datetime import datetime, timedelta

from gateway.simulate.catalogue import book
from gateway.simulate.cells import Cells
from gateway.simulate.hl7 import Post, dg1, person_cells, pid, pv1, segment, staff, stamp
from gateway.simulate.values import HIS, HOSPITAL, Mark, Order, Person, Visit

_IMAGING = "QHCT"
_LABORATORY = "QHLAB"


def _evn(event: str, at: datetime) -> str:
    return segment("EVN", {1: event, 2: stamp(at)})


def _who(visit: Visit, cells: Cells | None = None) -> str:
    person = visit.person
    person.known(HOSPITAL, "patient", person.mrn)
    person.known(HOSPITAL, "visit-card", person.card)
    person.known(HOSPITAL, "admission" if visit.inpatient else "visit", visit.number)
    numbers = {"admission": visit.number} if visit.inpatient else {"outpatient": visit.outpatient}
    return pid(person, cells or person_cells(person), **numbers)


def registered(visit: Visit, cells: Cells, marks: list[Mark]) -> Post:
    """Return the registration at a clinic (ADT^A04)."""
    lines = [_evn("A04", visit.start), _who(visit, cells), pv1(visit), dg1(visit, "W")]
    return Post(visit.start, HIS, "ADT^A04", lines, visit.person.number, marks)


def admitted(visit: Visit, marks: list[Mark]) -> Post:
    """Return the admission to a ward (ADT^A01), with next of kin and insurance."""
    person = visit.person
    lines = [_evn("A01", visit.start), _who(visit), pv1(visit), dg1(visit, "A")]
    allergy = _allergy(person)
    if allergy:
        lines.append(allergy)
    if person.insurance:
        insurer = book("county")["insurer"]
        cover = {1: "1", 2: person.insurance, 3: insurer["code"], 4: insurer["name"], 17: "1^本人", 36: person.member}
        lines.append(segment("IN1", cover))
    return Post(visit.start, HIS, "ADT^A01", lines, person.number, marks)


def _allergy(person: Person) -> str:
    """Return what the ward writes of allergies: the drug, the word for none, or nothing."""
    if person.allergy != "1":
        word = book("clinic")["allergies"][person.allergy]
        return segment("AL1", {1: "1", 2: "DA^药物过敏", 3: f"Y00{person.allergy}^{word}"})
    return segment("AL1", {1: "1", 3: "无"}) if person.number % 2 else ""


def born(visit: Visit, mother: Person, mother_stay: str, marks: list[Mark], *, with_id: bool) -> Post:
    """Return the admission of a newborn (ADT^A01); some desks type the mother's ID into the child's record."""
    cells = person_cells(visit.person)
    cells["birth"] = f"{visit.start:%Y%m%d%H%M}"
    if with_id:
        cells["id"] = mother.id
    who = _who(visit, cells)
    fields = who.split("|")
    fields += [""] * (25 - len(fields))
    fields[21], fields[24] = mother_stay, "N"
    kin = segment("NK1", {1: "1", 2: mother.name, 3: "52^母亲", 5: mother.phone})
    lines = [_evn("A01", visit.start), "|".join(fields), kin, pv1(visit), dg1(visit, "A")]
    return Post(visit.start, HIS, "ADT^A01", lines, visit.person.number, marks)


def discharged(visit: Visit, marks: list[Mark]) -> Post:
    """Return the discharge (ADT^A03) with its final diagnosis and where the patient goes."""
    at = visit.end or visit.start
    lines = [_evn("A03", at), _who(visit), pv1(visit, ended=True), dg1(visit, "F")]
    return Post(at + timedelta(minutes=5), HIS, "ADT^A03", lines, visit.person.number, marks)


def changed(visit: Visit, at: datetime, cells: Cells, marks: list[Mark], *, kin: str = "") -> Post:
    """Return a change of a person's data (ADT^A08)."""
    lines = [_evn("A08", at), _who(visit, cells)]
    if kin:
        lines.append(segment("NK1", {1: "1", 2: kin, 3: "1^配偶", 5: visit.person.phone}))
    lines.append(pv1(visit))
    return Post(at, HIS, "ADT^A08", lines, visit.person.number, marks)


def second_record(visit: Visit, mrn: str, card: str, name: str, marks: list[Mark]) -> Post:
    """Return a registration of somebody who is already known, under a new number and without an ID (ADT^A04)."""
    cells = person_cells(visit.person) | {"id": "", "name": name}
    visit.person.known(HOSPITAL, "patient", mrn)
    visit.person.known(HOSPITAL, "visit-card", card)
    visit.person.known(HOSPITAL, "visit", visit.number)
    who = pid(visit.person, cells, mrn=mrn, card=card, outpatient=visit.outpatient)
    return Post(visit.start, HIS, "ADT^A04", [_evn("A04", visit.start), who, pv1(visit)], visit.person.number, marks)


def merged(person: Person, at: datetime, mrn: str, card: str, name: str, marks: list[Mark]) -> Post:
    """Return the merge of a second record into the first (ADT^A40)."""
    person.known(HOSPITAL, "patient", person.mrn)
    gone = segment("MRG", {1: f"{mrn}^^^^LocalID~{card}^^^^IDCard", 7: name})
    lines = [_evn("A40", at), pid(person, person_cells(person)), gone]
    return Post(at, HIS, "ADT^A40^ADT_A39", lines, person.number, marks)


def laboratory_order(orders: list[Order], marks: list[Mark]) -> Post:
    """Return an order for one or more panels (OML^O21) with the tubes."""
    visit, at = orders[0].visit, orders[0].at
    lines = [_who(visit), pv1(visit)]
    for order in orders:
        panel = book("clinic")["panels"][order.code]
        lines.append(_orc(order, "NW", "IP"))
        asked = {1: "1", 2: f"{order.number}^HIS", 4: f"{order.code}^{panel['name']}^{_LABORATORY}", 6: stamp(at)}
        lines.append(segment("OBR", asked | {16: staff(visit.doctor), 27: "^^^^^R"}))
        drawn = stamp(order.sampled or at)
        tube = "T" + order.number[2:].replace("-", "")
        lines.append(segment("SPM", {1: "1", 2: tube, 4: "^".join(panel["specimen"]), 17: drawn}))
    return Post(at, HIS, "OML^O21^OML_O21", lines, visit.person.number, marks, version="2.5.1")


def imaging_order(order: Order, marks: list[Mark], *, control: str = "NW") -> Post:
    """Return an order for an exam (ORM^O01), or its cancellation (`control` CA)."""
    visit = order.visit
    exam = book("clinic")["imaging"][order.code]
    asked = {
        1: "1", 2: f"{order.number}^HIS", 4: f"{order.code}^{exam['name']}^{_IMAGING}", 5: "R",
        6: stamp(order.at), 13: visit.illness["complaint"], 16: staff(visit.doctor), 24: exam["section"],
        31: f"{visit.illness['code']}^{visit.illness['name']}^ICD-10",
    }  # fmt: skip
    lines = [_who(visit), pv1(visit), _orc(order, control, "CA" if control == "CA" else "IP"), segment("OBR", asked)]
    at = order.at + timedelta(minutes=50 if control == "CA" else 0)
    return Post(at, HIS, "ORM^O01", lines, visit.person.number, marks)


def _orc(order: Order, control: str, state: str) -> str:
    fields = {1: control, 2: f"{order.number}^HIS", 5: state, 9: stamp(order.at), 12: staff(order.visit.doctor)}
    if order.group:
        fields[4] = f"{order.group}^HIS"
    return segment("ORC", fields)
