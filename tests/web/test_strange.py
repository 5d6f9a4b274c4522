"""Bodies, headers and Bundles gone wrong in every way hypothesis finds: always FHIR with a sentence, never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.desk import FHIR, PATCH, entry, opened, patient, result

QUIET = settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THOROUGH = settings(QUIET, max_examples=3000, derandomize=False)

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(
        ["Patient/a", "urn:uuid:1", "2026-01-01", "", "#", "Patient?identifier=x", "\ud800", "\x00", "male"]
    ),
)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "resourceType", "extension", "value", "reference", "_x", "contained", "url", "meta", ""]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
GOOD = [
    patient("s", id="s", meta={"versionId": "1", "profile": ["http://x"], "tag": [{"code": "a"}]}),
    result("Patient/s", id="s", valueQuantity={"value": 1, "unit": "mmol"}, component=[{"code": {"text": "c"}}]),
    {"resourceType": "Binary", "id": "s", "contentType": "text/plain", "data": "AAAA"},
    {"resourceType": "Bundle", "id": "s", "type": "collection", "entry": [{"resource": patient("t")}]},
    {"resourceType": "Parameters", "id": "s", "parameter": [{"name": "x", "valueString": "y"}]},
]
REQUESTS = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        entry("POST", "Patient", patient("q"), "urn:uuid:1", ifNoneExist="identifier=urn:test:card|q"),
        entry("PUT", "Observation/s", result("urn:uuid:1", id="s")),
        entry("GET", "Patient?_count=1"),
        entry("DELETE", "Patient/zz", ifMatch='W/"1"'),
        entry("PATCH", "Patient/s", {"resourceType": "Binary", "contentType": PATCH, "data": "W10="}),
    ],
}
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "If-Match",
            "If-None-Match",
            "If-None-Exist",
            "If-Modified-Since",
            "Prefer",
            "Content-Type",
            "Content-Encoding",
            "Accept",
            "Accept-Encoding",
            "X-Security-Context",
            "Content-Length",
        ]
    ),
    st.one_of(
        st.sampled_from(
            ['W/"1"', '"', "*", "identifier=urn:test:card|q", "?", "a=%ff", "return=minimal", "gzip", FHIR]
        ),
        st.sampled_from(
            [PATCH, "application/fhir+json; charset=x", "handling=lenient", "image/png", "7", "identifier=\u4e2d"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=10),
    ),
    max_size=3,
)
METHODS = st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"])
PATHS = st.sampled_from(
    [
        "",
        "/Patient",
        "/Patient/s",
        "/Observation/s",
        "/Binary",
        "/Binary/s",
        "/Bundle",
        "/Parameters",
        "/Foo/s",
        "/Patient?identifier=urn:test:card|q",
        "/Patient?x=y",
        "/Patient/s?_format=xml",
        "/Provenance/s",
        "/AuditEvent",
    ]
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("strange"), max_body_bytes=100_000, max_bundle_entries=20) as made:
        yield made


@st.composite
def spoiled(draw, good):
    """A good body with some of its parts replaced, removed or repeated."""
    body = json.loads(json.dumps(draw(st.sampled_from(good))))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(body))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "remove", "wrap", "add"])):
            case "replace":
                holder[key] = draw(JSON)
            case "remove":
                del holder[key]
            case "wrap":
                holder[key] = [holder[key]]
            case _ if isinstance(holder, dict):
                holder[draw(st.text(max_size=5))] = draw(JSON)
        if not body:
            break
    return body


def _places(node):
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list) and value:
            yield from _places(value)


@st.composite
def texts(draw):
    """The text of a body, sometimes cut or with a byte changed."""
    text = json.dumps(draw(spoiled([*GOOD, REQUESTS]))).encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(text)))
    return draw(
        st.sampled_from([text, text[:at], text[:at] + b"\xff" + text[at + 1 :], text + b"}", b"\xef\xbb\xbf" + text])
    )


def right(answer):
    assert answer.status_code < 500, answer.text
    if answer.content and answer.headers.get("content-type", "").startswith(FHIR):
        told = answer.json()
        if answer.status_code >= 400:
            assert told["resourceType"] == "OperationOutcome"
            assert all(one["details"]["text"] for one in told["issue"])
        for one in told.get("entry", ()):
            assert not one.get("response", {}).get("status", "").startswith("5"), one


def write(desk, body):
    if body.get("resourceType") == "Bundle" and "entry" in body and body.get("type") in ("batch", "transaction"):
        right(desk.ask("POST", "", raw(body)))
        return
    kind = body.get("resourceType")
    kind = kind if isinstance(kind, str) and kind.isalpha() and kind.isascii() else "Patient"
    right(desk.ask("PUT", f"/{kind}/s", raw(body)))
    right(desk.ask("POST", f"/{kind}", raw(body)))


def raw(body):
    return json.dumps(body).encode()


def requests(desk, method, path, headers, text):
    sent = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    if not any(name == b"Content-Type" for name, _ in sent):
        sent.append((b"Content-Type", (PATCH if method == "PATCH" else FHIR).encode()))
    right(desk.web.ask(method, f"/fhir{path}", headers=sent, content=text))


@QUIET
@given(body=spoiled(GOOD))
def test_any_resource(desk, body):
    write(desk, body)


@QUIET
@given(body=spoiled([REQUESTS]), kind=st.sampled_from(["batch", "transaction"]))
def test_any_bundle_of_requests(desk, body, kind):
    if body.get("type") == "transaction":
        body["type"] = kind
    right(desk.ask("POST", "", raw(body)))


@QUIET
@given(method=METHODS, path=PATHS, headers=HEADERS, text=texts())
def test_any_headers_and_any_bytes(desk, method, path, headers, text):
    requests(desk, method, path, headers, text)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_many_more(desk):
    THOROUGH(given(body=spoiled(GOOD))(lambda body: write(desk, body)))()
    THOROUGH(given(body=spoiled([REQUESTS]))(lambda body: right(desk.ask("POST", "", raw(body)))))()
    THOROUGH(
        given(method=METHODS, path=PATHS, headers=HEADERS, text=texts())(
            lambda method, path, headers, text: requests(desk, method, path, headers, text)
        )
    )()
