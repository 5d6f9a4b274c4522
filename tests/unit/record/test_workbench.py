"""The workbench: which resource a number names, what one batch changes, and what is refused."""

import json

import pytest

from gateway.mapping.draft import Merge
from gateway.record.states import KeyReused, Refused
from gateway.record.workbench import Workbench
from gateway.search.scope import Scope
from tests.unit.record.make import DAY_US, SECRET, START_US, ZONE, draft, key, observation, patient, plans, tell, told

ALL = Scope(sites=None)


def fids(plan, kind="Patient"):
    return [planned.state.fid for planned in plan.versions if planned.state.type == kind]


def read(store, kind, fid):
    return json.loads(store.resources.read(kind, fid, ALL).body)


def history(store, kind, fid):
    return [version.ver for version in store.resources.history(kind, fid, ALL)]


def test_a_known_number_names_the_same_resource(store):
    (fid,) = fids(tell(store, patient(gender="male")))
    again = tell(store, patient(gender="female"), number=2, at_us=START_US + 1)
    assert fids(again) == [fid]
    body = read(store, "Patient", fid)
    assert (body["gender"], body["id"], body["meta"]["versionId"]) == ("female", fid, "2")
    assert body["meta"]["source"].startswith("urn:yigong:feed:county-his#")


def test_the_same_number_at_two_sites_is_two_records(store):
    assert fids(tell(store, patient())) != fids(tell(store, patient(), site="township", number=2))


def test_numbers_met_in_one_message_are_one_record_from_then_on(store):
    both = draft(keys=[key("P1"), key("C9", "urn:county:card")], gender="male")
    (fid,) = fids(tell(store, both))
    assert fids(tell(store, draft(keys=[key("C9", "urn:county:card")], gender="female"), number=2)) == [fid]


def test_numbers_of_two_records_are_reported_and_not_joined(store):
    tell(store, patient("P1"))
    tell(store, draft(keys=[key("C9", "urn:county:card")], gender="male"), number=2)
    plan = tell(store, draft(keys=[key("P1"), key("C9", "urn:county:card")], gender="female"), number=3)
    assert [(issue.severity, issue.code) for issue in plan.issues] == [("warning", "conflict")]
    assert "C9" in plan.issues[0].text
    assert plan.aliases == []


def test_the_same_words_again_make_no_version(store):
    tell(store, patient(gender="male"), observation())
    again = tell(store, patient(gender="male"), observation(), number=2, at_us=START_US + 1)
    assert again.versions == []
    assert again.aliases == []


def test_in_one_batch_versions_follow_each_other(store):
    first, second = plans(
        store,
        told(patient(gender="male"), observation(status="preliminary")),
        told(patient(gender="female"), observation(), number=2, at_us=START_US + 1),
    )
    assert [planned.ver for planned in first.versions] == [1, 1]
    assert [planned.ver for planned in second.versions] == [2, 2]
    (fid,) = fids(second, "Observation")
    assert history(store, "Observation", fid) == [2, 1]
    assert read(store, "Observation", fid)["subject"] == {"reference": f"Patient/{fids(first)[0]}"}


def test_two_drafts_of_one_resource_in_one_message_are_one_version(store):
    plan = tell(store, patient(gender="male"), draft("again", keys="P1", mode="fill", birthDate="1990-01-01"))
    assert len(plan.versions) == 1
    assert read(store, "Patient", fids(plan)[0])["birthDate"] == "1990-01-01"


def test_a_change_taken_back_in_the_same_message_makes_no_version(store):
    tell(store, draft(keys="P1", gender="male"))
    plan = tell(store, draft(keys="P1", gender="female"), draft("again", keys="P1", gender="male"), number=2)
    assert plan.versions == []


def test_an_older_message_changes_nothing_newer(store):
    tell(store, patient(gender="male"), at_us=START_US + DAY_US)
    late = tell(store, patient(gender="female"), number=2, at_us=START_US)
    assert late.versions == []


def test_a_draft_of_its_own_time_is_placed_by_it(store):
    tell(store, patient(gender="male", source_time="2026-03-01T08:00:00+08:00"))
    late = tell(store, patient(gender="female", source_time="2026-02-01"), number=2, at_us=START_US + 300 * DAY_US)
    assert late.versions == []


def test_children_are_named_after_their_parents_however_deep(store):
    group = draft("report", "DiagnosticReport", keys="D1", status="final", code={"text": "x"})
    part = draft("part", "Observation", parent="report", child="1", status="final", code={"text": "y"})
    deep = draft("deep", "Observation", parent="part", child="2", status="final", code={"text": "z"})
    plan = tell(store, deep, part, group)
    (parent,) = fids(plan, "DiagnosticReport")
    assert fids(plan, "Observation") == [f"{parent}-1-2", f"{parent}-1"]
    assert tell(store, deep, part, group, number=2).versions == []


