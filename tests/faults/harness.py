"""A sender that keeps an fsynced ledger, a receiver that can be killed, and the promises checked afterwards.

Used by every test in this folder. Promises (docs: reliability): I1 whatever was answered positively is in the
inbox, byte for byte; I2 no message has more than one effect; I5 what was not answered is wholly there or not.
"""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from gateway.store.engine import open_store

HERE = Path(__file__).parent
START, END = b"\x0b", b"\x1c\r"


def message(control_id: str, *, results: int = 3, sender: str = "FAULTS", extra: str = "") -> bytes:
    """Return an ORU about an invented person; every id gives different bytes."""
    lines = [
        f"MSH|^~\\&|{sender}|COUNTY|GATEWAY|REGION|20260105093000||ORU^R01^ORU_R01|{control_id}|P|2.4||||||UTF-8",
        f"PID|1||P{abs(hash_(control_id)) % 1000}^^^COUNTY^MR||测试^居民||19900307|F",
        f"OBR|1||L{control_id}|BR^血常规|||20260105080000",
    ]
    lines += [f"OBX|{n}|NM|T{n}^项目{n}||{n}.50|mmol/L|1-9|N|||F|||20260105090000" for n in range(1, results + 1)]
    if extra:
        lines.append(extra)
    return ("\r".join(lines) + "\r").encode()


