"""F4: a full disk and a failing disk: no positive answer while it lasts, nothing lost, and on by itself after."""

import shutil
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

from tests.faults.harness import Client, Ledger, Receiver, check, join, message, msa, run_senders


@contextmanager
def small_disk(folder, megabytes):
    """Mount a disk of a few megabytes, or skip loudly where this process may not."""
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"NOT TESTED ON A FULL DISK: no small disk can be mounted here ({mount.stderr.decode().strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder):
    """Take all the room there is; return the file that holds it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096) == 4096:
            pass
    return filler


def refused(port, number):
    """Send messages that must not be answered; return how many were answered all the same."""
    answered = 0
    for one in range(number):
        try:
            with Client(port) as client:
                client.ask(message(f"FULL-{one}"))
                answered += 1
        except (EOFError, OSError):
            continue
    return answered


def takes(port):
    """Say whether a message is stored and answered now."""
    with suppress(EOFError, OSError), Client(port) as client:
        return msa(client.ask(message("AGAIN"))) == ("AA", "AGAIN")
    return False


def disk_full(tmp_path, report, megabytes, connections, messages):
    with small_disk(tmp_path / "disk", megabytes) as folder:
        receiver = Receiver(folder).start()
        ledger = Ledger(tmp_path / "ledger")
        join(run_senders(receiver, ledger, connections=connections, messages=messages))
        filler = fill(folder)
        with Client(receiver.port) as client:  # what fits into the room already taken may still be answered
            for _ in range(300):
                try:
                    client.ask(message("ROOM", extra="NTE|1||" + "x" * 4000 + str(_)))
                except (EOFError, OSError):
                    break
        answered = refused(receiver.port, 20)
        assert receiver.alive
        assert "the disk is full" in receiver.log()
        filler.unlink()
        freed = time.monotonic()
        while not takes(receiver.port):
            assert time.monotonic() - freed < 10
        resumed = time.monotonic() - freed
        receiver.stop()
        findings = check(folder, ledger)
    report(
        f"F4  disk of {megabytes} MB full: {answered} positive answers, {findings.violations} of "
        f"{len(ledger.sent)} lost, on again after {resumed:.1f} s"
    )
    assert (answered, findings.violations) == (0, 0)


def test_a_full_disk(tmp_path, report):
    disk_full(tmp_path, report, 8, 2, 20)


@pytest.mark.long
def test_a_full_disk_of_64_megabytes(tmp_path, report):
    disk_full(tmp_path, report, 64, 8, 200)


@pytest.mark.long
@pytest.mark.parametrize(
    ("call", "fault"), [("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("pwrite64", "EIO")], ids=lambda word: word
)
def test_calls_that_fail_now_and_then(tmp_path, report, call, fault):
    if shutil.which("strace") is None:
        pytest.skip("NOT TESTED ON A FAILING DISK: strace is not installed (apt-get install strace)")
    folder = tmp_path / "run"
    folder.mkdir()
    Receiver(folder).start().stop()  # the files exist before the disk begins to fail
    inject = f"{call}:error={fault}:when=40+37"
    wrapper = ("strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"trace={call}", "-e", f"inject={inject}")
    receiver = Receiver(folder, wrapper=wrapper).start()
    ledger = Ledger(tmp_path / "ledger")
    join(run_senders(receiver, ledger, connections=4, messages=60), 120)
    receiver.stop()
    findings = check(folder, ledger)
    injected = (tmp_path / "trace").read_text(errors="replace").count("(INJECTED)")
    report(
        f"F4  {call} fails with {fault} {injected} times: "
        f"{findings.violations} violations in {len(ledger.sent)} messages"
    )
    assert injected > 0
    assert findings.violations == 0
    assert len(ledger.answered) == 240