def test_a_draft_with_neither_number_nor_parent_is_refused(store):
    with pytest.raises(Refused, match="orphan has neither"):
        tell(store, draft("orphan", "Observation", parent="nobody", child="1"))


def test_a_number_with_another_person_is_refused_and_changes_nothing(store):
    guard = {"patient": "patient"}
    tell(store, patient("P1"), observation(guard=guard))
    with pytest.raises(KeyReused, match="another person"):
        tell(store, patient("P2"), observation(guard=guard), number=2)
    assert tell(store, patient("P1"), observation(guard=guard), number=3).versions == []


def test_another_person_in_the_same_batch_is_noticed(store):
    guard = {"patient": "patient"}
    with pytest.raises(KeyReused, match="another person"):
        plans(
            store,
            told(patient("P1"), observation(guard=guard)),
            told(patient("P2"), observation(guard=guard), number=2),
        )


@pytest.mark.parametrize(
    "collected",
    [
        {"effectiveDateTime": "2026-01-02T08:00:00+08:00"},
        {"effectivePeriod": {"start": "2026-01-02"}},
    ],
)
def test_a_number_of_another_day_is_refused(store, collected):
    tell(store, patient(), observation(guard={"day": "20260102"}, **collected))
    with pytest.raises(KeyReused, match="another day"):
        tell(store, patient(), observation(guard={"day": "2026-02-02"}), number=2)
    same_day = observation(guard={"day": "2026-01-02"}, valueString="7", **collected)
    assert len(tell(store, patient(), same_day, number=3).versions) == 1


def test_a_key_with_its_day_starts_again_each_day(store):
    def report(day):
        return draft("o", "Observation", keys=[key("77", "urn:county:report", day)], status="final", code={"text": "K"})

    first, second = tell(store, report("20260102")), tell(store, report("20260103"), number=2)
    assert fids(first, "Observation") != fids(second, "Observation")


def merge_of(retired, survivor="patient"):
    return Merge((key(retired),), survivor, "MRG[1]-1")


def test_a_merge_retires_the_record_which_its_number_goes_on_telling_of(store):
    (old,) = fids(tell(store, patient("P1", gender="male")))
    (new,) = fids(tell(store, patient("P2"), number=2))
    tell(store, draft(keys="P2"), merges=[merge_of("P1")], number=3)
    retired = read(store, "Patient", old)
    assert (retired["active"], retired["gender"]) == (False, "male")
    assert retired["link"] == [{"other": {"reference": f"Patient/{new}"}, "type": "replaced-by"}]
    after = tell(store, patient("P1", birthDate="1990-01-01"), observation(), number=4, at_us=START_US + 1)
    assert fids(after)[0] == old
    assert after.versions[1].body["subject"] == {"reference": f"Patient/{new}"}


def test_results_of_a_merged_number_are_the_survivors_and_no_reuse(store):
    guard = {"patient": "patient"}
    (old,) = fids(tell(store, patient("P1"), observation(guard=guard)))
    tell(store, patient("P2"), merges=[merge_of("P1")], number=2)
    again = tell(store, patient("P2"), observation(guard=guard, valueString="6"), number=3, at_us=START_US + 1)
    assert len(again.versions) == 1
    assert again.versions[0].body["subject"] == {"reference": f"Patient/{old}"}, "it stays where it was filed"


def test_a_merge_with_an_unknown_number_makes_a_record_for_it(store):
    new, old = fids(tell(store, patient("P2"), merges=[merge_of("never seen")]))
    assert read(store, "Patient", old)["link"][0]["other"] == {"reference": f"Patient/{new}"}
    later = tell(store, patient("never seen", gender="male"), observation(), number=2)
    assert fids(later)[0] == old
    assert later.versions[1].body["subject"] == {"reference": f"Patient/{new}"}
    assert (read(store, "Patient", old)["gender"], read(store, "Patient", old)["active"]) == ("male", False)


def test_a_merge_within_one_batch(store):
    first, second = plans(
        store,
        told(patient("P1", gender="male")),
        told(patient("P2"), merges=[merge_of("P1")], number=2),
    )
    assert history(store, "Patient", fids(first)[0]) == [2, 1]
    assert len(second.links) == 1


def test_a_record_is_not_merged_into_itself(store):
    tell(store, patient("P1"))
    with pytest.raises(Refused, match="into itself"):
        tell(store, patient("P1"), merges=[merge_of("P1")], number=2)


def test_a_merge_told_again_changes_nothing(store):
    tell(store, patient("P1"))
    tell(store, patient("P2"), merges=[merge_of("P1")], number=2)
    plan = tell(store, draft(keys="P2"), merges=[merge_of("P1")], number=3)
    assert (plan.versions, plan.links, plan.aliases) == ([], [], [])
    assert "one with" in plan.issues[0].text


