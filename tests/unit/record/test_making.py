"""Search rows of what feeds tell stand where the setting says that dates without an offset stand."""

import pytest

from gateway.record import fsck, write
from gateway.record.workbench import Workbench
from gateway.record.write import Making, Origin
from tests.unit.record.make import SECRET, START_US, ZONE, observation, patient, told

HOUR_US = 3_600_000_000


def made(store, zone):
    message = told(patient(birthDate="1970-01-01"), observation(effectiveDateTime="2026-01-01"))
    with store.read() as tx:
        bench = Workbench(tx, SECRET, ZONE)
        bench.prefetch([message])
        return write.prepare(bench.plan(message), Origin("county", "his", 1, None), START_US, Making(zone=zone))


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Shanghai", 16), ("UTC", 24), ("America/New_York", 29)])
def test_a_date_begins_where_it_stands(store, zone, hours):
    lows = {row[1] for version in made(store, zone).versions for row in version.rows.date}
    assert START_US - 24 * HOUR_US + hours * HOUR_US in lows


def test_the_check_of_the_store_looks_there_too(store):
    effect = made(store, "America/New_York")
    with store.write() as tx:
        write.write(tx, [effect], [], START_US)
    told_wrong = {"its date search rows are not what its text says; run gateway reindex"}
    found = {finding.text for step in fsck.check(store, "America/New_York") for finding in step.findings}
    assert not found & told_wrong
    found = {finding.text for step in fsck.check(store, "UTC") for finding in step.findings}
    assert found & told_wrong
