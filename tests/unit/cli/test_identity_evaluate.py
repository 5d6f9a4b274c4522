"""gateway identity evaluate: figures on the screen, a report in a file, code 1 when an aim is missed."""

import json

import pytest

from gateway.simulate.population import populate
from tests.unit.cli.conftest import gateway

EASY = {
    "precision": 0.5, "twin_pairs": 9, "parent_pairs": 9, "recall_with_number": 0, "recall_without_number": 0, "review": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population") / "p"
    populate(folder, persons=200, seed=6)
    return folder


def aims(tmp_path, **told):
    path = tmp_path / "aims.yaml"
    path.write_text(json.dumps(EASY | told), encoding="utf-8")
    return path


def test_says_the_figures_and_writes_the_report(tmp_path, folder):
    report = tmp_path / "report.md"
    result = gateway("identity", "evaluate", folder, "--aims", aims(tmp_path), "--report", report)
    assert result.exit_code == 0, result.output
    assert "reached: precision of links" in result.stdout
    assert "## By class" in report.read_text(encoding="utf-8")


def test_a_missed_aim_ends_with_code_1(tmp_path, folder):
    report = tmp_path / "report.json"
    result = gateway("identity", "evaluate", folder, "--aims", aims(tmp_path, review=-1), "--report", report)
    assert result.exit_code == 1
    assert "MISSED: records in review" in result.stdout
    assert json.loads(report.read_text(encoding="utf-8"))["records"] > 400


def test_a_folder_that_holds_none_is_a_sentence(tmp_path):
    result = gateway("identity", "evaluate", tmp_path)
    assert result.exit_code == 1
    assert "simulate --population makes one" in result.stderr
