"""Includes on each database: each resource once, as far as the scope sees, and what was cut is said."""

import pytest

from gateway.search.scope import Scope
from gateway.store.query import Reach
from tests.support.asking import ids, included, listed, observation, patient, search
from tests.support.search_records import Json, change, put

H1 = Scope(frozenset({"h1"}))


def encounter(fid: str, of: str, **given) -> Json:
    return {"resourceType": "Encounter", "id": fid, "status": "finished", "subject": {"reference": of}, **given}


def refer(where: str, *targets: str) -> Json:
    return {where: [{"reference": target} for target in targets]}


def test_each_resource_once_and_no_match_again(store):
    put(store, patient("p0"), patient("p1", link=[{"other": {"reference": "Patient/p0"}, "type": "seealso"}]))
    put(store, observation("a"), observation("b"), observation("c", "p1", **refer("derivedFrom", "Observation/a")))
    page = search(store, "Observation", ("_include", "Observation:subject"), ("_include", "*"))
    assert included(page) == ["Patient/p0", "Patient/p1"]
    page = search(store, "Patient", ("_include", "Patient:link"), ("_revinclude", "Observation:patient"))
    assert included(page) == ["Observation/a", "Observation/b", "Observation/c"]
    assert page.notes == ()


def test_a_wildcard_follows_every_reference_of_the_matches_only(store):
    put(store, patient("p0"), encounter("e0", "Patient/p0"))
    put(store, observation("o0", encounter={"reference": "Encounter/e0"}, **refer("performer", "Practitioner/x")))
    put(store, {"resourceType": "Practitioner", "id": "x"})
    everything = ["Encounter/e0", "Patient/p0", "Practitioner/x"]
    assert included(search(store, "Observation", ("_include", "*"))) == everything
    assert included(search(store, "Observation", ("_include", "Observation:*"))) == everything
    assert included(search(store, "Observation", ("_include", "Observation:*:Patient"))) == ["Patient/p0"]
    found = search(store, "Patient", ("_revinclude", "*"))
    assert included(found) == ["Encounter/e0", "Observation/o0"]
    assert included(search(store, "Patient", ("_revinclude", "Observation:*"))) == ["Observation/o0"]


def test_targets_narrow_and_the_wrong_parameter_leads_nowhere(store):
    put(store, patient("p0"), {"resourceType": "Group", "id": "g", "type": "person", "actual": True})
    put(store, observation("o0"), observation("o1", subject={"reference": "Group/g"}))
    assert included(search(store, "Observation", ("_include", "Observation:subject:Group"))) == ["Group/g"]
    assert included(search(store, "Observation", ("_include", "Observation:patient:Group"))) == []
    assert included(search(store, "Observation", ("_include", "Observation:patient"))) == ["Patient/p0"]
    assert included(search(store, "Group", ("_revinclude", "Observation:subject"))) == ["Observation/o1"]
    assert included(search(store, "Group", ("_revinclude", "Observation:patient"))) == []
    assert included(search(store, "Group", ("_revinclude", "Observation:subject:Patient"))) == []


def test_a_target_that_came_later_is_included_in_both_directions(store):
    put(store, observation("early", "late"))
    put(store, patient("late"))
    assert included(search(store, "Observation", ("_include", "Observation:subject"))) == ["Patient/late"]
    assert included(search(store, "Patient", ("_revinclude", "Observation:subject"))) == ["Observation/early"]


def test_targets_that_are_absent_contained_or_elsewhere_are_none(store):
    elsewhere = "http://elsewhere.example/Practitioner/1"
    given = refer("performer", "#inside", elsewhere, "Practitioner/gone")
    put(store, observation("o0", contained=[{"resourceType": "Practitioner", "id": "inside"}], **given))
    assert included(search(store, "Observation", ("_include", "Observation:performer"))) == []


def test_a_reference_to_a_version_includes_that_version(store):
    (pid,) = put(store, patient("p0", gender="male"))
    change(store, pid, 2, patient("p0", gender="female"))
    versions = [f"Patient/p0/_history/{ver}" for ver in (1, 2, 9)]
    put(
        store,
        *(observation(f"o{n}", subject={"reference": text}) for n, text in enumerate(versions)),
        observation("o3"),
    )
    asked = ("_include", "Observation:subject")
    for fid, wanted in (("o0", [1]), ("o1", [2]), ("o2", []), ("o3", [2]), ("o0,o3", [1, 2]), ("o1,o3", [2])):
        page = search(store, "Observation", asked, ("_id", fid))
        assert sorted(hit.ver for hit in page.includes) == wanted
    assert included(search(store, "Observation", ("_include", "Observation:subject:Group"))) == []


