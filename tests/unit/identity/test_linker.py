"""The linker: links come and go with what records say, cases open and close, and what kills it changes nothing."""

import json

import pytest

from gateway.identity.linker import AT, Linker
from gateway.store.failures import Conflict, Fenced
from gateway.store.identity import NewCase
from gateway.store.values import NewLink
from tests.support.patients import MODEL, id_number, judge, keep, patient

ONE, OTHER = id_number(), id_number("19750101", 202)
PHONE, SECOND = "10013579246", "10024681357"


def free(tx):
    """Hold the lease, whoever asks."""


def linker(store, **given):
    return Linker(store, judge, MODEL, **given)


def run(store, **given):
    """Let a linker catch up; return how many changes it dealt with."""
    one, done = linker(store, **given), 0
    while count := one.step(free):
        done += count
    return done


def links(store, *pids):
    with store.read() as tx:
        return {(link.from_pid, link.to_pid): link.made for link in tx.links(pids)}


def cases(store, *pids, state="open"):
    with store.read() as tx:
        return [case for case in tx.cases_of(pids) if case.state == state]


def actions(store, *pids):
    with store.read() as tx:
        return [event.action for event in tx.identity_events(pids)]


def person_link(store, low, high, case_reasons="[]"):
    with store.write() as tx:
        tx.links_add([NewLink("same", low, high, "active", 1, made="person")])
        text = json.dumps({"reasons": case_reasons}) if case_reasons != "[]" else "{}"
        tx.cases_add([NewCase(low, high, 1.0, text, MODEL, 1, "same", 1, "Dr Li")])


def called_different(store, low, high):
    with store.write() as tx:
        tx.cases_add([NewCase(low, high, 1.0, "{}", MODEL, 1, "different", 1, "Dr Li")])


def test_one_person_at_two_sites_is_linked_and_told_why(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=ONE), site="township")
    keep(store, "c", patient("李娜", number=OTHER), site="township")
    assert run(store) == 3
    assert links(store, low, high) == {(low, high): "linker"}
    with store.read() as tx:
        (link,) = tx.links([low], kind="same")
        (event,) = tx.identity_events([low])
        assert tx.tallies("link|") == {"same|linker": 1}
    evidence = json.loads(link.evidence)
    assert (evidence["score"], evidence["reasons"], evidence["model"]) == (30.0, ["number"], MODEL)
    assert (event.action, event.actor, event.low_pid, event.high_pid) == ("linked", "linker", low, high)


def test_records_of_one_person_meet_in_one_batch_and_across_batches(store):
    pids = [keep(store, f"p{n}", patient(number=ONE), site=f"site{n}") for n in range(5)]
    run(store, page=2)
    every = {(low, high) for at, low in enumerate(pids) for high in pids[at + 1 :]}
    assert links(store, *pids).keys() == every


def test_nothing_new_costs_nothing_and_changes_nothing(store):
    keep(store, "a", patient(number=ONE))
    keep(store, "b", patient(number=ONE), site="township")
    one = linker(store)
    assert [one.step(free), one.step(free)] == [2, 0]
    pid = keep(store, "a", patient(number=ONE, photo=[{"title": "new"}]))
    with store.read() as tx:
        before = tx.identity_events([pid])
    assert one.step(free) == 1
    with store.read() as tx:
        assert tx.identity_events([pid]) == before


def test_a_corrected_number_ends_the_link_and_asks_a_person(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=ONE), site="township")
    run(store)
    keep(store, "b", patient(number=OTHER), site="township")
    run(store)
    assert links(store, low, high) == {}
    (case,) = cases(store, low)
    assert (case.low_pid, case.high_pid, case.model) == (low, high, MODEL)
    assert [reason[0] for reason in json.loads(case.reasons)["reasons"]] == ["was-linked", "other-number"]
    assert actions(store, low) == ["linked", "unlinked", "proposed"]
    keep(store, "b", patient("张玮", number=OTHER), site="township")
    run(store)
    assert len(cases(store, low)) == 1  # it waits for a person, whatever comes


def test_a_doubtful_pair_is_asked_about_once_and_closed_when_nothing_speaks_for_it(store):
    low = keep(store, "a", patient("张伟", phone=PHONE))
    high = keep(store, "b", patient("张文", phone=PHONE), site="township")
    run(store)
    keep(store, "b", patient("张文", phone=PHONE, number=OTHER), site="township")
    run(store)
    (case,) = cases(store, low)
    assert (case.score, links(store, low)) == (8.0, {})
    keep(store, "b", patient("张文", phone=SECOND), site="township")
    run(store)
    assert (cases(store, low), len(cases(store, high, state="settled"))) == ([], 1)
    assert actions(store, low) == ["proposed", "settled"]


