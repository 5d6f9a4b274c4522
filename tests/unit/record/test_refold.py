"""Refolding: the same messages told anew make no version, a changed mapping makes one."""

from gateway.record import write
from gateway.record.refold import Refolding
from gateway.record.states import Plan
from gateway.record.write import Origin
from gateway.search.scope import Scope
from tests.unit.record.make import SECRET, START_US, ZONE, draft, key, observation, patient, tell, told

ALL = Scope(sites=None)


def refold(store, names, *messages):
    with store.read() as tx:
        bench = Refolding(tx, SECRET, ZONE, set(names))
        bench.prefetch(list(messages))
        for message in messages:
            bench.adopt(bench.plan(message))
        changed, untold = bench.changed(), bench.untold()
    effect = write.prepare(Plan(changed), Origin("county", "county-his", 99, 2), START_US + 9)
    with store.write() as tx:
        write.write(tx, [effect], [], START_US + 9)
    return changed, untold


def names_of(plan):
    return [(planned.state.type, planned.state.fid) for planned in plan.versions]


def test_the_same_mapping_makes_no_version(store):
    messages = (
        told(patient(gender="male"), observation(status="preliminary")),
        told(patient(gender="female", birthDate="1990-01-01"), observation(), number=2, at_us=START_US + 1),
    )
    names = names_of(tell(store, *messages[0].mapped.drafts))
    tell(store, *messages[1].mapped.drafts, number=2, at_us=START_US + 1)
    assert refold(store, names, *messages) == ([], [])


def test_a_changed_mapping_makes_one_new_version(store):
    names = names_of(tell(store, patient(gender="male")))
    tell(store, patient(birthDate="1990-01-01"), number=2, at_us=START_US + 1)
    changed, untold = refold(
        store,
        names,
        told(patient(gender="other")),
        told(patient(birthDate="1990-01-02"), number=2, at_us=START_US + 1),
    )
    assert ([planned.ver for planned in changed], untold) == ([3], [])
    versions = store.resources.history("Patient", names[0][1], ALL)
    assert [version.ver for version in versions] == [3, 2, 1]
    assert b'"gender":"other"' in versions[0].body
    assert b'"birthDate":"1990-01-02"' in versions[0].body


def test_what_no_message_tells_of_any_more_is_named_and_left(store):
    names = names_of(tell(store, patient(), observation()))
    changed, untold = refold(store, names, told(patient()))
    assert changed == []
    assert untold == [f"Observation/{fid}" for kind, fid in names if kind == "Observation"]


def test_a_resource_that_is_not_told_anew_keeps_its_body(store):
    tell(store, patient(gender="male"))
    changed, _ = refold(store, [], told(patient(gender="male", birthDate="1990-01-01"), at_us=START_US + 1))
    assert [planned.ver for planned in changed] == [2]
    assert changed[0].body["gender"] == "male"


def test_a_number_the_changed_mapping_adds_names_the_resource_for_the_next_message(store):
    names = names_of(tell(store, patient(gender="male")))
    both = draft(keys=[key("P1"), key("C9", "urn:county:card")], gender="male")
    card = draft(keys=[key("C9", "urn:county:card")], birthDate="1990-01-01")
    changed, _ = refold(store, names, told(both), told(card, number=2, at_us=START_US + 1))
    assert [planned.state.fid for planned in changed] == [names[0][1]]
    assert changed[0].body["birthDate"] == "1990-01-01"
