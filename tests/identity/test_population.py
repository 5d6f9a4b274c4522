"""Show line 2 of identity: 100,000 invented persons of a held-out seed, linked as the linker does; the aims decide."""

import json

import pytest

from tests.unit.cli.conftest import gateway

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
HELD_OUT = 1001


def test_the_held_out_population_is_linked_as_well_as_was_promised(tmp_path):
    made = gateway("simulate", "--population", 100_000, "--seed", HELD_OUT, tmp_path / "people")
    assert made.exit_code == 0, made.output
    report = tmp_path / "report.json"
    done = gateway("identity", "evaluate", tmp_path / "people", "--report", report)
    print(done.stdout)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert 255_000 < told["records"] < 266_000
    assert (told["relations"]["twin"], told["relations"]["parent"]) == (0, 0)
    assert done.exit_code == 0, done.stdout
