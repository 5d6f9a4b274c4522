import shutil
from collections import namedtuple

import pytest

from gateway.errors import Transient
from gateway.listeners.gate import Gate
from gateway.listeners.options import GateOptions

Usage = namedtuple("Usage", "total used free")
GIB = 1024**3


@pytest.fixture
def disk(monkeypatch):
    state = {"total": 100 * GIB, "free": 50 * GIB}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(state["total"], 0, state["free"]))
    return state


def test_shuts_below_the_floor_and_opens_above_it(disk, tmp_path):
    gate = Gate(GateOptions(), tmp_path)
    gate.look()
    assert not gate.shut
    disk["free"] = 4 * GIB
    gate.look()
    assert gate.shut
    assert "Free some space" in gate.reasons["disk"]
    disk["free"] = 6 * GIB
    gate.look()
    assert not gate.shut


def test_the_share_of_a_large_disk_is_capped(disk, tmp_path):
    disk.update(total=2000 * GIB, free=10 * GIB)
    gate = Gate(GateOptions(), tmp_path)
    gate.look()
    assert not gate.shut


def test_a_small_disk_keeps_the_fixed_floor(disk, tmp_path):
    disk.update(total=10 * GIB, free=GIB - 1)
    gate = Gate(GateOptions(), tmp_path)
    gate.look()
    assert gate.shut


def test_a_missing_folder_shuts_with_a_reason(tmp_path):
    gate = Gate(GateOptions(min_free_bytes=1, min_free_share=0), tmp_path / "gone")
    gate.look()
    assert "cannot be looked at" in gate.reasons["disk"]


def test_backlog_shuts_until_a_tenth_is_worked_off(disk, tmp_path):
    waiting = [1000]
    gate = Gate(GateOptions(max_backlog=1000), tmp_path, lambda: waiting[0])
    shut = []
    for waiting[0] in (1000, 1001, 950, 901, 900):
        gate.look()
        shut.append(gate.shut)
    assert shut == [False, True, True, True, False]


def test_a_store_that_cannot_count_shuts_with_its_own_words(disk, tmp_path):
    broken = [True]

    def backlog():
        if broken[0]:
            raise Transient("inbox.db is busy.")
        return 0

    gate = Gate(GateOptions(), tmp_path, backlog)
    gate.look()
    assert gate.reasons == {"store": "inbox.db is busy."}
    broken[0] = False
    gate.look()
    assert not gate.shut


def test_memory_shuts_above_and_opens_at_half(disk, tmp_path):
    gate = Gate(GateOptions(max_held=100), tmp_path)
    assert not gate.hold(100)
    assert gate.hold(1)
    assert gate.shut
    assert not gate.hold(-50)
    assert gate.hold(-1)
    assert not gate.shut
