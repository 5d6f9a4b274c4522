"""Histories of a resource, a type and everything, as another system reads them and goes on reading."""

import pytest

from gateway.conformance import structure
from gateway.store.values import Op
from tests.store.make import version
from tests.web.county import HISTORY
from tests.web.test_read import outcome
from tests.web.test_search import link


def told(bundle):
    """What the entries of a history are of: id and version."""
    return [
        f"{entry['fullUrl'].rpartition('/')[2]}/{entry['response']['etag'][3:-1]}" for entry in bundle.get("entry", [])
    ]


def paged(web, address):
    """Every entry of a history, page by page, and its last page."""
    seen = []
    while address:
        bundle = web.fhir(address)
        seen += told(bundle)
        address = link(bundle, "next")
    return seen, bundle


def test_it_pages_newest_first_and_its_links_lead_on(web):
    seen, address = [], f"Observation/{web.results[0]}/_history?_count=3"
    for _ in range(2):
        bundle = web.fhir(address)
        assert structure.check(bundle) == []
        assert bundle["total"] == HISTORY
        seen += [entry["response"]["etag"] for entry in bundle["entry"]]
        address = link(bundle, "next")
    assert seen == ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']
    assert not address


def test_since_a_moment(web):
    path = f"Observation/{web.results[0]}/_history"
    found = web.fhir(f"{path}?_since=2026-01-04T00:00:00%2B00:00")
    assert [entry["resource"]["meta"]["versionId"] for entry in found["entry"]] == ["4", "3"]
    assert "total" not in found
    pages, _ = paged(web, f"{path}?_since=2026-01-04T00:00:00Z&_count=1")
    assert [one[-1] for one in pages] == ["4", "3"]
    late = web.fhir(f"{path}?_since=2027")
    assert late["link"][0]["url"].endswith("_since=2027")
    assert (told(late), late["meta"]["lastUpdated"]) == ([], "2026-12-31T16:00:00.000Z")


def test_since_is_inclusive_to_the_microsecond(web):
    path = f"Observation/{web.results[0]}/_history"
    newest = web.fhir(path)["entry"][0]["response"]["lastModified"]
    assert newest == "2026-01-05T00:00:00.000Z"
    assert len(told(web.fhir(f"{path}?_since=2026-01-05T00:00:00.000000Z"))) == 1
    assert told(web.fhir(f"{path}?_since=2026-01-05T00:00:00.000001Z")) == []
    assert web.fhir(path)["meta"]["lastUpdated"] == "2026-01-05T00:00:00.000001Z"


def test_what_was_current_at_a_moment(web):
    path = f"Observation/{web.results[0]}/_history"
    assert [one[-1] for one in told(web.fhir(f"{path}?_at=2026-01-03T12:00:00Z"))] == ["2"]
    assert [one[-1] for one in told(web.fhir(f"{path}?_at=2026-01-04T00:00:00Z&_sort=_lastUpdated"))] == ["3"]
    assert sorted(one[-1] for one in told(web.fhir(f"{path}?_at=2026-01-03"))) == ["1", "2"]
    assert told(web.fhir(f"{path}?_at=2020")) == []
    everything, last = paged(web, "_history?_at=2026-01-01T12:00:00Z&_count=2")
    assert len(everything) == len(set(everything)) == 9
    assert {one[-1] for one in everything} == {"1"}
    assert not link(last, "monitor")
    assert "meta" not in last


def test_of_a_type_and_of_everything(web):
    results, _ = paged(web, "Observation/_history?_count=4")
    people, _ = paged(web, "Patient/_history?_count=2")
    both, _ = paged(web, "_history?_count=5")
    assert sorted(both) == sorted(results + people)
    assert [one for one in both if one in set(results)] == results
    assert (len(results), len(set(results))) == (8 + HISTORY - 1, 8 + HISTORY - 1)
    assert people[-2:] == ["gone/2", "gone/1"]
    assert paged(web, "_history?_count=5&_sort=_lastUpdated")[0] == both[::-1]
    _, deleted = web.fhir("Patient/_history?_count=2&_sort=_lastUpdated")["entry"]
    assert deleted["request"] == {"method": "DELETE", "url": "Patient/gone"}
    assert "resource" not in deleted
    assert web.fhir("Encounter/_history").get("entry") is None


