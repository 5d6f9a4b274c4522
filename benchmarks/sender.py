"""The benchmark's sender: MLLP connections that each wait for their acknowledgement, steered over standard input."""

import asyncio
import json
import sys
import time

from benchmarks.messages import Reports


class Sender:
    """Sends from several connections; `pace` is messages a second in all, -1 as fast as answered, 0 not at all."""

    def __init__(self, port: int, connections: int) -> None:
        self.port = port
        self.connections = connections
        self.pace = 0
        self.times: list[float] = []
        self.reports = Reports(seed=int(time.time()) % 100_000)
        self.go = asyncio.Event()
        self.next_at = 0.0

    async def run(self) -> None:
        """Send until standard input ends."""
        senders = [asyncio.create_task(self._connection()) for _ in range(self.connections)]
        loop = asyncio.get_running_loop()
        while word := await loop.run_in_executor(None, sys.stdin.readline):
            print(self._obey(word.strip()), flush=True)
        for sender in senders:
            sender.cancel()

    def _obey(self, word: str) -> str:
        if word == "reset":
            self.times.clear()
            return "ok"
        if word == "report":
            ordered = sorted(self.times) or [0.0]
            marks = [ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1]]
            return json.dumps([round(mark * 1000, 2) for mark in marks])
        self.pace = int(word)
        self.go.set() if self.pace else self.go.clear()
        return "ok"

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while True:
            await self.go.wait()
            await self._turn()
            message = self.reports.next()
            start = time.perf_counter()
            writer.write(b"\x0b" + message + b"\x1c\r")
            answer = await reader.readuntil(b"\x1c\r")
            self.times.append(time.perf_counter() - start)
            if b"|AA|" not in answer:
                raise SystemExit(f"not accepted: {answer!r}")

    async def _turn(self) -> None:
        if self.pace < 0:
            return
        now = time.perf_counter()
        self.next_at = max(now, self.next_at) + 1 / self.pace
        await asyncio.sleep(self.next_at - now)


if __name__ == "__main__":
    asyncio.run(Sender(int(sys.argv[1]), int(sys.argv[2])).run())
