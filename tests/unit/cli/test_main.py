import sys

import click
import pytest
from click.testing import CliRunner

from gateway import __version__
from gateway.cli import main
from tests.unit.cli.conftest import gateway

SUBVERBS = [
    ("feeds", "list"),
    ("feeds", "check"),
    *(("inbox", verb) for verb in ("list", "show", "retry", "replay", "discard")),
]


def test_the_overview_lists_every_verb_with_a_line():
    shown = gateway("--help").output
    assert [verb for verb in main.VERBS if f"  {verb}" in shown] == list(main.VERBS)
    assert "_worker" not in shown
    assert "Example: gateway serve" in shown


@pytest.mark.parametrize("words", [*((verb,) for verb in main.VERBS), *SUBVERBS], ids=" ".join)
def test_every_verb_explains_itself_with_an_example(words):
    result = gateway(*words, "--help")
    assert result.exit_code == 0
    assert f"Example: gateway {words[0]}" in " ".join(result.output.split())


def test_the_processes_of_the_supervisor_are_verbs_too():
    group = main.cli
    assert isinstance(group, click.Group)
    for name in main.HIDDEN:
        assert group.get_command(click.Context(group), name) is not None


def test_the_version_is_told():
    assert gateway("--version").output.strip() == f"gateway, version {__version__}"


@pytest.mark.parametrize(
    "words",
    [
        ("sing",),
        ("serve", "--port", "many"),
        ("serve", "--colour"),
        ("ingest",),
        ("inbox", "show", "first"),
        ("inbox", "list", "--state", "lost"),
        ("inbox", "replay"),
        ("inbox", "discard", "1"),
        ("serve", "--insecure-local", "--host", "0.0.0.0"),
        ("serve", "--insecure-local", "--mllp-host", "192.0.2.1"),
        ("worker", "--name", "../elsewhere"),
        ("worker", "--name", "main"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_says_what_is_wrong(words):
    result = gateway(*words)
    assert result.exit_code == 2
    assert "Error: " in result.output
    assert "Traceback" not in result.output


def test_a_setting_that_cannot_be_read_names_the_option():
    assert "--port" in gateway("serve", "--port", "many").output


def test_faults_of_the_data_end_with_one(tmp_path):
    result = gateway("inbox", "list", "--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert result.output.startswith("gateway: ")
    assert "migrate" in result.output


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    result = gateway("migrate", "--data", tmp_path / "file" / "var")
    assert result.exit_code == 1
    assert str(tmp_path / "file") in result.output


def test_python_dash_m_gateway_is_the_command(monkeypatch):
    import runpy

    monkeypatch.setattr(sys, "argv", ["gateway", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("gateway", run_name="__main__")
    assert ended.value.code == 0


def test_a_group_without_a_verb_shows_its_help():
    assert "Example" in CliRunner().invoke(main.cli, ["inbox", "--help"]).output
