"""Who is who: merges in chains and circles, unlinks, changed numbers, and visits that move to another patient."""

import pytest

from gateway.mapping.draft import Merge, Move, Renumber, Split
from gateway.record.joining import MOVED_FROM
from gateway.record.states import KeyReused, Refused
from gateway.record.workbench import Workbench
from gateway.search.scope import Scope
from gateway.store.values import AliasKey
from tests.unit.record.make import DAY_US, SECRET, START_US, ZONE, draft, key, observation, patient, plans, tell, told

ALL = Scope(sites=None)


def merge(retired, survivor):
    return told(draft(keys=survivor), merges=[Merge((key(retired),), "patient", "MRG[1]")])


def unlink(kept, other, **given):
    drafts = (numbered("patient", kept), numbered("patient/2", other))
    return said(*drafts, statement=Split("patient", "patient/2", "PID[2]"), **given)


def numbered(name, number, **given):
    return draft(name, keys=number, identifier=[{"system": "urn:county:mrn", "value": number}], **given)


def said(*drafts, statement, **given):
    message = told(*drafts, **given)
    message.mapped.said.append(statement)
    return message


def visit(patient_name="patient", mode="fill", **given):
    subject = {}
    values = {"status": "in-progress", "subject": subject, "patient": patient_name} | given
    return draft("encounter", "Encounter", keys=[key("V1", "urn:county:visit")], mode=mode,
                 links=[(subject, patient_name)], guard={"patient": patient_name}, **values)  # fmt: skip


def move(number="P2", origin="P1", **given):
    drafts = (patient(number), visit(**given))
    return said(*drafts, statement=Move((key(origin),), "patient", "MRG[1]"), number=5, at_us=START_US + DAY_US)


def of(store, number):
    """Return the record a hospital number was given out for."""
    with store.read() as tx:
        system = draft(keys=number).keys[0].system
        (found,) = tx.aliases("county", [AliasKey("Patient", system, number)]).values()
    return read(store, found.fid)


def joined_to(store, number):
    """Return the pids of the records that a merge holds together with that of a number, its own as well."""
    with store.read() as tx:
        pid = tx.heads([("Patient", of(store, number)["id"])])["Patient", of(store, number)["id"]].pid
        return {pid} | {end for link in tx.links([pid]) for end in (link.from_pid, link.to_pid)}


def fid_of(store, number):
    """Return the id of the record that what comes under a number is filed with."""
    with store.read() as tx:
        bench = Workbench(tx, SECRET, ZONE)
        message = told(draft(keys=number))
        bench.prefetch([message])
        name = message.mapped.drafts[0]
        found = bench.known("county", ("Patient", name.keys[0].system, number, ""))
        while found and (join := bench.replaced(found)):
            found = join.survivor
        return found.fid if found else None


def read(store, fid, kind="Patient"):
    import json

    return json.loads(store.resources.read(kind, fid, ALL).body)


def bare(body):
    return {name: value for name, value in body.items() if name != "meta"}


@pytest.fixture
def joined(store):
    """P1 and P2 registered, P2 merged into P1."""
    tell(store, patient("P1", gender="male"))
    tell(store, patient("P2", birthDate="1990-01-01"), number=2)
    before = bare(of(store, "P2"))
    plans(store, merge("P2", "P1"))
    return before


def test_an_unlinked_record_is_as_it_was_and_has_its_number_back(store, joined):
    plan = plans(store, unlink("P1", "P2", number=4))[0]
    assert bare(of(store, "P2")) == joined
    assert fid_of(store, "P1") != fid_of(store, "P2")
    assert [issue.severity for issue in plan.issues] == ["warning"]
    assert "stays with" in plan.issues[0].text


def test_the_ended_link_is_kept_with_its_evidence(store, joined):
    plans(store, unlink("P1", "P2", number=4))
    with store.read() as tx:
        pid = tx.heads([("Patient", fid_of(store, "P2"))])["Patient", fid_of(store, "P2")].pid
        assert tx.links([pid]) == []
        (link,) = tx.links([pid], ended=True)
        assert (link.state, '"P2"' in link.evidence, "MRG[1]" in link.evidence) == ("ended", True, True)
    assert joined_to(store, "P2") == {pid}


@pytest.mark.parametrize("kept", ["P1", "P2"])
def test_which_of_the_two_is_named_first_does_not_matter(store, joined, kept):
    plans(store, unlink(kept, "P1" if kept == "P2" else "P2", number=4))
    assert bare(of(store, "P2")) == joined
    assert "active" not in of(store, "P1")


