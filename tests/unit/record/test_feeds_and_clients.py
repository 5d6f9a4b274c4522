"""Where feeds and clients meet in one resource: who may change what, and which of two truths stands (decision 7)."""

import json

import pytest

from gateway.access.actor import Actor
from gateway.errors import Category
from gateway.mapping.draft import Merge
from gateway.record import fsck
from gateway.record.editing import Edit
from gateway.search.scope import Scope
from gateway.store.engine import Store
from gateway.store.values import State, WorkRow, item_id
from tests.unit.record.clients import COUNTY, TOWN, create, delete, one, person, text, update
from tests.unit.record.make import DAY_US, START_US, ZONE, draft, key, observation, patient, plans, told
from tests.unit.record.test_editing import refused

MRN = "urn:county:mrn"
FAR = START_US + 3650 * DAY_US  # later than any write of these tests
NAME = [{"text": "王小明"}]


@pytest.fixture
def fed(store: Store) -> tuple[Store, str]:
    """A store with a Patient and a result told by the county's feed, and the Patient's id."""
    (plan,) = plans(store, told(patient("P1", name=NAME), observation("R1")))
    row = WorkRow(item_id(1, 0), "county-his", "county", 0, "", State.APPLIED, START_US, applied_us=START_US)
    with store.write() as tx:
        tx.work_put([row])
    return store, next(one.state.fid for one in plan.versions if one.state.type == "Patient")


def stored(store, kind, fid):
    return store.resources.read(kind, fid, COUNTY.scope)


def renamed(fid, name="王大明"):
    return update(
        "Patient", fid, text("Patient", id=fid, identifier=[{"system": MRN, "value": "P1"}], name=[{"text": name}])
    )


def name_of(store, fid):
    return body_of(stored(store, "Patient", fid))["name"][0]["text"]


def body_of(version):
    return json.loads(version.body)


def test_another_site_may_not_change_what_a_feed_tells(fed):
    store, fid = fed
    for edit in (
        renamed(fid),
        delete("Patient", fid),
        Edit("patch", "Patient", fid, patch=({"op": "remove", "path": "/name"},)),
    ):
        fault = refused(store, edit, TOWN)
        assert fault.category is Category.CONFLICT
        assert "feed county-his of site county" in fault.text


def test_a_client_of_the_feeds_site_may_and_the_resource_stays_the_feeds(fed):
    store, fid = fed
    done = one(store, renamed(fid))
    assert (done.changed, done.stored.ver, done.stored.item_id) == (True, 2, None)
    assert refused(store, renamed(fid, "x"), TOWN).category is Category.CONFLICT
    one(store, delete("Patient", fid))
    assert refused(store, renamed(fid, "x"), TOWN).category is Category.CONFLICT


def test_an_older_message_changes_nothing_a_newer_one_does(fed):
    store, fid = fed
    one(store, renamed(fid))
    (plan,) = plans(store, told(patient("P1", name=[{"text": "老"}], gender="male"), number=2, at_us=START_US + DAY_US))
    assert plan.versions == []
    assert "by a client since" in plan.issues[0].text
    assert name_of(store, fid) == "王大明"
    (plan,) = plans(store, told(patient("P1", name=[{"text": "新"}]), number=3, at_us=FAR))
    assert [version.ver for version in plan.versions] == [3]
    assert name_of(store, fid) == "新"


def test_a_withdrawal_outranks_a_clients_change(fed):
    store, _ = fed
    (result,) = [head for head in heads(store) if head.type == "Observation"]
    corrected = body_of(stored(store, "Observation", result.fid)) | {"status": "amended"}
    one(
        store,
        update(
            "Observation",
            result.fid,
            text("Observation", **{k: v for k, v in corrected.items() if k != "resourceType"}),
        ),
    )
    plans(store, told(patient("P1"), observation("R1", status="entered-in-error"), number=2, at_us=START_US + DAY_US))
    assert body_of(stored(store, "Observation", result.fid))["status"] == "entered-in-error"


