"""A simulated county through the real intake and worker: every labelled defect is handled as labelled, no row is lost."""

import itertools
import json
from datetime import date
from pathlib import Path

import pytest

from gateway import simulate
from gateway.cli.score import Judge
from gateway.listeners.values import Who
from tests.support.county import county

KNOWN_LATER = {"household", "signed"}  # what the rules of contracts (issue 7) will say of rows that stand already


def lived(folder, database, residents, days, seed=1):
    """Simulate a county, send all of its manifest, work it off, and judge what became of it."""
    simulate.simulate(folder / "county", residents=residents, days=days, seed=seed, start=date(2026, 10, 1))
    with (folder / "county" / "manifest.jsonl").open(encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    with county(database, folder / "var") as town:
        for _, group in itertools.groupby(entries, key=lambda entry: entry["transport"]):
            send(town, folder / "county", group)
            town.work()
        return Judge(town.store, folder / "county").score()


def send(town, folder, entries):
    intake = town.gateway.intake()
    intake.start()
    try:
        for entry in entries:
            if entry.get("frame") != "open":  # a frame without end never leaves the MLLP door
                named = Path(entry["file"]).name if entry["transport"] == "folder" else ""
                who = Who(entry["transport"], "127.0.0.1", feed=entry["feed"], file=named)
                verdict = intake.take((folder / entry["file"]).read_bytes(), who).verdict
                assert verdict.value in ("stored", "duplicate"), entry
    finally:
        intake.stop(5)


def check(score, least):
    assert list(score.missed()) == []
    assert score.good == len(score.findings) >= least
    assert score.whole == len(score.files) > 0
    assert {what.rsplit(": ", 1)[1] for what, _ in score.later()} <= KNOWN_LATER


def test_every_label_of_the_smallest_county_is_handled_as_labelled(tmp_path):
    score = lived(tmp_path, f"sqlite:///{tmp_path}/gateway.db", residents=200, days=1)
    check(score, 340)


@pytest.mark.long
@pytest.mark.parametrize(("residents", "days", "seed"), [(200, 3, 2), (200, 1, 9), (2000, 1, 3)])
def test_every_label_of_a_county_is_handled_as_labelled(tmp_path, residents, days, seed):
    score = lived(tmp_path, f"sqlite:///{tmp_path}/gateway.db", residents, days, seed)
    check(score, 250)
    cases = {finding.label["case"] for finding in score.findings}
    assert {str(number) for number in range(1, 28)} | {f"N{number}" for number in range(1, 6)} <= cases
