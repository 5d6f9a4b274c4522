import pytest

from tests.support.county import county, hl7, msh, pid
from tests.unit.cli.conftest import gateway


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.hl7").write_bytes(hl7(msh(f"M{n}"), pid(f"P{n}")))
    return folder


def stored(data):
    with county(f"sqlite:///{data}/gateway.db", data) as town:
        return [arrival.body for arrival in town.store.inbox.unpicked(0, 100)]


def test_takes_every_file_of_a_folder(folder, tmp_path):
    result = gateway("ingest", folder, "--data", tmp_path / "data")
    assert (result.exit_code, result.stdout) == (0, "3 files, 3 messages: 3 stored, 0 already known\n")
    assert sorted(stored(tmp_path / "data")) == sorted(path.read_bytes() for path in folder.iterdir())


def test_takes_nothing_twice(folder, tmp_path):
    gateway("ingest", folder / "0.hl7", "--data", tmp_path / "data")
    result = gateway("ingest", folder, folder / "1.hl7", "--data", tmp_path / "data")
    assert result.stdout == "4 files, 2 messages: 2 stored, 2 already known\n"
    assert len(stored(tmp_path / "data")) == 3


def test_counts_the_messages_of_a_batch_file(folder, tmp_path):
    batch = folder / "3.hl7"
    batch.write_bytes(b"".join(path.read_bytes() for path in sorted(folder.iterdir())).replace(b"|M", b"|B"))
    assert "1 files, 3 messages: 1 stored" in gateway("ingest", batch, "--data", tmp_path / "data").stdout


def test_names_each_file_it_refused_and_why(folder, tmp_path):
    (folder / "[bold]notes.txt").write_text("not a message", encoding="utf-8")
    result = gateway("ingest", folder, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "4 files, 3 messages: 3 stored" in result.stdout
    assert f"refused {folder / '[bold]notes.txt'}: " in result.stderr
    assert len(stored(tmp_path / "data")) == 3


def test_an_unknown_sender_is_refused_with_what_was_seen(tmp_path):
    file = tmp_path / "unknown.hl7"
    file.write_bytes(hl7(msh("M1", sender="UNHEARD"), pid()))
    result = gateway("ingest", file, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "UNHEARD" in result.stderr
    assert gateway("ingest", file, "--data", tmp_path / "data", "--insecure-local").exit_code == 0
    assert gateway("ingest", file, "--data", tmp_path / "data", "--feed", "county-his").exit_code == 0


def test_a_path_that_is_not_there_takes_nothing(folder, tmp_path):
    result = gateway("ingest", folder, tmp_path / "missing", "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "There is no file or folder" in result.stderr
    assert not (tmp_path / "data").exists()
