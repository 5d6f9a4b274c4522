"""A procedure's minutes end its period; without a time of day there is only a moment."""

from types import SimpleNamespace

import pytest

from gateway.mapping.environment import Environment
from gateway.mapping.making import Making
from gateway.mapping.periods import cleared, ended


@pytest.fixture
def step():
    env = Environment("county-hospital", "county-his")
    return ended(Making(env, "PR1-7", {"period": "performedPeriod", "moment": "performedDateTime"}))


def run_with(notes):
    return SimpleNamespace(note=lambda number, found: notes.extend(found))


def test_minutes_are_added_to_the_start(step):
    body = {"performedPeriod": {"start": "2026-01-09T23:30:00+08:00"}}
    step(run_with([]), body, "45")
    assert body == {"performedPeriod": {"start": "2026-01-09T23:30:00+08:00", "end": "2026-01-10T00:15:00+08:00"}}


@pytest.mark.parametrize(("start", "minutes"), [("2026-01-09", "45"), ("2026-01-09T23:30:00+08:00", "half an hour")])
def test_what_has_no_end_is_a_moment_and_says_so(step, start, minutes):
    notes, body = [], {"performedPeriod": {"start": start}}
    step(run_with(notes), body, minutes)
    assert body == {"performedDateTime": start}
    assert any(note.left for note in notes)


def test_minutes_without_a_start_write_nothing(step):
    body = {}
    step(run_with([]), body, "45")
    assert body == {}


def test_an_element_that_is_taken_back_joins_what_the_draft_clears():
    env = Environment("county-hospital", "county-his")
    run = SimpleNamespace(draft=SimpleNamespace(clear=("telecom",)))
    cleared(Making(env, "MSH-9", {"element": "hospitalization"}))(run, {}, "A13")
    assert run.draft.clear == ("telecom", "hospitalization")
