"""What operators and tools read: health, metrics, the capability statement, the API description, the page of it."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import clock
from gateway.conformance import structure
from gateway.errors import Transient
from gateway.search import parameters
from gateway.store.engine import open_store
from gateway.store.identity import LINKER_AT, NewCase
from gateway.store.values import NewLink
from gateway.web import server
from gateway.web.metrics import METRICS
from tests.support.patients import keep, patient
from tests.web.county import make


@pytest.fixture
def local(web, tmp_path):
    """The seeded store with a data folder of the test's own."""
    return make(web.store, tmp_path)


def note(local, name, **numbers):
    (local.data / name).write_text(json.dumps({"at_us": clock.now_us(), **numbers}), encoding="utf-8")


def parts(local, status):
    answer = local.get("/health/ready")
    assert answer.status_code == status
    return answer.json()["parts"]


def test_alive_and_ready(local):
    assert local.get("/health/live").json() == {"status": "live"}
    assert local.ask("HEAD", "/health/live").content == b""
    note(local, "receive.json", ready=True)
    note(local, "main.worker.json", processed=3)
    assert set(parts(local, 200).values()) == {"ready"}


def test_what_is_missing_is_said(local):
    assert parts(local, 503)["receive"] == "the receive process is not running"
    note(local, "receive.json", ready=False, shut={"disk": "the disk is nearly full"})
    assert parts(local, 503)["receive"] == "not reading: the disk is nearly full"
    note(local, "receive.json", ready=False)
    assert "starting or stopping" in parts(local, 503)["receive"]
    note(local, "old.worker.json", at_us=1)
    assert parts(local, 503)["worker"] == "no worker is running"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"at_us": "x", "ready": true}', '{"at_us": null}', "\x00"])
def test_damaged_numbers_are_no_numbers(local, text):
    (local.data / "receive.json").write_text(text, encoding="utf-8")
    (local.data / "main.worker.json").write_text(text, encoding="utf-8")
    assert parts(local, 503)["receive"] == "the receive process is not running"
    assert local.get("/metrics").status_code == 200


def down(*_):
    raise Transient("the disk is full")


def families(local):
    answer = local.get("/metrics")
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def test_every_metric_is_there_and_described(local):
    local.fhir("Patient")
    note(
        local,
        "receive.json",
        ready=True,
        backlog=7,
        free_bytes=9,
        feeds={"county-his": {"AA": 21, "last_us": 1_767_225_600_000_000}},
        listeners={"mllp": {"connections": 2, "port": 2575}},
        answer_seconds={"buckets": {"0.001": 1, "+Inf": 2}, "count": 2, "sum": 0.5},
    )
    note(local, "main.worker.json", processed=3)
    found = families(local)
    assert set(found) == set(METRICS)
    assert all(found[name].documentation == text for name, (text, _) in METRICS.items())
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in found.values()
        for sample in family.samples
    }
    assert values["gateway_store_ready",] == 1
    assert values["gateway_received_messages_total", "AA", "county-his"] == 21
    assert values["gateway_last_received_seconds", "county-his"] == 1_767_225_600
    assert values["gateway_receiver_backlog",] == 7
    assert values["gateway_receiver_connections", "mllp"] == 2
    assert values["gateway_receiver_answer_seconds_bucket", "+Inf"] == 2
    assert values["gateway_worker_items", "main"] == 3
    assert values["gateway_items", "applied", "county-his"] == 1
    assert values["gateway_fhir_requests_total", "200", "search.search"] == 1


def test_a_store_that_is_down_is_a_number_not_a_failure(local, monkeypatch):
    monkeypatch.setattr(local.store, "ping", down)
    monkeypatch.setattr(local.store.work, "counts", down)
    found = families(local)
    assert found["gateway_store_ready"].samples[0].value == 0
    assert "gateway_receiver_backlog" in found
    assert parts(local, 503)["store"] == "the disk is full"


def test_open_messages_have_an_age(local, monkeypatch):
    state = next(iter(local.store.work.counts()))[1]
    monkeypatch.setattr(local.store.work, "oldest", lambda: {state: clock.now_us() - 5_000_000})
    monkeypatch.setattr(local.store.work, "reasons", lambda: {("county-his", state, ""): 2})
    found = families(local)
    assert 5 <= found["gateway_oldest_open_seconds"].samples[0].value < 60
    assert found["gateway_parked_items"].samples[0].labels["reason"] == "none"


