"""The twenty questions clinics ask most: each is answered by an index, on both databases, and none sorts all its matches."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.search.request import parse
from gateway.search.scope import Scope
from gateway.store import query
from gateway.store.engine import Store, open_store
from tests.conftest import TEMPLATE
from tests.support.search_records import Json, put

ALL = Scope.everything()
ZONE = "Asia/Shanghai"
MRN = "https://yigong.example/fhir/id/h1/mrn"
PATIENTS, RESULTS, CODES = 300, 6000, 60

FEW = {
    "a patient's results of one code, newest first": ("Observation", "patient=p7&code=c1&_sort=-date"),
    "a patient's results since a day": ("Observation", "patient=p7&date=ge2026-06-01"),
    "a patient's reports with their results": ("DiagnosticReport", "patient=p7&_include=DiagnosticReport:result"),
    "a patient by number": ("Patient", f"identifier={MRN}|m7"),
    "a patient by name and birth": ("Patient", "name=张7&birthdate=1957"),
    "a patient by phone": ("Patient", "phone=10000000007"),
    "results of a patient named by number": ("Observation", f"patient.identifier={MRN}|m7"),
    "patients with a rare result": ("Patient", f"_has:Observation:patient:code=c{CODES - 1}"),
    "results of a code that is only in old data": ("Observation", "code=old"),
    "resources by id": ("Observation", "_id=o1,o2,o3"),
    "a patient and everything that refers to them": ("Patient", "_id=p7&_revinclude=Observation:patient"),
    "a patient's abnormal values": ("Observation", "patient=p7&value-quantity=gt5"),
    "patients in order of their names": ("Patient", "_sort=name"),
    "the report of a result": ("DiagnosticReport", "result=Observation/o11"),
}
"""Questions with few matches: these may be sorted."""

MANY = {
    "the newest results of a frequent code": ("Observation", "code=c0"),
    "the newest final results of a frequent code": ("Observation", "code=c0&status=final"),
    "results in order of their date": ("Observation", "_sort=-date"),
    "what changed last": ("Observation", "_sort=-_lastUpdated"),
    "results from the highest value": ("Observation", "_sort=-value-quantity"),
    "results of a code in order of their date": ("Observation", "code=c0&_sort=-date"),
}
"""Questions with very many matches: what is read may not grow with them."""

LONG = ("resource", "version", "search_")

GUESSED = ("enable_seqscan", "enable_sort", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan")
"""What PostgreSQL prefers on a table this small: without these it shows whether an index could have answered."""


def people() -> Iterator[Json]:
    for n in range(PATIENTS):
        yield {
            "resourceType": "Patient",
            "id": f"p{n}",
            "identifier": [{"system": MRN, "value": f"m{n}"}],
            "name": [{"text": f"张{n}"}],
            "birthDate": f"{1950 + n % 50}-0{n % 9 + 1}-11",
            "telecom": [{"system": "phone", "value": f"1{n:010d}"}],
        }


def results() -> Iterator[Json]:
    chance = random.Random(3)
    weights = [1 / rank**1.5 for rank in range(1, CODES + 1)]
    for n in range(RESULTS):
        code = "old" if n < 30 else f"c{chance.choices(range(CODES), weights)[0]}"
        yield {
            "resourceType": "Observation",
            "id": f"o{n}",
            "status": "final" if n % 9 else "preliminary",
            "code": {"coding": [{"system": "urn:county:item", "code": code}]},
            "subject": {"reference": f"Patient/p{chance.randrange(PATIENTS)}"},
            "effectiveDateTime": f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}",
            "valueQuantity": {"value": round(chance.uniform(3, 8), 2), "code": "mmol/L"},
        }


def reports() -> Iterator[Json]:
    for n in range(600):
        yield {
            "resourceType": "DiagnosticReport",
            "id": f"r{n}",
            "status": "final",
            "code": {"text": "生化"},
            "subject": {"reference": f"Patient/p{n % PATIENTS}"},
            "result": [{"reference": f"Observation/o{n * 10 + at}"} for at in range(3)],
        }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def county(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with enough in it that a planner prefers an index to reading it all, and its statistics."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('core')}/gateway.db"
    else:
        server = request.getfixturevalue("server")
        url = server.create("core", TEMPLATE)
    store = open_store(url)
    if request.param == "sqlite":
        store.migrate()
    everything = itertools.chain(people(), results(), reports())
    while batch := list(itertools.islice(everything, 1000)):
        put(store, *batch)
    with store.write() as tx:
        tx.session.do("ANALYZE")
    yield store
    store.close()
    if request.param == "postgresql":
        server.drop("core")


def asked_of(store: Store, kind: str, asked: str) -> tuple[query.Page, list[Any]]:
    """Return the answer to a search, and the plans of all its statements."""
    pairs = [tuple(pair.split("=", 1)) for pair in asked.split("&")]
    with store.read() as tx:
        session, seen = tx.session, []
        run = session.run
        session.run = lambda sql, params=(): seen.append((sql, params)) or run(sql, params)
        try:
            page = query.run(tx, parse(kind, [*pairs, ("_count", "20")], ZONE), ALL)
        finally:
            del session.run
        return page, list(explained(store, session, seen))


def explained(store: Store, session: Any, seen: list[tuple[str, Any]]) -> Iterator[Any]:
    word = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN (FORMAT JSON)"
    guesses = () if store.is_sqlite else GUESSED
    for way in guesses:
        session.run(f"SELECT set_config('{way}', 'off', false)")
    for sql, params in seen:
        yield from session.run(f"{word} {sql}", params)
    for way in guesses:
        session.run(f"SELECT set_config('{way}', 'on', false)")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def read_whole(store: Store, plans: list[Any]) -> list[str]:
    """Return the long tables that a plan reads from end to end."""
    if store.is_sqlite:
        return [
            step for *_, step in plans if step.startswith("SCAN ") and "INDEX" not in step and step.split()[1] in "trxu"
        ]
    scans = [node for (told,) in plans for node in nodes(told[0]["Plan"]) if node["Node Type"] == "Seq Scan"]
    return [node["Relation Name"] for node in scans if node["Relation Name"].startswith(LONG)]


def sorts(store: Store, plans: list[Any]) -> list[str]:
    """Return the steps that sort more than a page may hold."""
    if store.is_sqlite:
        return [step for *_, step in plans if step.startswith("USE TEMP B-TREE FOR ORDER BY")]
    found = [node for (told,) in plans for node in nodes(told[0]["Plan"]) if node["Node Type"] == "Sort"]
    return [f"{node['Sort Key']} of {node['Plan Rows']}" for node in found]


@pytest.mark.parametrize("name", [*FEW, *MANY])
def test_an_index_answers(county, name):
    page, plans = asked_of(county, *(FEW | MANY)[name])
    assert page.matches
    assert plans
    assert read_whole(county, plans) == []


@pytest.mark.parametrize("name", MANY)
def test_nothing_sorts_all_its_matches(county, name):
    page, plans = asked_of(county, *MANY[name])
    assert page.next is not None
    assert sorts(county, plans) == []


def test_there_are_twenty():
    assert len(FEW | MANY) == 20
