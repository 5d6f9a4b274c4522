"""The persons of an invented population: who they are to one another, and their names, numbers and homes over time."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, Optional

from gateway.simulate import numbers
from gateway.simulate.catalogue import Book, book
from gateway.simulate.streams import Stream

TOWNS = 8
VILLAGES_OF_A_TOWN = 20
CONNECTED = 18  # village clinics with a system of their own
CHILD, OLD = 14, 62  # ages from which a person is no child any more, and old
_PHONES = 100_000_000
_STEP = 48_271_831  # odd and no multiple of 5, so that every number is met once
POOL = 400


class Home(NamedTuple):
    """Where somebody lives: village by number (0 to 159, town by town), group and house."""

    village: int
    group: int
    house: int

    @property
    def town(self) -> int:
        """Return the number of the town, from 0."""
        return self.village // VILLAGES_OF_A_TOWN


@dataclass(slots=True, eq=False, repr=False)
class Resident:
    """One invented person; lists by date hold what was so from that day, the oldest first."""

    number: int
    name: str
    sex: str
    birth: date
    resident: str = ""
    numbered: date = date.min
    first_name: str = ""
    named: date = date.min
    household: int = 0
    homes: list[tuple[date, Home]] = field(default_factory=list)
    phones: list[tuple[date, str]] = field(default_factory=list)
    mother: Optional["Resident"] = None
    father: Optional["Resident"] = None
    spouse: Optional["Resident"] = None
    twin: Optional["Resident"] = None
    children: list["Resident"] = field(default_factory=list)
    newborn: bool = False
    careless: bool = False
    insured: str = ""
    record: str = ""

    def age(self, day: date) -> int:
        """Return the age in years on a day."""
        return day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))

    def stage(self, day: date) -> str:
        """Return child, adult or old."""
        age = self.age(day)
        return "child" if age < CHILD else "adult" if age < OLD else "old"

    def called(self, day: date) -> str:
        """Return the name of that day: a newborn is X之子, and some were renamed."""
        return self.first_name if self.first_name and day < self.named else self.name

    def phone(self, day: date) -> str:
        """Return the person's own number of that day, '' for none."""
        return next((number for since, number in reversed(self.phones) if since <= day), "")

    def home(self, day: date) -> Home:
        """Return where the person lived that day."""
        return next(home for since, home in reversed(self.homes) if since <= day)


class Registrar:
    """Hands out what is one person's own: resident IDs, phone, insurance and health-record numbers."""

    def __init__(self, seed: int) -> None:
        self._orders: Counter[tuple[date, str]] = Counter()
        self._phones = (seed * 7_919_113) % _PHONES
        self._given_up: deque[tuple[date, str]] = deque(maxlen=POOL)
        self._rates: Book = book("population")["phones"]

    def resident(self, birth: date, sex: str) -> tuple[date, str]:
        """Return a free resident ID with the birth date in it, which is a later one when a day has no more numbers."""
        while self._orders[birth, sex] >= 498:
            birth += timedelta(days=1)
        self._orders[birth, sex] += 1
        return birth, numbers.resident_id(birth, self._orders[birth, sex], sex)

    def phone(self, stream: Stream, since: date) -> str:
        """Return a phone number, now and then one that another person gave up before."""
        if self._given_up and stream.chance(self._rates["reissued"]):
            day, number = stream.pick(self._given_up)
            if day < since:
                return number
        self._phones = (self._phones + _STEP) % _PHONES
        return numbers.phone(self._phones)

    def given_up(self, day: date, number: str) -> None:
        """Remember a number that may be another's some day."""
        self._given_up.append((day, number))
