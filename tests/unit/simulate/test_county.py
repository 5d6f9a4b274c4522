"""The county as a whole: the same bytes for a seed, every case at least once, nobody real."""

import hashlib
import os
import re
import subprocess
import sys

import pytest

from gateway.errors import GatewayError
from gateway.simulate import simulate
from gateway.simulate.catalogue import rates
from tests.unit.simulate.conftest import lines, opened

CASES = [str(number) for number in range(1, 28)] + ["N1", "N2", "N3", "N4", "N5"]
RUN = "import sys; from pathlib import Path; from gateway.simulate import simulate; simulate(Path(sys.argv[1]), residents=200, days=1, seed=7)"


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_with_another_hash_seed_writes_the_same_bytes(day, tmp_path, hash_seed):
    here = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "again")], check=True, env=here, timeout=60)
    assert digests(tmp_path / "again") == digests(day.folder)


def test_another_seed_is_another_county(day, tmp_path):
    simulate(tmp_path / "other", residents=200, days=1, seed=8)
    assert digests(tmp_path / "other") != digests(day.folder)


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_every_case_and_variant_occurs_even_in_the_smallest_county(tmp_path, seed):
    simulate(tmp_path / "county", residents=200, days=1, seed=seed)
    labels = lines(tmp_path / "county" / "truth.jsonl")
    assert {each["case"] for each in labels} == set(CASES)
    seen = {f"{each['case']}.{each['variant']}".rstrip(".") for each in labels}
    assert set(map(str, rates()["cases"])) - seen == set()


def test_a_larger_county_has_the_same_first_families(day, tmp_path):
    simulate(tmp_path / "larger", residents=320, days=1, seed=7)
    larger = opened(tmp_path / "larger").persons
    for number in range(1, 190):
        assert {key: larger[number][key] for key in ("name", "birth", "sex", "id")} == {
            key: day.persons[number][key] for key in ("name", "birth", "sex", "id")
        }


def test_every_file_is_on_the_manifest_in_the_order_of_sending(days):
    on_disk = {path.relative_to(days.folder).as_posix() for path in days.folder.glob("*/*")}
    assert {entry["file"] for entry in days.manifest} == on_disk
    names = [entry["file"].split("/")[1] for entry in days.manifest]
    assert [int(name[:6]) for name in names] == sorted(int(name[:6]) for name in names)
    for entry in days.manifest:
        feed, stamp = entry["file"].split("/")[0], entry["file"].split("/")[1][7:22]
        assert feed == entry["feed"]
        assert re.fullmatch(r"\d{8}T\d{6}", stamp)
        assert entry["transport"] == ("mllp" if entry["file"].endswith(".hl7") else "folder")
        assert entry["time"].endswith("+08:00")


def test_messages_go_out_in_the_order_of_their_times(days):
    times = [entry["time"] for entry in days.manifest if entry["transport"] == "mllp"]
    assert times == sorted(times)


def test_labels_name_a_file_a_place_and_a_true_person(days):
    files = {entry["file"] for entry in days.manifest}
    for each in days.truth:
        assert each["file"] in files
        assert each["expect"]["outcome"] in {"applied", "parked", "quarantined", "ignored", "waits"}
        assert each["person"] is None or each["person"] in days.persons
        assert ("control_id" in each) == each["file"].endswith(".hl7")
        assert "control_id" in each or "line" in each


def test_counts_of_files_add_up_to_the_totals(days):
    for feed, told in days.counts["feeds"].items():
        files = [entry for entry in days.files if entry["feed"] == feed]
        assert told["items"] == sum(entry["items"] for entry in files)
        for outcome in ("applied", "parked"):
            assert told.get(outcome, 0) == sum(entry["expect"].get(outcome, 0) for entry in files)


def test_the_same_person_is_known_at_several_sites(days):
    several = [each for each in days.persons.values() if len(each["sites"]) >= 3]
    assert len(several) > 20
    everywhere = [each for each in several if {"county-hospital", "township-centre", "insurer"} <= set(each["sites"])]
    assert everywhere


def test_people_who_waited_stand_behind_a_parked_message(days):
    parked = {each["person"] for each in days.truth if each["expect"].get("reason") == "key-reused"}
    waiting = {each["person"] for each in days.truth if each["expect"]["outcome"] == "waits"}
    assert waiting <= parked


def test_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(GatewayError, match="not empty"):
        simulate(tmp_path, residents=200, days=1, seed=1)


@pytest.mark.parametrize(("residents", "number_of_days"), [(199, 1), (200, 0), (10_000_000, 1)])
def test_refuses_what_is_no_county(tmp_path, residents, number_of_days):
    with pytest.raises(GatewayError):
        simulate(tmp_path / "x", residents=residents, days=number_of_days, seed=1)
