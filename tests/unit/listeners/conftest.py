import asyncio
import contextlib
import threading

import pytest
import uvloop

from gateway.listeners.gate import Gate
from gateway.listeners.mllp import MllpListener
from gateway.listeners.options import GateOptions, MllpOptions
from gateway.listeners.values import Answer, Verdict


class FakeIntake:
    """Answers `ACK <payload>` at once, unless a test holds the answers back."""

    def __init__(self):
        self.held = None
        self.hangs = False
        self.seen = []
        self.answer = lambda raw: Answer(Verdict.STORED, (b"ACK " + raw[:40],))

    def stuck(self, now):
        return self.hangs

    def submit(self, raw, who, done, later=None):
        self.seen.append((raw, who))
        if self.held is None:
            done(self.answer(raw))
        else:
            self.held.append((raw, done, later))

    def oversize(self, head, size, limit, who, done):
        self.seen.append((head, who))
        done(Answer(Verdict.REFUSED, (b"AR %d %d" % (len(head), size),)))


class Running:
    """An MLLP listener on an event loop of its own thread."""

    def __init__(self, listener, loop_factory):
        self.listener = listener
        self.up, self.down = threading.Event(), None
        self.loop = None
        self.thread = threading.Thread(target=self._run, args=(loop_factory,), daemon=True)
        self.thread.start()
        assert self.up.wait(10)

    def _run(self, loop_factory):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(self._main())

    async def _main(self):
        self.loop = asyncio.get_running_loop()
        self.down = asyncio.Event()
        await self.listener.start()
        self.up.set()
        await self.down.wait()
        await self.listener.stop(2)

    def call(self, step):
        """Run `step` on the loop and return its result."""

        async def run():
            return step()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def stop(self):
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.down.set)
        self.thread.join(10)


@pytest.fixture
def intake():
    return FakeIntake()


@pytest.fixture(params=["asyncio", "uvloop"])
def loops(request):
    return asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop


@pytest.fixture
def serve(intake, tmp_path, loops):
    """Start listeners with the options a test names; all are stopped afterwards."""
    running = []

    def start(**options):
        gate = Gate(
            GateOptions(min_free_bytes=1, min_free_share=0, max_held=options.pop("max_held", 1 << 30)), tmp_path
        )
        listener = MllpListener(MllpOptions(port=0, **options), intake, gate)
        running.append(Running(listener, loops))
        return running[-1]

    yield start
    for one in running:
        one.stop()
