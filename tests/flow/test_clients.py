"""Messages and clients of FHIR REST over one record: bytes in, edits in, and what stands in the end."""

import json

import pytest

from gateway.access.actor import Actor
from gateway.conformance import structure
from gateway.record import fsck
from gateway.record.editing import Edit, Editor
from gateway.search.scope import Scope
from tests.support.county import ALL, county, hl7, lab, msh, pid


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        yield made


def clinic(town, site):
    """Return what applies one edit as a client of a site."""
    desk = Editor(town.store, town.gateway.settings.zone, structure.check)
    actor = Actor("clinic", "TREAT", Scope(sites=None), site)
    return lambda *edits: [done.stored for done in desk.apply(actor, edits)]


def stored(town, kind, fid):
    return town.store.resources.read(kind, fid, ALL)


def replay(town):
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert set(town.states()) == {"applied"}


def test_a_replay_leaves_what_clients_changed_and_a_feed_finds_what_they_made(town):
    town.run(lab("M1", "R1", ("GLU", "5.10"), ("K", "3.50")))
    patient, (first, second) = town.only("Patient"), town.all("Observation")
    apply = clinic(town, stored(town, "Patient", patient["id"]).site)
    corrected = json.dumps(patient | {"birthDate": "1980-01-02"}).encode()
    apply(Edit("update", "Patient", patient["id"], corrected), Edit("delete", "Observation", first["id"]))
    replay(town)
    now = stored(town, "Patient", patient["id"])
    assert (now.ver, json.loads(now.body)["birthDate"]) == (2, "1980-01-02")
    assert stored(town, "Observation", first["id"]).deleted
    assert stored(town, "Observation", second["id"]).ver == 1
    assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
    _found_again(town, json.loads(now.body))


def _found_again(town, known):
    """A feed finds the patient a client of its site made."""
    (number,) = [entry for entry in known["identifier"] if entry["value"] == "P1"]
    site = stored(town, "Patient", known["id"]).site
    before = len(town.items())
    fresh = {"resourceType": "Patient", "identifier": [{"system": number["system"], "value": "P2"}], "active": True}
    (made,) = clinic(town, site)(Edit("create", "Patient", text=json.dumps(fresh).encode()))
    town.run(hl7(msh("M2", time="20360105080000"), pid("P2", "李四")))
    assert town.states()[before:] == ["applied"]
    now = stored(town, "Patient", made.fid)
    assert now.ver == 2
    assert json.loads(now.body)["active"] is True
    assert json.loads(now.body)["name"][0]["text"] == "李四"
