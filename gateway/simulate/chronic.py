"""Chronic illness over time: who has one, how values drift between visits, and what is taken for it."""

from datetime import date, timedelta

from gateway.simulate.catalogue import book, rates
from gateway.simulate.streams import Stream, Streams
from gateway.simulate.values import Course, Person

HYPERTENSION, DIABETES = "hypertension", "diabetes"
INTERVAL = 90  # days between follow-ups of somebody whose values are on target (national standard: four a year)
SOON = 14  # days to the next one when they are not


def courses(person: Person, stream: Stream, start: date) -> tuple[Course, ...]:
    """Return a person's chronic illnesses; each more likely with age."""
    age = person.age(start)
    found = []
    for kind in (HYPERTENSION, DIABETES):
        table = rates()["population"][kind]
        share = max((value for floor, value in table.items() if age >= floor), default=0.0)
        if stream.chance(share):
            found.append(_course(kind, stream, start, age))
    return tuple(found)


def _course(kind: str, stream: Stream, start: date, age: int) -> Course:
    since = start - timedelta(days=stream.whole(60, max(61, (age - 38) * 200)))
    controlled = stream.chance(rates()["population"]["controlled"])
    if kind == HYPERTENSION:
        base = stream.normal(131.0 if controlled else 152.0, 5.0)
    else:
        base = stream.normal(6.3 if controlled else 9.1, 0.6)
    drugs = [drug["code"] for drug in book("clinic")["drugs"] if drug["for"] == kind]
    taken = tuple(drugs[: 1 if controlled else 2]) if stream.chance(0.92) else ()
    return Course(kind, since, base, stream.normal(0.0, 1.2 if kind == HYPERTENSION else 0.15), taken)


def pressure(person: Person, day: date, streams: Streams) -> tuple[int, int]:
    """Return systolic and diastolic pressure in mmHg on a day; higher in winter, drifting over the years."""
    stream = streams.of("pressure", person.number, day)
    course = person.course(HYPERTENSION)
    level = course.base + course.drift * _years(course, day) if course else 112 + person.age(day) * 0.25
    level += (4 if day.month in (11, 12, 1, 2) else 0) + stream.normal(0, 5)
    systolic = int(min(228, max(88, level)))
    return systolic, int(systolic * stream.normal(0.605, 0.02))


def glucose(person: Person, day: date, streams: Streams) -> float:
    """Return fasting glucose in mmol/L on a day."""
    stream = streams.of("glucose", person.number, day)
    course = person.course(DIABETES)
    level = course.base + course.drift * _years(course, day) if course else 5.2
    return round(min(24.0, max(3.2, stream.normal(level, 0.5 if course else 0.35))), 1)


def hba1c(person: Person, day: date, streams: Streams) -> float:
    """Return glycated haemoglobin in %, which follows the glucose of the months before."""
    course = person.course(DIABETES)
    mean = course.base + course.drift * _years(course, day) if course else 5.2
    return round((mean + 2.59) / 1.59 + streams.of("hba1c", person.number, day).normal(0, 0.15), 1)


def on_target(person: Person, systolic: int, diastolic: int, sugar: float, day: date) -> bool:
    """Say whether the values satisfy: below 140/90 (150 from 65 on), fasting glucose below 7.0 (china.md 3.6)."""
    limit = 149 if person.age(day) >= 65 else 139
    return systolic <= limit and diastolic <= 89 and (not person.course(DIABETES) or sugar <= 6.9)


def due(person: Person, day: date, streams: Streams) -> bool:
    """Say whether a follow-up falls on the day: every 90 days, each person on his own, and 14 days after a bad one."""
    if not person.courses or person.died:
        return False
    ago = _ago(person, day, streams)
    return ago == 0 or (ago == SOON and not satisfied(person, day - timedelta(days=SOON), streams))


def satisfied(person: Person, day: date, streams: Streams) -> bool:
    """Say whether a follow-up on the day finds the values on target."""
    systolic, diastolic = pressure(person, day, streams)
    return on_target(person, systolic, diastolic, glucose(person, day, streams), day)


def _ago(person: Person, day: date, streams: Streams) -> int:
    """Return how many days ago the last regular follow-up fell."""
    return (day.toordinal() + int(streams.share("follow-up", person.number) * INTERVAL)) % INTERVAL


def twice_off(person: Person, day: date, streams: Streams) -> bool:
    """Say whether this is the second follow-up in a row off target, which proposes a referral (china.md 3.6)."""
    if _ago(person, day, streams) != SOON or satisfied(person, day, streams):
        return False
    return not satisfied(person, day - timedelta(days=SOON), streams)


def past(person: Person, day: date, streams: Streams, days: int) -> list[date]:
    """Return the follow-up days of the last `days` days before a day, oldest first."""
    if not person.courses or person.died:
        return []
    before = (day - timedelta(days=back) for back in range(days, 0, -1))
    return [one for one in before if due(person, one, streams)]


def _years(course: Course, day: date) -> float:
    return (day - course.since).days / 365.25
