import shutil

import pytest

from gateway.settings import shipped
from tests.unit.cli.conftest import gateway


@pytest.fixture
def edited(tmp_path):
    """A copy of the county hospital's mappings, to be edited."""
    target = tmp_path / "mappings" / "county-hospital"
    shutil.copytree(shipped("mappings") / "county-hospital", target)
    return tmp_path / "mappings"


def edit(folder, name, text):
    path = folder / "county-hospital" / "county-lis" / "segments" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def run(town, edited, *more):
    return gateway("feeds", "test", "county-lis", "--edited", edited, "--data", town.folder, *more)


def test_the_same_mappings_make_the_same(town, edited):
    result = run(town, edited)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "2 messages tried: 2 the same, 0 differ")


def test_an_edited_rule_shows_element_by_element_what_it_changes(town, edited):
    edit(
        edited, "PID[Patient].yaml", 'segment: "PID[Patient]"\nrules:\n  - {replaces: PID-8, drop: true, note: trial}\n'
    )
    result = run(town, edited)
    assert result.exit_code == 0, result.stderr
    assert "2 messages tried: 0 the same, 2 differ" in result.stdout
    assert "Patient.gender: 2" in result.stdout
    assert "male" in result.stdout
    assert "fields no rule reads: 0 now, 2 with the edited mappings" in result.stdout


def test_persons_are_shown_as_changed_and_not_who_they_are(town, edited):
    site = edited / "county-hospital" / "segments" / "PID[Patient].yaml"
    site.write_text(site.read_text(encoding="utf-8").replace("LocalID", "OtherID"), encoding="utf-8")
    edit(
        edited, "PID[Patient].yaml", 'segment: "PID[Patient]"\nrules:\n  - {replaces: PID-5, drop: true, note: trial}\n'
    )
    result = run(town, edited)
    assert "(a value)" in result.stdout
    assert "张三" not in result.stdout


def test_what_would_be_parked_ends_with_one(town, edited):
    folder = edited / "county-hospital" / "county-lis" / "messages"
    folder.mkdir()
    text = 'message: ORU_R01\nresources:\n  patient: {replaces: true, type: Patient, on: {PV1: "PV1[Encounter]"}}\n'
    (folder / "ORU_R01.yaml").write_text(text.replace("}}\n", "}, keys: patient}\n"), encoding="utf-8")
    result = run(town, edited)
    assert result.exit_code == 1
    assert "unidentified" in result.stdout
    assert "2 applied now would be parked" in result.stderr


def test_a_feed_one_of_them_does_not_have_is_named(town, tmp_path):
    (tmp_path / "empty").mkdir()
    result = gateway("feeds", "test", "ward", "--edited", tmp_path / "empty", "--data", town.folder)
    assert result.exit_code == 1
    assert "The active mappings have no feed 'ward'" in result.stderr


def test_faults_of_the_edited_mappings_are_listed(town, edited):
    edit(edited, "OBX[Observation].yaml", 'segment: "OBX[Observation]"\nrules:\n  - {id: OBX-99, wrong: 1}\n')
    result = run(town, edited)
    assert result.exit_code == 1
    assert "OBX[Observation].yaml" in result.stderr
