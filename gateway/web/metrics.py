"""/metrics: what a hospital's monitoring reads, in the Prometheus text format; no personal data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway import clock
from gateway.store.engine import Store
from gateway.web.health import snapshot

# name: (what it counts, labels); docs/metrics.md says the same, and a test compares them.
METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gateway_items": ("Messages by feed and state", ("feed", "state")),
    "gateway_parked_items": ("Open messages by feed, state and reason", ("feed", "state", "reason")),
    "gateway_oldest_open_seconds": ("Age of the oldest open message by state", ("state",)),
    "gateway_arrivals": ("Arrivals and rejects in the inbox", ("kind",)),
    "gateway_store_bytes": ("Size of the store by file", ("file",)),
    "gateway_received_messages": ("Messages since the receiver started, by feed and answer", ("feed", "answer")),
    "gateway_receiver_backlog": ("Arrivals no worker has picked up yet", ()),
    "gateway_receiver_connections": ("Open MLLP connections by listener", ("listener",)),
    "gateway_receiver_reading": ("1 while the receiver reads from senders, 0 while it holds back", ()),
    "gateway_worker_items": ("Messages a worker has dealt with since it started", ("worker",)),
}


def router(store: Store, data: Path) -> APIRouter:
    """Return the route /metrics."""
    routes = APIRouter(tags=["operations"])
    registry = CollectorRegistry()
    registry.register(_Numbers(store, data))

    @routes.get("/metrics", summary="Numbers for monitoring")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


class _Numbers(Collector):
    """Reads every number at the moment it is asked for."""

    def __init__(self, store: Store, data: Path) -> None:
        self._store = store
        self._data = data

    def describe(self) -> list[Metric]:
        """Describe nothing beforehand: the store is asked only when somebody looks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._work()
        yield from self._kept()
        yield from self._receiver()
        worker = _family("gateway_worker_items")
        for path in sorted(self._data.glob("*.worker.json")):
            worker.add_metric([path.name.partition(".")[0]], snapshot(path).get("processed", 0))
        yield worker

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

    def _kept(self) -> Iterator[Metric]:
        arrivals = _family("gateway_arrivals")
        for kind, count in self._store.inbox.counts().items():
            arrivals.add_metric([kind], count)
        sizes = _family("gateway_store_bytes")
        for file, size in self._store.sizes().items():
            sizes.add_metric([file], size)
        yield from (arrivals, sizes)

    def _receiver(self) -> Iterator[Metric]:
        numbers = snapshot(self._data / "receive.json")
        received = _family("gateway_received_messages")
        for feed, answers in sorted(numbers.get("feeds", {}).items()):
            for answer, count in sorted(_counts(answers)):
                received.add_metric([feed, answer], count)
        backlog, reading = _family("gateway_receiver_backlog"), _family("gateway_receiver_reading")
        backlog.add_metric([], numbers.get("backlog", 0))
        reading.add_metric([], float(bool(numbers.get("ready"))))
        connections = _family("gateway_receiver_connections")
        for name, listener in sorted(numbers.get("listeners", {}).items()):
            connections.add_metric([name], listener["connections"])
        yield from (received, backlog, reading, connections)


def _family(name: str) -> Any:
    text, labels = METRICS[name]
    kind = CounterMetricFamily if name == "gateway_received_messages" else GaugeMetricFamily
    return kind(name, text, labels=labels)


def _counts(answers: dict[str, Any]) -> list[tuple[str, float]]:
    return [(name, value) for name, value in answers.items() if not name.endswith("_us")]
