"""Makes the record of one registration: what the desk was told, what it typed, and the truth about it."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.simulate import population_errors as wrong
from gateway.simulate import population_shapes as shapes
from gateway.simulate.catalogue import Book, book
from gateway.simulate.population_people import OLD, Home, Registrar, Resident
from gateway.simulate.population_shapes import Draft
from gateway.simulate.population_sites import Visit
from gateway.simulate.streams import Stream
from gateway.simulate.values import FEMALE, MALE

Json = dict[str, Any]
_ABOVE = 60  # records of a site between two that are taken for one another: strangers, not the same family
_APART = 12  # years between birth dates from which our mappings say that a number is a parent's
_GROUPS = "一二三四五六七八九十"
_CHANNELS = ("hospital", "township", "visit", "village")  # whose mappings leave a parent's number out


@dataclass(slots=True)
class Clerk:
    """Writes records, numbered by site; remembers cards that may be handed on and the numbers of the lines above."""

    registrar: Registrar
    rates: Book
    _written: dict[str, int] = field(default_factory=dict)
    _cards: dict[str, deque[str]] = field(default_factory=dict)
    _above: dict[str, deque[str]] = field(default_factory=dict)
    _phones: dict[str, str] = field(default_factory=dict)

    def write(self, person: Resident, visit: Visit, stream: Stream, held: Json) -> tuple[Json, Json]:
        """Return the Patient of a registration and the truth about it; `held` keeps a person's cards by site."""
        site = visit.site
        errors: list[str] = []
        told = self._told(person, visit, stream, errors)
        typed, state = self._number(person, told, visit, stream, errors)
        read = state == "own" and "fifteen" not in errors
        draft = Draft(site.name, site.kind, visit.room, visit.day)
        draft.serial = self._written[site.name] = self._written.get(site.name, 0) + 1
        draft.resident, draft.own = typed, state == "own"
        rates = self.rates["name"]
        draft.name = wrong.name(
            told.called(visit.day), visit, stream, errors, read=read and stream.chance(rates["from_id"])
        )
        draft.romanised = stream.chance(rates["pinyin"])
        draft.birth = wrong.birth(told, visit, stream, errors, read=read)
        draft.sex = told.sex
        if stream.chance(self.rates["sex_wrong"]):
            errors.append("sex-wrong")
            draft.sex = FEMALE if told.sex == MALE else MALE
        self._contacts(draft, person, visit, stream, errors)
        self._numbers(draft, told, visit, stream, errors, held)
        state = self._parents_left_out(draft, state, errors)
        if told.called(visit.day) != told.name:
            errors.append("newborn-name" if told.newborn else "former-name")
        if state == "own":
            self._above.setdefault(site.name, deque(maxlen=_ABOVE)).append(typed)
        body = shapes.patient(draft)
        return body, _truth(body["id"], person, visit, errors, state)

    def _told(self, person: Resident, visit: Visit, stream: Stream, errors: list[str]) -> Resident:
        """Return whose data the desk got: now and then, at a visit, wholly those of a relative."""
        visited = visit.site.kind in ("hospital", "fhir", "mch") or visit.room == "visit"
        if visited and visit.room != "born" and stream.chance(self.rates["id"]["borrowed"]["whole"]):
            relatives = [one for one in _lenders(person, visit.day) if one.sex == person.sex]
            if relatives:
                errors.append("borrowed-whole")
                return stream.pick(relatives)
        return person

    def _number(
        self, person: Resident, told: Resident, visit: Visit, stream: Stream, errors: list[str]
    ) -> tuple[str, str]:
        """Return the resident ID as typed and its state: own, bad, another, masked or none."""
        rates, kind, day = self.rates["id"], visit.site.kind, visit.day
        if day < told.numbered or visit.room == "born":
            mother = told.mother
            if mother and stream.chance(rates["mother"][kind]):
                errors.append("mothers-number")
                return mother.resident, "another"
            errors.append("no-number")
            return "", "none"
        factor = rates["careless"]["factor" if person.careless else "others"] * self.rates["missing"]
        missing = rates["missing"][visit.room or kind]
        if stream.chance(missing["old" if told.age(day) >= OLD else told.stage(day)] * factor):
            errors.append("no-number")
            return "", "none"
        if "borrowed-whole" in errors:
            return told.resident, "another"
        return self._shown(person, visit, stream, errors)

    def _shown(self, person: Resident, visit: Visit, stream: Stream, errors: list[str]) -> tuple[str, str]:
        rates, site = self.rates["id"], visit.site
        if stream.chance(rates["borrowed"]["number"]):
            lenders = _lenders(person, visit.day)
            if lenders:
                errors.append("borrowed-number")
                return stream.pick(lenders).resident, "another"
        above = self._above.get(site.name, deque[str]())
        if len(above) == _ABOVE and stream.chance(rates["row_shift"]):
            errors.append("row-shift")
            return above[0], "another"
        if stream.chance(site.masked_id):
            errors.append("masked-number")
            return f"{person.resident[:6]}********{person.resident[14:]}", "masked"
        typed = wrong.number(person.resident, person.birth, visit, stream, errors)
        if typed in (person.resident, person.resident[:6] + person.resident[8:17]):
            if site.kind == "fhir" and typed.endswith("X") and stream.chance(rates["lower_case"]):
                typed = typed.lower()
            return typed, "own"
        # A wrong number of 15 digits has no check digit to be found out by.
        return typed, "another" if len(typed) == 15 and "number-length" not in errors else "bad"

    def _contacts(self, draft: Draft, person: Resident, visit: Visit, stream: Stream, errors: list[str]) -> None:
        """Add phone, kin and address; the tables of visits have none."""
        kind, rates = draft.kind, self.rates
        if visit.room == "visit":
            return
        if kind in rates["phone"]["missing"]:
            draft.phone = self._phone(person, visit, stream, errors)
            draft.kin = _kin(person, visit, stream)
        if kind in rates["address"]["missing"] and not stream.chance(rates["address"]["missing"][kind]):
            draft.address = self._address(person, visit, stream, errors)

    def _phone(self, person: Resident, visit: Visit, stream: Stream, errors: list[str]) -> str:
        rates, site = self.rates["phone"], visit.site
        if stream.chance(rates["clerk"].get(site.kind, 0.0)):
            errors.append("clerks-phone")
            since = date(site.since, 1, 1)
            return self._phones.setdefault(site.name, "") or self._new_phone(site.name, stream, since)
        if stream.chance(rates["missing"][site.kind]):
            errors.append("no-phone")
            return ""
        owner = _answering(person, visit.day, stream, self.rates["phones"]["shared"])
        found = owner.phone(visit.day) if owner else ""
        if not found:
            errors.append("no-phone")
            return ""
        assert owner is not None
        errors += ["family-phone"] if owner is not person else []
        errors += ["old-phone"] if found != owner.phones[-1][1] else []
        if stream.chance(rates["typed"]):
            errors.append("phone-typed")
            found = wrong.digit_wrong(found, stream, 3)
        if stream.chance(site.masked_phone):
            errors.append("masked-phone")
            found = f"{found[:3]}****{found[7:]}"
        return found

    def _new_phone(self, name: str, stream: Stream, since: date) -> str:
        self._phones[name] = self.registrar.phone(stream, since)
        return self._phones[name]

    def _address(self, person: Resident, visit: Visit, stream: Stream, errors: list[str]) -> str:
        home = person.home(visit.day)
        if home is not person.homes[0][1] and stream.chance(self.rates["address"]["stale"]):
            home = person.homes[0][1]
        if home is not person.homes[-1][1]:
            errors.append("old-address")
        return address(home, stream, house=not stream.chance(self.rates["address"]["house_missing"]))

    def _numbers(
        self, draft: Draft, told: Resident, visit: Visit, stream: Stream, errors: list[str], held: Json
    ) -> None:
        """Add the numbers beside the resident ID: insurer's, health record, cards."""
        kind, rates = draft.kind, self.rates
        lender = next((one for one in _relatives(told) if one.resident == draft.resident), None)
        insured = lender if lender and "borrowed-number" in errors else told
        settled = rates["insurance"].get("visit" if visit.room == "visit" else "desk" if not visit.room else "", {})
        if kind == "insurer" or (kind in settled and stream.chance(settled[kind])):
            draft.insured = told.insured if kind == "insurer" else insured.insured
        if visit.room != "visit" and stream.chance(rates["health_record"].get(kind, 0.0)):
            draft.record = told.record
        if kind not in ("insurer", "village") and visit.room not in ("emergency", "born"):
            draft.card = self._card(draft, stream, errors, held)

    def _card(self, draft: Draft, stream: Stream, errors: list[str], held: Json) -> str:
        rates, cards = self.rates["cards"], self._cards.setdefault(draft.site, deque(maxlen=2 * _ABOVE))
        old = held.get(draft.site)
        if old and not stream.chance(rates["new_each_year"]):
            return str(old)
        if len(cards) == 2 * _ABOVE and stream.chance(rates["reissued"]):
            errors.append("reissued-card")
            return cards[0]
        card = f"K{draft.day:%y}{draft.serial:06d}"
        cards.append(card)
        held[draft.site] = card
        return card

    def _parents_left_out(self, draft: Draft, state: str, errors: list[str]) -> str:
        """Leave a number out that is surely a parent's, as our mappings of these channels do (china.md case 11)."""
        place = draft.room if draft.room == "visit" else draft.kind
        if place not in _CHANNELS or len(draft.resident) != 18 or state not in ("own", "another"):
            return state
        child = "之" in draft.name[-3:]
        if draft.birth:
            apart = abs(int(draft.birth[:4]) - int(draft.resident[6:10])) >= _APART
            other = draft.birth.replace("-", "") != draft.resident[6:14]
            gone = apart or (child and other)
        else:
            gone = child
        if not gone:
            return state
        errors.append("number-left-out")
        draft.resident = ""
        return "none"


