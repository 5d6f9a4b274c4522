"""Who may ask, what is written down about it, and what never happens whatever is asked."""

import asyncio
import logging

import pytest

from gateway.errors import Transient
from gateway.web import intake
from gateway.web.rest import app as rest_app
from tests.web.county import make
from tests.web.test_read import outcome


def test_nobody_is_let_in_without_insecure_local(web):
    closed = make(web.store, web.data, insecure_local=False)
    for path in ("Patient", f"Patient/{web.patient}", "Provenance?target=Patient/a"):
        answer = closed.get(f"/fhir/{path}")
        assert outcome(answer, 401)["code"] == "login"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert outcome(closed.ask("POST", "/feeds/county-his", content=b"MSH"), 401)
    assert closed.taken == []
    assert closed.get("/fhir/metadata", base="http://gw.example").status_code == 200


def test_insecure_local_answers_this_machine_only(web):
    assert outcome(web.get("/fhir/Patient", client="192.0.2.7"), 401)
    assert outcome(web.ask("POST", "/feeds/county-his", content=b"MSH", client="192.0.2.7"), 401)
    assert web.get("/fhir/Patient", client="::1").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "192.0.2.7:8000"}, 403),
        ({"Host": "[2001:db8::1]:8000"}, 403),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "LOCALHOST."}, 200),
        ({"Host": "demo.localhost"}, 200),
        ({"Host": "127.8.8.8"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 200),
        ({"Forwarded": "for=192.0.2.7"}, 403),
        ({"Forwarded": 'for="[2001:db8::1]:4711"'}, 403),
        ({"Forwarded": "for=127.0.0.1:4711;proto=http"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/fhir/Patient", "/health/live", "/metrics", "/docs"])
def test_no_page_of_another_site_reaches_a_local_gateway(web, path, headers, status):
    answer = web.get(path, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert outcome(answer, 403)["code"] == "forbidden"


def audited(web, count=1):
    return [row for _, row in web.store.audit.rows(limit=count)]


def test_every_answer_is_audited_without_search_values(web):
    pid = web.store.resources.read("Patient", web.patient, rest_scope()).pid
    web.fhir(f"Patient/{web.patient}")
    (row,) = audited(web)
    assert (row.actor, row.action, row.outcome, row.purpose) == ("insecure-local", "read", "success", "TREAT")
    assert (row.type, row.fid, row.patient) == ("Patient", web.patient, str(pid))
    web.get("/fhir/Patient/none")
    assert (audited(web)[0].outcome, audited(web)[0].fid) == ("not-found", "none")
    web.fhir(f"Observation?patient=Patient/{web.patient}&code=secret-code")
    assert (audited(web)[0].action, audited(web)[0].patient) == ("search", "")
    web.fhir("Patient?name=测试")
    assert audited(web)[0].patient == str(pid)
    assert '"name"' in audited(web)[0].detail
    web.fhir(f"Provenance?target=Patient/{web.patient}")
    assert (audited(web)[0].type, audited(web)[0].patient) == ("Provenance", str(pid))
    details = " ".join(row.detail for row in audited(web, 500))
    assert "secret-code" not in details
    assert "测试" not in details


def rest_scope():
    from gateway.search.scope import Scope

    return Scope(sites=None)


def test_without_an_audit_trail_nothing_is_told(web, monkeypatch):
    def down(*_):
        raise Transient("The audit trail cannot be written.")

    monkeypatch.setattr(web.store.audit, "record", down)
    for path in (
        f"Patient/{web.patient}",
        "Patient",
        f"Patient/{web.patient}/_history",
        "Provenance/1-1",
        "Patient/none",
    ):
        answer = web.get(f"/fhir/{path}")
        assert outcome(answer, 503)["code"] == "transient"
        assert int(answer.headers["retry-after"]) > 0


def ours(caplog):
    """Return what was logged, but for the asking side of the test itself."""
    return "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))


def test_a_fault_of_ours_is_a_500_that_quotes_nothing(web, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("near 'secret-value'")

    monkeypatch.setattr(web.store, "read", broken)
    with caplog.at_level(logging.DEBUG):
        answer = web.get("/fhir/Patient?name=secret-value", headers={"X-Request-Id": "abc-1"})
    issue = outcome(answer, 500)
    assert (issue["code"], answer.headers["x-request-id"]) == ("exception", "abc-1")
    assert "abc-1 failed: RuntimeError at" in caplog.text
    assert "secret" not in ours(caplog) + answer.text


def test_a_fault_outside_fhir_is_a_500_that_quotes_nothing_too(web, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret-value")

    monkeypatch.setattr(web.store, "ping", broken)
    answer = web.get("/health/ready")
    assert outcome(answer, 500)
    assert "secret" not in ours(caplog) + answer.text


def test_search_values_are_never_logged(web, caplog):
    with caplog.at_level(logging.DEBUG):
        for path in ("Patient?name=secret-value", "Patient?birthdate=secret-value", "Foo?x=secret-value"):
            web.get(f"/fhir/{path}")
        web.ask("POST", "/fhir/Patient/_search", data={"name": "secret-value"})
    assert "secret-value" not in ours(caplog)


def test_every_answer_has_a_request_id(web):
    answer = web.get("/fhir/Patient", headers={"X-Request-Id": "bad id\x7f"})
    assert len(answer.headers["x-request-id"]) == 36
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("Patient", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("Patient/a", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("Patient/a/_history", "GET, HEAD, OPTIONS"),
        ("Patient/_search", "GET, HEAD, POST, OPTIONS"),
        ("metadata", "GET, HEAD, OPTIONS"),
    ],
)
def test_what_is_not_offered_names_what_is(web, path, allowed):
    asked = web.ask("OPTIONS", f"/fhir/{path}")
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    for method in {"POST", "PUT", "PATCH", "DELETE", "TRACE", "FROB"} - set(allowed.split(", ")):
        answer = web.ask(method, f"/fhir/{path}")
        assert outcome(answer, 405)["code"] == "not-supported"
        assert answer.headers["allow"] == allowed
    assert asked.headers.get("accept-patch") == ("application/json-patch+json" if "PATCH" in allowed else None)


def test_options_of_nothing(web):
    assert outcome(web.ask("OPTIONS", "/fhir/Patient/a/b/c/d/e"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "Patient/$everything",
        "Patient/$export",
        "Patient/a/$summary",
        "$match",
        "_history/1",
        "Patient/_history/1",
        "$meta/a",
        "a/b/c/d/e",
    ],
)
def test_operations_that_are_not_offered(web, path):
    assert outcome(web.get(f"/fhir/{path}"), 404)


def test_more_than_can_wait_are_told_to_come_back(web, monkeypatch):
    monkeypatch.setattr(rest_app, "WAITING", 0)
    answer = web.get("/fhir/Patient")
    assert outcome(answer, 503)["code"] == "throttled"
    assert answer.headers["retry-after"]


def test_a_message_is_taken_and_answered(web):
    answer = web.ask("POST", "/feeds/county-his", content=b"MSH|^~\\&")
    assert (answer.status_code, answer.content) == (202, b"MSH|ack\r")
    assert answer.headers["content-type"].startswith("application/hl7-v2")
    assert web.taken[-1] == (b"MSH|^~\\&", "county-his", "127.0.0.1")
    assert web.ask("POST", "/feeds/county-his", content=b"bad").status_code == 422
    assert outcome(web.ask("POST", "/feeds/county-his", content=b"down"), 503)["code"] == "transient"


def test_messages_that_cannot_be_taken(web):
    small = make(web.store, web.data, max_message_bytes=10)
    assert outcome(small.ask("POST", "/feeds/county-his", content=b"x" * 11), 413)
    assert outcome(small.ask("POST", "/feeds/county-his", content=iter_bytes(b"x" * 8, b"x" * 8)), 413)
    assert outcome(small.ask("POST", "/feeds/county-his", content=b""), 400)
    assert "county-his" in outcome(small.ask("POST", "/feeds/nobody", content=b"x"), 404)["diagnostics"]
    packed = small.ask("POST", "/feeds/county-his", content=b"x", headers={"Content-Encoding": "gzip"})
    assert outcome(packed, 415)["expression"] == ["Content-Encoding"]
    assert small.taken == []


async def iter_bytes(*chunks):
    for chunk in chunks:
        yield chunk


def test_more_messages_than_can_be_held(web, monkeypatch):
    monkeypatch.setattr(intake, "BODIES", 0)
    full = make(web.store, web.data)
    assert outcome(full.ask("POST", "/feeds/county-his", content=b"x"), 503)["code"] == "throttled"


def spoken(app, path, *messages, **more):
    """Speak ASGI by hand; return what the application sent."""
    sent, waiting = [], list(messages)

    async def receive():
        if waiting:
            return waiting.pop(0)
        return await asyncio.Future()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
        **more,
    }
    asyncio.run(app(scope, receive, send))
    return sent


@pytest.mark.parametrize("path", ["/feeds/county-his", "/fhir/Patient/_search"])
def test_a_client_that_leaves_half_way(web, path):
    half = {"type": "http.request", "body": b"MSH", "more_body": True}
    before = len(web.taken)
    sent = spoken(web.app, path, half, {"type": "http.disconnect"})
    assert sent[0]["status"] == 400
    assert len(web.taken) == before


def test_a_message_that_never_ends_is_given_up(web, monkeypatch):
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.05)
    sent = spoken(web.app, "/feeds/county-his", {"type": "http.request", "body": b"MSH", "more_body": True})
    assert sent[0]["status"] == 408


def test_websockets_are_not_offered(web):
    assert spoken(web.app, "/fhir/Patient", type="websocket") == [{"type": "websocket.close", "code": 1000}]


def test_a_caller_without_an_address_is_nobody(web):
    assert spoken(web.app, "/fhir/Patient", method="GET", client=None)[0]["status"] == 401
    assert spoken(web.app, "/feeds/county-his", client=None)[0]["status"] == 401


def test_a_query_in_plain_utf8_is_read(web):
    sent = spoken(web.app, "/fhir/Patient", method="GET", query_string="name=测试".encode())
    assert "测试".encode() in sent[1]["body"]
    assert spoken(web.app, "/fhir/Patient", method="GET", query_string=b"name=\xff")[0]["status"] == 400


def test_the_threads_end_with_the_application(web):
    one = make(web.store, web.data)
    sent = spoken(one.app, "/", {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}, type="lifespan")
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert outcome(one.get("/fhir/Patient"), 500)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="residents.csv"', "residents.csv"),
        ("attachment; filename*=UTF-8''%E5%B1%85%E6%B0%91.xlsx", "居民.xlsx"),
        ('attachment; filename="C:\\exports\\..\\residents.csv"', "residents.csv"),
    ],
)
def test_a_file_of_a_table_keeps_its_name_and_is_answered_in_json(web, header, name):
    answer = web.ask("POST", "/feeds/county-his", content=b"a,b", headers={"Content-Disposition": header})
    assert answer.status_code == 202
    assert answer.json() == {"state": "stored", "reasons": [f"{name} was seen"]}
    refused = web.ask("POST", "/feeds/county-his", content=b"bad", headers={"Content-Disposition": header})
    assert (refused.status_code, refused.json()["state"]) == (422, "refused")
