"""The benchmark of identity runs at a small size and tells what its table promises."""

import pytest

from benchmarks import identity

pytestmark = pytest.mark.long


def test_matching_and_the_cost_of_linking_are_measured(tmp_path, capsys):
    words = ["--persons", "200", "--asked", "10", "--runs", "1", "--messages", "10", "--profile", str(tmp_path / "p")]
    run = identity.Run(identity._arguments(words), tmp_path)
    try:
        table = run.table()
    finally:
        run.stop()
    assert table["records"] > 300
    assert len(table["match ms p50 p95 p99"]) == 3
    assert table["processor ms a report, linking off"] > 0
    assert sum(table["found the same, for review, nobody"]) == pytest.approx(1, abs=0.01)
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["ingest.prof", "matching.prof"]
    assert "match ms" in capsys.readouterr().err
