"""Builds the residents, household by household, as a rural county has them: many old, few young, some abroad."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from math import sqrt

from gateway.simulate import chronic, names, numbers
from gateway.simulate.catalogue import book, rates
from gateway.simulate.places import Places
from gateway.simulate.streams import Stream, Streams
from gateway.simulate.values import FEMALE, MALE, Person, Town, Village

HEAD, SPOUSE, SON, DAUGHTER, GRANDCHILD, MOTHER = "0", "1", "2", "3", "4", "52"
Member = tuple[int, str, str]  # age, sex, relation to the head


class Registry:
    """All residents by number from 1; those born later are added."""

    def __init__(self, streams: Streams, places: Places, start: date) -> None:
        self.streams = streams
        self.start = start
        self.people: list[Person] = []
        self._orders: Counter[str] = Counter()
        self._places = places
        self._weights = {village.code: 1 / sqrt(village.town.number) for village in places.villages}
        self._by_code = {village.code: village for village in places.villages}
        self.households = 0

    def __getitem__(self, number: int) -> Person:
        return self.people[number - 1]

    def __len__(self) -> int:
        return len(self.people)

    def fill(self, residents: int) -> None:
        """Add households until there are that many residents."""
        while len(self.people) < residents:
            self.households += 1
            for person in self._household(self.households):
                if len(self.people) < residents:
                    self.people.append(person)
        if not any(person.died for person in self.people):
            oldest = min(self.people[-60:], key=lambda one: (one.birth, one.number))
            oldest.died = self.start - timedelta(days=44)

    def born(self, mother: Person, day: date, name: str) -> Person:
        """Add a newborn child of a resident; it has no ID number yet."""
        number = len(self.people) + 1
        sex = self.streams.of("born", number).pick((MALE, FEMALE))
        relation = SON if sex == MALE else DAUGHTER
        child = Person(
            number, name or f"{mother.name}之{'子' if sex == MALE else '女'}", sex, day, "", mother.ethnic,
            mother.village, mother.household, relation, mother.head, mother.phone,
        )  # fmt: skip
        child.mother, child.house_number, child.insurance = mother.number, mother.house_number, ""
        self.people.append(child)
        return child

    def id_number(self, birth: date, sex: str) -> str:
        """Return the next free ID number of a birthday and sex."""
        key = f"{birth:%Y%m%d}{sex}"
        self._orders[key] += 1
        return numbers.resident_id(birth, self._orders[key] % 390 + 1, sex)

    def _household(self, household: int) -> Iterator[Person]:
        stream = self.streams.of("household", household)
        village = self._by_code[stream.weighted(self._weights)]
        ethnic = stream.weighted({code: entry[0] for code, entry in book("names")["ethnic"].items()})
        family = names.surname(stream)
        head = len(self.people) + 1
        house = 1 + stream.whole(0, 80)
        for turn, (age, sex, relation) in enumerate(_members(stream)):
            number = head + turn
            person = self._person(
                number, age, sex, relation, family if relation not in (SPOUSE, MOTHER) else "", ethnic
            )
            person.village, person.household, person.head = village, household, head
            person.house_number = house
            yield person

    def _person(self, number: int, age: int, sex: str, relation: str, family: str, ethnic: str) -> Person:
        stream = self.streams.of("person", number)
        birth = self.start - timedelta(days=int(age * 365.25) + stream.whole(1, 364))
        name = names.full(stream, family or names.surname(stream), birth.year, sex, ethnic, number)
        held = self.id_number(birth, sex)
        person = Person(
            number, name, sex, birth, held, ethnic, _NOWHERE, 0, relation, number, numbers.phone(number)
        )  # fmt: skip
        _circumstances(person, stream, age, self.start)
        person.courses = chronic.courses(person, stream, self.start)
        return person


def _members(stream: Stream) -> list[Member]:
    kind = stream.weighted({entry["kind"]: entry["weight"] for entry in rates()["population"]["pyramid"]})
    if kind == "old_couple":
        age = stream.whole(62, 86)
        return [(age, MALE, HEAD), (age - stream.whole(-1, 5), FEMALE, SPOUSE)]
    if kind == "old_alone":
        return [(stream.whole(65, 94), FEMALE if stream.chance(0.66) else MALE, HEAD)]
    if kind == "couple":
        age = stream.whole(42, 61)
        return [(age, MALE, HEAD), (age - stream.whole(-1, 4), FEMALE, SPOUSE)]
    if kind == "family":
        age = stream.whole(26, 46)
        return [(age, MALE, HEAD), (age - stream.whole(0, 3), FEMALE, SPOUSE), *_children(stream, age - 24)]
    if kind == "alone":
        return [(stream.whole(22, 60), MALE if stream.chance(0.7) else FEMALE, HEAD)]
    age = stream.whole(30, 48)
    elders = [(age + stream.whole(24, 30), FEMALE, MOTHER)]
    return [(age, MALE, HEAD), (age - stream.whole(0, 3), FEMALE, SPOUSE), *elders, *_children(stream, age - 24)]


def _children(stream: Stream, oldest: int) -> list[Member]:
    found: list[Member] = []
    age = min(max(oldest, 0), stream.whole(0, 17))
    for _ in range(2 if stream.chance(0.45) else 1):
        sex = stream.pick((MALE, FEMALE))
        found.append((age, sex, SON if sex == MALE else DAUGHTER))
        age = max(0, age - stream.whole(2, 5))
    return found


def _circumstances(person: Person, stream: Stream, age: int, start: date) -> None:
    share = rates()["population"]
    person.marital = "10" if age < 23 else "30" if age > 70 and stream.chance(0.4) else "20"
    person.blood = stream.weighted({"1": 28, "2": 24, "3": 31, "4": 8, "5": 9})
    # In this county's form the column says "RH阴性": 1 no, 2 yes, 3 unknown.
    person.rh = stream.weighted({"1": 45, "2": 0.4, "3": 54.6})
    person.allergy = stream.weighted({"1": 93, "2": 4, "3": 1.5, "4": 0.5, "5": 1})
    lot = stream.unit()
    resident, employee = share["insured_residents"], share["insured_employees"]
    person.insurance = "390" if lot < resident else "310" if lot < resident + employee and 22 < age < 70 else ""
    if age > 66 and stream.chance(0.02):
        person.died = start - timedelta(days=stream.whole(20, 900))


_NOWHERE = Village(0, "", "", "", Town(0, "", "", "", "", "", ""))
