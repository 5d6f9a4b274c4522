"""Folding: who owns an element, what time does to it, and what never comes back."""

import pytest

from gateway.mapping.draft import Draft
from gateway.record.fold import fold
from tests.unit.record.make import draft

NAME, PHONE = [{"text": "测试"}], [{"value": "1001"}]


def patient(**elements):
    return {"resourceType": "Patient", **elements}


def test_the_first_word_is_taken_as_it_is():
    said = draft(gender="male")
    assert fold(None, said) is said.body


def test_the_owner_replaces_what_it_says_and_leaves_the_rest():
    body = fold(patient(gender="male", name=NAME), draft(gender="female", telecom=PHONE))
    assert body == patient(gender="female", name=NAME, telecom=PHONE)


def test_the_owner_deletes_what_it_clears():
    assert fold(patient(gender="male", name=NAME), draft(clear=("gender",))) == patient(name=NAME)


def test_others_only_fill_gaps():
    body = fold(patient(gender="male"), draft(mode="fill", gender="female", name=NAME))
    assert body == patient(gender="male", name=NAME)


def test_an_older_owner_only_fills_gaps_too():
    body = fold(patient(gender="male"), draft(gender="female", name=NAME), older=True)
    assert body == patient(gender="male", name=NAME)


@pytest.mark.parametrize("mode", ["replace", "fill", "advance"])
@pytest.mark.parametrize("older", [False, True])
def test_a_withdrawal_outranks_every_order_of_time(mode, older):
    stored = {"resourceType": "Observation", "status": "final", "valueString": "5.1"}
    said = draft("o", "Observation", mode=mode, status="entered-in-error", valueString="9")
    body = fold(stored, said, older=older)
    assert body == {**stored, "status": "entered-in-error"}


def test_a_report_issued_again_is_a_snapshot():
    stored = {"resourceType": "Observation", "status": "preliminary", "valueString": "5.1", "note": [{"text": "x"}]}
    said = draft("o", "Observation", status="final", valueString="5.2")
    assert fold(stored, said) == said.body


@pytest.mark.parametrize(
    ("stored", "said", "wanted"),
    [
        ({"deceasedBoolean": True}, {"deceasedDateTime": "2026-01-02"}, {"deceasedDateTime": "2026-01-02"}),
        ({"multipleBirthBoolean": True}, {"multipleBirthInteger": 2}, {"multipleBirthInteger": 2}),
    ],
)
def test_one_type_of_a_choice_at_a_time(stored, said, wanted):
    assert fold(patient(**stored), draft(**said)) == patient(**wanted)
    assert fold(patient(**stored), draft(mode="fill", **said)) == patient(**stored)


def test_numbers_once_known_are_not_forgotten():
    old, new = {"system": "a", "value": "1"}, {"system": "b", "value": "2"}
    restated = {**old, "use": "official"}
    assert fold(patient(identifier=[old]), draft(identifier=[new]))["identifier"] == [old, new]
    assert fold(patient(identifier=[old]), draft(identifier=[restated, new]))["identifier"] == [restated, new]
    assert fold(patient(identifier=[old]), draft(mode="fill", identifier=[new]))["identifier"] == [old, new]


def encounter(**elements):
    return {"resourceType": "Encounter", **elements}


def test_a_life_moves_on_without_owning_the_rest():
    stored = encounter(status="in-progress", period={"start": "2026-01-01"}, priority={"text": "A"})
    said = draft(
        "e", "Encounter", mode="advance", status="finished", period={"end": "2026-01-05"}, priority={"text": "B"}
    )
    assert fold(stored, said) == encounter(
        status="finished", period={"start": "2026-01-01", "end": "2026-01-05"}, priority={"text": "A"}
    )


