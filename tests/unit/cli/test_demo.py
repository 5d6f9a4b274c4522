"""The first thing anybody runs."""

import json
import re
import socket
import subprocess
import sys

import pytest

from gateway import settings
from gateway.cli import demo
from gateway.errors import GatewayError, Transient
from tests.faults.worker_tree import free_port
from tests.support.county import ROOT

ONE_RECORD = r"one record: (\d+) persons have .* of (\d+) pairs of records (\d+) are joined, (\d+) wrongly"


def run(*words, environment=None):
    command = [sys.executable, "-m", "gateway", "demo", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False, env=environment)


def test_demo_once_shows_what_came_in_what_it_became_and_where_to_look(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--once", "--port", port, "--mllp-port", free_port(), "--data", tmp_path / "var")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout
    assert f"port {port} is taken; using " in shown
    urls = re.findall(r"http://127\.0\.0\.1:\d+/fhir/(\w+)\?", shown)
    assert urls == ["Person", "DiagnosticReport", "CarePlan"]
    assert "What came in, from whom" in shown
    for feed in ("county-his", "county-lis", "county-ris", "township-csv", "village-xlsx", "insurer-csv"):
        assert re.search(rf"│ {feed} +│", shown), feed
    assert "key-reused" in shown
    assert re.search(r"│ Patient +│ \d", shown)
    assert int(re.search(r"One person, (\d) sites", shown)[1]) >= 3
    assert re.search(r"│ county-hospital +│ DiagnosticReport", shown.partition("finds by its own Patient")[2])
    several, pairs, joined, wrong = map(int, re.search(ONE_RECORD, shown).groups())
    assert (several > 100, joined > pairs * 0.9, wrong) == (True, True, 0), shown
    assert re.search(r"OBX-5 +│ OBX\[\d+\]-5", shown)
    good, total = map(int, re.search(r"Against the truth: (\d+) of (\d+)", shown).groups())
    assert total > 300
    assert good == total, shown
    assert "Traceback" not in done.stderr


def test_the_temporary_folder_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(demo.tempfile, "mkdtemp", lambda prefix: str(_made(tmp_path / prefix)))
    chosen = settings.load(environment={}, port=free_port(), mllp_port=free_port())
    with demo._home(chosen) as home:
        assert home.insecure_local
        assert home.data == tmp_path / "gateway-demo-"
        assert home.data.exists()
    assert not home.data.exists()


def _made(path):
    path.mkdir()
    return path


def test_a_folder_of_ones_own_is_kept(tmp_path):
    chosen = settings.load(environment={}, data=str(_made(tmp_path / "mine")), port=free_port(), mllp_port=free_port())
    with demo._home(chosen) as home:
        assert home.data == tmp_path / "mine"
    assert home.data.exists()


def test_no_free_port_is_said(monkeypatch):
    monkeypatch.setattr(demo, "_PORTS_TRIED", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GatewayError, match=f"no free port from {port} to {port}; name one"):
            demo._free(port, taken=0)


def test_a_message_that_is_not_answered_is_shown_as_such(monkeypatch, tmp_path):
    class Deaf:
        def __init__(self, *_):
            pass

        def __enter__(self):
            raise Transient("closed")

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(demo, "Sender", Deaf)
    (tmp_path / "receive.ready").write_text("mllp 1\n", encoding="utf-8")
    (tmp_path / "county").mkdir()
    (tmp_path / "county" / "1.hl7").write_bytes(b"noise")
    chosen = settings.load(environment={}, data=str(tmp_path))
    assert demo._over_mllp(chosen, {"feed": "county-his", "file": "1.hl7"}) == "none"


def test_a_file_nobody_takes_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "_SETTLE_SECONDS", 0.1)
    (tmp_path / "county").mkdir()
    (tmp_path / "county" / "1.csv").write_bytes(b"a,b")
    (tmp_path / "exports" / "township-csv" / "in").mkdir(parents=True)
    chosen = settings.load(environment={}, data=str(tmp_path))
    with pytest.raises(GatewayError, match="files were not taken"):
        demo._into_folders(chosen, [{"feed": "township-csv", "file": "1.csv"}])
    with pytest.raises(GatewayError, match="a file was not taken"):
        demo._into_folders(chosen, [{"feed": "township-csv", "file": "1.csv"}])


@pytest.mark.parametrize(("answer", "code"), [(b"MSH|^~\\&\rMSA|AA|1\r", "AA"), (b"noise", "?")])
def test_the_code_of_an_answer(answer, code):
    assert demo._code(answer) == code


def test_messages_that_are_not_worked_off_are_said(monkeypatch, town):
    monkeypatch.setattr(demo, "_SETTLE_SECONDS", 0.1)
    with town.opened() as opened:
        opened.store.work.retry([town.parked])
        with pytest.raises(GatewayError, match="is the worker running"):
            demo._settle(opened.store)


def test_the_tour_goes_on_serving_until_told_to_stop(tmp_path):
    import signal

    ports = ("--port", free_port(), "--mllp-port", free_port(), "--data", tmp_path / "var")
    command = [sys.executable, "-m", "gateway", "demo", *map(str, ports)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        shown = ""
        for line in process.stdout:
            shown += line
            if line.startswith("serving; Ctrl-C ends it"):
                break
        import urllib.request

        (url,) = re.findall(r"http://\S+/fhir/Person\?\S+", shown)
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert json.load(answer)["entry"][0]["resource"]["name"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
