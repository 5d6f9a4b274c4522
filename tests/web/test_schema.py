"""What /openapi.json lists, asked in every way schemathesis can think of: never a 500, always FHIR."""

import re
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the tool's own dependencies
    import schemathesis

from tests.web.desk import Desk, opened, patient, result

OFTEN = r"^/fhir(/(Patient|Binary)(/|$)|/?$|/_history|/_search|/metadata)"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Iterator[Desk]:
    with opened(tmp_path_factory.mktemp("schema")) as made:
        made.ask("PUT", "/Patient/a", patient("a", id="a"))
        made.ask("PUT", "/Observation/a", result("Patient/a", id="a"))
        yield made


def operations(desk, pattern=""):
    api = desk.web.app.openapi()
    paths = {path: inlined(api, item) for path, item in api["paths"].items() if re.match(pattern, path)}
    whole = {"openapi": api["openapi"], "info": api["info"], "paths": paths}
    return [one.ok() for one in schemathesis.openapi.from_dict(whole).get_all_operations()]


def inlined(api, value):
    """Return a part of the document with what it refers to in place: following references takes the tool long."""
    if isinstance(value, list):
        return [inlined(api, one) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        _, _, kind, name = value["$ref"].split("/")
        return inlined(api, api["components"][kind][name])
    return {name: inlined(api, one) for name, one in value.items()}


def send(desk, case):
    """Send a generated case from this machine, as the application takes only such."""
    given = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
    body = {"content": given["data"]} if isinstance(given.get("data"), bytes) else {"data": given.get("data")}
    headers = [(name.encode(), str(value).encode("utf-8", "replace")) for name, value in given["headers"].items()]
    parts = {"params": given.get("params"), "json": given.get("json"), **body}
    return desk.web.ask(
        given["method"], given["url"], headers=headers, **{key: one for key, one in parts.items() if one}
    )


def look(desk, examples, pattern="", seed=None):
    """Ask operations with generated cases."""
    every = operations(desk, pattern)
    assert len(every) > 30

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data):
        operation = data.draw(st.sampled_from(every))
        case = data.draw(operation.as_strategy())
        answer = send(desk, case)
        assert answer.status_code < 500, (case.method, case.formatted_path, answer.text)
        kind = answer.headers.get("content-type", "")
        if answer.content and case.operation.path.startswith("/fhir") and "fhir+json" in kind:
            assert answer.json()["resourceType"]

    ask()


def test_some_of_what_is_listed(desk):
    look(desk, 25, OFTEN)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_all_that_is_listed(desk):
    look(desk, 6000, "/fhir", seed=1)
