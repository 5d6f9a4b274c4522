"""Review: a person's word links, parts or leaves two records, and what it answers need not be asked again."""

import pytest

from gateway.errors import GatewayError
from gateway.identity import review
from gateway.identity.explain import explain
from gateway.store.values import NewLink
from tests.support.patients import id_number, judge, keep, patient
from tests.unit.identity.test_linker import actions, cases, links, run

ONE, OTHER = id_number(), id_number("19750101", 202)
PHONE = "10013579246"
LI = review.person("Dr Li")


def doubtful(store):
    """Return two records in doubt and their case."""
    low = keep(store, "a", patient("张伟", phone=PHONE))
    high = keep(store, "b", patient("张卫", phone=PHONE), site="township")
    run(store)
    (case,) = cases(store, low, high)
    return low, high, case


def decide(store, case, choice, note=""):
    return review.decide(store, judge, case.id, choice, LI, note)


def test_same_links_two_records_whatever_they_say_later(store):
    low, high, case = doubtful(store)
    done = decide(store, case, "same", "asked him")
    assert (done.state, done.linked, done.unlinked, done.told) == ("same", [(low, high)], [], [])
    assert links(store, low) == {(low, high): "person"}
    (held,) = cases(store, low, state="same")
    assert (held.actor, held.note) == ("Dr Li", "asked him")
    assert actions(store, low) == ["proposed", "decided-same"]
    keep(store, "b", patient("李娜", phone="10035792468"), site="township")
    run(store)
    assert links(store, low) == {(low, high): "person"}


def test_different_keeps_two_records_apart_and_later_lets_them_wait(store):
    low, high, case = doubtful(store)
    assert decide(store, case, "later", "ask the daughter").state == "later"
    assert [one.note for one in cases(store, low, state="later")] == ["ask the daughter"]
    decide(store, case, "different")
    keep(store, "b", patient("张伟", phone=PHONE), site="township")
    run(store)
    assert (links(store, low, high), cases(store, low, high)) == ({}, [])


def test_different_ends_what_the_linker_made_also_through_others(store):
    pids = [keep(store, f"p{n}", patient(number=ONE), site=f"site{n}") for n in range(3)]
    run(store)
    done = review.decide_pair(store, judge, ("Patient/p0", "p2"), "different", LI)
    assert (pids[0], pids[2]) in done.unlinked
    assert len(done.unlinked) == 2
    assert len(links(store, *pids)) == 1
    keep(store, "p1", patient(number=ONE, gender="male"), site="site1")
    run(store)
    assert len(links(store, *pids)) == 1
    done = review.decide_pair(store, judge, ("p0", "p2"), "same", LI, "the card was read twice")
    assert done.linked == [(pids[0], pids[2])]


def test_a_decision_against_a_veto_is_told_or_refused(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=OTHER), site="township")
    friend = keep(store, "c", patient(number=OTHER), site="village")
    run(store)
    done = review.decide_pair(store, judge, ("a", "b"), "same", LI)
    assert len(done.told) == 2
    assert "Patient/a and Patient/b contradict each other" in done.told[0]
    assert links(store, low) == {(low, high): "person"}
    with pytest.raises(GatewayError, match="by what a person decided"):
        review.decide_pair(store, judge, ("a", "c"), "same", LI)
        review.decide_pair(store, judge, ("b", "c"), "same", LI)
        review.decide_pair(store, judge, ("a", "b"), "different", LI)
    assert (low, friend) in links(store, low)


def test_two_that_were_called_different_are_not_made_one_through_a_third(store):
    keep(store, "a", patient("张伟"))
    keep(store, "b", patient("张卫"), site="township")
    keep(store, "c", patient("张微"), site="village")
    run(store)
    review.decide_pair(store, judge, ("a", "b"), "different", LI)
    review.decide_pair(store, judge, ("a", "c"), "same", LI)
    with pytest.raises(GatewayError, match="Decide that pair anew first"):
        review.decide_pair(store, judge, ("b", "c"), "same", LI)


def test_a_merge_is_not_undone_by_a_decision(store):
    here, gone = keep(store, "a", patient()), keep(store, "b", patient())
    with store.write() as tx:
        tx.links_add([NewLink("replaced-by", gone, here, "active", 1)])
    with pytest.raises(GatewayError, match="by a merge"):
        review.decide_pair(store, judge, ("a", "b"), "different", LI)