def test_a_merge_and_its_unlink_in_one_batch(store):
    first = told(patient("P1")), told(patient("P2", gender="female"), number=2)
    *_, plan = plans(store, *first, merge("P2", "P1"), unlink("P1", "P2", number=4))
    assert len(plan.ended) == 1
    record = of(store, "P2")
    assert ("active" in record, "link" in record, record["gender"]) == (False, False, "female")
    assert [len(joined_to(store, number)) for number in ("P1", "P2")] == [1, 1]


def test_an_unlink_told_twice_changes_nothing_more(store, joined):
    plans(store, unlink("P1", "P2", number=4))
    plan = plans(store, unlink("P1", "P2", number=5))[0]
    assert (plan.versions, plan.aliases, plan.ended) == ([], [], [])
    assert "two records already" in plan.issues[0].text


def test_after_an_unlink_the_two_can_be_merged_again(store, joined):
    *_, plan = plans(store, unlink("P1", "P2", number=4), merge("P2", "P1"))
    assert len(plan.links) == 1
    assert fid_of(store, "P2") == fid_of(store, "P1")
    assert len(joined_to(store, "P1")) == 2


def test_what_is_said_under_a_retired_number_is_said_of_the_retired_record(store, joined):
    survivor = of(store, "P1")
    tell(store, patient("P2", gender="female"), number=4, at_us=START_US + 1)
    assert of(store, "P1") == survivor
    assert (of(store, "P2")["gender"], of(store, "P2")["active"]) == ("female", False)
    plans(store, unlink("P1", "P2", number=5, at_us=START_US + 2))
    assert bare(of(store, "P2")) == joined | {"gender": "female"}
    assert of(store, "P1") == survivor


def test_a_number_no_record_had_before_its_merge_gets_one_of_its_own(store):
    tell(store, patient("P1"))
    plans(store, merge("never seen", "P1"))
    assert fid_of(store, "never seen") == fid_of(store, "P1")
    plans(store, unlink("P1", "never seen", number=3))
    assert bare(of(store, "never seen")).keys() == {"resourceType", "id", "identifier"}
    assert of(store, "never seen")["identifier"] == [{"system": "urn:county:mrn", "value": "never seen"}]
    assert fid_of(store, "never seen") != fid_of(store, "P1")


def test_a_record_is_not_unlinked_from_itself(store, joined):
    with pytest.raises(Refused, match="unlinked from itself"):
        plans(store, unlink("P1", "P1", number=4))


def test_results_reused_after_an_unlink_are_noticed(store, joined):
    guard = {"patient": "patient"}
    tell(store, patient("P1"), observation(guard=guard), number=4)
    after = told(patient("P2"), observation(guard=guard, valueString="6"), number=6)
    with pytest.raises(KeyReused, match="another person"):
        plans(store, unlink("P1", "P2", number=5), after)


def test_in_a_chain_of_merges_every_number_leads_to_the_last(store):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P3", "P2"))
    plans(store, merge("P2", "P1"))
    assert fid_of(store, "P3") == fid_of(store, "P2") == fid_of(store, "P1")


@pytest.mark.parametrize("at_once", [True, False])
def test_a_chain_comes_apart_where_it_is_told_to(store, at_once):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number, gender="male"))
    messages = [merge("P3", "P2"), merge("P2", "P1"), unlink("P1", "P3", number=6), unlink("P1", "P2", number=7)]
    for batch in [messages] if at_once else [[message] for message in messages]:
        plans(store, *batch)
    assert len({fid_of(store, number) for number in ("P1", "P2", "P3")}) == 3
    assert all("active" not in of(store, number) for number in ("P1", "P2", "P3"))


def test_a_middle_record_takes_what_was_merged_into_it_along(store):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P3", "P2"), merge("P2", "P1"), unlink("P1", "P2", number=6))
    assert fid_of(store, "P3") == fid_of(store, "P2") != fid_of(store, "P1")


@pytest.mark.parametrize("steps", [[("P2", "P1")], [("P3", "P2"), ("P2", "P1")]])
def test_merges_in_a_circle_are_refused(store, steps):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    for retired, survivor in steps:
        plans(store, merge(retired, survivor))
    with pytest.raises(Refused, match="circle"):
        plans(store, merge("P1", steps[0][0]))


