"""Search: reads and searches over HTTP on a store of a million Observations, alone and while messages come in.

The client, the gateway and the database share this machine. The store is filled through the MLLP door; then each kind
of question is asked from --connections connections for --seconds, first on a store at rest, then with --ingest messages
a second coming in. The yardstick is /health/live asked in the same way: what the server can answer without a record.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # the folder of this file would hide the standard csv

import argparse
import json
import subprocess
import tempfile
import time
import urllib.request

from benchmarks.ingest import Run

OBSERVATIONS = 20  # of a message
RESOURCES = 22  # of a message, as ingest counts them
OLD = 200  # messages at the beginning whose code never comes again


def main() -> None:
    """Run the benchmark and print one table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as home:
        run = Run(asked, Path(home))
        try:
            run.start()
            _client(asked, "old", OLD)
            run.fill()
            _settle(run)
            print(json.dumps(_tables(run, asked), indent=1))
        finally:
            run.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgresql (a server is started)")
    parser.add_argument("--observations", type=int, default=1_000_000, help="Observations in the store before asking")
    parser.add_argument("--seconds", type=float, default=10, help="how long each kind of question is asked")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--ingest", type=int, default=100, help="messages a second in the second half")
    parser.add_argument("--rate", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=18080)
    asked = parser.parse_args()
    asked.resources = asked.observations * RESOURCES // OBSERVATIONS
    return asked


def _settle(run: Run) -> None:
    """Wait until nothing is waiting to be applied."""
    run.tell("0")
    while run.backlog():
        time.sleep(0.5)
    time.sleep(2)


def _tables(run: Run, asked: argparse.Namespace) -> dict[str, object]:
    known = {"resources": run.resources(), "bytes a resource": round(run.disk() / run.resources())}
    rest = _ask(asked)
    run.tell(str(asked.ingest))
    time.sleep(3)
    first, start = run.applied(), time.monotonic()
    busy = _ask(asked)
    rate = (run.applied() - first) / (time.monotonic() - start)
    run.tell("0")
    return {
        "database": asked.database,
        **known,
        "connections": asked.connections,
        "columns": ["requests/s", "p50 ms", "p95 ms", "p99 ms", "bytes", "of the yardstick's rate"],
        "at rest": rest,
        f"with {asked.ingest} messages/s": busy,
        "messages/s applied meanwhile": round(rate, 1),
        "memory MB": round(run.memory() / 1e6, 1),
        "cpu seconds by process": run.cpu(),
    }


def _ask(asked: argparse.Namespace) -> dict[str, list[float]]:
    """Let a process of its own ask every kind of question, one after another."""
    base = f"http://127.0.0.1:{asked.port}"
    urllib.request.urlopen(f"{base}/health/ready", timeout=30).read()
    told = _client(asked, "ask", asked.connections, asked.seconds)
    found: dict[str, list[float]] = json.loads(told)
    yardstick = found["yardstick"][0]
    return {kind: [*row, round(row[0] / yardstick, 3)] for kind, row in found.items()}


def _client(asked: argparse.Namespace, word: str, *told: float) -> str:
    """Run a client in a process of its own and return what it prints."""
    port = asked.port + 1 if word == "old" else asked.port
    command = [sys.executable, "-m", "benchmarks.clients", word, str(port), *map(str, told)]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
