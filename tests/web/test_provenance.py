"""Provenance: told for every stored version, from its columns."""

import pytest

from gateway.conformance import structure
from tests.web.county import HISTORY
from tests.web.desk import opened, patient
from tests.web.test_read import outcome
from tests.web.test_search import link


def test_every_version_tells_where_it_came_from(web):
    bundle = web.fhir("Provenance?target=Patient/gone")
    assert structure.check(bundle) == []
    deleted, created = [entry["resource"] for entry in bundle["entry"]]
    assert bundle["total"] == 2
    assert created["target"] == [{"reference": "Patient/gone/_history/1", "type": "Patient"}]
    assert created["recorded"] == "2026-01-01T00:00:00.000Z"
    assert created["occurredDateTime"] == "2026-01-01T00:00:00.000Z"
    assert created["policy"] == ["urn:yigong:mapping:d1gest"]
    assert created["activity"]["coding"][0]["code"] == "CREATE"
    assert created["activity"]["text"].startswith("replace:")
    roles = {agent["type"]["coding"][0]["code"]: agent["who"]["identifier"]["value"] for agent in created["agent"]}
    assert roles == {"author": "county", "transmitter": "county-his", "assembler": "d1gest"}
    (entity,) = created["entity"]
    assert entity["what"]["identifier"] == {"system": "urn:yigong:inbox", "value": str(2 << 20)}
    assert entity["what"]["display"].startswith("ORU^R01 MSG2 of feed county-his received 2026-01-01")
    assert (deleted["activity"]["coding"][0]["code"], deleted["reason"]) == ("DELETE", [{"text": "wrong"}])
    assert "dr" in [agent["who"]["display"] for agent in deleted["agent"]]


def test_it_pages_and_reads_back_by_id(web):
    target = f"Observation/{web.results[0]}"
    seen, address = [], f"Provenance?target={target}&_count=3"
    while address:
        bundle = web.fhir(address)
        seen += bundle["entry"]
        address = link(bundle, "next")
    assert len(seen) == HISTORY
    for entry in seen:
        assert web.fhir(entry["fullUrl"]) == entry["resource"]


@pytest.mark.parametrize(
    "query",
    [
        "target=Observation/{}/_history/2",
        "target=http://127.0.0.1:8000/fhir/Observation/{}/_history/2",
        "target=Observation/{}/_history/2&_count=1",
    ],
)
def test_one_version_alone(web, query):
    bundle = web.fhir(f"Provenance?{query.format(web.results[0])}")
    assert [entry["resource"]["target"][0]["reference"][-1] for entry in bundle["entry"]] == ["2"]


def test_other_ways_to_ask(web):
    fid = web.results[0]
    assert web.fhir(f"Provenance?target:Observation={fid}")["total"] == HISTORY
    counted = web.fhir(f"Provenance?target=Observation/{fid}&_summary=count")
    assert (counted["total"], "entry" in counted) == (HISTORY, False)
    form = web.ask("POST", "/fhir/Provenance/_search", data={"target": f"Observation/{fid}"})
    assert form.json()["link"][0]["url"] == "http://127.0.0.1:8000/fhir/Provenance"


@pytest.mark.parametrize("target", ["Patient/none", "Patient/none/_history/1", "Patient/gone/_history/9"])
def test_what_is_not_there_has_none(web, target):
    assert web.fhir(f"Provenance?target={target}")["total"] == 0


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("target=Patient/a,Patient/b", "target"),
        ("target=Patient/a&target=Patient/b", "target"),
        ("target=nothing", "target"),
        ("target=Patient/a b", "target"),
        ("target=Patient/a/_history/0", "target"),
        ("target=Patient/a/_history/x", "target"),
        ("target=Foo/a", "target"),
        ("target=Patient/a&frob=b", "frob"),
        ("target=Patient/a&_summary=text", "_summary"),
    ],
)
def test_how_to_ask_is_said(web, query, where):
    assert outcome(web.get(f"/fhir/Provenance?{query}"), 400)["expression"] == [where]


@pytest.mark.parametrize("name", ["1-1x", "0-0", "999999-1", "1-99999999", "x", "a b", "1-16777217", "1" * 70])
def test_ids_it_never_gave(web, name):
    assert outcome(web.get(f"/fhir/Provenance/{name}"), 404)["code"] == "not-found"


def test_what_clients_write_is_there_too(tmp_path):
    with opened(tmp_path) as desk:
        person = desk.create(patient())
        target = f"Patient/{person['id']}"
        own = desk.create(
            {
                "resourceType": "Provenance",
                "target": [{"reference": target}],
                "recorded": "2026-01-01T00:00:00Z",
                "agent": [{"who": {"display": "a clinic"}}],
            }
        )
        found = desk.web.fhir(f"Provenance?target={target}")
        assert found["total"] == 2
        assert [one["resource"]["id"] for one in found["entry"]][1] == own["id"]
        assert desk.web.fhir(f"Provenance?target={target}&_summary=count")["total"] == 2
        assert desk.web.fhir(f"Provenance/{own['id']}") == own
        (one,) = desk.web.fhir("Provenance?recorded=2026-01-01")["entry"]
        assert one["resource"] == own
        assert (
            desk.ask("PUT", f"/Provenance/{own['id']}", {**own, "agent": [{"who": {"display": "b"}}]}).status_code
            == 200
        )
        assert desk.web.fhir(f"Provenance/{own['id']}/_history")["total"] == 2


def test_there_is_no_history_of_what_is_rendered(web):
    assert outcome(web.get("/fhir/Provenance/1-1/_history"), 404)
