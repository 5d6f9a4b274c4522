"""The door for searches, on each database: types, compartments, what is ignored, and who was seen is audited."""

import pytest

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record.searching import Asked, Searches
from gateway.search.request import Owner
from gateway.search.scope import Scope
from gateway.store.query import Reach
from tests.unit.record.make import ZONE, observation, patient, tell

DOCTOR = Actor("dr", "TREAT", Scope(sites=frozenset({"county"})))
STRANGER = Actor("town", "TREAT", Scope(sites=frozenset({"township"})))


@pytest.fixture
def searches(store):
    return Searches(store, ZONE, 10.0, Reach())


@pytest.fixture
def fids(store):
    plan = tell(store, patient(name=[{"text": "测试"}]), observation())
    return {planned.state.type: planned.state.fid for planned in plan.versions}


def found(page):
    return sorted(f"{hit.type}/{hit.fid}" for hit in page.matches)


def test_types_and_compartments_are_searched_within_the_scope(searches, fids):
    owner = Owner("Patient", fids["Patient"])
    everything = sorted(f"{kind}/{fid}" for kind, fid in fids.items())
    assert found(searches.page(DOCTOR, Asked("", (("_type", "Patient,Observation,Goal"),)))) == everything
    assert found(searches.page(DOCTOR, Asked("", (), owner=owner))) == everything
    assert found(searches.page(DOCTOR, Asked("Observation", (), owner=owner))) == [everything[0]]
    assert found(searches.page(DOCTOR, Asked("", (("_type", "Goal"), ("_total", "accurate"))))) == []
    for asked in (Asked("", ()), Asked("", (), owner=owner), Asked("Observation", (), owner=owner)):
        assert found(searches.page(STRANGER, asked)) == []


def test_who_was_seen_and_by_which_parameters_is_audited(store, searches, fids):
    searches.page(DOCTOR, Asked("Observation", (("status", "final"),), owner=Owner("Patient", fids["Patient"])))
    ((_, row),) = store.audit.rows(limit=1)
    pid = store.resources.read("Patient", fids["Patient"], DOCTOR.scope).pid
    assert (row.action, row.type, row.fid, row.patient) == ("search", "Observation", fids["Patient"], str(pid))
    assert "status" in row.detail
    assert "final" not in row.detail


def test_what_a_lenient_client_asked_in_vain_is_told(searches, fids):
    page = searches.page(DOCTOR, Asked("Patient", (("colour", "red"), ("_count", "5")), lenient=True))
    assert (page.ignored, len(page.matches)) == (("colour",), 1)


def test_where_matches_came_from_is_included_within_the_limit(store, fids):
    asked = Asked("Observation", (("_revinclude", "Provenance:target"), ("_include", "Observation:subject")))
    page = Searches(store, ZONE, 10.0, Reach()).page(DOCTOR, asked)
    assert sorted(hit.type for hit in page.includes) == ["Patient", "Provenance"]
    cut = Searches(store, ZONE, 10.0, Reach(included=1)).page(DOCTOR, asked)
    assert [hit.type for hit in cut.includes] == ["Patient"]
    assert "Only 1 resources were included" in cut.notes[0].text


@pytest.mark.parametrize(
    ("asked", "category"),
    [
        (Asked("Foo", ()), Category.NOT_FOUND),
        (Asked("Organization", (), owner=Owner("Patient", "1")), Category.NOT_FOUND),
        (Asked("Observation", (), owner=Owner("Goal", "1")), Category.NOT_FOUND),
        (Asked("Observation", (), owner=Owner("Patient", "a b")), Category.NOT_FOUND),
        (Asked("", (("_type", "Organization"),), owner=Owner("Patient", "1")), Category.NOT_FOUND),
        (Asked("", (("_type", "Foo"),)), Category.INVALID),
        (Asked("Patient", (("colour", "red"),)), Category.INVALID),
    ],
)
def test_what_cannot_be_asked_is_refused(searches, asked, category):
    with pytest.raises(GatewayError) as caught:
        searches.page(DOCTOR, asked)
    assert caught.value.category is category