def test_a_doubt_is_settled_by_what_proves_it(store):
    low = keep(store, "a", patient("张伟", phone=PHONE))
    keep(store, "b", patient("张卫", phone=PHONE), site="township")
    run(store)
    assert len(cases(store, low)) == 1
    keep(store, "b", patient("张伟", phone=PHONE), site="township")
    run(store)
    assert (cases(store, low), len(links(store, low))) == ([], 1)


def test_a_record_that_contradicts_any_member_is_not_linked_but_asked_about(store):
    known = keep(store, "a", patient(number=ONE, phone=PHONE))
    bare = keep(store, "b", patient(phone=PHONE), site="township")
    run(store)
    assert links(store, bare) == {(known, bare): "linker"}
    twin = keep(store, "c", patient(number=OTHER, phone=PHONE), site="village")
    run(store)
    assert links(store, twin) == {}
    (case,) = cases(store, twin)
    assert (case.low_pid, case.high_pid) == (bare, twin)
    assert json.loads(case.reasons)["reasons"][0][0] == "member-apart"


def test_two_persons_with_many_records_each_have_one_case(store):
    for n in range(3):
        keep(store, f"a{n}", patient("张伟", number=ONE, phone=PHONE), site=f"site{n}")
    pids = [keep(store, f"b{n}", patient("张卫", phone=PHONE), site=f"other{n}") for n in range(3)]
    run(store)
    assert len(cases(store, *pids)) == 1
    (case,) = cases(store, *pids)
    keep(store, "a0", patient("李娜"), site="site0")
    run(store)
    again = cases(store, *pids)
    assert len(again) == 1  # now about another of the records
    assert case.low_pid not in (again[0].low_pid, again[0].high_pid)


def test_a_telephone_that_very_many_share_does_not_ask_about_every_pair(store):
    pids = [keep(store, f"p{n}", patient(f"张{chr(0x4F1F + n)}", phone=PHONE), site=f"site{n}") for n in range(2)]
    names = "卫微文武伍吴威旺"
    pids += [keep(store, f"q{n}", patient(f"张{name}", phone=PHONE), site=f"other{n}") for n, name in enumerate(names)]
    run(store, page=1)
    asked = [case for case in cases(store, *pids) if pids[-1] in (case.low_pid, case.high_pid)]
    assert len(asked) == 3
    assert all("crowded" in case.reasons for case in asked)


def test_what_a_person_called_different_stays_apart_even_through_others(store):
    low = keep(store, "a", patient(phone=PHONE))
    high = keep(store, "b", patient(phone=PHONE), site="township")
    called_different(store, low, high)
    run(store)
    assert links(store, low, high) == {}
    between = keep(store, "c", patient(phone=PHONE), site="village")
    run(store)
    assert list(links(store, between)) == [(low, between)]
    assert cases(store, low, high, between) == []
    keep(store, "b", patient(phone=PHONE, photo=[{}], gender="male"), site="township")
    run(store)
    assert links(store, high) == {}


def test_what_a_person_linked_stays_and_is_asked_about_when_it_is_contradicted(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient("张卫"), site="township")
    run(store)
    person_link(store, low, high)
    keep(store, "b", patient("张卫", number=OTHER), site="township")
    run(store)
    assert links(store, low) == {(low, high): "person"}
    (case,) = cases(store, low)
    with store.write() as tx:
        tx.case_decide(case.id, "same", "Dr Li", "I know both", 5)
    keep(store, "b", patient("张卫", number=OTHER, phone=PHONE), site="township")
    run(store)
    assert cases(store, low) == []  # she has seen just that


def test_a_deleted_record_loses_its_evidence_its_links_and_its_cases(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=ONE), site="township")
    third = keep(store, "c", patient("李娜", number=ONE), site="village")
    run(store)
    assert (len(links(store, low)), len(cases(store, third))) == (1, 1)
    keep(store, "a", {}, deleted=True)
    run(store)
    with store.read() as tx:
        assert (tx.evidence([low]), tx.blocks_of([low]), len(tx.evidence([high]))) == ({}, {}, 1)
    assert links(store, low, high) == {}
    assert [case.low_pid for case in cases(store, third)] == [high]
    assert "deleted" in actions(store, low)
    keep(store, "a", patient(number=ONE))
    run(store)
    assert links(store, low) == {(low, high): "linker"}


