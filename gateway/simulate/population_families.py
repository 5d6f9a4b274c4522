"""Makes the families of an invented population: couples, children, twins, newborns, and who lives with whom."""

from collections import deque
from datetime import date, timedelta

from gateway.simulate import numbers
from gateway.simulate import population_names as called
from gateway.simulate.catalogue import Book, book
from gateway.simulate.population_people import CHILD, POOL, TOWNS, VILLAGES_OF_A_TOWN, Home, Registrar, Resident
from gateway.simulate.streams import Stream, Streams
from gateway.simulate.values import FEMALE, MALE


class Settlers:
    """Makes the families, one after another; a family is decided by the seed and its number."""

    def __init__(self, streams: Streams, seed: int) -> None:
        self.rates: Book = book("population")
        self.today: date = self.rates["today"]
        self.registrar = Registrar(seed)
        self.made = 0
        self.houses = 0
        self._streams = streams
        self._newborns = 0
        self._namesakes = 0
        self._known: deque[tuple[str, str, date]] = deque(maxlen=POOL)
        stream = streams.of("villages")
        self.clans = [called.clan(stream) for _ in range(TOWNS * VILLAGES_OF_A_TOWN)]
        self._ethnic = called.Lot((code, entry[0]) for code, entry in book("names")["ethnic"].items())

    def family(self, number: int) -> list[Resident]:
        """Return the persons of one family, up to four households."""
        stream = self._streams.of("family", number)
        made = Family(self, stream).members
        self._newborn(stream, made)
        for person in made:
            self._furnish(stream, person)
        self._remember(stream, made)
        return made

    def minority(self, stream: Stream) -> float:
        """Return how likely names with a dot are in a family."""
        return {"05": 1.0, "04": 0.5, "07": 0.4}.get(self._ethnic.draw(stream), 0.0)

    def namesake(self) -> tuple[str, str, date] | None:
        """Return name, sex and birth date of a stranger of another family when one more is due."""
        due = max(1.0, self.made * self.rates["families"]["namesakes"])
        if len(self._known) < POOL or self._namesakes >= due:
            return None
        self._namesakes += 1
        return self._known[self._namesakes % POOL]

    def _remember(self, stream: Stream, made: list[Resident]) -> None:
        grown = [one for one in made if one.age(self.today) >= 20]
        if grown:
            one = stream.pick(grown)
            self._known.append((one.name, one.sex, one.birth))

    def _newborn(self, stream: Stream, made: list[Resident]) -> None:
        """Add a child of the last months, as many as the share of the persons that is due."""
        mothers = [one for one in made if one.sex == FEMALE and one.spouse and 20 <= one.age(self.today) <= 41]
        due = (self.made + len(made)) * self.rates["families"]["newborns"]
        if not mothers or self._newborns >= due or stream.chance(0.5):
            return
        mother = stream.pick(mothers)
        birth = self.today - timedelta(days=stream.whole(4, 480))
        double = stream.chance(self.rates["families"]["newborn_twins"])
        children = births(stream, self, mother, birth, double=double)
        self._newborns += len(children)
        first = _first_names(stream, mother, children)
        for child, name in zip(children, first, strict=True):
            child.newborn, child.first_name = True, name
            child.named = birth + timedelta(days=stream.whole(2, 50))
            child.numbered = birth + timedelta(days=stream.whole(15, 2 * self.rates["id"]["newborn_days"]))
        made += children

    def _furnish(self, stream: Stream, person: Resident) -> None:
        """Give a person number, papers, phone and homes over the years."""
        families = self.rates["families"]
        self.made += 1
        person.number = self.made
        if person.birth.year < 1955 and stream.chance(families["round_birth"]):
            person.birth = person.birth.replace(month=stream.pick((1, 7)), day=1)
        person.birth, person.resident = self.registrar.resident(person.birth, person.sex)
        if not person.newborn and stream.chance(families["changed_name"]):
            others = {one.name for parent in (person.mother, person.father) if parent for one in parent.children}
            other = person.name[:1] + called.given(stream, person.birth.year, person.sex)
            person.first_name = "" if other in others else other
            person.named = self.today - timedelta(days=stream.whole(100, 4000))
        person.careless = stream.chance(self.rates["id"]["careless"]["share"])
        person.insured = f"{numbers.AREA}{person.number:014d}"
        village = person.homes[0][1].village
        person.record = f"{numbers.AREA}{100 + village // 20:03d}{200 + village % 20:03d}{person.number % 100_000:05d}"
        self._phones(stream, person)
        self._moves(stream, person)

    def _phones(self, stream: Stream, person: Resident) -> None:
        rates = self.rates["phones"]
        if stream.chance(rates["none"][person.stage(self.today)]):
            return
        person.phones.append((date.min, self.registrar.phone(stream, self.today)))
        for year in range(16, 0, -1):
            if not stream.chance(rates["changes"]):
                continue
            since = self.today - timedelta(days=year * 365 - stream.whole(0, 360))
            self.registrar.given_up(since, person.phones[-1][1])
            person.phones.append((since, self.registrar.phone(stream, since)))

    def _moves(self, stream: Stream, person: Resident) -> None:
        years = min(16, person.age(self.today))
        if person.age(self.today) >= CHILD and stream.chance(1 - (1 - self.rates["families"]["moves"]) ** years):
            since = self.today - timedelta(days=stream.whole(1, years * 365))
            person.homes.append((since, new_home(stream)))


