"""The benchmark of recognition runs at a small size and tells what its table promises."""

import pytest

from benchmarks import recognition

pytestmark = pytest.mark.long


def test_orders_are_measured(tmp_path):
    words = ["--results", "2000", "--asked", "20", "--runs", "1"]
    run = recognition.Run(recognition._arguments(words), tmp_path)
    try:
        table = run.table()
    finally:
        run.stop()
    assert table["results"] == 2000
    assert len(table["order to advice ms p50 p95 p99"]) == 3
    assert sum(table["outcomes"].values()) == pytest.approx(1, abs=0.01)
    assert {"RECOGNISED", "EXPIRED"} <= table["outcomes"].keys()
