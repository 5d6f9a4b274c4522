"""gateway demo: a guided tour on an invented county's day, sent through the real doors."""

import itertools
import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click

from gateway import clock
from gateway import simulate as county
from gateway.cli import serve, sharing, tour
from gateway.cli.options import console, setting_options
from gateway.cli.score import Judge
from gateway.cli.send import Sender
from gateway.errors import GatewayError, Transient
from gateway.formats import mllp
from gateway.identity.linker import AT
from gateway.settings import Settings, load
from gateway.store.engine import Store, open_store
from gateway.store.values import State

_RESIDENTS, _DAYS, _SEED, _START = 200, 1, 1, date(2026, 10, 1)
_SETTLE_SECONDS = 120.0
_PORTS_TRIED = 50
_PAUSE = 0.05

Entry = Mapping[str, Any]


@click.command(epilog="Example: gateway demo --once")
@click.option("--once", is_flag=True, help="End after the tour instead of going on serving.")
@setting_options("data", "port", "mllp_port")
def demo(settings: Settings, once: bool) -> None:
    """Start a gateway on an empty store, send it a day of an invented county, and show what became of it.

    A county hospital sends HL7 v2 over MLLP; township centres, village rooms and the insurer put exports into watched
    folders. What came of it is compared with what should have. Without --data it works in a temporary folder that is
    removed at the end.
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
    written = _county(folder)
    feeds = sorted({entry["feed"] for entry in written if entry["transport"] == "folder"})
    folders = [{"path": str(_exports(folder, feed)), "feed": feed} for feed in feeds]
    try:
        yield load(data=str(folder), port=port, mllp_port=mllp_port, insecure_local=True, linking=True, folders=folders)
    finally:
        if not given:
            shutil.rmtree(folder, ignore_errors=True)


def _county(folder: Path) -> list[Entry]:
    """Write the county into the folder, unless an earlier tour did; return what is to be sent, in order."""
    target = folder / "county"
    if not (target / "manifest.jsonl").exists():
        county.simulate(target, residents=_RESIDENTS, days=_DAYS, seed=_SEED, start=_START)
    with (target / "manifest.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _exports(folder: Path, feed: str) -> Path:
    return folder / "exports" / feed


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
    store = open_store(settings.database, settings.data, readonly=True)
    try:
        answers = _send(settings, store, _county(settings.data))
        folder = settings.data / "county"
        tour.came_in(store, answers)
        tour.became(store)
        person = sharing.one_person(settings, folder)
        tour.parked(store)
        tour.explained(settings, store)
        tour.judged(Judge(store, folder).score())
        sharing.linked(store, folder)
    finally:
        store.close()
    tour.addresses(settings, person)


def _send(settings: Settings, store: Store, entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Send everything in its order, folder by folder and message by message; return the answers by feed."""
    answers: dict[str, list[str]] = {}
    for transport, group in itertools.groupby(entries, key=lambda entry: entry["transport"]):
        several = list(group)
        if transport == "mllp":
            for entry in several:
                answers.setdefault(entry["feed"], []).append(_over_mllp(settings, entry))
        else:
            _into_folders(settings, several)
        _settle(store)
    return answers


def _over_mllp(settings: Settings, entry: Entry) -> str:
    raw = (settings.data / "county" / entry["file"]).read_bytes()
    port = serve.mllp_port(settings)
    if entry.get("frame") == "open":
        with socket.create_connection(("127.0.0.1", port), timeout=10) as broken:
            broken.sendall(mllp.wrap(raw)[: len(raw) // 2])
        return "none"
    try:
        with Sender("127.0.0.1", port) as sender:
            return _code(sender.send(raw))
    except Transient:
        return "none"


def _code(answer: bytes) -> str:
    """Return MSA-1 of an acknowledgement."""
    line = next((line for line in answer.split(b"\r") if line.startswith(b"MSA")), b"MSA|?")
    return line.split(b"|")[1].decode("ascii", "replace")


def _into_folders(settings: Settings, entries: Sequence[Entry]) -> None:
    """Put files into the watched folders and wait until they were taken; one sent twice waits for its first copy."""
    for entry in entries:
        inbox = _exports(settings.data, entry["feed"]) / "in"
        target = inbox / Path(entry["file"]).name
        if target.exists():
            _wait(lambda: not target.exists(), "a file was not taken from its folder")  # noqa: B023 (called at once)
        part = target.with_suffix(".part")
        shutil.copyfile(settings.data / "county" / entry["file"], part)
        part.rename(target)
    boxes = {_exports(settings.data, entry["feed"]) / "in" for entry in entries}
    _wait(lambda: not any(any(box.iterdir()) for box in boxes), "files were not taken from their folders")


def _settle(store: Store) -> None:
    """Wait until every stored message and file is applied, parked or held, and all who are one person are linked."""
    _wait(lambda: _quiet(store), "the messages were stored but not worked off; is the worker running?")


def _quiet(store: Store) -> bool:
    with store.read() as tx:
        picked, file = tx.cursor("arrivals"), tx.file_next()
        unlinked = tx.changes_since(tx.cursor(AT), 1, "Patient")
        counts = tx.work_counts()
    waiting = sum(count for (_, state), count in counts.items() if state in (State.QUEUED, State.RETRY))
    return file is None and not waiting and not unlinked and picked >= store.inbox.last_id()


def _wait(done: Any, otherwise: str) -> None:
    deadline = clock.monotonic() + _SETTLE_SECONDS
    while not done():
        if clock.monotonic() > deadline:
            raise GatewayError(f"{otherwise} (after {_SETTLE_SECONDS:.0f} s)")
        clock.sleep(_PAUSE)
