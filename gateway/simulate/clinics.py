"""A day of the township centres and village rooms: visits, drugs, tubes, images, follow-ups, and who is sent on."""

from datetime import date, datetime

from gateway.simulate import chronic, rows_care, rows_chronic, rows_hospital
from gateway.simulate.catalogue import rates
from gateway.simulate.desk import Desk, at
from gateway.simulate.hospital import Hospital
from gateway.simulate.referrals import Referrals, arrives
from gateway.simulate.rows_care import Sample
from gateway.simulate.streams import Stream
from gateway.simulate.values import TOWNSHIP, VILLAGE, Person, Row, Visit


class Clinics:
    """The day of primary care; `wide_town` is the centre whose analyser prints a daily sheet of its own."""

    def __init__(self, desk: Desk, hospital: Hospital, referrals: Referrals) -> None:
        self.desk = desk
        self.hospital = hospital
        self.referrals = referrals
        self._tube: Sample | None = None

    def day(self, day: date) -> None:
        """Let a day happen; rows go to the township's exports and the villages' workbooks."""
        activity = rates()["activity"]
        for person in self.desk.attending("township", day, activity["township_visits"], "township_visits"):
            self._centre(person, day)
        for person in self.desk.attending("village", day, activity["village_visits"], "village_visits"):
            self._room(person, day)
        for person in self.desk.registry.people:
            if chronic.due(person, day, self.desk.streams):
                self.follow_up(person, day)
        for person in self.desk.attending("check", day, activity["health_checks"], "health_checks", _for_check):
            self.desk.town("health_checks", rows_chronic.health_check(self.desk, person, day))
        fits = _for_consultation
        for person in self.desk.attending("consult", day, activity["tele_consultations"], "tele_consultations", fits):
            self.desk.town("remote_consultations", rows_hospital.consultation(self.desk, person, day))

    def follow_up(self, person: Person, day: date, *, past: bool = False) -> None:
        """See a person with a chronic illness; the village's workbook has it, or the township's export."""
        seen = rows_chronic.see(self.desk, person, day)
        rows: dict[str, Row] = {}
        if person.course(chronic.HYPERTENSION):
            rows["followup_hypertension"] = rows_chronic.hypertension(self.desk, seen)
        if person.course(chronic.DIABETES):
            rows["followup_diabetes"] = rows_chronic.diabetes(self.desk, seen)
        if person.contract:
            number = next(iter(rows.values())).cells["随访编号"]
            rows["fulfilled_items"] = rows_chronic.fulfilled(self.desk, seen, number)
        if chronic.twice_off(person, day, self.desk.streams) and not past:
            stream = self.desk.streams.of("twice-off", person.number, day)
            asked = self.referrals.up(person, at(day, stream, 9, 17), seen.doctor, "1")
            self.desk.town("referrals", asked)
        share = rates()["chances"]["village_follow_up"]
        by_village = not past and self.desk.streams.share("by", person.number) < share
        for table, row in rows.items():
            if by_village:
                person.known(VILLAGE, "health-record", person.record)
                self.desk.village(person.village.code, table, row)
            else:
                self.desk.town(table, row)

    def _centre(self, person: Person, day: date) -> None:
        stream = self.desk.streams.of("township-visit", person.number, day)
        town = person.village.town
        doctor = town.staff[stream.whole(0, 2)]
        number = self.desk.number(f"JZ{town.number:02d}", day, 4)
        daily = f"{self.desk.turn(f'daily|{town.number}|{day}'):04d}"
        start = at(day, stream, 8, 16)
        one = Visit(person, TOWNSHIP, number, start, doctor, self.desk.illness(person, stream, day), daily, house=town)
        person.known(TOWNSHIP, "visit", number)
        self.desk.paid(one, stream, day)
        self._send_on(one, stream)
        self.desk.town("visits_outpatient", rows_care.visit(self.desk, one))
        chances = rates()["chances"]
        if stream.chance(chances["prescribed"]):
            self.desk.town("prescriptions", *rows_care.prescriptions(self.desk, one, stream))
        self._tested(one, stream)
        if stream.chance(chances["township_imaging"]) or self.desk.turn("township-image") <= 2:
            self.desk.town("imaging_reports", rows_hospital.image(self.desk, one, stream))

    def _tested(self, one: Visit, stream: Stream) -> None:
        if not stream.chance(rates()["chances"]["township_lab"]) and self.desk.turn("township-lab") > 5:
            return
        town = one.person.village.town
        if town.number == 1 and self.desk.turn("wide") % 2:
            tube = rows_care.sample(self.desk, one, stream, "3001")
            self.desk.town("lab_results_wide", rows_care.wide(self.desk, tube, town.staff[-1]))
            return
        tube = rows_care.sample(self.desk, one, stream, stream.pick(("3002", "3003", "3005", "3006")))
        first, self._tube = self._tube, tube
        if first and first.visit.person is not one.person and self.desk.nasty.strikes("N4.number-reused", tube.barcode):
            self.desk.town("lab_results_long", *rows_care.reused(self.desk, first, one))
            return
        rows = rows_care.long(self.desk, tube)
        self.desk.town("lab_results_long", *rows)
        if self.desk.nasty.strikes("21.unaudited", tube.barcode):
            self.desk.late("lab_results_long", *rows_care.taken_back(tube, rows))

    def _room(self, person: Person, day: date) -> None:
        doctor = person.village.doctor
        if doctor is None:
            return
        stream = self.desk.streams.of("village-visit", person.number, day)
        number = self.desk.number(f"CS{person.village.code[6:]}", day, 3)
        start = at(day, stream, 7, 19)
        one = Visit(
            person, VILLAGE, number, start, doctor, self.desk.illness(person, stream, day), house=person.village
        )
        person.known(VILLAGE, "visit", number)
        one.total = round(12 + stream.unit() * 40, 2)
        self.desk.paid(one, stream, day)
        self._send_on(one, stream)
        self.desk.village(person.village.code, "visits_outpatient", rows_care.visit(self.desk, one))

    def _send_on(self, one: Visit, stream: Stream) -> None:
        """Refer some to the hospital; who arrives there is registered with the referral's number."""
        first = self.desk.turn(f"sent-on|{one.site}") == 2
        if one.start.hour > 14 or not (first or stream.chance(rates()["chances"]["referred_up"])):
            return
        comes: datetime | None = arrives(self.desk, one.number, one.start)
        row = self.referrals.send(one, one.start, arrives=comes)
        if comes and comes.date() == one.start.date():
            self.hospital.visit(one.person, one.start.date(), row.cells["转诊单号"], comes)


def _for_check(person: Person, day: date) -> bool:
    return person.age(day) >= 65 or bool(person.courses)


def _for_consultation(person: Person, day: date) -> bool:
    return person.age(day) >= 50 and bool(person.courses)
