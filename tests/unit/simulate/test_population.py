"""The population: invented people at thirty sites, the rates that were promised, and the truth about every record."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest

from gateway.errors import GatewayError
from gateway.simulate.population import families, populate
from gateway.simulate.population_families import Settlers
from gateway.simulate.streams import Streams
from tests.unit.simulate.test_people import REAL_PHONE, remainder

PERSONS = 3000
RUN = "import sys; from pathlib import Path; from gateway.simulate.population import populate; populate(Path(sys.argv[1]), persons=200, seed=7)"
ELSEWHERE = {"no-number", "family-phone", "old-phone", "no-phone", "masked-phone", "old-address"}  # not in the name
RESIDENT = "urn:oid:2.16.156.10011.1.3"
OWN_SERIES = re.compile(r"https://yigong\.example/fhir/id/([a-z0-9-]+)/[a-z0-9-]+")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population") / "p"
    written = populate(folder, persons=PERSONS, seed=3)
    files = [path for path in folder.glob("*.ndjson") if path.name != "truth.ndjson"]
    bodies = {body["id"]: body for path in files for body in lines(path)}
    truth = lines(folder / "truth.ndjson")
    return SimpleNamespace(folder=folder, written=written, files=files, bodies=bodies, truth=truth)


def numbers_of(body, system=RESIDENT):
    return [entry["value"] for entry in body.get("identifier", ()) if entry["system"] == system]


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("hash_seed", ["0", "99"])
def test_another_process_writes_the_same_bytes(tmp_path, hash_seed):
    populate(tmp_path / "here", persons=200, seed=7)
    here = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "there")], check=True, env=here, timeout=60)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")


def test_another_seed_is_another_population(tmp_path):
    populate(tmp_path / "one", persons=200, seed=7)
    populate(tmp_path / "two", persons=200, seed=8)
    assert digests(tmp_path / "one") != digests(tmp_path / "two")


def test_there_are_thirty_sites_and_every_record_has_its_truth(population):
    assert len(population.files) == 30
    assert [each["id"] for each in population.truth] == list(dict.fromkeys(each["id"] for each in population.truth))
    assert {each["id"] for each in population.truth} == set(population.bodies)
    assert population.written.records == len(population.truth)
    for each in population.truth:
        assert each["id"].startswith(f"{each['site']}-")
        assert 1 <= each["person"] <= PERSONS
        assert each["registered"] <= "2026-10-01"


def test_it_has_the_shares_that_were_asked_for(population):
    count = len(population.truth)
    errors = Counter(error for each in population.truth for error in each["errors"])
    states = Counter(each["number"] for each in population.truth)
    assert 2.45 < count / PERSONS < 2.75
    assert 0.13 < (states["none"] + states["masked"]) / count < 0.17
    assert 0.006 < states["bad"] / count < 0.014
    phones = sum("telecom" in body for body in population.bodies.values())
    assert 0.2 < errors["family-phone"] / phones < 0.45
    assert 0.003 < len({each["person"] for each in population.truth if "twin" in each}) / PERSONS < 0.008
    assert 0.008 < len({each["person"] for each in population.truth if each.get("newborn")}) / PERSONS < 0.012


def test_every_kind_of_error_occurs(population):
    seen = {error for each in population.truth for error in each["errors"]}
    assert seen >= {
        "no-number", "number-typed", "number-zeroed", "number-length", "fifteen", "mothers-number", "newborn-name",
        "borrowed-number", "number-left-out", "masked-number", "masked-phone", "family-phone", "old-phone", "clerks-phone", "phone-typed",
        "no-phone", "old-address", "reissued-card", "sound", "look", "traditional", "blanks", "garbled", "rare-letter",
        "dot", "former-name", "sex-wrong", "birth-missing", "birth-from-age", "birth-lunar", "birth-typed",
        "birth-year-only",
    }  # fmt: skip


def test_a_number_called_own_is_one_persons_alone_and_right(population):
    owners = defaultdict(set)
    for each in population.truth:
        if each["number"] == "own":
            (number,) = numbers_of(population.bodies[each["id"]])
            assert number.startswith("519927")
            if len(number) == 18:  # who sends FHIR sends 15 digits too
                assert remainder(number.upper()) == 1
            owners[number.upper()].add(each["person"])
    assert all(len(persons) == 1 for persons in owners.values())


def test_a_number_called_bad_stands_apart_where_our_mappings_check_it(population):
    for each in population.truth:
        body = population.bodies[each["id"]]
        if each["number"] == "bad" and each["site"] != "tcm-hospital":
            assert not numbers_of(body)
        if each["number"] in ("none", "masked") and each["site"] != "tcm-hospital":
            assert not numbers_of(body)


def test_a_number_called_anothers_is_not_the_persons(population):
    own = {}
    for each in population.truth:
        if each["number"] == "own":
            own[each["person"]] = numbers_of(population.bodies[each["id"]])[0].upper()
    others = [
        each for each in population.truth if each["number"] == "another" and "borrowed-whole" not in each["errors"]
    ]
    assert others
    for each in others:
        assert own.get(each["person"]) not in numbers_of(population.bodies[each["id"]])


def test_newborns_are_called_after_the_mother_until_they_have_a_name(population):
    first = [each for each in population.truth if "newborn-name" in each["errors"]]
    assert len(first) > 10
    for each in first:
        name = population.bodies[each["id"]]["name"][0]["text"]
        assert "之" in name or {"garbled", "cut", "dot", "sound", "look", "turned"} & set(each["errors"])
        assert each["newborn"]


def test_twins_share_the_birth_date_but_not_the_name(population):
    named = {}
    for each in population.truth:
        plain = ELSEWHERE.issuperset(each["errors"])
        if plain and "twin" in each and population.bodies[each["id"]].get("birthDate"):
            body = population.bodies[each["id"]]
            named[each["person"]] = (body["name"][0]["text"], body["birthDate"], each["twin"])
    pairs = [(one, named[one[2]]) for one in named.values() if one[2] in named]
    assert pairs
    for one, other in pairs:
        assert one[0] != other[0]
        assert one[1] == other[1]


def test_local_numbers_stand_in_the_series_of_their_site(population):
    for each in population.truth:
        for entry in population.bodies[each["id"]].get("identifier", ()):
            found = OWN_SERIES.fullmatch(entry["system"])
            assert found is None or found[1] == each["site"]


def test_nobody_is_real(population):
    for path in population.files:
        assert not REAL_PHONE.search(re.sub(r'"(?:value|id)":"5199\d+[xX]?"', "", path.read_text(encoding="utf-8")))


def test_strangers_share_name_sex_and_birth_date():
    held = defaultdict(set)
    for number, family in families(Settlers(Streams(2), 2), 3000):
        for one in family:
            held[one.name, one.sex, one.birth].add(number)
    assert any(len(each) > 1 for each in held.values())


def test_relatives_are_of_fitting_ages():
    for _, family in families(Settlers(Streams(4), 4), 1000):
        for one in family:
            for parent in filter(None, (one.mother, one.father)):
                assert 14 <= one.birth.year - parent.birth.year <= 60
                assert [other.name for other in parent.children].count(one.name) == 1
            if one.twin:
                assert (one.twin.birth, one.twin.mother) == (one.birth, one.mother)


def test_exports_hold_the_insurers_list_and_visits_without_phone(tmp_path):
    written = populate(tmp_path / "p", persons=400, seed=3, mix="exports")
    listed = lines(tmp_path / "p" / "insurer.ndjson")
    assert written.sites == 30
    assert len(listed) > 250
    assert not any(one.keys() & {"telecom", "address", "birthDate"} for one in listed)
    rows = [one for path in (tmp_path / "p").glob("township-*.ndjson") for one in lines(path)]
    visits = [one for one in rows if any("period" in each for each in one.get("identifier", ()))]
    assert visits
    assert not any(one.keys() & {"telecom", "address"} for one in visits)


def test_registrations_ask_for_phone_and_address(population):
    share = sum("telecom" in body for body in population.bodies.values()) / len(population.bodies)
    assert 0.75 < share < 0.95
    assert sum("address" in body for body in population.bodies.values()) / len(population.bodies) > 0.75


def test_another_mix_is_refused(tmp_path):
    with pytest.raises(GatewayError, match="registrations, exports"):
        populate(tmp_path / "p", persons=200, seed=1, mix="both")


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    with pytest.raises(GatewayError, match="not empty"):
        populate(tmp_path, persons=200, seed=1)


@pytest.mark.parametrize("persons", [0, 199, 3_000_001])
def test_a_number_of_persons_that_cannot_be_is_refused(tmp_path, persons):
    with pytest.raises(GatewayError, match="persons"):
        populate(tmp_path / "p", persons=persons, seed=1)