def test_two_numbers_of_one_retired_record_make_one_link(store):
    two = [{"system": "urn:county:mrn", "value": value} for value in ("P2", "U2")]
    tell(store, draft(keys=[key("P2"), key("U2")], identifier=two))
    tell(store, patient("P1"), number=2)
    statement = Merge((key("P2"), key("U2")), "patient", "MRG[1]")
    plan = tell(store, draft(keys="P1"), merges=[statement], number=3)
    assert len(plan.links) == 1
    assert fid_of(store, "U2") == fid_of(store, "P1")


def test_a_number_the_merge_does_not_name_follows_its_record(store):
    two = [{"system": "urn:county:mrn", "value": value} for value in ("P2", "U2")]
    tell(store, draft(keys=[key("P2"), key("U2")], identifier=two))
    tell(store, patient("P1"), number=2)
    plans(store, merge("P2", "P1"))
    assert fid_of(store, "U2") == fid_of(store, "P1")
    plans(store, unlink("P1", "P2", number=4))
    assert fid_of(store, "U2") == fid_of(store, "P2") != fid_of(store, "P1")


def renumber(new, old, **given):
    entries = [{"system": "urn:county:mrn", "value": value} for value in (new, old)]
    changed = draft(keys=[key(new), key(old)], identifier=entries, **given)
    return said(changed, statement=Renumber((key(old),), "patient", "MRG[1]"), number=3)


def test_a_changed_number_leads_to_the_same_record(store):
    (first,) = [one.state.fid for one in tell(store, patient("P1", gender="male")).versions]
    plans(store, renumber("N1", "P1"))
    assert fid_of(store, "N1") == fid_of(store, "P1") == first
    assert plans(store, renumber("N1", "P1"))[0].versions == []


def test_a_number_is_not_changed_into_itself_or_into_anothers(store):
    tell(store, patient("P1"))
    tell(store, patient("P2"), number=2)
    with pytest.raises(Refused, match="into itself"):
        plans(store, renumber("P1", "P1"))
    with pytest.raises(Refused, match="by a merge"):
        plans(store, renumber("P2", "P1"))


def test_a_visit_moves_with_a_reason_and_its_results_stay(store):
    result = observation(guard={"patient": "patient"})
    made = tell(store, patient("P1"), visit(period={"start": "2026-01-01"}), result)
    encounter, report = (next(one.state.fid for one in made.versions if one.state.type == kind)
                         for kind in ("Encounter", "Observation"))  # fmt: skip
    tell(store, patient("P2"), number=2)
    before = read(store, report, "Observation")
    plan = plans(store, move())[0]
    moved = read(store, encounter, "Encounter")
    old, new = fid_of(store, "P1"), fid_of(store, "P2")
    assert moved["subject"] == {"reference": f"Patient/{new}"}
    assert moved["extension"] == [{"url": MOVED_FROM, "valueReference": {"reference": f"Patient/{old}"}}]
    assert moved["period"] == {"start": "2026-01-01"}
    assert read(store, report, "Observation") == before
    assert "was moved from" in plan.issues[0].text
    assert plans(store, move())[0].versions == [], "told twice"
    assert tell(
        store, patient("P2"), visit(status="finished", mode="replace"), number=7, at_us=START_US + 2 * DAY_US
    ).versions
    with pytest.raises(KeyReused):
        tell(store, patient("P1"), visit(), number=8)


def test_a_visit_is_taken_only_from_the_patient_named(store):
    tell(store, patient("P1"), visit())
    tell(store, patient("P3"), number=2)
    with pytest.raises(Refused, match="neither"):
        plans(store, move("P2", "P3"))
    with pytest.raises(Refused, match="neither"):
        plans(store, move("P2", "nobody"))
    with pytest.raises(Refused, match="taken from"):
        plans(store, move("P1", "P1"))


def test_a_visit_nobody_has_heard_of_is_the_right_patients(store):
    tell(store, patient("P1"))
    tell(store, patient("P2"), number=2)
    (made,) = plans(store, move())[0].versions
    assert made.body["subject"]["reference"] == f"Patient/{fid_of(store, 'P2')}"
    assert "extension" not in made.body


def test_of_two_brothers_the_second_one_named_stands_again(store):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P2", "P1"), merge("P3", "P1"), unlink("P2", "P3", number=6))
    assert fid_of(store, "P2") == fid_of(store, "P1") != fid_of(store, "P3")


@pytest.mark.parametrize("named", [("P3", "P2"), ("P2", "P3")])
def test_the_one_that_was_merged_away_stands_again_though_its_survivor_was_merged_too(store, named):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P3", "P2"), merge("P2", "P1"), unlink(*named, number=6))
    assert fid_of(store, "P2") == fid_of(store, "P1") != fid_of(store, "P3")


