"""The public messages, through stock MLLP clients and the real receive process: each accepted, stored and applied."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from hl7.client import MLLPClient

from tests.support.county import ROOT, county

SAMPLES = ROOT.parent / "shared" / "samples" / "hl7v2"
FILES = sorted(SAMPLES.glob("*.hl7"))
pytestmark = pytest.mark.skipif(
    not FILES, reason="NOT TESTED ON THE PUBLIC SAMPLES: ../shared/samples/hl7v2 is not here"
)

ENHANCED = "feed: enhanced-test\nack: enhanced\nreused: separate\nparked: skip\ntest_traffic: real\nmatch: {listener: enhanced}\n"


def framed(path):
    return path.read_bytes().replace(b"\r\n", b"\r").replace(b"\n", b"\r")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def town(tmp_path):
    """A gateway whose receive process is a real one, with a second listener for an enhanced feed."""
    site = tmp_path / "mappings" / "enhanced-site"
    (site / "enhanced-test").mkdir(parents=True)
    (site / "site.yaml").write_text("site: enhanced-site\n", encoding="utf-8")
    (site / "enhanced-test" / "feed.yaml").write_text(ENHANCED, encoding="utf-8")
    home, port = tmp_path / "home", free_port()
    listeners = [{"name": "enhanced", "port": port}]
    with county(
        f"sqlite:///{home}/gateway.db", home, [tmp_path / "mappings"], mllp_port=0, listeners=listeners
    ) as made:
        log = (home / "receive.log").open("wb")
        receiver = subprocess.Popen(
            [sys.executable, "-m", "gateway", "_receive"],
            env=made.gateway.settings.environment(),
            stdout=log,
            stderr=log,
        )
        try:
            ready = home / "receive.ready"
            deadline = time.monotonic() + 20
            while not ready.exists():
                assert receiver.poll() is None and time.monotonic() < deadline, (home / "receive.log").read_text()
                time.sleep(0.05)
            made.ports = dict(line.split() for line in ready.read_text().splitlines())
            yield made
        finally:
            receiver.terminate()
            receiver.wait(20)
            log.close()


def code(answer):
    return next(line for line in answer.split(b"\r") if line.startswith(b"MSA")).split(b"|")[1].decode()


def test_every_message_is_accepted_through_python_hl7_and_becomes_a_record(town):
    with MLLPClient("127.0.0.1", int(town.ports["mllp"])) as client:
        codes = {path.name: code(client.send_message(framed(path))) for path in FILES}
    assert set(codes.values()) == {"AA"}
    assert len(codes) == 21
    town.work()
    print(f"\n21 public messages through python-hl7: {len(codes)} x AA; states: {sorted(set(town.states()))}")
    # Two of the files are the same bytes: one arrival, one effect.
    assert town.states() == ["applied"] * 20
    named = {
        name["text"] if "text" in name else name["family"] for each in town.all("Patient") for name in each["name"]
    }
    assert {"EVERYMAN", "Trivedi", "Bond", "Hernandez"} <= named
    assert len(town.all("Observation")) >= 30
    assert json.dumps(town.all("DiagnosticReport")).count("result") >= 3


def test_an_enhanced_feed_answers_as_msh_15_asks(town):
    port = int(town.ports["enhanced"])
    answers = {}
    for path in FILES:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
            sender.sendall(b"\x0b" + framed(path) + b"\x1c\r")
            sender.settimeout(10 if wanted(path) else 0.4)
            try:
                answers[path.name] = code(sender.recv(65536))
            except TimeoutError:
                answers[path.name] = ""
    expected = {path.name: wanted(path) for path in FILES}
    print(f"\nenhanced feed: {sorted(set(answers.values()))} over {len(answers)} messages, as MSH-15 and MSH-16 say")
    assert answers == expected
    assert set(expected.values()) == {"AA", "CA", ""}


def wanted(path):
    header = framed(path).split(b"\r")[0].split(b"|") + [b""] * 20
    accept, application = header[14], header[15]
    if not accept and not application:
        return "AA"
    return "CA" if accept == b"AL" else ""


@pytest.mark.long
def test_every_message_is_accepted_through_the_medplum_client(town, tmp_path):
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("NOT TESTED WITH MEDPLUM: there is no node on this machine")
    home = tmp_path / "npm"
    home.mkdir()
    (home / "package.json").write_text('{"private": true}')
    install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "@medplum/hl7@4.5.2"]
    subprocess.run(install, cwd=home, check=True, capture_output=True)
    paths = []
    for path in FILES:
        paths.append(tmp_path / path.name)
        paths[-1].write_bytes(framed(path))
    script = str(ROOT / "tests" / "flow" / "medplum_send.mjs")
    command = [node, script, str(home), town.ports["mllp"], *map(str, paths)]
    sent = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env={**os.environ})
    codes = sent.stdout.split()
    print(f"\n21 public messages through @medplum/hl7@4.5.2: {codes.count('AA')} x AA")
    assert codes == ["AA"] * 21
