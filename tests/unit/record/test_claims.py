"""Claims: two at once only when both are active and their periods overlap."""

import pytest

from gateway.mapping.draft import Draft
from gateway.record import claims
from gateway.record.states import State

TEAM = {"member": {"identifier": {"value": "TD0101"}, "display": "一团队"}}


def team(start="", end="", status="active", participant=()):
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {"resourceType": "CareTeam", "status": status, "period": period, "participant": list(participant)}


@pytest.mark.parametrize(
    ("one", "other", "at_once"),
    [
        (team("2026-01-01", "2026-12-31"), team("2026-05-20", "2031-05-19"), True),
        (team("2026-01-01", "2026-12-31"), team("2026-12-31T08:00:00+08:00"), True),
        (team("2025-01-01", "2025-12-31"), team("2026-01-01", "2026-12-31"), False),
        (team("2025-01-01", "2025-12-31"), team(), True),
        (team("2026-01-01"), team("2026-05-20", status="inactive"), False),
        (team("2026-01-01", status="inactive"), team("2026-05-20"), False),
    ],
)
def test_at_once(one, other, at_once):
    assert claims.at_once(one, other) == claims.at_once(other, one) == at_once


def test_the_holder_is_the_team_by_number_else_by_name():
    assert claims.holder(team(participant=[TEAM])) == "TD0101"
    assert claims.holder(team(participant=[{"member": {"display": "一团队"}}])) == "一团队"
    assert claims.holder(team()) == ""


def test_the_issue_names_both_and_the_key_the_patient():
    draft = Draft("care_team", "CareTeam", team(), "replace", claim="active team")
    held = State("CareTeam", "t1")
    issue = claims.told(draft, held, team(participant=[TEAM]), team(participant=[{"member": {"display": "二团队"}}]))
    assert "two active teams at once: 二团队 beside TD0101 (CareTeam/t1)" in issue.text
    key = claims.key(draft, State("Patient", "p1"))
    assert key[:3] == ("CareTeam", "https://yigong.example/fhir/claim/active-team", "p1")