@pytest.mark.parametrize("known", [False, True])
def test_a_merge_and_the_survivors_results_in_one_batch(store, known):
    guard = {"patient": "patient"}
    first = told(patient("P1"), observation(guard=guard))
    rest = (
        told(patient("P2"), merges=[merge_of("P1")], number=2, at_us=START_US + 1),
        told(patient("P2"), observation(guard=guard, valueString="6"), number=3, at_us=START_US + 2),
    )
    if known:
        plans(store, first)
    made = plans(store, *rest) if known else plans(store, first, *rest)
    (fid,) = fids(made[-1], "Observation")
    retired = fids(made[-2])[1]
    assert read(store, "Observation", fid)["subject"]["reference"] == f"Patient/{retired}", (
        "it stays where it was filed"
    )


def test_an_older_result_never_replaces_a_newer_one(store):
    plan = tell(store, patient(), observation(valueString="new"), at_us=START_US + DAY_US)
    assert tell(store, patient(), observation(valueString="old", note=[{"text": "x"}]), number=2).versions == []
    (fid,) = fids(plan, "Observation")
    assert history(store, "Observation", fid) == [1]


def test_a_late_gap_filler_does_not_turn_the_clock_back(store):
    plan = tell(store, patient(gender="male"), at_us=START_US + 10 * DAY_US)
    tell(store, patient(birthDate="1990-01-01"), number=2, at_us=START_US)
    tell(store, patient(gender="female", birthDate="1991-01-01"), number=3, at_us=START_US + 5 * DAY_US)
    body = read(store, "Patient", fids(plan)[0])
    assert (body["gender"], body["birthDate"]) == ("male", "1990-01-01")


def test_a_withdrawal_keeps_what_was_said(store):
    plan = tell(store, patient(), observation(valueString="5"))
    tell(store, patient(), observation(status="entered-in-error"), number=2, at_us=START_US - DAY_US)
    body = read(store, "Observation", fids(plan, "Observation")[0])
    assert (body["status"], body["valueString"]) == ("entered-in-error", "5")


@pytest.mark.parametrize("said", ["20260102", "2026-01-02", "202601"])
def test_a_day_agrees_with_a_part_of_itself(store, said):
    tell(store, patient(), observation(effectiveDateTime="2026-01"))
    again = observation(guard={"day": said}, effectiveDateTime="2026-01", valueString="7")
    assert len(tell(store, patient(), again, number=2).versions) == 1


def test_a_refused_message_leaves_the_batch_as_it_was(store):
    with store.read() as tx:
        bench = Workbench(tx, SECRET, ZONE)
        first = told(patient("P1"), observation("R1", guard={"patient": "patient"}), observation("R2", "second"))
        bench.prefetch([first])
        plan = bench.plan(first)
        bench.adopt(plan)
        states = {planned.state.fid: planned.state for planned in plan.versions}
        before = {fid: (state.patient, state.ver, state.body) for fid, state in states.items()}
        orphan = draft("orphan", "Observation", parent="second", child="1", guard={"patient": "patient"})
        for wrong in (observation("R1", guard={"patient": "patient"}), draft("lost", parent="nobody", child="1")):
            with pytest.raises((KeyReused, Refused)):
                bench.plan(told(patient("P2"), observation("R2", "second", valueString="x"), orphan, wrong, number=2))
        assert {fid: (state.patient, state.ver, state.body) for fid, state in states.items()} == before


def test_where_nobody_knows_the_series_a_reused_number_is_kept_apart_by_person(store):
    guard = {"patient": "patient"}
    (one,) = fids(tell(store, patient("P1"), observation(guard=guard)), "Observation")
    more = [key("R1", "urn:county:report"), key("F1", "urn:county:filler")]
    other = observation(guard=guard, valueString="6")
    other.keys = tuple(more)
    plan = tell(store, patient("P2"), other, number=2, separate=True)
    (apart,) = fids(plan, "Observation")
    assert apart != one
    assert [issue.code for issue in plan.issues] == ["duplicate"]
    assert tell(store, patient("P2"), other, number=3, separate=True).versions == []
    assert tell(store, patient("P1"), observation(guard=guard), number=4, separate=True).versions == []
    with store.read() as tx:
        pids = {stored.fid: pid for pid, stored in tx.current(range(1, 9000)).items()}
        assert {alias.value for _, alias in tx.aliases_of(pids[one])} == {"R1"}


def test_another_number_of_the_same_national_series_is_another_person(store):
    def resident(number):
        entry = {"system": "urn:oid:2.16.156.10011.1.3", "value": number}
        return draft(keys="P1", identifier=[entry], guard={"resident": number})

    tell(store, resident("11010519491231002X"))
    with pytest.raises(KeyReused, match="another resident ID"):
        tell(store, resident("440524188001010014"), number=2)
    assert tell(store, resident("11010519491231002X"), number=3).versions == []