class Family:
    """One family being made: its members, oldest first."""

    def __init__(self, settlers: Settlers, stream: Stream) -> None:
        self.members: list[Resident] = []
        self._settlers = settlers
        self._stream = stream
        self._today = settlers.today
        self._dotted = settlers.minority(stream)
        self.home = new_home(stream)
        clan = settlers.clans[self.home.village]
        self._surname = clan if stream.chance(settlers.rates["families"]["clan"]) else called.surname(stream)
        self._house = self._new_house()
        getattr(self, f"_{stream.weighted(settlers.rates['families']['kinds'])}")()

    def _new_house(self) -> int:
        self._settlers.houses += 1
        return self._settlers.houses

    def _single(self) -> None:
        found = self._settlers.namesake()
        person = self._grown(self._stream.whole(20, 60), self._stream.pick((MALE, FEMALE)), self._surname)
        if found:
            person.name, person.sex, person.birth = found

    def _old(self) -> None:
        self._couple(self._stream.whole(60, 88), widowed=True)

    def _young(self) -> None:
        age = self._stream.whole(24, 47)
        self._children_of(*self._couple(age), age)

    def _lineage(self) -> None:
        """Make old parents, their children as far as they stayed, and the grandchildren."""
        stream, age = self._stream, self._stream.whole(56, 88)
        father, mother = self._couple(age, widowed=True)
        elder = mother or father
        for child in self._siblings(elder, father, age):
            grown = child.age(self._today)
            if grown < 24 or not stream.chance(0.85):
                continue
            if child.sex == FEMALE or stream.chance(0.55):
                self.home, self._house = self._moved_out(child), self._new_house()
                child.homes, child.household = [(date.min, self.home)], self._house
            partner = self._partner(child)
            self._children_of(*((child, partner) if child.sex == MALE else (partner, child)), grown)

    def _moved_out(self, child: Resident) -> Home:
        home = new_home(self._stream)
        return home if child.sex == FEMALE else home._replace(village=self.home.village)

    def _siblings(self, elder: Resident | None, father: Resident | None, age: int) -> list[Resident]:
        """Return the children of the old who stayed in the county: one to four births, a few years apart."""
        stream = self._stream
        if elder is None:
            return []
        found: list[Resident] = []
        since = age - stream.whole(20, 28)
        for _ in range(int(stream.weighted({"1": 20, "2": 40, "3": 28, "4": 12}))):
            if since >= 18 and not stream.chance(0.35):
                found += self._born(elder, father, since)
            since -= stream.whole(2, 4)
        return found

    def _children_of(self, father: Resident | None, mother: Resident | None, age: int) -> None:
        """Add the children of a couple, the first born when the mother was in her twenties."""
        stream, oldest = self._stream, age - _first_age(self._stream)
        if oldest < 2 or (mother or father) is None or stream.chance(0.12):
            return
        since = oldest
        for _ in range(2 if stream.chance(0.45) else 1):
            if since < 2:
                break
            if since < 18 or stream.chance(0.6):  # the others left the county
                self._born(mother, father, since)
            since -= stream.whole(2, 6)

    def _born(self, mother: Resident | None, father: Resident | None, age: int) -> list[Resident]:
        parent = mother or father
        assert parent is not None
        birth = _born_day(self._stream, self._today, age)
        double = self._stream.chance(self._settlers.rates["families"]["twins"])
        made = births(self._stream, self._settlers, parent, birth, double=double, dotted=self._dotted)
        for child in made:
            child.mother, child.father = mother, father
        self.members += made
        return made

    def _couple(self, age: int, *, widowed: bool = False) -> tuple[Resident | None, Resident | None]:
        """Return husband and wife, one of whom may be dead where they are old."""
        stream = self._stream
        alone = stream.unit() if widowed else 1.0
        husband = None if alone < 0.26 else self._grown(age + stream.whole(-1, 5), MALE, self._surname)
        wife = None if 0.26 <= alone < 0.38 else self._grown(age, FEMALE, called.surname(stream))
        if husband and wife:
            husband.spouse, wife.spouse = wife, husband
        return husband, wife

    def _partner(self, child: Resident) -> Resident:
        older = child.age(self._today) + self._stream.whole(-4, 2) * (1 if child.sex == MALE else -1)
        sex = FEMALE if child.sex == MALE else MALE
        partner = self._grown(max(21, older), sex, called.surname(self._stream))
        partner.spouse, child.spouse = child, partner
        return partner

    def _grown(self, age: int, sex: str, family: str) -> Resident:
        birth = _born_day(self._stream, self._today, age)
        name = full_name(self._stream, family, birth.year, sex, self._dotted)
        person = Resident(0, name, sex, birth, household=self._house, homes=[(date.min, self.home)])
        self.members.append(person)
        return person