def test_iterating_goes_on_from_what_was_included(store):
    put(store, *(patient(f"p{n}", **link(n + 1)) for n in range(5)))
    put(store, observation("o0", "p0"))
    start = ("_include", "Observation:subject")
    assert included(search(store, "Observation", start, ("_include:iterate", "Patient:link"))) == [
        f"Patient/p{n}" for n in range(5)
    ]
    back = search(store, "Patient", ("_id", "p4"), ("_revinclude:iterate", "Patient:link"))
    assert included(back) == [f"Patient/p{n}" for n in range(4)]
    assert back.notes == ()
    cut = search(store, "Patient", ("_id", "p4"), ("_revinclude:iterate", "Patient:link"), reach=Reach(rounds=2))
    assert included(cut) == ["Patient/p1", "Patient/p2", "Patient/p3"]
    assert "followed 2 times" in cut.notes[0].text


def link(n: int) -> Json:
    return {"link": [{"other": {"reference": f"Patient/p{n}"}, "type": "seealso"}]}


def test_a_ring_of_references_ends(store):
    put(store, patient("p0", **link(1)), patient("p1", **link(0)))
    page = search(store, "Patient", ("_id", "p0"), ("_include:iterate", "*"), ("_revinclude:iterate", "*"))
    assert included(page) == ["Patient/p1"]
    assert page.notes == ()


@pytest.mark.parametrize("most", [1, 3, 5, 6])
def test_what_is_cut_is_said(store, most):
    put(store, patient("p0"), *(observation(f"o{n}") for n in range(5)))
    page = search(store, "Patient", ("_revinclude", "Observation:subject"), reach=Reach(included=most))
    assert [hit.fid for hit in page.includes] == [f"o{4 - n}" for n in range(min(most, 5))]
    assert bool(page.notes) == (most < 5)
    page = search(store, "Observation", ("_include", "Observation:subject"), reach=Reach(included=1))
    assert (included(page), page.notes) == (["Patient/p0"], ())


def test_many_references_are_read_to_the_end(store):
    put(store, patient("p0"), *(observation(f"o{n}") for n in range(300)))
    page = search(store, "Patient", ("_revinclude", "Observation:subject"))
    assert len(page.includes) == len({hit.fid for hit in page.includes}) == 300


def test_what_the_scope_hides_is_neither_included_nor_counted_as_cut(store):
    put(store, patient("p0"))
    put(store, patient("p1"), *(observation(f"x{n}", "p0") for n in range(3)), site="h2")
    put(store, observation("o0"), observation("o1", "p1"), observation("o2", "p1", **refer("performer", "Patient/p0")))
    asked = ("_revinclude", "Observation:subject")
    page = search(store, "Patient", asked, scope=H1, reach=Reach(included=1))
    assert (included(page), page.notes) == (["Observation/o0"], ())
    page = search(store, "Observation", ("_include", "Observation:subject"), scope=H1, reach=Reach(included=1))
    assert (included(page), page.notes) == (["Patient/p0"], ())
    page = search(store, "Observation", ("_include", "*"), ("_revinclude:iterate", "*"), scope=H1)
    assert included(page) == ["Patient/p0"]


def test_includes_belong_to_the_matches_of_their_page(store):
    put(store, patient("p0"), patient("p1"), observation("o0", "p0"), observation("o1", "p1"))
    first = search(store, "Observation", ("_include", "Observation:subject"), ("_count", "1"))
    assert (ids(first), included(first)) == (["o1"], ["Patient/p1"])
    assert listed(store, "Observation", ("_include", "Observation:subject"), size=1) == ["o1", "o0"]
    assert search(store, "Observation", ("_include", "*"), ("_count", "0")).includes == []


def test_a_deleted_target_is_not_included(store):
    (pid,) = put(store, patient("p0"))
    put(store, observation("o0"))
    with store.write() as tx:
        tx.session.do("UPDATE resource SET deleted=1 WHERE pid=?", (pid,))
    assert search(store, "Observation", ("_include", "Observation:subject")).includes == []
