"""Chains and _has on each database: whichever way they are answered, within the scope at every step."""

import pytest

from gateway.search.request import parse
from gateway.search.scope import Scope
from gateway.store import chains, query
from tests.store.test_query import ALL, found, link, observation, patient, search
from tests.support.search_records import Json, put

FEW = pytest.mark.parametrize("few", [0, 1000])
"""Resolved first, or checked one by one."""


@pytest.fixture(autouse=True)
def _few(request, monkeypatch):
    if "few" in request.fixturenames:
        monkeypatch.setattr(chains, "FEW", request.getfixturevalue("few"))


def practitioner(fid: str, name: str) -> Json:
    return {"resourceType": "Practitioner", "id": fid, "name": [{"text": name}]}


def encounter(fid: str, of: str, by: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": fid,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{of}"},
        "participant": [{"individual": {"reference": f"Practitioner/{by}"}}],
    }


def ward(store) -> None:
    put(store, practitioner("d1", "Zhao"), practitioner("d2", "Qian"))
    put(
        store,
        patient("a", name=[{"text": "Sun"}], gender="male", identifier=[{"value": "7"}]),
        patient("b", name=[{"text": "Li"}]),
    )
    put(store, encounter("ea", "a", "d1"), encounter("eb", "b", "d2"))
    put(
        store,
        observation("oa", "a", encounter={"reference": "Encounter/ea"}),
        observation("ob", "b", code="789-8", encounter={"reference": "Encounter/eb"}),
        observation("oc", "c"),
    )


@FEW
def test_a_chain_leads_to_what_is_referred_to(store, few):
    ward(store)
    assert found(store, "Observation", ("patient.name", "sun")) == ["oa"]
    assert found(store, "Observation", ("subject:Patient.name", "s,l")) == ["oa", "ob"]
    assert found(store, "Observation", ("patient.gender", "male"), ("code", "718-7")) == ["oa"]
    assert found(store, "Observation", ("patient._id", "b")) == ["ob"]
    assert found(store, "Observation", ("patient.name", "nobody")) == []
    assert found(store, "Observation", ("patient.gender:missing", "true")) == ["ob"]
    assert found(store, "Observation", ("patient.gender:not", "female")) == ["oa", "ob"]


@FEW
def test_chains_go_several_steps(store, few):
    ward(store)
    assert found(store, "Observation", ("encounter:Encounter.practitioner.name", "qian")) == ["ob"]
    assert found(store, "Observation", ("encounter:Encounter.patient.name", "sun"), ("status", "final")) == ["oa"]


@FEW
def test_has_finds_what_is_referred_to(store, few):
    ward(store)
    assert found(store, "Patient", ("_has:Observation:patient:code", "718-7")) == ["a"]
    assert found(store, "Patient", ("_has:Observation:subject:code", "718-7,789-8")) == ["a", "b"]
    assert found(store, "Practitioner", ("_has:Encounter:practitioner:patient.name", "li")) == ["d2"]
    assert found(store, "Practitioner", ("_has:Encounter:practitioner:_has:Observation:encounter:code", "718-7")) == [
        "d1"
    ]
    assert found(store, "Observation", ("patient._has:Encounter:patient:class", "AMB")) == ["oa", "ob"]
    assert found(store, "Patient", ("_has:Observation:patient:code", "none")) == []
    assert found(store, "Patient", ("_has:Observation:patient:code:missing", "false"), ("gender", "male")) == ["a"]


@FEW
def test_a_target_that_came_later_is_found(store, few):
    put(store, observation("early", "late"))
    put(store, patient("late", name=[{"text": "Wu"}]))
    put(store, observation("after", "late", code="789-8"))
    assert found(store, "Observation", ("patient.name", "wu")) == ["after", "early"]
    assert found(store, "Patient", ("_has:Observation:patient:code", "718-7")) == ["late"]
    assert found(store, "Patient", ("_has:Observation:patient:code", "789-8")) == ["late"]


@FEW
def test_a_chain_takes_linked_patients_and_has_does_not(store, few):
    one, other, away = put(store, patient("a", name=[{"text": "Sun"}]), patient("b"), patient("c"))
    put(store, observation("oa", "a"), observation("ob", "b", code="789-8"), observation("oc", "c"))
    link(store, one, other)
    link(store, other, away, "proposed")
    assert found(store, "Observation", ("patient.name", "sun")) == ["oa", "ob"]
    assert found(store, "Observation", ("patient.name", "sun"), ("_linked", "false")) == ["oa"]
    assert found(store, "Patient", ("_has:Observation:patient:code", "789-8")) == ["b"]


@FEW
def test_every_step_is_within_the_scope(store, few):
    (mine,) = put(store, patient("mine", name=[{"text": "Sun"}]))
    (theirs,) = put(store, patient("theirs", name=[{"text": "Qian"}]), site="h2")
    (too,) = put(store, patient("too", name=[{"text": "Zhou"}]))
    put(store, observation("of-theirs", "theirs"), observation("of-too", "too", code="1"))
    put(store, observation("hidden", "mine", code="2"), sensitivity=4)
    link(store, mine, theirs)
    link(store, theirs, too)
    scope = Scope(frozenset({"h1"}), hidden=4)
    assert found(store, "Observation", ("patient.name", "qian"), scope=scope) == []
    assert found(store, "Observation", ("patient.name", "sun"), scope=scope) == []
    assert found(store, "Observation", ("patient.name", "sun"), scope=ALL) == ["hidden", "of-theirs", "of-too"]
    assert found(store, "Patient", ("_has:Observation:patient:code", "2"), scope=scope) == []
    assert found(store, "Patient", ("_has:Observation:patient:code", "2"), scope=ALL) == ["mine"]
    assert (
        search(store, "Patient", ("_has:Observation:patient:code", "2"), ("_summary", "count"), scope=scope).total == 0
    )


CORE = [
    ("Observation", ("patient.identifier", "7")),
    ("Observation", ("patient.name", "sun"), ("code", "718-7")),
    ("Observation", ("encounter:Encounter.practitioner.name", "qian")),
    ("Patient", ("_has:Observation:patient:code", "718-7")),
    ("Practitioner", ("_has:Encounter:practitioner:_has:Observation:encounter:code", "718-7")),
]


@FEW
@pytest.mark.parametrize("asked", CORE, ids=str)
def test_chains_read_indexes(store, monkeypatch, few, asked):
    if not store.is_sqlite:
        pytest.skip("PostgreSQL plans by its statistics, which a small table does not have")
    ward(store)
    link(store, 1, 2)
    steps = explained(store, monkeypatch, asked)
    scans = [step for step in steps if step.startswith("SCAN") and step.split()[1] in _TABLES]
    assert not scans, scans
    assert any("search_reference" in step or "INTEGER PRIMARY KEY" in step for step in steps)


_TABLES = {"t", "u", "x", "k"}  # aliases of what may be long; r is scanned where nothing drives


def explained(store, monkeypatch, asked) -> list[str]:
    """Return the steps of every statement of a search."""
    with store.read() as tx:
        seen: list[tuple[str, tuple]] = []
        run = tx.session.run
        monkeypatch.setattr(tx.session, "run", lambda sql, params=(): seen.append((sql, params)) or run(sql, params))
        query.run(tx, parse(asked[0], asked[1:], "Asia/Shanghai"), ALL)
        return [row[3] for sql, params in seen for row in run(f"EXPLAIN QUERY PLAN {sql}", params)]
