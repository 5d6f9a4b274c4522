"""Runs the county: builds it from a seed, lets its days happen, and writes what its systems send."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from gateway.errors import GatewayError
from gateway.simulate import chronic, places
from gateway.simulate.catalogue import rates
from gateway.simulate.clinics import Clinics
from gateway.simulate.contracts import Contracts
from gateway.simulate.desk import Desk
from gateway.simulate.exports import Exports
from gateway.simulate.hospital import Hospital
from gateway.simulate.nasty import Nasty
from gateway.simulate.output import Box
from gateway.simulate.people import Registry
from gateway.simulate.postbox import Postbox
from gateway.simulate.referrals import Referrals
from gateway.simulate.streams import Streams
from gateway.simulate.values import FEMALE

START = date(2026, 10, 1)
LEAST = 200  # residents; fewer cannot show every case
MOST = 9_000_000  # health-record and phone numbers have places for so many
Told = Callable[[date, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: files, messages, and how many labelled occurrences of the cases."""

    files: int
    messages: int
    rows: int
    labels: int


def simulate(
    folder: Path, *, residents: int, days: int, seed: int, start: date = START, told: Told | None = None
) -> Written:
    """Write a county of invented residents to a new folder, the same bytes for the same arguments (decision 17).

    `told` hears each day and the files written so far. Raises GatewayError for a folder that is not empty and for
    fewer than 200 residents, who could not show every case.
    """
    if not LEAST <= residents <= MOST:
        raise GatewayError(f"a county has {LEAST} to {MOST} residents, not {residents}")
    if days < 1:
        raise GatewayError("simulate at least one day")
    with Box(folder) as box:
        county = County(box, Streams(seed), residents, start)
        for number in range(days):
            county.day(start + timedelta(days=number))
            if told:
                told(start + timedelta(days=number), box.written)
        return county.close(residents=residents, days=days, seed=seed)


class County:
    """One running county."""

    def __init__(self, box: Box, streams: Streams, residents: int, start: date) -> None:
        nasty = Nasty(streams)
        self.box = box
        self.post = Postbox(box, nasty)
        built = places.build(streams, residents, start)
        registry = Registry(streams, built, start)
        self.desk = Desk(streams, built, registry, nasty, self.post, start)
        infants = max(1, residents // 1500)
        registry.fill(residents - infants)
        self._infants(infants, start)
        self.hospital = Hospital(self.desk)
        self.referrals = Referrals(self.desk)
        self.clinics = Clinics(self.desk, self.hospital, self.referrals)
        self.contracts = Contracts(self.desk)
        self.exports = Exports(self.desk, box)

    def day(self, day: date) -> None:
        """Let one day happen and send it."""
        if day == self.desk.first:
            self._first(day)
        self.exports.morning(day)
        if day == self.desk.first:
            self.exports.rows(day, time(6, 20))
        self.exports.insured(day)
        self.hospital.day(day)
        self.clinics.day(day)
        self.contracts.day(day)
        self.post.send(datetime.combine(day, time(22)))
        self._evening(day)
        self.post.send(datetime.combine(day + timedelta(days=1), time()))

    def close(self, **told: int) -> Written:
        """Write persons and counts; returns what there is."""
        self.box.people(self.desk.registry.people)
        self.box.summary(dict(told))
        rows = sum(counts["items"] for counts in self.box.feeds.values()) - self.post.sent
        return Written(self.box.written, self.post.sent, rows, sum(self.box.cases.values()))

    def _first(self, day: date) -> None:
        """Gather what was before the first day: contracts, follow-ups, referrals; and who lies in the wards."""
        self.desk.town("contracts", *self.contracts.signed())
        for person in self.desk.registry.people:
            for past in chronic.past(person, day, self.desk.streams, rates()["history_days"]):
                self.clinics.follow_up(person, past, past=True)
        self.desk.town("referrals", *self.referrals.past(day))
        self.hospital.carried_in(day)

    def _evening(self, day: date) -> None:
        stays = self.hospital.leaving(day)
        for stay in stays:
            if stay.leave == "3":
                self.desk.town("referrals", *self.referrals.down(stay))
            if stay.person.insurance:
                self.desk.paid_visits.append(stay)
            if stay.leave == "5":
                stay.person.died = day
        self.exports.evening(day, stays)

    def _infants(self, count: int, start: date) -> None:
        """Add newborns of the last weeks, whom the health service knows under their mothers' IDs."""
        people = self.desk.registry.people
        mothers = [one for one in people if one.sex == FEMALE and 20 <= one.age(start) <= 44] or people
        for turn in range(count):
            day = start - timedelta(days=17 + turn % 40)
            self.desk.registry.born(mothers[turn % len(mothers)], day, "")