def test_test_records_never_meet_the_record(store):
    keep(store, "a", patient(number=ONE))
    first = keep(store, "b", patient(number=ONE), site="township", test=True)
    second = keep(store, "c", patient(number=ONE), site="village", test=True)
    run(store)
    assert links(store, first, second) == {(first, second): "linker"}


def test_a_merge_that_joins_two_persons_who_contradict_each_other_ends_a_link(store):
    here, there = keep(store, "a", patient(number=ONE)), keep(store, "b", patient(number=OTHER))
    far = keep(store, "c", patient(number=ONE), site="township")
    farther = keep(store, "d", patient(number=OTHER), site="village")
    run(store)
    assert links(store, here, there) == {(here, far): "linker", (there, farther): "linker"}
    with store.write() as tx:
        tx.links_add([NewLink("replaced-by", there, here, "active", 1)])
    keep(
        store,
        "b",
        patient(number=OTHER, active=False, link=[{"type": "replaced-by", "other": {"reference": "Patient/a"}}]),
    )
    run(store)
    left = links(store, here, there, far, farther)
    assert left[there, here] == "message"
    assert len(left) < 3
    assert cases(store, far, farther)


def test_a_record_that_cannot_be_read_or_judged_stays_by_itself(store, monkeypatch, caplog):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=ONE), site="township")
    third = keep(store, "c", patient(number=ONE), site="village")

    def moody(one, other):
        if "village" in (one.site, other.site):
            raise ValueError("no opinion")
        return judge(one, other)

    one = Linker(store, moody, MODEL)
    assert one.step(free) == 3
    assert list(links(store, low, high, third)) == [(low, high)]
    assert "cannot be compared" in caplog.text
    monkeypatch.setattr("gateway.identity.linker.of_patient", lambda body, site: 1 / 0)
    keep(store, "c", patient(number=OTHER), site="village")
    assert one.step(free) == 1
    assert "cannot be read" in caplog.text


def test_a_block_that_many_share_is_cut_and_counted(store):
    for n in range(6):
        keep(store, f"p{n}", patient(phone=PHONE), site=f"site{n}")
    run(store)
    last = keep(store, "last", patient(phone=PHONE), site="last")
    run(store, most=3)
    assert len(links(store, last)) == 3
    with store.read() as tx:
        assert sum(tx.tallies("cut|").values()) >= 1
        event = tx.identity_events([last])[-1]
    assert json.loads(event.evidence)["cut"]


def test_more_records_than_one_person_may_have_are_asked_about(store):
    pids = [keep(store, f"p{n}", patient(number=ONE), site=f"site{n}") for n in range(65)]
    run(store)
    assert (len(links(store, pids[0])), links(store, pids[-1])) == (63, {})
    (case,) = cases(store, *pids)
    assert json.loads(case.reasons)["reasons"][0][0] == "too-many"


def test_a_linker_that_lost_its_lease_or_was_overtaken_writes_nothing(store):
    low = keep(store, "a", patient(number=ONE))
    keep(store, "b", patient(number=ONE), site="township")

    def gone(tx):
        raise Fenced("another one links now")

    one = linker(store)
    with pytest.raises(Fenced):
        one.step(gone)
    with store.read() as tx:
        assert (tx.cursor(AT), tx.evidence([low])) == (0, {})

    def decides(fence_of):
        with store.write() as tx:
            tx.identity_take_turn()

    outcome = one._outcome
    one._outcome = lambda batch: (decides(batch), outcome(batch))[1]
    with pytest.raises(Conflict):
        one.step(free)
    one._outcome = outcome
    assert one.step(free) == 2
    assert len(links(store, low)) == 1


def test_evidence_made_anew_from_the_first_change_on_gives_the_same_links(store):
    low = keep(store, "a", patient(number=ONE))
    high = keep(store, "b", patient(number=ONE), site="township")
    one = linker(store)
    one.step(free)
    with store.write() as tx:
        tx.identity_take_turn()
        tx.cursor_set(AT, 0)
    keep(store, "c", patient(number=OTHER), site="village")
    assert one.step(free) == 3
    assert one.step(free) == 0
    assert links(store, low) == {(low, high): "linker"}
    assert actions(store, low) == ["linked"]
