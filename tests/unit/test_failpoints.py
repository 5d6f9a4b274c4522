import os
import signal
import subprocess
import sys

import pytest

from gateway import failpoints


@pytest.fixture(autouse=True)
def _disarmed():
    yield
    failpoints.arm("")


def test_nothing_happens_when_unarmed():
    failpoints.hit("fp1")
    assert not failpoints.due("fp1")


def test_another_point_is_passed():
    failpoints.arm("fp2")
    failpoints.hit("fp1")
    assert not failpoints.due("fp3")


def test_counts_the_hits():
    failpoints.arm("fp3:3")
    assert [failpoints.due("fp3") for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("wrong", ["fp0", "fp15", "three", "fp1:x"])
def test_an_unknown_point_is_told(wrong):
    with pytest.raises(ValueError, match=r"fp|invalid literal"):
        failpoints.arm(wrong)


def test_a_hit_is_a_kill():
    code = "from gateway import failpoints as f; f.arm('fp1'); f.hit('fp1'); print('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -9
    assert done.stdout == b""


def test_a_hit_sends_sigkill_to_this_process(monkeypatch):
    killed = []
    monkeypatch.setattr(os, "kill", lambda *call: killed.append(call))
    failpoints.arm("fp1:2")
    failpoints.hit("fp1")
    assert killed == []
    failpoints.hit("fp1")
    assert killed == [(os.getpid(), signal.SIGKILL)]
