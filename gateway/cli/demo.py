"""gateway demo: a guided tour on a made-up county's messages, sent through the real MLLP door."""

import json
import shutil
import socket
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from rich.table import Table

from gateway import clock
from gateway.cli import serve
from gateway.cli.options import console, setting_options
from gateway.cli.send import Sender
from gateway.errors import GatewayError, Transient
from gateway.settings import Settings, load, shipped
from gateway.store.engine import Store, open_store
from gateway.store.values import State, WorkFilter, WorkRow

_SETTLE_SECONDS = 30.0
_PORTS_TRIED = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the tour and the gateway's answer to it."""

    name: str
    shows: str
    must: str
    answer: str


@click.command(epilog="Example: gateway demo --once")
@click.option("--once", is_flag=True, help="End after the tour instead of going on serving.")
@setting_options("data", "port", "mllp_port")
def demo(settings: Settings, once: bool) -> None:
    """Start a gateway on an empty store, send it two dozen invented messages, and show what became of them.

    Without --data it works in a temporary folder that is removed at the end.
    """
    with _home(settings) as chosen:
        supervisor = serve.start(chosen)
        try:
            _tour(chosen)
            if not once:
                supervisor.stop_on_signals()
                console.print("\nserving; Ctrl-C ends it")
                sys.stdout.flush()
                supervisor.watch()
        finally:
            supervisor.stop()


@contextmanager
def _home(settings: Settings) -> Iterator[Settings]:
    given = "data" in settings.sources
    folder = settings.data if given else Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    port = _free(settings.port, taken=0)
    mllp_port = _free(settings.mllp_port, taken=port)
    try:
        yield load(data=str(folder), port=port, mllp_port=mllp_port, insecure_local=True)
    finally:
        if not given:
            shutil.rmtree(folder, ignore_errors=True)


def _free(port: int, taken: int) -> int:
    """Return the port, or the next free one, saying so."""
    for candidate in range(port, port + _PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if candidate != taken and _binds(probe, candidate):
                if candidate != port:
                    console.print(f"port {port} is taken; using {candidate}")
                return candidate
    raise GatewayError(f"no free port from {port} to {port + _PORTS_TRIED - 1}; name one with --port or --mllp-port")


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _tour(settings: Settings) -> None:
    serve.announce(settings)
    sent = _send_all(settings)
    store = open_store(settings.database, settings.data, readonly=True)
    try:
        _settle(store)
        rows = store.work.list(WorkFilter(limit=500))
        _came_in(sent)
        _became(store)
        _parked(store, rows)
    finally:
        store.close()
    _addresses(settings)


def _send_all(settings: Settings) -> list[Sent]:
    folder = shipped("examples")
    told = yaml.safe_load((folder / "messages.yaml").read_text(encoding="utf-8"))["messages"]
    return [_send(settings, folder / "messages" / f"{name}.hl7", entry) for name, entry in told.items()]


def _send(settings: Settings, path: Path, entry: dict[str, Any]) -> Sent:
    try:
        with Sender("127.0.0.1", serve.mllp_port(settings)) as sender:
            answer = _code(sender.send(path.read_bytes()))
    except Transient:
        answer = "none"
    return Sent(path.stem, str(entry["shows"]), str(entry["must"]), answer)


def _code(answer: bytes) -> str:
    """Return MSA-1 of an acknowledgement."""
    line = next((line for line in answer.split(b"\r") if line.startswith(b"MSA")), b"MSA|?")
    return line.split(b"|")[1].decode("ascii", "replace")


def _settle(store: Store) -> None:
    """Wait until every stored message is applied, parked or held."""
    deadline = clock.monotonic() + _SETTLE_SECONDS
    while clock.monotonic() < deadline:
        counts = store.work.counts()
        waiting = sum(count for (_, state), count in counts.items() if state in (State.QUEUED, State.RETRY))
        if not waiting and sum(counts.values()) >= store.inbox.counts()["arrivals"]:
            return
        clock.sleep(0.05)
    raise GatewayError("the messages were stored but not worked off in 30 s; is the worker running?")


def _came_in(sent: list[Sent]) -> None:
    table = Table("message", "what it shows", "answer", title="What came in, over MLLP")
    for one in sent:
        table.add_row(one.name, one.shows, one.answer)
    console.print(table)


def _became(store: Store) -> None:
    types: Counter[str] = Counter()
    versions = 0
    for change in store.outbox.since(0, 100_000):
        versions += 1
        types[change.type] += change.ver == 1
    table = Table("resource", "how many", title=f"What it became: {sum(types.values())} resources, {versions} versions")
    for name, count in sorted(types.items()):
        table.add_row(name, str(count))
    console.print(table)


def _parked(store: Store, rows: Sequence[WorkRow]) -> None:
    table = Table("message", "feed", "reason", "why", title="What was parked or refused, and why")
    for row in sorted(rows, key=lambda row: row.item_id):
        if row.state in (State.PARKED, State.HELD):
            issues = json.loads(row.issues)
            table.add_row(row.control_id, row.feed, row.reason, issues[-1][2] if issues else "")
    for reject in reversed(store.inbox.rejects(limit=50)):
        kind, _, why = reject.reason.partition(": ")
        table.add_row("-", "-", kind, why)
    console.print(table)


def _addresses(settings: Settings) -> None:
    base = f"{serve.address(settings)}/fhir"
    patient = _first_patient(base)
    console.print("\nLook at the record:")
    console.print(f"  {base}/Patient?name=%E6%9D%8E%E7%8F%85", soft_wrap=True)
    console.print(f"  {base}/Observation?patient={patient}&_sort=-date", soft_wrap=True)
    console.print(f"  {base}/DiagnosticReport?patient={patient}&_include=DiagnosticReport:result", soft_wrap=True)


def _first_patient(base: str) -> str:
    with urllib.request.urlopen(f"{base}/Patient?name=%E6%9D%8E%E7%8F%85", timeout=10) as answer:  # noqa: S310 (our own)
        entries = json.load(answer).get("entry", [])
    return str(entries[0]["resource"]["id"]) if entries else ""
