from tests.unit.cli.conftest import gateway


def test_makes_a_store_and_is_safe_to_run_again(tmp_path):
    first = gateway("migrate", "--data", tmp_path / "var")
    assert first.exit_code == 0
    assert first.stdout.startswith("steps taken: ")
    assert (tmp_path / "var" / "gateway.db").exists()
    again = gateway("migrate", "--data", tmp_path / "var")
    assert (again.exit_code, again.stdout) == (0, "the store is up to date\n")


def test_an_unknown_database_is_refused(tmp_path):
    result = gateway("migrate", "--data", tmp_path, "--database", "mysql://root:secret@localhost/x")
    assert result.exit_code == 1
    assert "not a database this gateway knows" in result.output
    assert "secret" not in result.output


def test_settings_come_from_a_file_too(tmp_path):
    file = tmp_path / "other.toml"
    file.write_text('data = "elsewhere"\n', encoding="utf-8")
    assert gateway("migrate", "--config", file).exit_code == 0
    assert (tmp_path / "elsewhere" / "inbox.db").exists()
