"""The index on each database: it holds exactly the rows of each resource, whatever happened to it."""

import random

import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from gateway.search import extract
from gateway.store import index
from gateway.store.index_tables import COLUMNS, bucket
from tests.support.search_records import Json, change, entry, put

LOINC = "http://loinc.org"
PAIR = {"code": {"coding": [{"code": "8480-6", "system": LOINC}]}, "valueQuantity": {"value": 120, "unit": "mmHg"}}


def observation(**given) -> Json:
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "718-7"}, {"system": "local", "code": "718-7"}]},
        "subject": {"reference": "Patient/p"},
        **given,
    }


def held(store, pid: int) -> index.Batch:
    """Return what the index holds of a resource, the clinical rows as they stand and not as implied."""
    with store.read() as tx:
        found = index.stored(tx, pid)
        kept = tx.session.run("SELECT type_id, patient, code, at_us, pid FROM search_clinical WHERE pid=?", (pid,))
    assert set(found["clinical"]) == set(kept)
    return {kind: sorted(set(rows)) for kind, rows in found.items()}


def wanted(pid: int, body: Json, pids: dict[tuple[str, str], int] | None = None) -> index.Batch:
    return {kind: sorted(set(rows)) for kind, rows in index.batch([entry(pid, body)], pids or {}).items()}


def stages() -> list[Json]:
    chance = random.Random(3)
    elements = {
        "effectiveDateTime": "2026-01-02",
        "effectivePeriod": {"start": "2026-01-01", "end": "2026-03-01"},
        "valueQuantity": {"value": 5.4, "unit": "克", "system": "http://unitsofmeasure.org", "code": "g/L"},
        "identifier": [{"system": "s", "value": "1"}, {"system": "s", "value": "1"}, {"value": "2" * 600}],
        "component": [PAIR, PAIR],
        "valueString": "ＡＢＣ",
        "meta": {"profile": ["https://yigong.example/fhir/StructureDefinition/lab"]},
        "encounter": {"reference": "Encounter/e"},
        "status": "amended",
    }
    return [observation(**dict(chance.sample(sorted(elements.items()), 4))) for _ in range(8)]


def test_changes_leave_exactly_the_rows_of_the_last_version(store):
    (pid,) = put(store, observation())
    assert held(store, pid) == wanted(pid, observation())
    for ver, body in enumerate(stages(), start=2):
        change(store, pid, ver, body)
        assert {k: v for k, v in held(store, pid).items() if k != "clinical"} == {
            k: v for k, v in wanted(pid, body).items() if k != "clinical"
        }


def test_removal_leaves_nothing(store):
    first, second = put(store, stages()[0], {**stages()[1], "id": "o2"})
    with store.write() as tx:
        index.remove(tx, [first])
    assert not any(held(store, first).values())
    assert held(store, second)["token"]


def test_rare_kinds_have_their_tables(store):
    risk = {
        "resourceType": "RiskAssessment",
        "id": "r",
        "prediction": [{"probabilityDecimal": 0.8}, {"probabilityRange": {"low": {"value": 1}}}],
    }
    relation = {
        "resourceType": "DocumentReference",
        "id": "d",
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}],
    }
    context = {
        "resourceType": "Measure",
        "id": "m",
        "useContext": [{"code": {"code": "venue"}, "valueCodeableConcept": {"coding": [{"code": "ward"}]}}],
    }
    for body in (risk, relation, context):
        (pid,) = put(store, body)
        assert held(store, pid) == wanted(pid, body)
    assert len(held(store, pid)["composite"]) == 1


@pytest.mark.parametrize("given", [None, {("Patient", "p"): 77}])
def test_references_are_pids_as_far_as_they_are_known(store, given):
    (patient,) = put(store, {"resourceType": "Patient", "id": "p"})
    with store.write() as tx:
        (pid,) = tx.allocate(1)
        index.replace(tx, [entry(pid, observation(encounter={"reference": "Encounter/none"}))], given)
    subject, encounter = (row[2] for row in sorted(held(store, pid)["reference"], key=lambda row: -row[2]))
    assert subject == (77 if given else patient)
    assert encounter == index.unknown_target("Encounter", "none") < 0


def test_every_kind_of_rows_has_a_table():
    assert set(extract.Rows.__slots__) | {"identifier", "clinical"} == set(COLUMNS)


NUMBERS = st.floats(allow_nan=False) | st.integers(-1000, 1000)


@sampled(NUMBERS, NUMBERS)
def test_buckets_rise_with_their_numbers(one, other):
    low, high = sorted((one, other))
    assert -32768 <= bucket(low) <= bucket(high) <= 32767
    assert low != high or bucket(low) == bucket(high)


def test_a_bucket_is_a_few_per_cent_wide():
    assert bucket(5.4) == bucket(5.45) != bucket(5.8)
    assert bucket(-0.0) == bucket(0.0)
