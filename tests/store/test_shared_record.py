"""One shared record: whichever of a person's Patients a search names, it finds the data of all that its reader may see."""

from functools import cache

import pytest

from gateway.fhir import types
from gateway.search import compartments, parameters
from gateway.search.expression import parse as steps
from gateway.search.extract import leaf_types
from gateway.search.scope import Scope
from gateway.store.values import NewLink
from tests.support.asking import ALL, ids, included, listed, observation, patient, search
from tests.support.search_records import START_US, put

SITES = {"a": "county", "b": "town", "c": "village"}
EVERY = list(SITES)


def link(store, one, other, kind="same", state="active"):
    with store.write() as tx:
        return tx.links_add([NewLink(kind, one, other, state, START_US)])[0]


@pytest.fixture
def pids(store):
    """Patients a, b and c of one person at three sites, and x, who is somebody else; nobody is linked yet."""
    found = {fid: put(store, patient(fid), site=site)[0] for fid, site in SITES.items()}
    return found | {"x": put(store, patient("x"), site="county")[0]}


def chained(store, pids):
    return link(store, pids["a"], pids["b"]), link(store, pids["b"], pids["c"])


def only(*sites, **given):
    return Scope(frozenset(sites), **given)


# --- every parameter of R4 that leads to a patient ----------------------------------------------------------------


@cache
def leading():
    """Type, parameter and path of every place where R4 lets a resource refer to a patient and be searched by it."""
    return [
        (kind, name, path)
        for kind in parameters.types()
        if kind != "Patient"
        for name, parameter in parameters.for_type(kind).items()
        if parameter.kind == "reference" and "Patient" in parameter.targets and parameter.expression
        for path in steps(parameter.expression)[:1]
        if all(step.kind in ("get", "is") for step in path) and "canonical" not in leaf_types(parameter)
    ]


def referring(kind, path, fid, patient_id):
    """A resource that refers to a patient at one place, with nothing else in it."""
    body = place = {"resourceType": kind, "id": fid}
    within = kind
    names = [step.name for step in path[1:] if step.kind == "get"]
    for name in names[:-1]:
        element = types.elements(within)[name]
        inside = {}
        place[name] = [inside] if element.many else inside
        place, within = inside, element.types[0]
    element = types.elements(within)[names[-1]]
    value = {"reference": f"Patient/{patient_id}"}
    place[f"{names[-1]}Reference" if element.choice else names[-1]] = [value] if element.many else value
    return body


def test_every_parameter_of_r4_that_leads_to_a_patient_finds_the_linked_ones(store, pids):
    places = leading()
    assert len({kind for kind, _, _ in places}) > 60
    for fid, site in SITES.items():
        put(store, *(referring(kind, path, f"{fid}{n}", fid) for n, (kind, _, path) in enumerate(places)), site=site)
    chained(store, pids)
    for n, (kind, name, _) in enumerate(places):
        wanted = {f"{fid}{n}" for fid in EVERY}
        for fid in EVERY:
            assert wanted <= set(ids(search(store, kind, (name, f"Patient/{fid}"), ("_count", "500")))), (kind, name)
        alone = set(ids(search(store, kind, (name, "Patient/b"), ("_linked", "false"), ("_count", "500"))))
        assert f"b{n}" in alone and not {each for each in alone if each[0] != "b"}, (kind, name)
        hidden = set(ids(search(store, kind, (name, "Patient/a"), ("_count", "500"), scope=only("county", "village"))))
        assert f"a{n}" in hidden and not {each for each in hidden if each[0] != "a"}, (kind, name)


def test_every_compartment_of_a_person_is_that_of_all_the_records(store, pids):
    places = leading()
    for fid, site in SITES.items():
        put(store, *(referring(kind, path, f"{fid}{n}", fid) for n, (kind, _, path) in enumerate(places)), site=site)
    chained(store, pids)
    members = compartments.members("Patient")
    tried = 0
    for n, (kind, name, _) in enumerate(places):
        if name not in members.get(kind, ()):
            continue
        tried += 1
        for fid in EVERY:
            found = set(ids(search(store, kind, ("_count", "500"), owner=("Patient", fid))))
            assert {f"{each}{n}" for each in EVERY} <= found, (kind, name)
        county = search(store, kind, ("_count", "500"), owner=("Patient", "a"), scope=only("county"))
        assert {each[0] for each in ids(county)} == {"a"}, (kind, name)
    assert tried > 50


# --- the ways to ask ----------------------------------------------------------------------------------------------


@pytest.fixture
def results(store, pids):
    """Two results of each record, in its own site, linked in a chain."""
    for fid, site in SITES.items():
        named = {"subject": {"reference": f"Patient/{fid}"}}
        put(store, observation(f"{fid}1", fid), observation(f"{fid}2", fid, code="789-8"), site=site)
        put(store, {"resourceType": "DiagnosticReport", "id": f"r{fid}", **named}, site=site)
    put(store, observation("x1", "x"), site="county")
    return chained(store, pids)


ALL_SIX = ["a1", "a2", "b1", "b2", "c1", "c2"]