def test_the_capability_statement_is_valid_and_says_what_is_done(local):
    found = local.fhir("metadata")
    assert structure.check(found) == []
    assert (found["fhirVersion"], found["kind"]) == ("4.0.1", "instance")
    assert found["implementation"]["url"] == "http://127.0.0.1:8000/fhir"
    resources = {each["type"]: each for each in found["rest"][0]["resource"]}
    assert set(resources) == set(parameters.types())
    patient = resources["Patient"]
    told = {one["code"] for one in patient["interaction"]}
    assert {"read", "vread", "update", "patch", "delete", "history-instance", "create", "search-type"} <= told
    assert ("birthdate", "date") in [(one["name"], one["type"]) for one in patient["searchParam"]]
    assert "Patient:organization" in patient["searchInclude"]
    assert "Observation:subject" in patient["searchRevInclude"]
    assert (patient["conditionalCreate"], patient["conditionalUpdate"], patient["updateCreate"]) == (True, True, True)
    server = found["rest"][0]
    assert {"transaction", "batch"} <= {one["code"] for one in server["interaction"]}
    assert f"{16 << 20} bytes" in server["documentation"]
    assert found["patchFormat"] == ["application/json-patch+json"]
    judged = local.ask("POST", "/fhir/CapabilityStatement/$validate", json=found).json()["issue"]
    assert [one["severity"] for one in judged] == ["information"]
    assert local.ask("HEAD", "/fhir/metadata").content == b""


def test_every_promised_parameter_is_understood(local):
    resources = local.fhir("metadata")["rest"][0]["resource"]
    for each in resources:
        if each["type"] in ("Patient", "Observation", "Encounter", "DiagnosticReport", "ServiceRequest"):
            for one in each["searchParam"]:
                answer = local.get(f"/fhir/{each['type']}", params={f"{one['name']}:missing": "true", "_count": "0"})
                assert answer.status_code == 200, (each["type"], one, answer.text)


@pytest.mark.parametrize(("mode", "status"), [("full", 200), ("normative", 200), ("terminology", 400), ("x", 400)])
def test_modes_of_the_capability_statement(local, mode, status):
    assert local.get(f"/fhir/metadata?mode={mode}").status_code == status


def test_the_api_description_lists_every_interaction(local):
    api = local.get("/openapi.json").json()
    assert api == local.get("/openapi.json").json()
    paths = api["paths"]
    assert {"/fhir/metadata", "/fhir/Patient/{id}/_history/{vid}", "/feeds/{feed}", "/health/ready", "/metrics"} <= set(
        paths
    )
    shared = {f"#/components/parameters/{key}": one for key, one in api["components"]["parameters"].items()}

    def asked(path, method):
        given = [shared.get(one.get("$ref"), one) for one in paths[path][method]["parameters"]]
        names = [(one["in"], one["name"]) for one in given]
        assert len(names) == len(set(names))
        return {name for _, name in names}

    assert {"birthdate", "_count", "_format"} <= asked("/fhir/Patient", "get")
    assert {"id", "If-Match", "If-None-Match", "Prefer"} <= asked("/fhir/Patient/{id}", "put")
    assert "If-None-Exist" in asked("/fhir/Patient", "post")
    assert set(paths["/fhir/Patient/{id}"]) == {"get", "put", "patch", "delete"}
    bodies = {path: item["post"]["requestBody"]["content"] for path, item in paths.items() if "post" in item}
    assert "application/fhir+json" in bodies["/fhir"]
    assert "application/x-www-form-urlencoded" in paths["/fhir/Patient/_search"]["post"]["requestBody"]["content"]


def test_the_page_of_the_api_needs_no_other_server(local):
    page = local.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "openapi.json" in page.text


def test_what_is_not_there_outside_fhir(local):
    assert local.get("/nothing").status_code == 404
    assert local.get("/feeds/county-his").status_code == 405


def test_the_server_logs_no_queries_and_trusts_no_proxy_about_clients(local, monkeypatch):
    made = []
    monkeypatch.setattr(server.uvicorn.Server, "run", lambda self: made.append(self.config))
    monkeypatch.setattr(server, "create", lambda parts: local.app)
    server.run_web(Parts())
    (config,) = made
    assert (config.access_log, config.proxy_headers, config.server_header) == (False, False, False)
    assert (config.host, config.port) == ("127.0.0.1", 0)


class Parts:
    class settings:  # noqa: N801  read as an attribute
        host, port, log_level = "127.0.0.1", 0, "warning"


def test_links_cases_and_the_linkers_lag_are_counted(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    keep(store, "a", patient())
    local = make(store, tmp_path)
    with store.write() as tx:
        tx.links_add([NewLink("same", 1, 2, "active", 1, made="linker"), NewLink("replaced-by", 3, 1, "active", 1)])
        tx.cases_add([NewCase(1, 2, 9.0, "{}", "m", 1)])
        tx.tally({"cut|phone": 2})
    found = families(local)
    told = {tuple(one.labels.values()): one.value for one in found["gateway_links"].samples}
    assert told == {("same", "linker"): 1, ("replaced-by", "message"): 1}
    cases = {one.labels["state"]: one.value for one in found["gateway_identity_cases"].samples}
    assert cases == {"open": 1, "later": 0}
    (cut,) = found["gateway_identity_cut_blocks"].samples
    assert (cut.labels, cut.value) == ({"kind": "phone"}, 2)
    assert found["gateway_linker_behind"].samples[0].value > 0
    assert found["gateway_linker_behind_seconds"].samples[0].value > 0
    with store.write() as tx:
        tx.cursor_set(LINKER_AT, 1 << 62)
    assert families(local)["gateway_linker_behind_seconds"].samples[0].value == 0
    store.close()
