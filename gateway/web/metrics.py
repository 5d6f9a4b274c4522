"""/metrics: what a hospital's monitoring reads, in the Prometheus text format; no personal data."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway import clock
from gateway.errors import GatewayError
from gateway.store.engine import Store
from gateway.store.identity import LINKER_AT
from gateway.web.health import snapshot, store_state

Counts = Mapping[tuple[str, int], int]

# name: (what it counts, labels); docs/metrics.md says the same, and a test compares them.
METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gateway_store_ready": ("1 while the store answers, else 0 and its numbers are left out", ()),
    "gateway_items": ("Messages by feed and state", ("feed", "state")),
    "gateway_parked_items": ("Open messages by feed, state and reason", ("feed", "state", "reason")),
    "gateway_files": ("Files of tables by feed and state", ("feed", "state")),
    "gateway_file_rows": ("Rows of files by feed and what was found of them", ("feed", "found")),
    "gateway_missing_rows": ("Rows that the last full export lacks", ("feed", "table")),
    "gateway_oldest_open_seconds": ("Age of the oldest open message by state", ("state",)),
    "gateway_arrivals": ("Arrivals and rejects in the inbox", ("kind",)),
    "gateway_store_bytes": ("Size of the store by file", ("file",)),
    "gateway_received_messages": ("Messages since the receiver started, by feed and answer", ("feed", "answer")),
    "gateway_last_received_seconds": ("Time of a feed's last message, in seconds since 1970", ("feed",)),
    "gateway_receiver_answer_seconds": ("Time from a message's last byte to its answer", ()),
    "gateway_receiver_backlog": ("Arrivals no worker has picked up yet", ()),
    "gateway_receiver_connections": ("Open MLLP connections by listener", ("listener",)),
    "gateway_receiver_free_bytes": ("Free disk space where the inbox lies", ()),
    "gateway_receiver_reading": ("1 while the receiver reads from senders, 0 while it holds back", ()),
    "gateway_fhir_requests": ("FHIR requests since the web process started", ("interaction", "status")),
    "gateway_links": ("Links between records that hold, by kind and by what made them", ("kind", "made")),
    "gateway_identity_cases": ("Pairs of records that wait for a person, by state", ("state",)),
    "gateway_linker_behind": ("Changes of Patients the linker has not looked at, 100000 at most", ()),
    "gateway_linker_behind_seconds": ("Age of the oldest change the linker has not looked at", ()),
    "gateway_identity_cut_blocks": ("Blocks more records share than are compared, by kind", ("kind",)),
    "gateway_worker_items": ("Messages a worker has dealt with since it started", ("worker",)),
}
_COUNTERS = frozenset(
    {"gateway_received_messages", "gateway_fhir_requests", "gateway_file_rows", "gateway_identity_cut_blocks"}
)
_MOST_BEHIND = 100_000


def router(store: Store, data: Path, requests: Counts) -> APIRouter:
    """Return the route /metrics; `requests` counts FHIR requests by interaction and status."""
    routes = APIRouter(tags=["operations"])
    registry = CollectorRegistry()
    registry.register(_Numbers(store, data, requests))

    @routes.get("/metrics", summary="Numbers for monitoring")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


class _Numbers(Collector):
    """Reads every number at the moment it is asked for."""

    def __init__(self, store: Store, data: Path, requests: Counts) -> None:
        self._store = store
        self._data = data
        self._requests = requests

    def describe(self) -> list[Metric]:
        """Describe nothing beforehand: the store is asked only when somebody looks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; those of the store only while it answers."""
        ready = _family("gateway_store_ready")
        ready.add_metric([], float(store_state(self._store) == "ready"))
        yield ready
        with suppress(GatewayError):
            yield from (*self._work(), *self._files(), *self._kept(), *self._identity())
        yield from self._receiver(snapshot(self._data / "receive.json"))
        requests = _family("gateway_fhir_requests")
        for (interaction, status), count in sorted(self._requests.items()):
            requests.add_metric([interaction, str(status)], count)
        worker = _family("gateway_worker_items")
        for path in sorted(self._data.glob("*.worker.json")):
            worker.add_metric([path.name.removesuffix(".worker.json")], _number(snapshot(path).get("processed")))
        yield from (requests, worker)

    def _work(self) -> Iterator[Metric]:
        items = _family("gateway_items")
        for (feed, state), count in self._store.work.counts().items():
            items.add_metric([feed, state.name.lower()], count)
        parked = _family("gateway_parked_items")
        for (feed, state, reason), count in self._store.work.reasons().items():
            parked.add_metric([feed, state.name.lower(), reason or "none"], count)
        oldest = _family("gateway_oldest_open_seconds")
        for state, received_us in self._store.work.oldest().items():
            oldest.add_metric([state.name.lower()], max(0.0, (clock.now_us() - received_us) / 1e6))
        yield from (items, parked, oldest)

    def _files(self) -> Iterator[Metric]:
        files, rows, missing = map(_family, ("gateway_files", "gateway_file_rows", "gateway_missing_rows"))
        for (feed, state), count in self._store.files.counts().items():
            files.add_metric([feed, state.name.lower()], count)
        for (feed, found), count in self._store.files.rows().items():
            rows.add_metric([feed, found], count)
        for (feed, table), count in self._store.files.missing().items():
            missing.add_metric([feed, table], count)
        yield from (files, rows, missing)

    def _kept(self) -> Iterator[Metric]:
        arrivals = _family("gateway_arrivals")
        for kind, count in self._store.inbox.counts().items():
            arrivals.add_metric([kind], count)
        sizes = _family("gateway_store_bytes")
        for file, size in self._store.sizes().items():
            sizes.add_metric([file], size)
        yield from (arrivals, sizes)

    def _identity(self) -> Iterator[Metric]:
        with self._store.read() as tx:
            links, cuts, cases = tx.tallies("link|"), tx.tallies("cut|"), tx.case_counts()
            behind, oldest_us = tx.changes_behind(tx.cursor(LINKER_AT), "Patient", _MOST_BEHIND)
        age_s = max(0.0, (clock.now_us() - oldest_us) / 1e6) if behind else 0.0
        yield _labelled("gateway_links", {tuple(name.split("|")): count for name, count in links.items()})
        yield _labelled("gateway_identity_cases", {(state,): count for state, count in cases.items()})
        yield _labelled("gateway_identity_cut_blocks", {(kind,): count for kind, count in cuts.items()})
        yield _labelled("gateway_linker_behind", {(): behind})
        yield _labelled("gateway_linker_behind_seconds", {(): age_s})

    def _receiver(self, numbers: dict[str, Any]) -> Iterator[Metric]:
        received, last = _family("gateway_received_messages"), _family("gateway_last_received_seconds")
        for feed, answers in _sorted(numbers.get("feeds")):
            for answer, count in _sorted(answers):
                if answer == "last_us":
                    last.add_metric([feed], _number(count) / 1e6)
                else:
                    received.add_metric([feed, answer], _number(count))
        connections = _family("gateway_receiver_connections")
        for name, listener in _sorted(numbers.get("listeners")):
            connections.add_metric([name], _number(listener.get("connections")))
        yield from (received, last, connections)
        for name, key in _PLAIN.items():
            family = _family(name)
            family.add_metric([], _number(numbers.get(key)))
            yield family
        yield _answer_times(numbers.get("answer_seconds"))


_PLAIN = {
    "gateway_receiver_backlog": "backlog",
    "gateway_receiver_free_bytes": "free_bytes",
    "gateway_receiver_reading": "ready",
}


def _answer_times(times: Any) -> Metric:
    name = "gateway_receiver_answer_seconds"
    family = HistogramMetricFamily(name, METRICS[name][0])
    if isinstance(times, dict) and isinstance(times.get("buckets"), dict):
        family.add_metric([], list(times["buckets"].items()), _number(times.get("sum")))
    return family


def _family(name: str) -> Any:
    text, labels = METRICS[name]
    kind = CounterMetricFamily if name in _COUNTERS else GaugeMetricFamily
    return kind(name, text, labels=labels)


def _labelled(name: str, counts: Mapping[tuple[str, ...], float]) -> Metric:
    family = _family(name)
    for labels, count in counts.items():
        family.add_metric(list(labels), count)
    made: Metric = family
    return made


def _sorted(found: Any) -> list[tuple[str, Any]]:
    """Return the members of an object another process wrote; none where it is something else."""
    return sorted(found.items()) if isinstance(found, dict) else []


def _number(found: Any) -> float:
    return float(found) if isinstance(found, int | float) else 0.0
