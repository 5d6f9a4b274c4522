"""gateway simulate: a folder from a command."""

from tests.unit.cli.conftest import gateway


def test_writes_a_county_and_says_how_much(tmp_path):
    result = gateway("simulate", "--residents", 200, "--seed", 3, "--out", tmp_path / "county")
    assert result.exit_code == 0
    assert "labelled defects" in result.stdout
    assert (tmp_path / "county" / "manifest.jsonl").stat().st_size > 0


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    result = gateway("simulate", "--out", tmp_path, "--residents", 200)
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_too_few_residents_are_a_wrong_use(tmp_path):
    assert gateway("simulate", "--out", tmp_path / "x", "--residents", 5).exit_code == 2


def test_writes_a_population_to_the_folder_named_last(tmp_path):
    result = gateway("simulate", "--population", 200, "--seed", 3, tmp_path / "people")
    assert result.exit_code == 0
    assert "200 persons at 30 sites" in " ".join(result.stdout.split())
    assert (tmp_path / "people" / "county-hospital.ndjson").stat().st_size > 0


def test_a_folder_must_be_named():
    result = gateway("simulate", "--population", 200)
    assert result.exit_code == 2
    assert "folder" in result.stderr