def test_an_older_message_or_a_withdrawal_brings_nothing_deleted_back(fed):
    store, _ = fed
    (result,) = [head for head in heads(store) if head.type == "Observation"]
    one(store, delete("Observation", result.fid))
    for number, status, at_us in (
        (2, "final", START_US + DAY_US),
        (3, "entered-in-error", FAR),
        (4, "amended", START_US),
    ):
        plans(store, told(patient("P1"), observation("R1", status=status), number=number, at_us=at_us))
        assert stored(store, "Observation", result.fid).deleted, status


def test_a_newer_message_brings_what_was_deleted_back_under_the_same_id(fed):
    store, fid = fed
    one(store, delete("Patient", fid))
    plans(store, told(patient("P1", name=[{"text": "新"}]), number=2, at_us=FAR))
    version = stored(store, "Patient", fid)
    assert (version.ver, version.deleted, name_of(store, fid)) == (3, False, "新")
    assert "gender" not in body_of(version)


def test_two_messages_of_a_batch_after_a_deletion(fed):
    store, fid = fed
    one(store, delete("Patient", fid))
    messages = [
        told(patient("P1", name=[{"text": name}]), number=at, at_us=FAR + at) for at, name in enumerate("新再", 2)
    ]
    plans(store, *messages)
    assert (stored(store, "Patient", fid).ver, name_of(store, fid)) == (4, "再")


def test_merges_go_on_when_a_record_was_deleted(fed):
    store, fid = fed
    one(store, delete("Patient", fid))
    merge = Merge((key("P1"),), "patient", "MRG-1")
    (plan,) = plans(store, told(patient("P2"), merges=[merge], number=2, at_us=FAR))
    assert len(plan.links) == 1
    assert stored(store, "Patient", fid).deleted, "a merge does not bring it back"


@pytest.mark.parametrize(
    ("system", "again"),
    [
        ("https://yigong.example/fhir/id/county/mrn", True),
        ("urn:oid:2.16.156.10011.1.3", True),
        ("https://yigong.example/fhir/id/township/mrn", False),
    ],
)
def test_a_feed_finds_the_patient_a_client_of_its_site_made(store, system, again):
    """Ruling R3: a site's own and national numbers name the record at that site; those of another site do not."""
    made = one(store, create("Patient", person("7", system, name=NAME))).stored
    message = draft(keys=[key("7", system)], identifier=[{"system": system, "value": "7"}], gender="male")
    (plan,) = plans(store, told(message, at_us=FAR))
    (version,) = plan.versions
    assert (version.state.pid == made.pid) is again
    if again:
        assert body_of(stored(store, "Patient", made.fid))["name"] == NAME


def test_a_number_that_names_a_record_goes_on_naming_it(fed):
    store, fid = fed
    one(store, create("Patient", person("P1", MRN)))
    plans(store, told(patient("P1", gender="male"), number=2, at_us=FAR))
    assert stored(store, "Patient", fid).ver == 2


def test_another_sites_client_and_the_test_partition_name_nothing(store):
    tester = Actor("tester", "", Scope(sites=None, test=True), "county")
    one(store, create("Patient", person("7")), TOWN)
    one(store, create("Patient", person("7")), tester)
    with store.read() as tx:
        assert tx.aliases_of(1) == tx.aliases_of(2) == []


def test_the_store_is_sound_after_all_that(fed):
    store, fid = fed
    one(store, renamed(fid))
    one(
        store,
        create("Observation", text("Observation", status="final", code={"text": "k"}, meta={"tag": [{"code": "t"}]})),
    )
    one(store, delete("Patient", fid))
    plans(store, told(patient("P1", name=NAME), number=2, at_us=FAR))
    with store.write() as tx:
        row = WorkRow(item_id(2, 0), "county-his", "county", 0, "", State.APPLIED, START_US, applied_us=START_US)
        tx.work_put([row])
    findings = [finding for progress in fsck.check(store, ZONE) for finding in progress.findings]
    assert findings == []


def heads(store):
    with store.read() as tx:
        return list(tx.heads_by_pid(range(1, 5000)).values())
