"""What every department of the simulation shares: who comes today, with what, to whom, and the numbers of the day."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from gateway.simulate.catalogue import book, rates
from gateway.simulate.chronic import DIABETES, HYPERTENSION
from gateway.simulate.nasty import Nasty
from gateway.simulate.people import Registry
from gateway.simulate.places import Places
from gateway.simulate.postbox import Postbox
from gateway.simulate.streams import Stream, Streams
from gateway.simulate.values import Person, Row, Staff, Visit

Fits = Callable[[Person, date], bool]


class Desk:
    """The shared state of a running county; `first` is its first day, whose floors fill the smallest county."""

    def __init__(
        self, streams: Streams, places: Places, registry: Registry, nasty: Nasty, post: Postbox, first: date
    ) -> None:
        self.streams = streams
        self.places = places
        self.registry = registry
        self.nasty = nasty
        self.post = post
        self.first = first
        self.staying: set[int] = set()
        self.town_rows: dict[str, list[Row]] = {}
        self.late_rows: dict[str, list[Row]] = {}
        self.village_rows: dict[tuple[str, str], list[Row]] = {}
        self.paid_visits: list[Visit] = []
        self._numbers: Counter[str] = Counter()

    def attending(self, purpose: str, day: date, yearly: float, floor: str, fits: Fits | None = None) -> list[Person]:
        """Return who comes for a purpose on a day, in order of number; each decided by himself alone."""
        base = yearly / 365 * rates()["season"][day.month - 1] * rates()["weekday"][day.weekday()]
        least = int(rates()["floors"].get(floor, 0)) if day == self.first else 0
        share, found, others = self.streams.share, [], []
        for person in self.registry.people:
            if person.died or person.number in self.staying or (fits and not fits(person, day)):
                continue
            lot = share(purpose, person.number, day)
            if lot < base * (1.0 if fits else weight(person, day)):
                found.append(person)
            elif least:
                others.append((lot, person.number, person))
        if len(found) < least:
            found += [person for _, _, person in sorted(others)[: least - len(found)]]
        return found

    def illness(self, person: Person, stream: Stream, day: date, *, stay: bool = False) -> dict[str, Any]:
        """Return what brings a person: by age, season and his chronic illnesses."""
        winter = day.month in (11, 12, 1, 2)
        weights: dict[int, float] = {}
        listed: list[dict[str, Any]] = book("clinic")["diagnoses"]
        for place, entry in enumerate(listed):
            if person.age(day) < entry.get("age", 0) or (stay and "stay" not in entry):
                continue
            mine = {HYPERTENSION: "I10", DIABETES: "E11"}
            known = any(entry["code"].startswith(mine[course.kind]) for course in person.courses)
            weights[place] = entry["weight"] * (5 if known else 1) * (entry.get("winter", 1) if winter else 1)
        return listed[stream.weighted(weights)]

    def doctor(self, department: str, stream: Stream) -> Staff:
        """Return a doctor of a department of the hospital."""
        return self.places.doctor(department, stream.whole(0, 99))

    def number(self, prefix: str, day: date, digits: int) -> str:
        """Return the next number of a series that begins anew each day."""
        key = f"{prefix}{day:%y%m%d}"
        self._numbers[key] += 1
        return f"{key}{self._numbers[key]:0{digits}d}"

    def turn(self, key: str) -> int:
        """Return the next number of a series, from 1."""
        self._numbers[key] += 1
        return self._numbers[key]

    def town(self, table: str, *rows: Row) -> None:
        """Add rows to the township's export of the evening."""
        self.town_rows.setdefault(table, []).extend(rows)

    def late(self, table: str, *rows: Row) -> None:
        """Add rows to the export that runs again later in the evening."""
        self.late_rows.setdefault(table, []).extend(rows)

    def village(self, village: str, table: str, *rows: Row) -> None:
        """Add rows to a village's workbook of the evening."""
        self.village_rows.setdefault((village, table), []).extend(rows)

    def paid(self, visit: Visit, stream: Stream, day: date) -> None:
        """Note what a visit cost, for the insurer."""
        visit.total = visit.total or round(abs(stream.normal(92, 40)) + 8.5, 2)
        visit.end = visit.end or visit.start + timedelta(minutes=stream.whole(15, 70))
        if visit.person.insurance:
            self.paid_visits.append(visit)


def weight(person: Person, day: date) -> float:
    """Return how much more than others a person needs care."""
    age = person.age(day)
    return (0.7 if age < 15 else 0.6 if age < 45 else 1.0 if age < 65 else 1.7) + 0.5 * len(person.courses)


def at(day: date, stream: Stream, first: int, last: int) -> datetime:
    """Return a moment of the day between two hours."""
    return datetime.combine(day, time(first)) + timedelta(seconds=stream.whole(0, (last - first) * 3600 - 1))