def births(
    stream: Stream, settlers: Settlers, parent: Resident, birth: date, *, double: bool, dotted: float = 0.0
) -> list[Resident]:
    """Return the child or the twins of one birth, with the surname of the father where he is known."""
    father = parent.spouse if parent.sex == FEMALE and parent.spouse else parent
    family = called.parted(father.name)[0] or called.surname(stream)
    sexes = [stream.pick((MALE, FEMALE))]
    if double:
        same = stream.chance(settlers.rates["families"]["twins_of_one_sex"])
        sexes.append(sexes[0] if same else MALE if sexes[0] == FEMALE else FEMALE)
    taken = {one.name for one in (*parent.children, parent, *([parent.spouse] if parent.spouse else []))}
    named: tuple[str, ...] = ()
    while not named or not taken.isdisjoint(named):  # nobody calls two children alike
        named = _child_names(stream, parent, family, birth.year, sexes, dotted)
    home = parent.homes[0][1]
    made = [
        Resident(0, name, sex, birth, household=parent.household, homes=[(date.min, home)])
        for name, sex in zip(named, sexes, strict=True)
    ]
    for child in made:
        child.mother = parent if parent.sex == FEMALE else parent.spouse
        child.father = father if father.sex == MALE else None
        child.twin = next((other for other in made if other is not child), None)
    for relative in (parent, parent.spouse):
        if relative:
            relative.children += made
    return made


def _child_names(
    stream: Stream, parent: Resident, family: str, year: int, sexes: list[str], dotted: float
) -> tuple[str, ...]:
    """Return the names of the child or the twins of one birth; a child may share a letter with brothers and sisters."""
    if len(sexes) > 1:
        return called.twins(stream, family, year, (sexes[0], sexes[1]))
    sex, share = sexes[0], book("population")["families"]["generation_name"]
    older = next((one for one in parent.children if one.sex == sex and len(one.name) > 2), None)
    if older and year < 1995 and stream.chance(2 * share):
        return (family + called.given(stream, year, sex, called.parted(older.name)[1][0]),)
    return (full_name(stream, family, year, sex, dotted),)


def full_name(stream: Stream, family: str, year: int, sex: str, dotted: float) -> str:
    """Return a whole name, now and then with a dot or a rare letter."""
    if dotted and stream.chance(dotted):
        return called.dotted(stream)
    if stream.chance(book("population")["families"]["rare_letter"]):
        other = called.given(stream, year, sex)
        return family + (other[0] if len(other) > 1 else "") + called.rare(stream)
    return family + called.given(stream, year, sex)


def _first_names(stream: Stream, mother: Resident, children: list[Resident]) -> list[str]:
    """Return what the ward calls newborns: 王芳之子, and of twins the big and the small one."""
    if len(children) == 1:
        word = "之婴" if stream.chance(0.05) else "之子" if children[0].sex == MALE else "之女"
        return [mother.name + word]
    kind = stream.unit()
    if kind < 0.4:
        return [f"{mother.name}之大双", f"{mother.name}之小双"]
    if kind < 0.7:
        words = {MALE: ("之长子", "之次子"), FEMALE: ("之长女", "之次女")}
        return [mother.name + words[child.sex][turn] for turn, child in enumerate(children)]
    return [mother.name + ("之子" if child.sex == MALE else "之女") for child in children]


def new_home(stream: Stream) -> Home:
    """Return a house in any village, each as likely."""
    return Home(stream.whole(0, TOWNS * VILLAGES_OF_A_TOWN - 1), stream.whole(1, 12), stream.whole(1, 160))


def _first_age(stream: Stream) -> int:
    """Return how old a mother is at her first birth."""
    return stream.whole(21, 29)


def _born_day(stream: Stream, today: date, age: int) -> date:
    return today - timedelta(days=int(age * 365.25) + stream.whole(1, 364))