def test_a_record_merged_into_one_that_was_merged_follows_it_and_goes_with_it(store):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P2", "P1"), merge("P3", "P2"))
    assert of(store, "P3")["link"][0]["other"] == {"reference": f"Patient/{of(store, 'P2')['id']}"}
    assert fid_of(store, "P3") == fid_of(store, "P1")
    plans(store, unlink("P1", "P2", number=6))
    assert fid_of(store, "P3") == fid_of(store, "P2") != fid_of(store, "P1")


def test_a_record_merged_elsewhere_is_not_merged_again(store):
    for number in ("P1", "P2", "P3"):
        tell(store, patient(number))
    plans(store, merge("P2", "P1"))
    with pytest.raises(Refused, match="was merged into"):
        plans(store, merge("P2", "P3"))


def test_what_has_no_number_of_its_own_goes_with_the_record_of_its_number(store, joined):
    told_of = {"patient": "patient", "parent": "patient", "child": "kin"}
    subject = {}
    kin = draft("kin", "RelatedPerson", links=[(subject, "patient")], **told_of)
    kin.body["patient"] = subject
    report = observation(guard={"patient": "patient"})
    plan = tell(store, patient("P2"), kin, report, number=4, at_us=START_US + 1)
    owners = {one.state.type: one.body.get("patient", one.body.get("subject")) for one in plan.versions}
    assert owners["RelatedPerson"] == {"reference": f"Patient/{of(store, 'P2')['id']}"}
    assert owners["Observation"] == {"reference": f"Patient/{of(store, 'P1')['id']}"}


def two_numbers(store):
    """One record that was told with two numbers at once."""
    entries = [{"system": "urn:county:mrn", "value": value} for value in ("P1", "U1")]
    tell(store, draft(keys=[key("P1"), key("U1")], identifier=entries, gender="male"))


@pytest.mark.parametrize("named", [("P1", "U1"), ("U1", "P1")])
def test_two_numbers_of_one_record_come_apart(store, named):
    two_numbers(store)
    plans(store, unlink(*named, number=4))
    assert fid_of(store, "P1") != fid_of(store, "U1")
    assert (of(store, "P1")["gender"], "gender" in of(store, "U1")) == ("male", False)
    assert [one["value"] for one in of(store, "P1")["identifier"]] == ["P1"]


def test_two_numbers_that_cannot_be_told_apart_are_left_to_a_person(store):
    two_numbers(store)
    plans(store, unlink("P1", "U1", number=4))
    with store.write() as tx:
        (kept,) = tx.aliases("county", [AliasKey("Patient", "urn:county:mrn", "P1")]).values()
        tx.repoint_aliases("county", {AliasKey("Patient", "urn:county:mrn", "U1"): kept})
    with pytest.raises(Refused, match="cannot be told apart"):
        plans(store, unlink("P1", "U1", number=5))


def test_a_merge_of_an_earlier_release_which_moved_the_number_is_undone_too(store, joined):
    system = draft(keys="P2").keys[0].system
    with store.write() as tx:
        (kept,) = tx.aliases("county", [AliasKey("Patient", system, "P1")]).values()
        tx.repoint_aliases("county", {AliasKey("Patient", system, "P2"): kept})
    plans(store, unlink("P1", "P2", number=4))
    assert bare(of(store, "P2")) == joined
    assert fid_of(store, "P2") != fid_of(store, "P1")


def test_a_record_that_said_how_active_it_was_says_it_again_in_its_place(store):
    tell(store, patient("P1"))
    tell(store, patient("P2", active=True, gender="female"), number=2)
    before = bare(of(store, "P2"))
    plans(store, merge("P2", "P1"))
    assert of(store, "P2")["active"] is False
    plans(store, unlink("P1", "P2", number=4))
    assert list(bare(of(store, "P2")).items()) == list(before.items())


def test_two_writers_do_not_merge_in_a_circle(store):
    from gateway.record import write
    from gateway.record.write import Origin
    from gateway.store.failures import Conflict

    for number in ("P1", "P2"):
        tell(store, patient(number))
    with store.read() as tx:
        ready = []
        for message in (merge("P2", "P1"), merge("P1", "P2")):
            bench = Workbench(tx, SECRET, ZONE)
            bench.prefetch([message])
            ready.append(write.prepare(bench.plan(message), Origin("county", "county-his", 9, None), START_US))
    with store.write() as tx:
        write.write(tx, ready[:1], [], START_US)
    with pytest.raises(Conflict), store.write() as tx:
        write.write(tx, ready[1:], [], START_US)