def hash_(text: str) -> int:
    """Return a number that is the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def frame(payload: bytes) -> bytes:
    """Return `payload` in its MLLP frame."""
    return START + payload + END


class Client:
    """The plainest MLLP sender: a socket, and whole answers read from it."""

    def __init__(self, port: int, timeout: float = 20.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._rest = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, payload: bytes) -> None:
        self.socket.sendall(frame(payload))

    def answer(self) -> bytes:
        """Return the next answer; EOFError when the other side closed without one."""
        while END not in self._rest:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self._rest += data
        whole, self._rest = self._rest.split(END, 1)
        assert whole.startswith(START), whole
        return whole[1:]

    def ask(self, payload: bytes) -> bytes:
        self.send(payload)
        return self.answer()

    def silent(self, seconds: float = 0.15) -> bool:
        """Return whether nothing comes and the connection stays open for so long."""
        self.socket.settimeout(seconds)
        try:
            return not self._rest and self.socket.recv(1) is None
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)

    def closed(self) -> bool:
        """Return whether the other side closed without a further byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def msa(answer: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an answer."""
    for line in answer.decode("utf-8", "replace").split("\r"):
        if line.startswith("MSA|"):
            _, code, control_id, *_ = (line + "|").split("|")
            return code, control_id
    raise AssertionError(f"no MSA in {answer!r}")


STARTED: list[subprocess.Popen[bytes]] = []


def end_all() -> None:
    """End the receivers a failed test left behind."""
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            for child in psutil.Process(process.pid).children():
                child.kill()
            process.kill()
        process.wait()


class Receiver:
    """The receive process as a child that a test may kill."""

    def __init__(self, data: Path, *, url: str = "", wrapper: tuple[str, ...] = (), **options: object) -> None:
        self.data = data
        self.url = url
        self.wrapper = wrapper
        self.options = options
        self.log_file = data.parent / f"{data.name}.log"  # not on the disk under test
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self, **options: object) -> "Receiver":
        """Start the child and wait until it listens."""
        ready = self.data.parent / f"{self.data.name}.ready"
        ready.unlink(missing_ok=True)
        chosen = {"data": self.data, "ready": ready, "url": self.url, "port": self.port, **self.options, **options}
        words = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
        log = self.log_file.open("ab")
        with log:
            self.process = subprocess.Popen(
                [*self.wrapper, sys.executable, "-m", "tests.faults.receiver", *words],
                cwd=HERE.parent.parent,
                stderr=log,
                stdout=log,
            )
        STARTED.append(self.process)
        self._wait(ready)
        return self

    def _wait(self, ready: Path) -> None:
        assert self.process is not None
        limit = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.01)
        self.port = int(ready.read_text().split()[1])

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")[-4000:]

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        for child in self._gateways():
            child.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        for child in self._gateways():
            child.terminate()
        return self.process.wait(30)

    def _gateways(self) -> list[psutil.Process]:
        """Return the gateway itself, which a wrapper such as strace has as its child."""
        assert self.process is not None
        if self.process.poll() is not None:
            return []
        parent = psutil.Process(self.process.pid)
        return parent.children() if self.wrapper else [parent]


class Ledger:
    """What one test sent and which answers it saw, on disk before the next step."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.sent: dict[str, bytes] = {}
        self.answered: dict[str, str] = {}

    def note(self, control_id: str, word: str) -> None:
        with self._lock, self._path.open("ab") as file:
            file.write(f"{time.time():.6f}\t{control_id}\t{word}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def sending(self, control_id: str, payload: bytes) -> None:
        self.sent[control_id] = hashlib.sha256(payload).digest()
        self.note(control_id, "sent")

    def answer(self, control_id: str, code: str) -> None:
        self.note(control_id, code)
        self.answered[control_id] = code


class Sender(threading.Thread):
    """Sends its messages over one connection, and again after every failure, until each is answered."""

    def __init__(self, receiver: Receiver, ledger: Ledger, ids: list[str], *, window: int = 1) -> None:
        super().__init__(daemon=True)
        self._receiver = receiver
        self._ledger = ledger
        self._left = list(ids)
        self._window = window
        self.giving_up = threading.Event()
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while self._left and not self.giving_up.is_set():
                try:
                    self._session()
                except (OSError, EOFError):
                    time.sleep(0.02)
        except BaseException as fault:
            self.fault = fault

    def _session(self) -> None:
        with Client(self._receiver.port, timeout=10) as client:
            while self._left and not self.giving_up.is_set():
                group = self._left[: self._window]
                for control_id in group:
                    payload = message(control_id)
                    self._ledger.sending(control_id, payload)
                    client.send(payload)
                for control_id in group:
                    code, echoed = msa(client.answer())
                    assert echoed == control_id, f"answer to {echoed} where {control_id} was due"
                    self._ledger.answer(control_id, code)
                    self._left.remove(control_id)


@dataclass
class Findings:
    """What the promises say about one run; empty lists are what we want."""

    stored: int = 0
    lost: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @property
    def violations(self) -> int:
        return len(self.lost) + len(self.changed) + len(self.doubled)


def check(data: Path, ledger: Ledger, url: str = "") -> Findings:
    """Hold the inbox against the ledger: I1, I2 (one row per message), I5."""
    findings = Findings()
    bodies: dict[str, list[bytes]] = {}
    store = open_store(url or f"sqlite:///{data / 'gateway.db'}", data)
    try:
        last = 0
        while batch := store.inbox.unpicked(last, 1000):
            for arrival in batch:
                assert arrival.body is not None
                bodies.setdefault(arrival.control_id, []).append(arrival.body)
            last = batch[-1].id
    finally:
        store.close()
    findings.stored = sum(map(len, bodies.values()))
    for control_id, digest in ledger.sent.items():
        found = bodies.get(control_id, [])
        if ledger.answered.get(control_id) in ("AA", "CA") and not found:
            findings.lost.append(control_id)
        if any(hashlib.sha256(body).digest() != digest for body in found):
            findings.changed.append(control_id)
        if len(found) > 1:
            findings.doubled.append(control_id)
    return findings


def run_senders(
    receiver: Receiver, ledger: Ledger, *, connections: int, messages: int, window: int = 1
) -> list[Sender]:
    """Start `connections` senders of `messages` messages each."""
    senders = [
        Sender(receiver, ledger, [f"C{conn}-{n}" for n in range(messages)], window=window)
        for conn in range(connections)
    ]
    for sender in senders:
        sender.start()
    return senders


def join(senders: list[Sender], seconds: float = 60) -> None:
    """Wait until all senders are through; their faults are the test's."""
    limit = time.monotonic() + seconds
    for sender in senders:
        sender.join(max(0.0, limit - time.monotonic()))
        assert not sender.is_alive(), "a sender is still waiting for answers"
        if sender.fault is not None:
            raise sender.fault