def address(home: Home, stream: Stream, *, house: bool) -> str:
    """Return an address as one desk or another writes it."""
    county = book("county")
    village = home.village % 20
    town = county["townships"][home.town]
    place = county["villages"][(home.town * 7 + village) % len(county["villages"])]
    form = stream.unit()
    head = "四川省青禾县" if form < 0.2 else "青禾县" if form < 0.55 else ""
    group = _GROUPS[home.group - 1] if home.group <= len(_GROUPS) and stream.chance(0.25) else str(home.group)
    return f"{head}{town}{place}{group}{'社' if stream.chance(0.15) else '组'}{f'{home.house}号' if house else ''}"


def _relatives(person: Resident) -> list[Resident]:
    """Return who lends a card: husband or wife, parents, the twin, children, other children of the mother."""
    parents = [one for one in (person.mother, person.father) if one]
    others = [one for one in (parents[0].children if parents else []) if one is not person]
    return [*([person.spouse] if person.spouse else []), *parents, *others, *person.children]


def _lenders(person: Resident, day: date) -> list[Resident]:
    """Return the relatives who have a number to lend that day."""
    return [one for one in _relatives(person) if max(one.numbered, one.birth) <= day]


def _answering(person: Resident, day: date, stream: Stream, shared: Book) -> Resident | None:
    """Return whose phone number the desk notes: one's own, or that of who answers for the person."""
    stage, own = person.stage(day), bool(person.phone(day))
    if own and not stream.chance(shared[stage]):
        return person
    if stage == "child":
        order = [person.mother, person.father] if stream.chance(0.6) else [person.father, person.mother]
        elders = [one for parent in order if parent for one in (parent.mother, parent.father)]
        order = elders + order if stream.chance(0.08) else order + elders
    elif stage == "old":
        order = [*sorted(person.children, key=lambda one: one.number), person.spouse]
    else:
        order = [person.spouse, *person.children]
    found = [one for one in order if one and one.phone(day) and one.age(day) >= 16]
    return found[0] if found else person if own else None


def _kin(person: Resident, visit: Visit, stream: Stream) -> tuple[str, str, str]:
    """Return name, relation and phone of whom to call: of the newborn the mother, of others a relative, or nobody."""
    if visit.room == "born" and person.mother:
        return person.mother.name, "MTH", person.mother.phone(visit.day)
    if visit.site.kind not in ("hospital", "township") or not stream.chance(0.45):
        return "", "", ""
    for one, code in ((person.spouse, "SPS"), (person.mother, "MTH"), (person.father, "FTH")):
        if one:
            return one.name, code, one.phone(visit.day)
    return "", "", ""


def _truth(name: str, person: Resident, visit: Visit, errors: list[str], state: str) -> Json:
    """Return the line of the truth: whose record it is, what went wrong, and who the relatives are."""
    told: Json = {
        "id": name, "site": visit.site.name, "person": person.number, "registered": f"{visit.day}",
        "number": state, "errors": errors, "household": person.household,
    }  # fmt: skip
    for word, one in (("mother", person.mother), ("father", person.father), ("twin", person.twin)):
        if one:
            told[word] = one.number
    return told | ({"newborn": True} if person.newborn else {})
