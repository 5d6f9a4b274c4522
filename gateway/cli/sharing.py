"""The tour's page on identity: one person of several sites, what one of them finds, and all links against the truth."""

import itertools
import json
import urllib.parse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from gateway.cli import serve, tour
from gateway.cli.options import console
from gateway.settings import Settings
from gateway.store.engine import ReadTx, Store

_RESIDENT = "urn:oid:2.16.156.10011.1.3"
_TOLD_BY = "https://yigong.example/fhir/StructureDefinition/told-by"
_SHOWN = 12
_VALUES = ("name", "gender", "birthDate", "telecom", "address")
_TYPES = ("Encounter", "Condition", "DiagnosticReport", "MedicationRequest", "CarePlan", "ServiceRequest", "Coverage")
_ASKER = "village-clinic"

Json = Mapping[str, Any]


class Row(NamedTuple):
    """One resource of a person's record as the page shows it."""

    site: str
    kind: str
    when: str
    says: str


def one_person(settings: Settings, folder: Path) -> str:
    """Show the Person whom most sites know, and what one of them finds; return the query that finds the Person."""
    base = f"{serve.address(settings)}/fhir"
    found = [(person, query) for query in map(_query, _known_best(folder)) for person in _persons(base, query)]
    records = [(list(_record(base, person)), person, query) for person, query in found]
    rows, person, query = max(records, key=lambda one: (len({row.site for row in one[0]}), len(one[0])))
    console.print(_who(person))
    table = Table("site", "what", "when", "says", title=f"What {_asker(person)['display']} finds by its own Patient")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return query


def _known_best(folder: Path) -> list[Json]:
    """Return the few true persons whom most sites know."""
    return sorted(_people(folder), key=lambda person: -sum(map(len, person["sites"].values())))[:_SHOWN]


def _people(folder: Path) -> list[Json]:
    with (folder / "persons.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _query(person: Json) -> str:
    return "identifier=" + urllib.parse.quote(f"{_RESIDENT}|{person['id']}")


def _persons(base: str, query: str) -> list[Json]:
    return [person for person in tour.search(f"{base}/Person?{query}") if person.get("active")]


def _who(person: Json) -> Table:
    """Return the records a Person is made of: whose, how sure, and which of its values each one tells."""
    name = next((one.get("text", "") for one in person.get("name", ())), "")
    said = f"{name}, {person.get('gender', '')}, born {person.get('birthDate', '')}"
    members = _members(person)
    title = f"One person, {len(set(members.values()))} sites: {said}"
    table = Table("site", "its Patient", "how sure", "tells", title=title)
    for link in person["link"]:
        reference = link["target"]["reference"]
        told = [value for value in _VALUES if reference in _tellers(person, value)]
        table.add_row(members[reference], reference.partition("/")[2], link["assurance"], ", ".join(told))
    return table


def _members(person: Json) -> dict[str, str]:
    """Return the Patients of a Person and their sites."""
    return {link["target"]["reference"]: link["target"]["display"] for link in person["link"]}


def _tellers(person: Json, name: str) -> set[str]:
    """Return the Patients that tell an element as the Person shows it."""
    value = person.get(f"_{name}") or person.get(name) or []
    told = itertools.chain.from_iterable(
        one.get("extension", ()) for one in (value if isinstance(value, list) else [value])
    )
    return {
        part["valueReference"]["reference"]
        for one in told
        if one["url"] == _TOLD_BY
        for part in one["extension"]
        if part["url"] == "patient"
    }


def _asker(person: Json) -> Json:
    """Return the Patient that asks: the village's, where there is one."""
    targets: list[Json] = [link["target"] for link in person["link"]]
    return next((target for target in targets if target["display"] == _ASKER), targets[-1])


def _record(base: str, person: Json) -> Iterator[Row]:
    """Yield what is found by one Patient alone, each with the site whose Patient it is filed under."""
    members, asker = _members(person), _asker(person)["reference"]
    for kind in _TYPES:
        for one in tour.search(f"{base}/{kind}?patient={asker}&_count=6"):
            whose = next((one[name]["reference"] for name in ("subject", "patient", "beneficiary") if name in one), "")
            yield Row(members.get(whose, ""), kind, tour.when(one), tour.says(one))


# --- against the truth --------------------------------------------------------------------------------------------


def linked(store: Store, folder: Path) -> None:
    """Show how many records of one person were joined, how many pairs that are two persons, and what waits."""
    with store.read() as tx:
        owners = _owners(tx, _people(folder))
        persons = _joined(tx, owners)
        waiting = sum(tx.case_counts().values())
    true = set(_pairs(_grouped(owners)))
    made = set(_pairs(persons))
    several = len([pids for pids in _grouped(owners) if len(pids) > 1])
    console.print(
        f"\nOne person, one record: {several} persons have records at several sites; of {len(true)} pairs of records"
        f" {len(made & true)} are joined, {len(made - true)} wrongly; waiting for somebody's decision: {waiting}"
    )


def _owners(tx: ReadTx, people: Iterable[Json]) -> dict[int, int]:
    """Return pid -> true person of the Patients whose numbers tell it."""
    numbers: dict[tuple[str, str], int] = {}
    for person in people:
        for site, kinds in person["sites"].items():
            numbers |= {(site, value): person["person"] for values in kinds.values() for value in values}
    by_id = {person["id"]: person["person"] for person in people if person["id"]}
    found: dict[int, int] = {}
    for pid, stored in tx.current(range(1, tx.last_pid() + 1)).items():
        if stored.type == "Patient" and not stored.deleted:
            values = [one.get("value", "") for one in json.loads(stored.body).get("identifier", ())]
            known = [numbers[stored.site, value] for value in values if (stored.site, value) in numbers]
            known += [by_id[value] for value in values if value in by_id]
            if known:
                found[pid] = known[0]
    return found


def _joined(tx: ReadTx, owners: Mapping[int, int]) -> list[list[int]]:
    """Return the persons that links make of these Patients."""
    group = {pid: pid for pid in owners}
    for link in tx.links(owners):
        if link.state == "active" and link.from_pid in group and link.to_pid in group:
            old, new = group[link.from_pid], group[link.to_pid]
            group = {pid: new if at == old else at for pid, at in group.items()}
    return _grouped(group)


def _grouped(owners: Mapping[int, int]) -> list[list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for pid, owner in sorted(owners.items()):
        found[owner].append(pid)
    return list(found.values())


def _pairs(groups: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    for pids in groups:
        yield from itertools.combinations(pids, 2)