def test_other_cases_of_two_persons_are_answered_too(store):
    low, high, case = doubtful(store)
    third = keep(store, "c", patient("张武", phone=PHONE), site="village")
    run(store)
    assert len(cases(store, low, high, third)) == 3
    decide(store, case, "same")
    assert sorted((one.low_pid, one.high_pid) for one in cases(store, third)) == [(low, third), (high, third)]
    review.decide_pair(store, judge, ("a", "c"), "different", LI)
    assert cases(store, third) == []
    assert len(cases(store, third, state="settled")) == 1


def test_what_cannot_be_decided_is_refused_in_a_sentence(store):
    keep(store, "a", patient())
    keep(store, "t", patient(), test=True)
    for ends, why in ((("a", "x"), "no Patient x"), (("a", "Patient/a"), "one and the same"), (("a", "t"), "test")):
        with pytest.raises(GatewayError, match=why):
            review.decide_pair(store, judge, ends, "same", LI)
    with pytest.raises(GatewayError, match="no case 9"):
        review.decide(store, judge, 9, "same", LI)
    with pytest.raises(GatewayError, match="give a name"):
        review.person("  ")


def test_a_person_of_too_many_records_is_refused(store):
    for n in range(64):
        keep(store, f"p{n}", patient(number=ONE), site=f"site{n}")
    keep(store, "more", patient("李娜"))
    run(store)
    with pytest.raises(GatewayError, match="more than 64"):
        review.decide_pair(store, judge, ("p0", "more"), "same", LI)


def test_a_case_is_shown_with_its_sides_and_who_looked_is_written_down(store):
    low, high, case = doubtful(store)
    keep(store, "c", patient("张伟", phone=PHONE), site="village")
    run(store)
    shown = review.show(store, judge, case.id, LI)
    assert (shown.low.head.fid, shown.high.head.fid) == ("a", "b")
    assert [head.fid for head in shown.low.linked] == ["c"]
    assert shown.low.evidence.phones == (PHONE,)
    assert (shown.decision.verdict, [event.action for event in shown.events]) == ("review", ["proposed"])
    assert {(row.actor, row.patient) for _, row in store.audit.rows()} == {("Dr Li", str(low)), ("Dr Li", str(high))}
    (listed,) = review.listed(store)
    assert (listed.case.id, listed.low.site, listed.high.site) == (case.id, "county", "township")
    assert review.listed(store, ["different"]) == []


def sentences(store, one, other):
    return " ".join(explain(store, judge, (one, other), LI).standing)


def test_explaining_says_why_two_are_linked_or_not(store):
    _, _, case = doubtful(store)
    assert f"Case {case.id} about them waits" in sentences(store, "a", "b")
    decide(store, case, "same")
    assert "Linked directly: same, made by a person" in sentences(store, "b", "a")
    keep(store, "c", patient("张伟", number=ONE, phone=PHONE), site="village")
    keep(store, "d", patient("张伟", number=OTHER), site="village")
    assert "4 changes" not in sentences(store, "a", "c")
    assert "2 changes of Patients behind" in sentences(store, "a", "c")
    assert "has no evidence" in sentences(store, "a", "c")
    run(store)
    assert "through other records" in sentences(store, "b", "c")
    assert "contradict each other" in sentences(store, "a", "d")
    told = explain(store, judge, ("a", "c"), LI)
    assert [one.kind for one in told.met if not one.cut] != []
    assert told.events[-1].action == "linked"
    review.decide_pair(store, judge, ("a", "d"), "different", LI)
    assert "Dr Li decided that they are different" in sentences(store, "a", "d")


def test_explaining_strangers_and_those_who_never_met(store):
    keep(store, "a", patient("张伟", number=ONE))
    keep(store, "b", patient("李娜", phone=PHONE))
    keep(store, "c", patient("张伟", number=ONE), site="village")
    run(store)
    assert "Not linked: it is nothing" in sentences(store, "a", "b")
    with store.write() as tx:
        tx.links_end([link.id for link in tx.links([1, 3])], 5)
    assert "had they met" in sentences(store, "a", "c")
