"""The whole `gateway serve` tree as a child that a test may kill, and definitions that misbehave."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from gateway import settings
from tests.faults.harness import STARTED
from tests.support.county import ROOT

POISON = '''"""Makes the mapping of some messages misbehave, as a site's definition could: loops, hoards, dies."""
import os
from gateway.mapping.catalog import Mapper
from gateway.pipeline import limits

genuine = Mapper.map
limits.CPU_SECONDS = float(os.environ.get("POISON_SECONDS", "5"))

def poisoned(self, message, **given):
    if message.control_id.startswith("LOOP"):
        while True:
            try:
                sum(range(1000))
            except Exception:
                pass
    if message.control_id.startswith("HOARD"):
        return bytearray(2 << 30)
    if message.control_id.startswith("DIE"):
        os.abort()
    return genuine(self, message, **given)

Mapper.map = poisoned
'''


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def poison(folder: Path) -> str:
    """Write the misbehaving definitions; return the PYTHONPATH that brings them into every process."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(POISON, encoding="utf-8")
    return str(folder)


class Tree:
    """`gateway serve` and its children; `port` is the MLLP port, the same after every start."""

    def __init__(self, folder: Path, url: str = "", **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, self.web = free_port(), free_port()
        database = url or f"sqlite:///{folder / 'gateway.db'}"
        ports = {"port": self.web, "mllp_port": self.port}
        self.settings = settings.load(
            environment={}, data=str(folder), database=database, insecure_local=True, min_free_bytes=1, **ports
        )
        self._environment = {**self.settings.environment(), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Tree":
        """Start the supervisor; it does not wait until the gateway is ready."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"], env=self._environment, cwd=ROOT, stdout=log, stderr=log
            )
        STARTED.append(self.process)
        return self

    def ready(self, seconds: float = 60) -> "Tree":
        """Wait until /health/ready says so."""
        assert self.process is not None
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            assert self.process.poll() is None, self.log()
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.web}/health/ready", timeout=5):
                return self
            time.sleep(0.05)
        raise AssertionError(f"not ready in {seconds} s: {self.log()}")

    def children(self) -> list[psutil.Process]:
        """Return the processes the supervisor started."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def running(self, role: str) -> set[int]:
        """Return the process ids of those that run a role, such as _worker."""
        found = set()
        for child in self.children():
            with suppress(psutil.Error):
                if child.name() == f"gateway{role}" and child.status() != psutil.STATUS_ZOMBIE:
                    found.add(child.pid)
        return found

    def kill(self) -> None:
        """kill -9 of every process at once."""
        assert self.process is not None
        doomed = self.children()
        for pid in [self.process.pid, *(child.pid for child in doomed)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(doomed, timeout=20)

    def stop(self) -> int:
        """SIGTERM, and the exit code; no child may be left."""
        assert self.process is not None
        children = self.children()
        self.process.terminate()
        code = self.process.wait(60)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, f"left behind: {alive}"
        return code

    def log(self) -> str:
        names = ("serve.log", "gateway.log")
        paths = [self.folder / name for name in names if (self.folder / name).exists()]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-3000:] for path in paths)
