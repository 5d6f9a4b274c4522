"""The county's people and places as plain values."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

HOSPITAL, TOWNSHIP, VILLAGE, INSURER = "county-hospital", "township-centre", "village-clinic", "insurer"
HIS, LIS, RIS = "county-his", "county-lis", "county-ris"
TOWN_FEED, VILLAGE_FEED, INSURER_FEED = "township-csv", "village-xlsx", "insurer-csv"
MALE, FEMALE = "1", "2"


@dataclass(slots=True)
class Village:
    """A village and its clinic room; `code` is the 12-digit area code."""

    number: int
    code: str
    name: str
    clinic: str
    town: "Town"
    doctor: "Staff | None" = None


@dataclass(slots=True)
class Staff:
    """Somebody who works in the county's health service."""

    number: str
    name: str
    sex: str
    birth: date
    id: str
    house: str
    house_name: str
    room: str
    title: str
    phone: str
    family_doctor: bool = False
    room_code: str = ""


@dataclass(slots=True)
class Town:
    """A township and its health centre."""

    number: int
    area: str
    name: str
    centre: str
    code: str
    society: str
    insurer_code: str
    villages: list[Village] = field(default_factory=list)
    staff: list[Staff] = field(default_factory=list)
    teams: list["Team"] = field(default_factory=list)


@dataclass(slots=True)
class Team:
    """A family-doctor team: its leader first."""

    code: str
    name: str
    kind: str
    town: Town
    members: list[tuple[Staff, str]] = field(default_factory=list)

    @property
    def leader(self) -> Staff:
        """Return the family doctor who leads it."""
        return self.members[0][0]


@dataclass(slots=True)
class Course:
    """A chronic illness: since when, the value it hovers about, how it drifts a year, and the drugs taken."""

    kind: str
    since: date
    base: float
    drift: float
    drugs: tuple[str, ...]


@dataclass(slots=True)
class Person:
    """A true person, whom the sites know under many numbers."""

    number: int
    name: str
    sex: str
    birth: date
    id: str
    ethnic: str
    village: Village
    household: int
    relation: str
    head: int
    phone: str
    marital: str = "10"
    blood: str = "5"
    rh: str = "3"
    allergy: str = "1"
    courses: tuple[Course, ...] = ()
    insurance: str = "390"
    died: date | None = None
    mother: int = 0
    team: Team | None = None
    contract: str = ""
    house_number: int = 1
    numbers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """Return 男 or 女."""
        return "男" if self.sex == MALE else "女"

    @property
    def record(self) -> str:
        """Return the 17-digit health-record number."""
        return f"{self.village.code}{self.number % 100000:05d}"

    @property
    def household_code(self) -> str:
        """Return the household's number at the health service."""
        return f"JT{self.village.code}{self.household % 100000:05d}"

    @property
    def member(self) -> str:
        """Return the insurer's 20-digit person number."""
        return f"519927{self.number + 1000:014d}"

    @property
    def mrn(self) -> str:
        """Return the hospital's number for life."""
        return f"P{self.number + 1000:07d}"

    @property
    def card(self) -> str:
        """Return the hospital's visit card."""
        return f"K{self.number + 20000000:08d}"

    @property
    def address(self) -> str:
        """Return where the person lives."""
        return f"{self.village.town.name}{self.village.name}{1 + self.household % 6}组{self.house_number}号"

    def age(self, day: date) -> int:
        """Return full years on a day."""
        return day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))

    def course(self, kind: str) -> Course | None:
        """Return the chronic illness of that kind, None when the person has none."""
        return next((one for one in self.courses if one.kind == kind), None)

    def known(self, site: str, kind: str, value: str) -> str:
        """Remember a number a site gave, for the truth; returns it."""
        held = self.numbers.setdefault(f"{site}/{kind}", [])
        if value and value not in held:
            held.append(value)
        return value


@dataclass(slots=True)
class Visit:
    """One encounter: where, when, why, and its number there."""

    person: Person
    site: str
    number: str
    start: datetime
    doctor: Staff
    illness: dict[str, Any]
    outpatient: str = ""
    end: datetime | None = None
    referral: str = ""
    inpatient: bool = False
    bed: str = ""
    total: float = 0.0
    house: Town | Village | None = None
    leave: str = "1"


@dataclass(slots=True)
class Order:
    """A test or exam asked for, and the number of its report."""

    visit: Visit
    number: str
    code: str
    at: datetime
    report: str = ""
    sampled: datetime | None = None
    reported: datetime | None = None
    group: str = ""


@dataclass(slots=True)
class Mark:
    """One labelled occurrence of a case: what a gateway must make of it."""

    case: str
    outcome: str = "applied"
    reason: str = ""
    resource: str = ""
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """One row of an export before it is written: cells by header, whose it is, what is odd about it."""

    cells: dict[str, str]
    person: int = 0
    marks: list[Mark] = field(default_factory=list)


class Bare(str):
    """A cell written as it stands, its quotes not doubled."""

    __slots__ = ()


class Cut(str):
    """A cell whose last character was cut in half by a sender that counts bytes."""

    __slots__ = ()


class Number(str):
    """A cell that a workbook holds as a number."""

    __slots__ = ()