def test_every_way_to_name_a_patient(store, pids, results):
    put(store, patient("d", identifier=[{"system": "urn:card", "value": "7"}], name=[{"text": "马秀英"}]), site="town")
    (fourth,) = (row.pid for row in heads(store, "d"))
    link(store, fourth, pids["c"])
    ways = [
        ("patient", "a"),
        ("patient", "Patient/c"),
        ("subject", "Patient/b"),
        ("subject:Patient", "c"),
        ("patient.identifier", "urn:card|7"),
        ("subject:Patient.name", "马秀"),
        ("patient._id", "a"),
    ]
    for name, value in ways:
        assert sorted(ids(search(store, "Observation", (name, value)))) == ALL_SIX, name
        assert search(store, "Observation", (name, value), ("_summary", "count")).total == 6, name
    assert sorted(ids(search(store, "DiagnosticReport", ("patient", "d")))) == ["ra", "rb", "rc"]
    assert sorted(ids(search(store, "Observation", ("patient", "a"), ("code", "789-8")))) == ["a2", "b2", "c2"]
    assert sorted(ids(search(store, "Observation", ("patient", "a,x")))) == [*ALL_SIX, "x1"]
    assert ids(search(store, "Observation", ("patient.identifier", "urn:card|7"), ("_linked", "false"))) == []


def heads(store, *fids):
    with store.read() as tx:
        return list(tx.heads([("Patient", fid) for fid in fids]).values())


def test_who_may_not_see_a_site_sees_neither_its_data_nor_that_a_link_exists(store, pids, results):
    before = {fid: ids(search(store, "Observation", ("patient", fid), ("_linked", "false"))) for fid in EVERY}
    cases = [
        (only("county"), "a", "a"),
        (only("village", "town"), "c", "bc"),
        (only("county", "village"), "a", "a"),  # the town's record joins the two, and is hidden
        (only("county", "village"), "c", "c"),
        (only("county"), "c", ""),
        (Scope(None, test=True), "a", ""),
    ]
    for scope, fid, seen in cases:
        page = search(store, "Observation", ("patient", fid), ("_total", "accurate"), scope=scope)
        assert sorted(ids(page)) == sorted(each for one in seen for each in before[one]), (scope, fid)
        assert page.total == 2 * len(seen)
        chain = search(store, "Observation", ("patient._id", fid), ("_summary", "count"), scope=scope)
        assert chain.total == 2 * len(seen), (scope, fid)


def test_a_direct_link_lets_the_outer_two_meet_though_the_middle_is_hidden(store, pids, results):
    link(store, pids["a"], pids["c"])
    scope = only("county", "village")
    assert sorted(ids(search(store, "Observation", ("patient", "a"), scope=scope))) == ["a1", "a2", "c1", "c2"]


def test_hidden_labels_hide_the_record_and_what_it_leads_to(store, pids, results):
    (secret,) = put(store, patient("s"), site="county", sensitivity=4)
    put(store, observation("s1", "s"), site="county", sensitivity=4)
    put(store, observation("s2", "s"), site="county")
    link(store, pids["a"], secret)
    assert sorted(ids(search(store, "Observation", ("patient", "a")))) == [*ALL_SIX, "s1", "s2"]
    limited = search(store, "Observation", ("patient", "a"), ("_total", "accurate"), scope=Scope(None, hidden=4))
    assert (sorted(ids(limited)), limited.total) == (ALL_SIX, 6)


def test_includes_follow_the_reference_as_it_is_written(store, pids, results):
    page = search(store, "Observation", ("patient", "a"), ("code", "718-7"), ("_include", "Observation:subject"))
    assert included(page) == ["Patient/a", "Patient/b", "Patient/c"]
    page = search(store, "Patient", ("_id", "a"), ("_revinclude", "Observation:subject"))
    assert included(page) == ["Observation/a1", "Observation/a2"]
    page = search(store, "Observation", ("_id", "b1"), ("_include", "Observation:subject"), scope=only("town"))
    assert included(page) == ["Patient/b"]
    assert ids(search(store, "Patient", ("_has:Observation:patient:_id", "b1"))) == ["b"]
    assert search(store, "Patient", ("_summary", "count")).total == 4


def test_pages_and_totals_stay_right_while_links_come_and_go(store, pids):
    for fid, site in SITES.items():
        put(store, *(observation(f"{fid}{n}", fid) for n in range(5)), site=site)
    asked = (("patient", "a"), ("_count", "2"), ("_total", "accurate"))
    first = search(store, "Observation", *asked)
    assert (ids(first), first.total) == (["a4", "a3"], 5)
    one, two = chained(store, pids)
    second = search(store, "Observation", *asked, cursor=first.next)
    assert (ids(second), second.total) == (["a2", "a1"], 15)
    assert listed(store, "Observation", ("patient", "c"), size=4) == [
        *(f"{fid}{n}" for fid in "cba" for n in (4, 3, 2, 1, 0))
    ]
    middle = search(store, "Observation", ("patient", "c"), ("_count", "7"))
    with store.write() as tx:
        tx.links_end([two], START_US + 9)
    rest = search(store, "Observation", ("patient", "c"), ("_count", "7"), cursor=middle.next)
    assert (ids(middle), ids(rest)) == (["c4", "c3", "c2", "c1", "c0", "b4", "b3"], [])
    with store.write() as tx:
        tx.links_end([one], START_US + 9)
    for fid in EVERY:
        page = search(store, "Observation", ("patient", fid), ("_total", "accurate"))
        assert (sorted(ids(page)), page.total) == ([f"{fid}{n}" for n in range(5)], 5)


def test_links_that_are_proposed_or_have_ended_join_nobody(store, pids):
    put(store, observation("b1", "b"), site="town")
    link(store, pids["a"], pids["b"], state="proposed")
    ended = link(store, pids["a"], pids["b"])
    with store.write() as tx:
        tx.links_end([ended], START_US)
    assert ids(search(store, "Observation", ("patient", "a"))) == []
    assert ids(search(store, "Observation", ("patient", "b"), scope=ALL)) == ["b1"]
