"""The clients of benchmarks/search.py: plain HTTP/1.1 over kept connections, each waiting for its answer."""

import asyncio
import json
import random
import socket
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable

from benchmarks.messages import ANALYTES, Reports

OLD_CODE = "OLD-{:02d}"
_KINDS = 20  # old codes
_WARM = 1.0
_SEEN = 200  # patients whose results are read


def old(port: int, count: int) -> None:
    """Send messages with codes that never come again."""
    reports = Reports(seed=77)
    with socket.create_connection(("127.0.0.1", port)) as door:
        for number in range(count):
            text = reports.next().decode()
            first = text.split("OBX|1|NM|")[1].split("^")[0]
            code = OLD_CODE.format(number % _KINDS)
            door.sendall(b"\x0b" + text.replace(f"|{first}^", f"|{code}^", 1).encode() + b"\x1c\r")
            answer = door.recv(4096)
            if b"|AA|" not in answer:
                raise SystemExit(f"not accepted: {answer!r}")


class Questions:
    """Endless questions of each kind, about patients, reports and results the store holds."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._random = random.Random(5)
        patients = self._page("/fhir/Patient?_count=1000")
        self._patients = [one["id"] for one in patients]
        self._numbers = [one["identifier"][0] for one in patients if one.get("identifier")]
        some = self._random.sample(self._patients, min(_SEEN, len(self._patients)))
        seen = [one for fid in some for one in self._page(f"/fhir/Observation?patient={fid}&_count=20")]
        self._results = [one["id"] for one in seen]
        self._codes = [code for code, *_ in ANALYTES]
        self._weights = [1 / rank for rank in range(1, len(self._codes) + 1)]

    def _page(self, path: str) -> list[dict]:
        bundle = json.load(urllib.request.urlopen(self._base + path, timeout=60))
        return [entry["resource"] for entry in bundle.get("entry", ())]

    def kinds(self) -> dict[str, Callable[[], str]]:
        """Return name of a kind -> maker of the next question."""
        pick = self._random.choice
        return {
            "yardstick": lambda: "/health/live",
            "read": lambda: f"/fhir/Observation/{pick(self._results)}",
            "patient+code": lambda: f"/fhir/Observation?patient={pick(self._patients)}&code={self._code()}&_count=20",
            "newest 20 of a code": lambda: f"/fhir/Observation?code={self._code()}&_count=20",
            "code only in old data": lambda: (
                f"/fhir/Observation?code={OLD_CODE.format(self._random.randrange(_KINDS))}"
            ),
            "chained": self._chained,
            "_include": lambda: (
                f"/fhir/DiagnosticReport?patient={pick(self._patients)}&_include=DiagnosticReport:result&_count=2"
            ),
            "$everything": lambda: f"/fhir/Patient/{pick(self._patients)}/$everything?_count=50",
            "count of a code": lambda: f"/fhir/Observation?code={self._rare()}&_summary=count",
        }

    def _code(self) -> str:
        return self._random.choices(self._codes, self._weights)[0]

    def _rare(self) -> str:
        return self._random.choice(self._codes)

    def _chained(self) -> str:
        number = self._random.choice(self._numbers)
        return f"/fhir/Observation?patient.identifier={number['system']}|{number['value']}&code={self._code()}"


async def ask(port: int, connections: int, seconds: float) -> dict[str, list[float]]:
    """Return requests a second, p50, p95, p99 in ms and mean bytes for each kind of question."""
    questions = Questions(f"http://127.0.0.1:{port}")
    return {name: await _kind(port, make, connections, seconds) for name, make in questions.kinds().items()}


async def _kind(port: int, make: Callable[[], str], connections: int, seconds: float) -> list[float]:
    begin = time.perf_counter() + _WARM
    end = begin + seconds
    rows = [row for rows in await asyncio.gather(*(_one(port, make, end) for _ in range(connections))) for row in rows]
    told = [(took, size) for at, took, size in rows if at >= begin]
    times = sorted(took for took, _ in told)
    marks = [round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 2) for part in (0.5, 0.95, 0.99)]
    return [round(len(told) / seconds, 1), *marks, round(sum(size for _, size in told) / len(told))]


async def _one(port: int, make: Callable[[], str], end: float) -> list[tuple[float, float, int]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    rows = []
    while (start := time.perf_counter()) < end:
        path = make().replace("|", "%7C")
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{path}: {head.splitlines()[0].decode()}")
        size = await _body(reader, head.lower())
        rows.append((start, time.perf_counter() - start, size))
    writer.close()
    return rows


async def _body(reader: asyncio.StreamReader, head: bytes) -> int:
    """Read a body told by its length or in chunks; return its size in bytes."""
    if b"content-length:" in head:
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        return length
    total = 0
    async for size in _chunks(reader):
        total += size
    return total


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[int]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
        yield size
    await reader.readexactly(2)


if __name__ == "__main__":
    if sys.argv[1] == "old":
        old(int(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(asyncio.run(ask(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))))
