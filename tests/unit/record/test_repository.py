"""The door for reads, on each database: nothing outside the scope, everything audited, odd input refused in words."""

import pytest

from gateway.access.actor import ANONYMOUS, Actor
from gateway.errors import Category, GatewayError
from gateway.record.history import Asked, Histories
from gateway.record.repository import Repository
from gateway.search.scope import Scope
from tests.unit.record.make import ZONE, observation, patient, tell

EVERYONE = Actor("dr", "TREAT", Scope(sites=None))
COUNTY = Actor("county", "TREAT", Scope(sites=frozenset({"county"})))
TOWN = Actor("town", "TREAT", Scope(sites=frozenset({"township"})))


@pytest.fixture
def record(store):
    return Repository(store, ZONE, 10.0)


def histories(store):
    return Histories(store, 10.0)


def seeded(store):
    plan = tell(store, patient(name=[{"text": "测试"}]), observation())
    return {planned.state.type: planned.state.fid for planned in plan.versions}


def refused(call, *given):
    with pytest.raises(GatewayError) as fault:
        call(*given)
    return fault.value.category


@pytest.mark.parametrize("actor", [TOWN, ANONYMOUS])
def test_nothing_outside_the_scope_is_told_in_any_way(store, record, actor):
    fids = seeded(store)
    pid = store.resources.read("Patient", fids["Patient"], EVERYONE.scope).pid
    for kind, fid in fids.items():
        assert refused(record.read, actor, kind, fid) is Category.NOT_FOUND
        assert refused(record.vread, actor, kind, fid, 1) is Category.NOT_FOUND
        assert refused(histories(store).page, actor, Asked(kind, fid, 5)) is Category.NOT_FOUND
        assert histories(store).page(actor, Asked(kind, "", 5)).versions == []
        assert record.provenance(actor, kind, fid, 0, 5, 0) == ([], False, 0)
        assert record.provenance(actor, kind, fid, 1, 5, 0) == ([], False, 0)
        page = record.search(actor, kind, [("_total", "accurate")], None)
        assert (page.matches, page.total) == ([], 0)
    assert refused(record.provenance_by_id, actor, f"{pid}-1") is Category.NOT_FOUND
    assert {row.outcome for _, row in store.audit.rows()} == {"not-found", "success"}
    assert store.audit.rows(patient=str(pid)) == []


@pytest.mark.parametrize("actor", [EVERYONE, COUNTY])
def test_what_is_in_the_scope_is_told_and_audited(store, record, actor):
    fids = seeded(store)
    stored = record.read(actor, "Patient", fids["Patient"])
    assert record.vread(actor, "Patient", fids["Patient"], 1).body == stored.body
    history = histories(store).page(actor, Asked("Observation", fids["Observation"], 5))
    assert ([version.ver for version in history.versions], history.following, history.total) == ([1], None, 1)
    page = record.search(
        actor, "Observation", [("subject", f"Patient/{fids['Patient']}"), ("_include", "Observation:subject")], None
    )
    assert [hit.fid for hit in (*page.matches, *page.includes)] == [fids["Observation"], fids["Patient"]]
    (told,) = record.provenance(actor, "Patient", fids["Patient"], 0, 5, 0).versions
    assert record.provenance_by_id(actor, told.id) == told
    rows = store.audit.rows(patient=str(stored.pid))
    assert [row.action for _, row in rows][::-1] == ["read", "vread", "history", "search", "search", "read"]
    assert {row.actor for _, row in rows} == {actor.name}


def test_every_patient_on_a_page_is_audited(store, record):
    for number in range(60):
        tell(store, patient(f"N{number}"), number=number)
    record.search(EVERYONE, "Patient", [("_count", "100")], None)
    assert len({row.patient for _, row in store.audit.rows(limit=100)}) == 60


@pytest.mark.parametrize("fid", ["a\x00b", "", "x" * 65, "a b", "病", "\ud800", "a/b"])
def test_odd_ids_are_not_found_on_any_database(store, record, fid):
    assert refused(record.read, EVERYONE, "Patient", fid) is Category.NOT_FOUND
    assert refused(record.vread, EVERYONE, "Patient", fid, 1) is Category.NOT_FOUND
    if fid:
        assert refused(histories(store).page, EVERYONE, Asked("Patient", fid, 1)) is Category.NOT_FOUND
    assert record.provenance(EVERYONE, "Patient", fid, 0, 1, 0).total == 0
    assert refused(record.provenance_by_id, EVERYONE, fid) is Category.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("identifier", "|" * 50),
        ("birthdate", "9999-12-31"),
        ("birthdate", "0001"),
        ("_id", "x" * 9000),
        ("_lastUpdated", "ge0001-01-01"),
        ("address", "'; DROP TABLE resource --"),
        ("name:contains", "%_\\"),
    ],
)
def test_odd_values_are_answered_or_refused_on_any_database(record, name, value):
    try:
        assert record.search(EVERYONE, "Patient", [(name, value)], None).matches == []
    except GatewayError as fault:
        assert fault.category is Category.INVALID
        assert fault.text


def test_a_type_that_is_none(record):
    assert refused(record.read, EVERYONE, "Foo", "a") is Category.NOT_FOUND
    assert refused(record.search, EVERYONE, "Foo", [], None) is Category.NOT_FOUND
    assert refused(record.provenance, EVERYONE, "Foo", "a", 0, 1, 0) is Category.INVALID
