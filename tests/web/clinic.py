"""A clinic's system that speaks CDS Hooks to a really running gateway; every exchange is held against the schemas."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import uvicorn

from gateway import settings, wiring
from gateway.community.recognition.consulting import Consultant
from gateway.mapping.feeds import FeedBook
from gateway.store.engine import Store
from gateway.web.app import Parts, create
from gateway.web.intake import Taken
from tests.support.recognised import TOWNSHIP

_SCHEMAS = Path(__file__).parents[1] / "data" / "cds-hooks"
SELECT, SIGN = "recognition-order-select", "recognition-order-sign"
CALL = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
    "serviceProvider": {"display": TOWNSHIP},
}


def faults(name: str, body: Any) -> list[str]:
    """Return what a schema finds wrong."""
    schema = json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    found = jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(body)
    return [f"{one.instance_path}: {one.message}" for one in found]


def asked(*drafts: dict[str, Any], hook: str = "order-sign", **more: Any) -> dict[str, Any]:
    """Return a request about drafts of the patient p1; other members are put in their place, None takes one away."""
    context: dict[str, Any] = {"userId": "Practitioner/dr", "patientId": "p1", "encounterId": "e1"}
    if hook == "order-select":
        context["selections"] = [f"ServiceRequest/{one['id']}" for one in drafts]
    context["draftOrders"] = {"resourceType": "Bundle", "type": "collection"}
    if drafts:
        context["draftOrders"]["entry"] = [{"resource": one} for one in drafts]
    context |= more.pop("context", {})
    whole = {"hook": hook, "hookInstance": CALL, "context": context, "prefetch": {"encounter": ENCOUNTER}} | more
    return {name: value for name, value in whole.items() if value is not None}


class Clinic:
    """The system: asks over HTTP with a stock client."""

    def __init__(self, base: str, store: Store) -> None:
        self.base = base
        self.store = store
        self.client = httpx.Client(base_url=base, timeout=10)

    def discover(self) -> Any:
        """Return what is offered."""
        answer = self.client.get("/cds-services")
        assert answer.status_code == 200, answer.text
        assert faults("discovery", answer.json()) == []
        return answer.json()

    def cards(self, *drafts: dict[str, Any], service: str = SIGN, **more: Any) -> list[Any]:
        """Return the cards on drafts."""
        hook = service.removeprefix("recognition-")
        request = asked(*drafts, hook=hook, **more)
        assert faults("request", request) == []
        answer = self.client.post(f"/cds-services/{service}", json=request)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert faults("response", answer.json()) == []
        found: list[Any] = answer.json()["cards"]
        return found

    def refused(self, status: int, body: Any, service: str = SIGN, **headers: str) -> Any:
        """Return the issue of a request that is refused."""
        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = self.client.post(f"/cds-services/{service}", headers=headers, **given)
        assert answer.status_code == status, answer.text
        return answer.json()["issue"][0]

    def trail(self) -> list[tuple[str, str, str]]:
        """Return what was done, with what outcome, to what, the latest first."""
        rows = [row for _, row in self.store.audit.rows()]
        return [(row.action, row.outcome, f"{row.type}/{row.fid}") for row in rows]


def application(store: Store, data: Path, adviser: Any = None, **given: Any) -> Any:
    """Return the application with its adviser, the recognition service unless another is given."""
    values = {"data": str(data), "insecure_local": True, **given}
    chosen = settings.load(None, {}, **values)
    knows = adviser or Consultant(wiring.recognition(store, chosen))
    taken = Taken("refused", b"")
    return create(Parts(chosen, store, FeedBook([], insecure_local=True), lambda *_: taken, b"k" * 32, adviser=knows))


@contextmanager
def served(store: Store, data: Path, adviser: Any = None, **given: Any) -> Iterator[Clinic]:
    """Give a clinic's system beside a running server on 127.0.0.1."""
    config = uvicorn.Config(
        application(store, data, adviser, **given), log_level="critical", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    clinic = Clinic(f"http://127.0.0.1:{listening.getsockname()[1]}", store)
    try:
        yield clinic
    finally:
        clinic.client.close()
        server.should_exit = True
        thread.join(10)
        listening.close()
