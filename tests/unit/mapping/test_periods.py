"""A procedure's minutes end its period; without a time of day there is only a moment."""

from types import SimpleNamespace

import pytest

from gateway.mapping.draft import Draft
from gateway.mapping.environment import Environment
from gateway.mapping.making import Making
from gateway.mapping.periods import cleared, ended, later, turned


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


LONG = {"to": "participant[-].period.end", "start": "AIS-4", "unit": "AIS-8"}
OFF = {"to": "participant[-].period.start", "element": "start", "unit": "AIS-6"}


def service(args, row="AIS-7", **fields):
    """Run the step on an AIS whose fields are given by number; returns the body and the notes."""
    told = [fields.get(f"f{number}", "") for number in range(9)]
    notes, body = [], {"start": "2026-01-09T08:30:00+08:00", "participant": [{}]}
    run = SimpleNamespace(note=lambda number, found: notes.extend(found), peers={"AIS": told})
    later(Making(Environment("county-hospital", "county-his"), row, args))(run, body, told[int(row[-1])])
    return body["participant"][-1], notes


def test_a_length_with_its_unit_ends_what_began_in_another_field():
    part, notes = service(LONG, f4="20260109083000", f7="2", f8="h^hour^ISO+")
    assert part == {"period": {"end": "2026-01-09T10:30:00+08:00"}}
    assert notes == []


def test_an_offset_counts_from_the_element_that_is_told():
    part, _ = service(OFF, row="AIS-5", f5="15", f6="min")
    assert part == {"period": {"start": "2026-01-09T08:45:00+08:00"}}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"f4": "20260109083000", "f7": "30"}, "no unit of time"),
        ({"f4": "20260109083000", "f7": "30", "f8": "mL"}, "no unit of time"),
        ({"f4": "20260109", "f7": "30", "f8": "min"}, "no start with a time of day"),
        ({"f7": "30", "f8": "min"}, "no start with a time of day"),
    ],
)
def test_a_length_that_cannot_be_added_is_left_over_and_says_why(fields, why):
    part, notes = service(LONG, **fields)
    assert part == {}
    assert [note.left for note in notes] == [True]
    assert why in notes[0].text


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-05-20", "2025-05-19"),
        ("2026-05-20T08:00:00+08:00", "2026-05-20T07:59:00+08:00"),
        ("2026-05-20T08:00:00+08:00", "2026-05-19"),
        ("2026-05", "2026-04-30"),
    ],
)
def test_a_period_that_ends_before_it_begins_loses_its_end_and_says_so(start, end):
    draft = Draft("plan", "CarePlan", {"resourceType": "CarePlan", "period": {"start": start, "end": end}}, "replace")
    issue = turned(draft)
    assert draft.body["period"] == {"start": start}
    assert issue is not None
    assert (issue.severity, issue.where) == ("warning", "plan")
    assert start in issue.text
    assert end in issue.text


@pytest.mark.parametrize(
    "period",
    [
        {"start": "2026-05-20", "end": "2026-05-20"},
        {"start": "2026-05-20T08:00:00+08:00", "end": "2026-05-20"},
        {"start": "2026-05-20T08:00:00+08:00", "end": "2026-05-20T00:00:01Z"},
        {"start": "2026-05-20", "end": "2026"},
        {"end": "2026-05-20"},
    ],
)
def test_other_periods_stay_as_they_are(period):
    draft = Draft("plan", "CarePlan", {"resourceType": "CarePlan", "period": dict(period)}, "replace")
    assert turned(draft) is None
    assert draft.body["period"] == period
