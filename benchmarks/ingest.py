"""Ingest: 20-result reports, bytes in until stored and searchable, with hl7apy's parsing alone as the yardstick.

The sender, the gateway and the database share this machine. The store is filled through the same door until it holds
--resources; then the rate of applied messages is measured over --seconds while the backlog does not grow.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # the folder of this file would hide the standard csv

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import urllib.request

import psutil

from benchmarks.messages import Reports

HIGH_WATER = 3000


def main() -> None:
    """Run the benchmark and print one table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as home:
        run = Run(asked, Path(home))
        try:
            run.start()
            run.fill()
            print(json.dumps(run.measure(), indent=1))
        finally:
            run.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgresql (a server is started)")
    parser.add_argument("--resources", type=int, default=1_000_000, help="resources in the store before measuring")
    parser.add_argument("--seconds", type=int, default=300, help="length of the measurement")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=int, default=0, help="messages a second offered; 0 as many as are applied")
    parser.add_argument("--port", type=int, default=18080)
    return parser.parse_args()


class Run:
    """One gateway on an empty home, and one sender."""

    def __init__(self, asked: argparse.Namespace, home: Path) -> None:
        self.asked = asked
        self.home = home
        self.server = None
        self.gateway: subprocess.Popen[bytes] | None = None
        self.sender: subprocess.Popen[str] | None = None
        self.ready_seconds = 0.0

    def start(self) -> None:
        """Start database, gateway and sender."""
        url = f"sqlite:///{self.home}/gateway.db"
        if self.asked.database == "postgresql":
            from tests.support import postgres  # noqa: PLC0415

            self.server = postgres.start({"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB"})
            url = self.server.create("bench")
        started = time.monotonic()
        command = [sys.executable, "-m", "gateway", "serve", "--insecure-local", "--data", str(self.home)]
        command += ["--database", url, "--port", str(self.asked.port), "--mllp-port", str(self.asked.port + 1)]
        self.gateway = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.gateway.stdout is not None
        self.gateway.stdout.readline()
        self.ready_seconds = time.monotonic() - started
        self.sender = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sender", str(self.asked.port + 1), str(self.asked.connections)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fill(self) -> None:
        """Send until the store holds enough resources."""
        while self.resources() < self.asked.resources:
            self._steer(5.0)

    def measure(self) -> dict[str, object]:
        """Return the table: rates, acknowledgement times, memory, disk."""
        self.tell("reset")
        first, start = self.applied(), time.monotonic()
        backlog_before = self.backlog()
        memory, rates = 0, []
        while time.monotonic() - start < self.asked.seconds:
            before, at = self.applied(), time.monotonic()
            self._steer(10.0)
            rates.append((self.applied() - before) / (time.monotonic() - at))
            memory = max(memory, self.memory())
        rate = (self.applied() - first) / (time.monotonic() - start)
        times = self.tell("report")
        backlog_after = self.backlog()
        cpu = self.cpu()
        self.tell("0")
        resources = self.resources()
        disk = self.disk()
        yardstick = hl7apy_seconds()
        return {
            "database": self.asked.database,
            "messages/s applied": round(rate, 1),
            "resources/s": round(rate * 22, 0),
            "median and least of 10 s windows": [round(statistics.median(rates), 1), round(min(rates), 1)],
            "times hl7apy parsing alone": round(rate * yardstick, 1),
            "hl7apy ms a message": round(yardstick * 1000, 1),
            "backlog before, after": [backlog_before, backlog_after],
            "ack ms p50 p99 max": json.loads(times),
            "ready s": round(self.ready_seconds, 2),
            "memory MB (unique, largest)": round(memory / 1e6, 1),
            "resources": resources,
            "bytes a resource": round(disk / max(1, resources)),
            "cpu seconds by process": cpu,
        }

    def _steer(self, seconds: float) -> None:
        """Let the sender go on while the backlog is small, hold it while it is not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            backlog = self.backlog()
            self.tell(str(self.asked.rate or -1) if backlog < HIGH_WATER else "0")
            time.sleep(0.2)

    def tell(self, word: str) -> str:
        assert self.sender is not None and self.sender.stdin is not None and self.sender.stdout is not None
        self.sender.stdin.write(word + "\n")
        self.sender.stdin.flush()
        return self.sender.stdout.readline()

    def _numbers(self) -> dict[str, float]:
        address = f"http://127.0.0.1:{self.asked.port}/metrics"
        text = urllib.request.urlopen(address, timeout=30).read().decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def applied(self) -> int:
        """Return how many items were applied."""
        return int(
            sum(n for name, n in self._numbers().items() if name.startswith("gateway_items") and "applied" in name)
        )

    def backlog(self) -> int:
        """Return how many arrivals are not picked up yet."""
        return int(self._numbers().get("gateway_receiver_backlog", 0))

    def resources(self) -> int:
        """Return how many current resources the store holds."""
        from gateway.store.engine import open_store  # noqa: PLC0415

        store = open_store(self._url())
        try:
            with store.read() as tx:
                return tx.last_pid()
        finally:
            store.close()

    def _url(self) -> str:
        return self.server.url("bench") if self.server else f"sqlite:///{self.home}/gateway.db"

    def memory(self) -> int:
        """Return bytes of memory that only the gateway's processes use (shared pages once)."""
        assert self.gateway is not None
        tree = psutil.Process(self.gateway.pid)
        return sum(process.memory_full_info().pss for process in (tree, *tree.children(recursive=True)))

    def disk(self) -> int:
        """Return bytes on disk of all files after a checkpoint."""
        from gateway.store.engine import open_store  # noqa: PLC0415

        time.sleep(3)
        store = open_store(self._url())
        try:
            store.checkpoint()
            return sum(store.sizes().values())
        finally:
            store.close()

    def cpu(self) -> dict[str, float]:
        assert self.gateway is not None
        tree = psutil.Process(self.gateway.pid)
        found = {}
        for process in tree.children(recursive=True):
            times = process.cpu_times()
            found[f"{process.name()} {process.pid}"] = round(times.user + times.system, 1)
        return found

    def stop(self) -> None:
        """Stop everything."""
        for process in (self.sender, self.gateway):
            if process is not None:
                process.terminate()
                process.wait(30)
        if self.server is not None:
            self.server.stop()


def hl7apy_seconds(messages: int = 15) -> float:
    """Return the median seconds hl7apy needs to parse one of these messages, tolerantly, in this run."""
    from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415
    from hl7apy.parser import parse_message  # noqa: PLC0415

    stream = iter(Reports(seed=9))
    times = []
    for _ in range(messages):
        text = next(stream).decode()
        start = time.perf_counter()
        parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT)
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:])


if __name__ == "__main__":
    main()
