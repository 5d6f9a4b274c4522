"""Writes an invented population to a folder: the Patients of thirty sites as NDJSON, and the truth about each."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from gateway.errors import GatewayError
from gateway.simulate.catalogue import Book, book
from gateway.simulate.population_families import Settlers
from gateway.simulate.population_people import Resident
from gateway.simulate.population_records import Clerk
from gateway.simulate.population_shapes import HEALTH_RECORD, INSURED, RESIDENT
from gateway.simulate.population_sites import TABLES, Register, Site, rates_of, sites
from gateway.simulate.streams import Streams

LEAST, MOST = 200, 3_000_000  # fewer show too little; the days have no more ID numbers
REGISTRATIONS, EXPORTS = "registrations", "exports"
TRUTH, SUMMARY = "truth.ndjson", "population.json"
Json = dict[str, Any]
Told = Callable[[int], None]
_NATIONAL = frozenset((RESIDENT, HEALTH_RECORD, INSURED))


@dataclass(frozen=True, slots=True)
class Populated:
    """What was written: persons, records, sites, and how many records show each kind of error."""

    persons: int
    records: int
    sites: int
    errors: dict[str, int]


def populate(folder: Path, *, persons: int, seed: int, mix: str = REGISTRATIONS, told: Told | None = None) -> Populated:
    """Write that many persons, registered at thirty sites, to a new folder; the same bytes for the same arguments.

    `told` hears the number of persons so far. Raises GatewayError for a folder that is not empty, a mix that is none,
    and a number of persons that cannot be written.
    """
    rates = rates_of(mix)
    if not LEAST <= persons <= MOST:
        raise GatewayError(f"a population has {LEAST} to {MOST} persons, not {persons}")
    if folder.exists() and any(folder.iterdir()):
        raise GatewayError("the folder is not empty; name a new one", where=str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    with Files(folder, [site.name for site in sites(rates)]) as files:
        settlers = Settlers(Streams(seed), seed)
        office = Office(settlers, files, Streams(seed), rates)
        for number, family in families(settlers, persons):
            office.family(number, family)
            if told:
                told(settlers.made)
        return _summary(files, {"persons": persons, "seed": seed, "mix": mix})


def families(settlers: Settlers, persons: int) -> Iterator[tuple[int, list[Resident]]]:
    """Yield families until there are that many persons; the last one may be cut short."""
    number = 0
    while settlers.made < persons:
        number += 1
        left = persons - settlers.made
        yield number, settlers.family(number)[:left]


class Office:
    """Registers families at the sites."""

    def __init__(self, settlers: Settlers, files: "Files", streams: Streams, rates: Book) -> None:
        self._register = Register(sites(rates), rates)
        self._clerk = Clerk(settlers.registrar, rates)
        self._files = files
        self._streams = streams

    def family(self, number: int, members: list[Resident]) -> None:
        """Write every record of a family."""
        stream = self._streams.of("records", number)
        for person in members:
            held: Json = {}
            known: dict[str, set[tuple[str, str]]] = {}
            for visit in self._register.visits(person, stream):
                body, truth = self._clerk.write(person, visit, stream, held)
                keys, held_there = _keys(visit.site, body), known.setdefault(visit.site.name, set())
                if keys.isdisjoint(held_there):
                    held_there |= keys
                    self._files.write(visit.site.name, body, truth)


def _keys(site: Site, body: Json) -> set[tuple[str, str]]:
    """Return the numbers by which a row of a table meets the Patient of an earlier row, which makes no second one."""
    if site.kind not in TABLES:
        return set()
    entries = [(entry["system"], entry["value"]) for entry in body.get("identifier", ())]
    return {entry for entry in entries if entry[0] in _NATIONAL or entry[0].endswith("/visit-card")}


class Files:
    """The files of the folder, open while it is written; use as a context manager."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder = folder
        self.records = 0
        self.errors: Counter[str] = Counter()
        self.by_site: dict[str, int] = dict.fromkeys(names, 0)
        self._encode = msgspec.json.Encoder().encode
        self._stack = ExitStack()
        self._open: dict[str, IO[bytes]] = {}

    def __enter__(self) -> "Files":
        names = {site: f"{site}.ndjson" for site in self.by_site} | {TRUTH: TRUTH}
        self._open = {key: self._stack.enter_context((self.folder / name).open("wb")) for key, name in names.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, site: str, body: Json, truth: Json) -> None:
        """Write one record and the truth about it."""
        self._open[site].write(self._encode(body) + b"\n")
        self._open[TRUTH].write(self._encode(truth) + b"\n")
        self.records += 1
        self.by_site[site] += 1
        self.errors.update(truth["errors"])


def _summary(files: Files, arguments: Json) -> Populated:
    """Write what the folder holds, and return it."""
    errors = dict(sorted(files.errors.items()))
    today = f"{book('population')['today']}"
    told = {**arguments, "records": files.records, "today": today, "sites": files.by_site, "errors": errors}
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (files.folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
    return Populated(arguments["persons"], files.records, len(files.by_site), errors)
