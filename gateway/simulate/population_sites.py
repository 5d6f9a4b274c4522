"""The thirty sites of an invented population: what each is worse at, and who is registered where and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.simulate.catalogue import Book, book
from gateway.simulate.population_people import CONNECTED, TOWNS, VILLAGES_OF_A_TOWN, Resident
from gateway.simulate.streams import Stream
from gateway.simulate.values import FEMALE

TABLES = frozenset(("township", "village", "insurer"))  # their rows meet one Patient by a national number


@dataclass(frozen=True, slots=True)
class Site:
    """One sender: its kind decides the look of its records, the rest what goes wrong there."""

    name: str
    kind: str
    since: int
    charset: str
    garbled: float = 0.0
    masked_phone: float = 0.0
    masked_id: float = 0.0
    bytes: int = 0


class Visit(NamedTuple):
    """One registration that made a record; `room` is emergency, visit or '' for the desk and the health file."""

    site: Site
    room: str
    day: date
    turn: int


def rates_of(mix: str) -> Book:
    """Return the rates of one way of being known, with those that all share; raises GatewayError for another word."""
    data = book("population")
    if mix not in data["mixes"]:
        raise GatewayError(f"a population is one of {', '.join(data['mixes'])}, not {mix}")
    return {**data, **data["mixes"][mix]}


def sites(rates: Book) -> list[Site]:
    """Return the sites in the order of the folder."""
    found = []
    for entry in rates["sites"]:
        for number in range(1, entry.get("count", 1) + 1):
            name = entry["site"].format(number)
            told = {key: entry[key] for key in ("kind", "since", "charset")} | rates["weak"].get(name, {})
            found.append(Site(name=name, **told))
    return found


class Register:
    """Says where a person is registered, and when."""

    def __init__(self, found: list[Site], rates: Book) -> None:
        self._rates = rates
        self._alone = [site for site in found if site.kind not in ("township", "village")]
        self._towns = [site for site in found if site.kind == "township"]
        self._villages = [site for site in found if site.kind == "village"]
        # The connected villages lie all over the county: every so many of the 160 has a system.
        apart = TOWNS * VILLAGES_OF_A_TOWN / CONNECTED
        self._connected = {int(number * apart): site for number, site in enumerate(self._villages)}

    def visits(self, person: Resident, stream: Stream) -> list[Visit]:
        """Return all registrations of a person, the earliest first."""
        found = list(self._born(person, stream)) if person.newborn else []
        for site in self._places(person, stream):
            rates = self._rates["registered"][site.kind]
            turn = 0
            chance = rates[self._group(person, site.kind)]
            while stream.chance(chance) and turn < 4:
                found.append(self._visit(person, site, turn, stream))
                turn, chance = turn + 1, rates["more"]
        return sorted(found, key=lambda visit: (visit.day, visit.site.name, visit.turn))

    def _places(self, person: Resident, stream: Stream) -> Iterator[Site]:
        yield from self._alone
        home = person.homes[-1][1]
        town = stream.whole(0, TOWNS - 1) if stream.chance(0.06) else home.town
        yield self._towns[town]
        village = self._connected.get(home.village)
        if village:
            yield village

    def _group(self, person: Resident, kind: str) -> str:
        age = person.age(self._rates["today"])
        if kind == "mch" and person.sex == FEMALE and 19 <= age <= 45:
            return "woman"
        if kind == "mch" and age >= 7:
            return "adult"
        return "baby" if age < 2 else person.stage(self._rates["today"])

    def _visit(self, person: Resident, site: Site, turn: int, stream: Stream) -> Visit:
        room = ""
        if site.kind == "hospital" and stream.chance(self._rates["emergency"]):
            room = "emergency"
        elif turn or stream.chance(self._rates["visit_only"].get(site.kind, 0.0)):
            room = "visit" if site.kind in self._rates["visit_only"] else ""
        today = self._rates["today"]
        since = max(date(site.since, 1, 1), person.birth)
        return Visit(site, room, since + timedelta(days=int(stream.unit() * ((today - since).days + 1))), turn)

    def _born(self, person: Resident, stream: Stream) -> Iterator[Visit]:
        """Yield the record of the ward a child was born in; twins in the same."""
        twin = person.twin
        first = person.number if twin is None else min(person.number, twin.number)
        site = next(one for one in self._alone if one.kind == ("hospital" if first % 10 < 6 else "mch"))
        yield Visit(site, "born", person.birth + timedelta(days=stream.whole(0, 1)), 0)
