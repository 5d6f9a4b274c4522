"""Whatever is asked, the answer is FHIR and never a 500."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.search import parameters
from tests.web.county import Web

TYPES = st.sampled_from(["Patient", "Observation", "Provenance", "Encounter", "Basic", "foo", ""])
PARTS = st.one_of(
    TYPES,
    st.sampled_from(["_history", "_search", "metadata", "gone", "1", "$x", "..", "%00", "%2F"]),
    st.text(max_size=8),
)
NAMES = st.one_of(
    st.sampled_from(sorted({*parameters.for_type("Patient"), *parameters.for_type("Observation")})),
    st.sampled_from(
        [
            "_count",
            "_sort",
            "_include",
            "_summary",
            "_page",
            "_before",
            "_since",
            "_total",
            "_format",
            "target",
            "_has:a:b:c",
        ]
    ),
    st.text(max_size=6),
)
MODIFIERS = st.sampled_from(["", ":exact", ":missing", ":not", ":contains", ":Patient", ":x", ":identifier", "."])
VALUES = st.one_of(
    st.sampled_from(
        ["2026-01-01", "ge2026", "lt9999-12-31T23:59:60Z", "http://loinc.org|2823-3", "|", "a,b", "$", "Patient/gone"]
    ),
    st.sampled_from(
        [
            "true",
            "1e400",
            "-1",
            "99999999999",
            "gt5.40|http://unitsofmeasure.org|mmol",
            "\\",
            "\\,",
            "0000",
            "+",
            "Observation:subject",
        ]
    ),
    st.text(max_size=12),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["If-None-Match", "If-Modified-Since", "Accept", "X-Forwarded-Proto", "Forwarded", "Prefer", "Content-Type"]
    ),
    st.one_of(
        st.sampled_from(["*/*", "*", 'W/"1"', "for=127.0.0.1;host=", "Mon, 99 Foo", "application/json;q=x"]),
        st.text('abc;=,/*" ', max_size=8),
    ),
    max_size=2,
)
QUIET = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def right(answer) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.text)
    fhir = answer.request.url.path.startswith("/fhir")  # the asking side itself resolves ".."
    if fhir and answer.content and answer.request.method != "HEAD":
        assert answer.json()["resourceType"]


@QUIET
@given(method=st.sampled_from(["GET", "HEAD", "POST", "PUT"]), path=st.lists(PARTS, max_size=5), headers=HEADERS)
def test_any_path(web: Web, method, path, headers):
    right(web.ask(method, "/fhir/" + "/".join(quote(part, safe="%") for part in path), headers=headers))


@QUIET
@given(
    kind=st.sampled_from(["Patient", "Observation", "Provenance"]),
    query=st.lists(st.tuples(NAMES, MODIFIERS, VALUES), min_size=1, max_size=4),
    form=st.booleans(),
)
def test_any_query(web: Web, kind, query, form):
    pairs = [(name + modifier, value) for name, modifier, value in query]
    fit = [
        (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode()) for name, value in pairs
    ]
    if form:
        right(web.ask("POST", f"/fhir/{kind}/_search", data=dict(fit)))
    else:
        right(web.get(f"/fhir/{kind}", params=fit))


@pytest.mark.parametrize("kind", ["Patient", "Observation"])
def test_every_parameter_takes_or_refuses_odd_values(web: Web, kind):
    for name in parameters.for_type(kind):
        for value in (
            "",
            "\x00",
            "x" * 5000,
            "ge2026-13-45",
            "'; DROP TABLE resource --",
            "a|b|c|d",
            "$",
            "9" * 40,
            "1e999",
        ):
            right(web.get(f"/fhir/{kind}", params=[(name, value)]))


@QUIET
@given(raw=st.binary(max_size=40))
def test_any_bytes_as_a_query(web: Web, raw):
    from tests.web.test_doors import spoken

    assert spoken(web.app, "/fhir/Patient", method="GET", query_string=raw)[0]["status"] < 500
