"""An empty record that tests write to over HTTP, and the words they need for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.conformance import structure
from gateway.store.engine import open_store
from tests.web.county import Web, make

FHIR = "application/fhir+json"
PATCH = "application/json-patch+json"


class Desk:
    """A client that writes."""

    def __init__(self, web: Web) -> None:
        self.web = web

    def ask(self, method: str, path: str, body: Any = None, /, **headers: str) -> Any:
        """Send one request; names of headers are written with underscores."""
        sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        given: dict[str, Any] = {}
        if body is not None:
            given["content"] = (
                body
                if isinstance(body, bytes) or hasattr(body, "__aiter__")
                else json.dumps(body, ensure_ascii=False).encode()
            )
            sent.setdefault(b"content-type", (PATCH if method == "PATCH" else FHIR).encode())
        return self.web.ask(method, f"/fhir{path}", headers=sent, **given)

    def create(self, body: Any, **headers: str) -> Any:
        """Create a resource that must be taken; return it as stored."""
        answer = self.ask("POST", f"/{body['resourceType']}", body, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def bundle(self, kind: str, *entries: Any, **headers: str) -> Any:
        """Send a Bundle; return the answer."""
        return self.ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": list(entries)}, **headers)


@contextmanager
def opened(folder: Path, **given: Any) -> Iterator[Desk]:
    """Give a desk at an empty SQLite record."""
    store = open_store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    try:
        yield Desk(make(store, folder, **given))
    finally:
        store.close()


def patient(number: str = "1", **more: Any) -> dict[str, Any]:
    """Return a Patient with an identifier of its own."""
    named = {
        "identifier": [{"system": "urn:test:card", "value": number}],
        "name": [{"family": "测试", "given": ["甲"]}],
    }
    return {"resourceType": "Patient", **named, **more}


def result(subject: str, **more: Any) -> dict[str, Any]:
    """Return an Observation of a patient."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "K"},
        "subject": {"reference": subject},
        **more,
    }


def entry(method: str, url: str, body: Any = None, full_url: str = "", **request: str) -> dict[str, Any]:
    """Return an entry of a Bundle of requests."""
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if body is not None:
        made["resource"] = body
    return {"fullUrl": full_url, **made} if full_url else made


def issue(answer: Any, status: int) -> dict[str, Any]:
    """Return the first issue of a refusal, which is FHIR and has a sentence."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert structure.check(body) == []
    assert len(body["issue"][0]["details"]["text"]) > 10
    return body["issue"][0]


def responses(answer: Any) -> list[dict[str, Any]]:
    """Return the responses of a Bundle that was carried out."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert structure.check(body) == []
    return [one["response"] for one in body["entry"]]