@pytest.mark.parametrize(
    ("kind", "ended", "asked"),
    [
        ("Encounter", "finished", "in-progress"),
        ("ServiceRequest", "completed", "active"),
        ("Task", "failed", "accepted"),
    ],
)
def test_what_has_ended_is_not_opened_again(kind, ended, asked):
    stored = {"resourceType": kind, "status": ended}
    assert fold(stored, draft("e", kind, mode="advance", status=asked))["status"] == ended


def test_folding_never_changes_what_it_was_given():
    stored = encounter(status="planned", period={"start": "2026-01-01"}, identifier=[{"value": "1"}])
    kept = {**stored, "period": dict(stored["period"])}
    fold(stored, draft("e", "Encounter", mode="advance", period={"end": "2026-01-02"}, identifier=[{"value": "2"}]))
    assert stored == kept


def test_messages_that_bring_numbers_in_turn_end_in_one_order():
    first = fold(patient(identifier=[{"value": "1"}]), draft(identifier=[{"value": "2"}]))
    assert fold(first, draft(identifier=[{"value": "1"}])) == first


def test_an_older_snapshot_says_nothing_any_more():
    stored = {"resourceType": "Observation", "status": "final"}
    assert fold(stored, draft("o", "Observation", status="preliminary", note=[{"text": "x"}]), older=True) is stored


def test_replacing_keeps_the_extensions_and_parts_that_were_not_sent():
    current = {
        "resourceType": "Encounter",
        "extension": [
            {"url": "a", "valueString": "1"},
            {"url": "b", "valueString": "2"},
            {"url": "b", "valueString": "3"},
        ],
        "hospitalization": {"admitSource": {"text": "clinic"}},
        "period": {"start": "2026-01-07"},
    }
    body = {
        "resourceType": "Encounter",
        "extension": [{"url": "c", "valueString": "5"}, {"url": "b", "valueString": "4"}],
        "hospitalization": {"dischargeDisposition": {"text": "home"}},
        "period": {"end": "2026-01-13"},
    }
    told = fold(current, Draft("e", "Encounter", body, "replace"))
    assert told["extension"] == [
        {"url": "a", "valueString": "1"},
        {"url": "b", "valueString": "4"},
        {"url": "c", "valueString": "5"},
    ]
    assert told["hospitalization"] == {"admitSource": {"text": "clinic"}, "dischargeDisposition": {"text": "home"}}
    assert told["period"] == {"start": "2026-01-07", "end": "2026-01-13"}


def test_what_a_message_clears_is_not_kept_as_a_part():
    current = {"resourceType": "Encounter", "period": {"start": "2026-01-07", "end": "2026-01-13"}}
    body = {"resourceType": "Encounter", "period": {"start": "2026-01-07"}}
    told = fold(current, Draft("e", "Encounter", body, "replace", clear=("period",)))
    assert told["period"] == {"start": "2026-01-07"}


def test_an_advance_that_does_not_know_the_state_leaves_it():
    order = {"resourceType": "ServiceRequest", "status": "active"}
    said = Draft("order", "ServiceRequest", {"resourceType": "ServiceRequest", "status": "unknown"}, "advance")
    assert fold(order, said)["status"] == "active"


def member(name: str, **more):
    return {"entity": {"reference": f"Patient/{name}"}, **more}


@pytest.mark.parametrize(
    ("mode", "older", "wanted"),
    [
        ("replace", False, [member("a"), member("b", inactive=True), member("c")]),
        ("fill", False, [member("a"), member("b"), member("c")]),
        ("replace", True, [member("a"), member("b"), member("c")]),
    ],
)
def test_a_household_is_told_member_by_member(mode, older, wanted):
    stored = {"resourceType": "Group", "actual": True, "member": [member("a"), member("b")]}
    said = draft("g", "Group", mode=mode, member=[member("b", inactive=True), member("c")])
    assert fold(stored, said, older=older)["member"] == wanted


def test_a_household_without_members_gets_none():
    stored = {"resourceType": "Group", "actual": True}
    assert "member" not in fold(stored, draft("g", "Group", mode="fill", code={"text": "家庭"}))
