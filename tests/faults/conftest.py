import asyncio
import os
import threading

import pytest

from gateway.listeners.options import GateOptions, MllpOptions, ReceiveOptions
from gateway.listeners.process import Receiver, loop_factory
from gateway.store.engine import open_store
from tests.faults.books import book
from tests.faults.harness import end_all
from tests.support import postgres


@pytest.fixture(autouse=True)
def _no_receiver_left():
    yield
    end_all()


@pytest.fixture
def report(request):
    """Note one row of the fault report, printed at the end of the run."""
    return lambda row: request.node.user_properties.append(("fault", row))


class Door:
    """A receiver in this process: a real store and a real socket."""

    def __init__(self, data, **mllp):
        self.store = open_store(f"sqlite:///{data}/gateway.db", data)
        self.store.migrate()
        gate = GateOptions(min_free_bytes=1, min_free_share=0)
        options = ReceiveOptions(data, mllp=(MllpOptions(port=0, **mllp),), gate=gate)
        self.receiver = Receiver(options, self.store, book())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.receiver.ready.wait(20)
        self.port = self.receiver.mllp[0].port

    def _run(self):
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self.receiver.run())

    def bodies(self):
        """Return every stored message in inbox order."""
        found, last = [], 0
        while batch := self.store.inbox.unpicked(last, 1000):
            found += batch
            last = batch[-1].id
        return found

    def counts(self):
        return self.receiver.intake.counters.snapshot()["counts"]

    def idle(self):
        """Wait until every connection is gone, and with it whatever it sent."""
        wait = threading.Event()
        while self.receiver.mllp[0].connected or self.receiver.intake.waiting:
            wait.wait(0.005)

    def stop(self):
        self.receiver.stop()
        self._thread.join(20)
        self.store.close()


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL of this session; missing it skips loudly, and fails where CI=true."""
    try:
        running = postgres.start()
    except postgres.NoPostgres as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test on PostgreSQL. {error}")
        pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")
    yield running
    running.stop()


@pytest.fixture
def door(tmp_path):
    opened = Door(tmp_path)
    yield opened
    opened.stop()


@pytest.fixture
def small_door(tmp_path):
    """A door that takes at most 64 KiB."""
    opened = Door(tmp_path, max_frame=65536)
    yield opened
    opened.stop()