def test_nothing_yet_still_tells_where_to_go_on(web):
    bundle = web.fhir("Slot/_history")
    assert structure.check(bundle) == []
    assert bundle["meta"]["lastUpdated"] == "1970-01-01T00:00:00.000Z"
    assert told(web.fhir(link(bundle, "monitor"))) == []


def test_a_client_goes_on_by_link_or_by_moment(web):
    start = web.fhir("Basic/_history?_count=0")
    assert "entry" not in start
    by_link, since = link(start, "monitor"), start["meta"]["lastUpdated"]
    seen, again = [], []
    for number in range(3):
        with web.store.write() as tx:
            pids = tx.allocate(2)
            moment = tx.moment(0)
            tx.put([version(pid, f"n{pid}", type="Basic", updated_us=moment) for pid in pids])
        entries, last = paged(web, by_link)
        by_link = link(last, "monitor")
        seen += sorted(entries)
        bundle = web.fhir(f"Basic/_history?_since={since}&_count=50")
        since = bundle["meta"]["lastUpdated"]
        again += sorted(told(bundle))
        assert len(seen) == 2 * number + 2
    assert seen == again
    assert len(set(seen)) == 6


def test_a_page_stays_as_it_was_while_others_write(web):
    first = web.fhir("Flag/_history?_count=1")
    assert not link(first, "next")
    with web.store.write() as tx:
        pid = tx.allocate(1)[0]
        moment = tx.moment(0)
        tx.put(
            [
                version(pid, "f", n, type="Flag", op=Op.CREATE if n == 1 else Op.UPDATE, updated_us=moment)
                for n in (1, 2)
            ]
        )
    page = web.fhir("Flag/_history?_count=1")
    with web.store.write() as tx:
        tx.put([version(pid, "f", 3, type="Flag", updated_us=tx.moment(0))])
    following = web.fhir(link(page, "next"))
    assert (told(page), told(following), link(following, "next")) == (["f/2"], ["f/1"], "")
    assert told(web.fhir(link(page, "monitor"))) == told(web.fhir(link(following, "monitor"))) == ["f/3"]


def test_every_patient_of_a_page_is_audited(web):
    before = len(web.store.audit.rows(limit=1000))
    bundle = web.fhir("Observation/_history?_count=2")
    rows = [row for _, row in web.store.audit.rows(limit=1000)][: len(web.store.audit.rows(limit=1000)) - before]
    assert {(row.action, row.type, row.outcome) for row in rows} == {("history", "Observation", "success")}
    assert len(told(bundle)) == 2
    assert rows[0].patient
    assert outcome(web.get("/fhir/Patient/none/_history"), 404)
    assert web.store.audit.rows(limit=1)[0][1].outcome == "not-found"


def test_a_page_of_nothing(web):
    assert outcome(web.get("/fhir/Foo/_history"), 404)
    assert outcome(web.get("/fhir/Patient/a b/_history"), 404)
    bundle = web.fhir(f"Observation/{web.results[0]}/_history?_count=0")
    assert ("entry" in bundle, bundle["total"]) == (False, HISTORY)


@pytest.mark.parametrize(
    "query",
    [
        "_count=x",
        "_count=-1",
        "_count=²",
        "foo=1",
        "_at=soon",
        "_at=",
        "_since=soon",
        "_sort=name",
        "_since=2026&_since=2027",
        "_list=42",
        "_page=x",
        "_page=",
    ],
)
@pytest.mark.parametrize("place", ["Observation/_history", "_history"])
def test_it_refuses_what_it_cannot_read(web, place, query):
    issue = outcome(web.get(f"/fhir/{place}?{query}"), 400)
    assert issue["expression"] == [query.partition("=")[0]]


def test_a_page_link_is_good_for_its_own_place_alone(web):
    url = link(web.fhir("Observation/_history?_count=1"), "next")
    for place in ("Patient/_history", "_history", f"Observation/{web.results[0]}/_history"):
        issue = outcome(web.get(url.replace("/Observation/_history", f"/{place}")), 400)
        assert issue["expression"] == ["_page"]
    assert outcome(web.get(f"{url}&_count=5"), 400)["expression"] == ["_count"]
    searched = link(web.fhir("Observation?_count=1"), "next")
    assert outcome(web.get(searched.replace("/Observation?", "/Observation/_history?")), 400)
