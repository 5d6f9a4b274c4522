"""A day of the county hospital: visits, stays, births, moves, second records, and the orders they bring."""

from datetime import date, datetime, timedelta
from typing import Any

from gateway.simulate import cells, his, hl7
from gateway.simulate.ancillary import Ancillary
from gateway.simulate.catalogue import book, rates
from gateway.simulate.desk import Desk, at
from gateway.simulate.names import given
from gateway.simulate.nasty import mark
from gateway.simulate.numbers import phone
from gateway.simulate.values import FEMALE, HOSPITAL, Person, Visit

# Cells of an export that no registration desk types.
_NOT_TYPED = ("7", "19.serial", "19.oracle", "19.words", "6.entity", "12.zero-date")
_PLACES = {"name": "name", "id": "id", "birth": "birth", "sex": "sex", "phone": "phone"}


class Hospital:
    """The hospital's day; stays last over days."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.tests = Ancillary(desk)
        self._stays: list[Visit] = []
        self._last: Person | None = None

    def carried_in(self, day: date) -> None:
        """Put patients into the wards who came before the feed was connected; they leave on the first day."""
        for person in self.desk.attending("carried-in", day, 0.0, "inpatients"):
            stream = self.desk.streams.of("carried-in", person.number)
            illness = self.desk.illness(person, stream, day, stay=True)
            visit = self._stay(person, at(day, stream, 9, 17) - timedelta(days=stream.whole(3, 9)), illness)
            visit.end = at(day, stream, 9, 12)
            visit.leave = "3" if self.desk.turn("carried-in") == 2 else visit.leave
            self._leave(visit)

    def day(self, day: date) -> None:
        """Let a day happen: everything goes to the postbox, discharges of the day to `discharges`."""
        for person in self.desk.attending("hospital", day, rates()["activity"]["hospital_visits"], "hospital_visits"):
            self.visit(person, day)
        for person in self.desk.attending("admission", day, rates()["activity"]["admissions"], "admissions"):
            self._admit(person, day)
        for person in self.desk.attending("birth", day, rates()["activity"]["births"], "births", _may_bear):
            self._birth(person, day)
        for person in self.desk.attending("move", day, rates()["activity"]["moves"], "moves"):
            self._change(person, day)
        for person in self.desk.attending("twice", day, rates()["activity"]["duplicates"], "duplicates"):
            self._twice(person, day)

    def leaving(self, day: date) -> list[Visit]:
        """Return the stays that end on the day, and forget them."""
        done = [visit for visit in self._stays if visit.end and visit.end.date() <= day]
        self._stays = [visit for visit in self._stays if not visit.end or visit.end.date() > day]
        for visit in done:
            self.desk.staying.discard(visit.person.number)
        return done

    def visit(self, person: Person, day: date, referral: str = "", start: datetime | None = None) -> Visit:
        """Send one out-patient visit with its orders; returns it."""
        stream = self.desk.streams.of("hospital-visit", person.number, day, referral)
        illness = self.desk.illness(person, stream, day)
        start = start or at(day, stream, 8, 16)
        number = self.desk.number("MZ", day, 4)
        doctor = self.desk.doctor(illness["department"], stream)
        visit = Visit(person, HOSPITAL, number, start, doctor, illness, outpatient=number, referral=referral)
        self._register(visit)
        self.tests.order(visit, stream)
        self.desk.paid(visit, stream, day)
        return visit

    def _register(self, visit: Visit) -> None:
        person, key = visit.person, f"A04|{visit.number}"
        held = hl7.person_cells(person)
        marks = cells.spoil(held, _PLACES, person, self.desk.nasty, key, _NOT_TYPED)
        case = self.desk.nasty.one(f"{key}|visit", "15", "14.recycled-card", "21.update-first")
        post = his.registered(visit, held, marks)
        if case == "15":
            note = "IDCard is the visit card, IdentifyNO the resident ID"
            marks.append(mark(case, note, resource="Patient", visit_card=person.card))
        elif case == "14.recycled-card" and self._last and self._last is not person:
            post.lines[1] = post.lines[1].replace(person.card, self._last.card)
            note = "a card handed on: two persons, never joined by it"
            marks.append(mark(case, note, resource="Patient", other_person=self._last.number))
        elif case == "21.update-first":
            early = visit.start - timedelta(minutes=3)
            note = "a change before the registration: both are applied, nothing is doubled"
            self.desk.post.put(
                his.changed(visit, early, hl7.person_cells(person), [mark(case, note, resource="Patient")])
            )
        self._last = person
        self.desk.post.put(post)

    def _stay(self, person: Person, start: datetime, illness: dict[str, Any]) -> Visit:
        stream = self.desk.streams.of("stay", person.number, start)
        number = self.desk.number("ZY", start.date(), 4)
        doctor = self.desk.doctor(illness["department"], stream)
        ward = book("county")["departments"][doctor.room_code].get("ward", "9000")
        visit = Visit(person, HOSPITAL, number, start, doctor, illness, inpatient=True)
        visit.bed = f"{ward}^{stream.whole(1, 20):03d}^{stream.whole(1, 48):02d}"
        days = max(1, round(stream.normal(illness.get("stay", 5), 2)))
        visit.end = datetime.combine(start.date() + timedelta(days=days), start.time()).replace(
            hour=stream.whole(9, 11)
        )
        visit.leave = (
            stream.weighted({"1": 60, "3": 30, "4": 7, "2": 2, "5": 1}) if person.age(start.date()) > 1 else "1"
        )
        visit.total = round(stream.normal(760, 180) * days + stream.unit() * 400, 2)
        self.desk.staying.add(person.number)
        return visit

    def _leave(self, visit: Visit) -> None:
        self._stays.append(visit)
        self.desk.post.put(his.discharged(visit, []))

    def _admit(self, person: Person, day: date) -> None:
        stream = self.desk.streams.of("admission", person.number, day)
        visit = self._stay(person, at(day, stream, 8, 20), self.desk.illness(person, stream, day, stay=True))
        self.desk.post.put(his.admitted(visit, []))
        self.tests.order(visit, stream, always=True)
        self._leave(visit)

    def _birth(self, mother: Person, day: date) -> None:
        stream = self.desk.streams.of("birth", mother.number, day)
        visit = self._stay(mother, at(day, stream, 1, 8), book("clinic")["birth"])
        self.desk.post.put(his.admitted(visit, []))
        self._leave(visit)
        child = self.desk.registry.born(mother, day, "")
        stay = self._stay(child, visit.start + timedelta(hours=stream.whole(3, 9)), book("clinic")["newborn"])
        stay.end = visit.end
        case = self.desk.nasty.one(f"born|{child.number}", "11.child-of", "11.mother-id") or "11.child-of"
        note = "a newborn is a person of its own, never joined to the mother"
        told = mark(case, note, resource="Patient", identifier=None, mother=mother.number)
        self.desk.post.put(his.born(stay, mother, visit.number, [told], with_id=case == "11.mother-id"))
        self._leave(stay)

    def _change(self, person: Person, day: date) -> None:
        stream = self.desk.streams.of("move", person.number, day)
        illness = self.desk.illness(person, stream, day)
        start = at(day, stream, 9, 16)
        visit = Visit(
            person, HOSPITAL, self.desk.number("MZ", day, 4), start, self.desk.doctor("2001", stream), illness
        )
        person.phone, person.house_number = phone(70_000_000 + person.number), 1 + stream.whole(0, 80)
        held = hl7.person_cells(person)
        case = self.desk.nasty.one(f"A08|{person.number}|{day}", "5.cut-message", "3.contact-mojibake")
        post = his.changed(visit, start, held, [])
        if case == "5.cut-message":
            post = his.changed(visit, start, held | {"name": hl7.BROKEN}, [])
            post.broken = True
            note = "a name cut in a byte, and a foreign byte: parked, never a ? or a guess"
            post.marks.append(mark(case, note, outcome="parked", reason="undecodable"))
        elif case:
            kin = cells.mojibake(person.name[:1] + given(stream, 1960, FEMALE))
            note = "a contact's name read in the wrong charset: an issue, never matched on"
            post = his.changed(
                visit, start, held, [mark(case, note, resource="Patient", issue="wrong charset")], kin=kin
            )
        self.desk.post.put(post)

    def _twice(self, person: Person, day: date) -> None:
        stream = self.desk.streams.of("twice", person.number, day)
        start = at(day, stream, 8, 12)
        number = self.desk.number("MZ", day, 4)
        visit = Visit(person, HOSPITAL, number, start, self.desk.doctor("2001", stream),
                      self.desk.illness(person, stream, day), outpatient=number)  # fmt: skip
        mrn, card = f"P9{person.number:06d}", f"K9{person.number:07d}"
        name = person.name[:-1] + given(stream, 1960, person.sex)[-1]
        note = "a second record of one person: a Patient of its own until A40"
        told = mark("14.second-record", note, resource="Patient", patient=mrn)
        self.desk.post.put(his.second_record(visit, mrn, card, name, [told]))
        note = "leads to the first record; clinical resources are not rewritten"
        joined = mark("14.second-record", note, resource="Patient", patient=mrn, into=person.mrn)
        self.desk.post.put(his.merged(person, start + timedelta(hours=3), mrn, card, name, [joined]))


def _may_bear(person: Person, day: date) -> bool:
    return person.sex == FEMALE and 20 <= person.age(day) <= 42
