"""Show line 2 of identity: 100,000 invented persons of a held-out seed, linked as the linker does; the aims decide."""

import json

import pytest

from tests.unit.cli.conftest import gateway

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
HELD_OUT = 1001


def judged(folder, mix):
    """What `identity evaluate` says of a held-out population, and its exit code."""
    made = gateway("simulate", "--population", 100_000, "--seed", HELD_OUT, "--mix", mix, folder / "people")
    assert made.exit_code == 0, made.output
    done = gateway("identity", "evaluate", folder / "people", "--report", folder / "report.json")
    print(f"{mix}\n{done.stdout}")
    return json.loads((folder / "report.json").read_text(encoding="utf-8")), done.exit_code


def test_registrations_are_linked_as_well_as_was_promised(tmp_path):
    told, _ = judged(tmp_path, "registrations")
    assert 255_000 < told["records"] < 266_000
    missed = {name for name, _, _, good in told["aims"] if not good}
    # 0.90 lies above what the rules leave to be found there (0.885, docs/identity.md "What it reached").
    assert missed <= {"recall without"}
    assert told["without_number"]["hits"] / told["without_number"]["tries"] >= 0.83
    assert told["reachable"]["hits"] / told["reachable"]["tries"] >= 0.93


def test_exports_without_phone_and_address_lose_recall_but_no_safety(tmp_path):
    told, _ = judged(tmp_path, "exports")
    assert (told["relations"]["twin"], told["relations"]["parent"]) == (0, 0)
    reached = {name: good for name, _, _, good in told["aims"]}
    assert reached["precision of links"]
    assert reached["precision of pairs put together"]
    assert reached["recall with the resident ID"]
