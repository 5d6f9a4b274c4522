"""When and how often."""

from decimal import Decimal

import pytest

from gateway.mapping import timing
from gateway.mapping.making import Making


def convert(maker, env, raw):
    return maker(Making(env, "TQ1-3"))(raw)


def test_units_of_time(env):
    assert convert(timing.unit_of_time, env, "天").value == "d"
    assert convert(timing.unit_of_time, env, "min^minute").value == "min"
    assert convert(timing.unit_of_time, env, "kg").notes
    assert convert(timing.unit_of_time, env, "").value is None
    assert convert(timing.unit_of_quantity, env, "5^h").value == "h"


def test_minutes_and_durations(env):
    assert convert(timing.minutes, env, "2^h").value == 120
    assert convert(timing.minutes, env, "2^kg").notes
    assert convert(timing.duration, env, "3^d").value["code"] == "d"
    assert convert(timing.duration, env, "x^d").notes


def test_repeat_pattern(env):
    found = convert(timing.repeat_pattern, env, "BID^^^^8^h").value
    assert found["repeat"] == {"period": Decimal(8), "periodUnit": "h"}
    assert any(coding["code"] == "BID" for coding in found["code"]["coding"])
    assert convert(timing.repeat_pattern, env, "^DW^1^5").value["repeat"]["dayOfWeek"] == ["mon", "fri"]
    assert convert(timing.repeat_pattern, env, "").value is None


def test_quantity_timing(env):
    cell = convert(timing.quantity_timing, env, "2&tab^BID&0800,2000^D7^20260101^^R^cond^with food^^^^3")
    assert cell.value["quantityQuantity"]["value"] == 2
    repeat = cell.value["occurrenceTiming"]["repeat"]
    assert repeat["boundsPeriod"] == {"start": "2026-01-01"}
    assert repeat["timeOfDay"] == ["08:00:00", "20:00:00"]
    assert repeat["count"] == 3
    assert cell.value["note"] == [{"text": "with food"}]
    assert cell.value["priority"] == "routine"
    assert [note.component for note in cell.notes if note.left] == ["7"]


def test_length_stands_where_there_is_no_period(env):
    found = convert(timing.quantity_timing, env, "^^D7").value["occurrenceTiming"]["repeat"]["boundsDuration"]
    assert (found["value"], found["code"]) == (7, "d")
    assert convert(timing.quantity_timing, env, "^^^^^").value is None


@pytest.mark.parametrize("raw", ["1&mg^^^20160115", "^QD"])
def test_medication_timing(env, raw):
    assert convert(timing.medication_timing, env, raw).value["dosageInstruction"]
