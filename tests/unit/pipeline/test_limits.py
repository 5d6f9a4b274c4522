import gc
import subprocess
import sys
import threading

import pytest

from gateway.pipeline import limits
from gateway.pipeline.limits import CPU_SECONDS, Appetite, Collector, Overtime, processor_time


def test_a_loop_is_interrupted():
    with pytest.raises(Overtime, match="processor time"), processor_time(0.05):
        while True:
            pass


def test_a_loop_that_catches_every_exception_is_interrupted_all_the_same():
    with pytest.raises(Overtime), processor_time(0.05):
        while True:
            try:
                sum(range(100))
            except Exception:
                continue


def test_what_ends_in_time_is_left_alone_and_the_clock_is_stopped():
    with processor_time(0.05):
        pass
    sum(range(3_000_000))  # more than 0.05 s, outside


def test_other_threads_are_not_limited():
    done = []

    def work():
        with processor_time(0.0001):
            sum(range(200_000))
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


ENDLESS = """
from gateway.pipeline.limits import Overtime, processor_time
with processor_time(0.05):
    while True:
        try:
            while True: sum(range(1000))
        except Overtime: pass
"""


def test_what_stops_for_nothing_ends_the_process():
    assert subprocess.run([sys.executable, "-c", ENDLESS], check=False).returncode == -27, "SIGPROF"


HOARDER = """
from gateway.pipeline import limits
limits.cap_memory(64 << 20)
limits.cap_memory(128 << 20)
try:
    bytearray(1 << 30)
except MemoryError:
    print("refused", len(bytearray(16 << 20)))
"""


def test_a_runaway_gets_a_memory_error_and_the_process_goes_on():
    done = subprocess.run([sys.executable, "-c", HOARDER], capture_output=True, text=True, check=True)
    assert done.stdout == f"refused {16 << 20}\n"


def test_garbage_is_collected_between_batches_only(monkeypatch):
    collected = []
    monkeypatch.setattr(limits.gc, "collect", lambda *generation: collected.append(generation))
    collector = Collector(every=2)
    collector.start()
    try:
        assert not gc.isenabled()
        for _ in range(4):
            collector.between()
    finally:
        collector.stop()
    assert gc.isenabled()
    assert collected == [(), (1,), (1,)]


def test_more_is_taken_at_once_while_more_waits():
    appetite = Appetite(64)
    seen = []
    for waiting in (500, 500, 100, 100, 3):
        seen.append(appetite.limit)
        appetite.took(min(waiting, appetite.limit))
    assert seen == [64, 128, 128, 64, 128]
    assert appetite.limit == 64


def test_a_larger_batch_has_more_processor_time_and_a_small_one_no_less():
    assert Appetite(64).seconds(1) == Appetite(64).seconds(64) == CPU_SECONDS
    assert Appetite(64).seconds(128) == 2 * CPU_SECONDS
