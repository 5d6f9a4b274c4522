"""What the gateway makes is valid, bears the profiles it satisfies, and is found by them."""

import itertools
import json
from collections import Counter
from datetime import date

import pytest

from gateway import settings, simulate
from gateway.access.actor import actor_of
from gateway.conformance import profiles, validate
from gateway.fhir import resource
from gateway.record import fsck
from gateway.record.repository import Repository
from tests.flow.test_simulated_county import send
from tests.support.county import ROOT, county

BASE = "https://yigong.example/fhir/StructureDefinition"


@pytest.fixture(scope="module")
def shipped():
    return profiles.load(settings.shipped("profiles"))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    home = tmp_path_factory.mktemp("county")
    with county(f"sqlite:///{home}/gateway.db", home) as made:
        made.send(*(file.read_bytes() for file in sorted((ROOT / "examples" / "messages").glob("*.hl7"))))
        made.work()
        yield made


def judged(town, shipped):
    """Validate every current resource; return the profiles borne, and what is wrong with whom."""
    with town.store.read() as tx:
        found = [one for one in tx.current(range(1, tx.last_pid() + 1)).values() if one.body]
    borne: Counter[str] = Counter()
    faults = []
    for stored in found:
        body = resource.loads(stored.body)
        borne.update(name.rpartition("/")[2] for name in body["meta"].get("profile", ()))
        issues = [one for one in validate.validate(body, shipped) if one.severity == "error"]
        faults += [(stored.type, one.text, one.where) for one in issues]
    return borne, faults


def test_all_that_the_examples_become_is_valid_and_bears_its_profiles(town, shipped):
    borne, faults = judged(town, shipped)
    assert faults == []
    assert borne["resident"] >= 10
    assert borne["shared-report"] > 2


def test_residents_are_found_by_their_profile(town):
    record = Repository(town.store, "Asia/Shanghai", 10.0)
    actor = actor_of("127.0.0.1", insecure_local=True)
    page = record.search(actor, "Patient", (("_profile", f"{BASE}/resident"), ("_count", "50")), None)
    bearing = [one for one in town.all("Patient") if f"{BASE}/resident" in one["meta"].get("profile", ())]
    assert {hit.fid for hit in page.matches} == {one["id"] for one in bearing}
    assert not record.search(actor, "Patient", (("_profile", f"{BASE}/referral"), ("_count", "50")), None).matches


def test_what_results_cost_most_bears_none(town):
    assert not [one for one in town.all("Observation") if "profile" in one["meta"]]


def test_nothing_is_wrong_with_the_record(town):
    assert [finding for step in fsck.check(town.store) for finding in step.findings] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_all_that_a_simulated_county_becomes_is_valid_and_bears_its_profiles(tmp_path, shipped, seed):
    folder = tmp_path / "county"
    simulate.simulate(folder, residents=300, days=3, seed=seed, start=date(2026, 10, 1))
    entries = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path / "var") as made:
        for _, group in itertools.groupby(entries, key=lambda entry: entry["transport"]):
            send(made, folder, group)
            made.work()
        borne, faults = judged(made, shipped)
    assert faults == []
    assert all(borne[name] for name in ("resident", "medical-insurance", "contract", "household-contract", "referral"))
