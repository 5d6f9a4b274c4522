"""Migrations: numbered SQL files, forward only, one step and one transaction at a time in each database.

`NNNN_name.sqlite.sql` and `NNNN_name.postgresql.sql` hold the sections `-- @inbox`, `-- @record`, `-- @blobs` and
`-- @audit`; statements end with `;` at the end of a line, a trigger's body between `-- @begin` and `-- @end`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.store.dialect import Session
from gateway.store.ports import Database

AREAS = ("inbox", "record", "blobs", "audit")
_LOCK = 6
_FILE = re.compile(r"(\d{4})_(\w+)\.(sqlite|postgresql)\.sql")
_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, applied_us BIGINT NOT NULL)"

Name = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Step:
    """One migration for one kind of database: its statements by area."""

    number: int
    name: str
    statements: Mapping[str, tuple[str, ...]]


@cache
def steps(kind: Name) -> tuple[Step, ...]:
    """Return the shipped migrations of a kind of database in order."""
    found = []
    for file in resources.files(__package__ or "").iterdir():
        match = _FILE.fullmatch(file.name)
        if match and match[3] == kind:
            found.append(Step(int(match[1]), match[2], parse(file.read_text(encoding="utf-8"))))
    return tuple(sorted(found, key=lambda step: step.number))


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Return the statements of a migration file by area."""
    sections = re.split(r"^-- @(inbox|record|blobs|audit)\n", text, flags=re.MULTILINE)[1:]
    return {area: tuple(_statements(body)) for area, body in zip(sections[::2], sections[1::2], strict=True)}


def migrate(databases: Mapping[str, Database], *, only: Mapping[Name, tuple[Step, ...]] | None = None) -> list[int]:
    """Take every step not yet taken; return their numbers. Raises GatewayError for a schema newer than this gateway.

    `only` replaces the shipped steps: the upgrade tests build older stores with it.
    """
    taken: set[int] = set()
    for area in AREAS:
        taken.update(_migrate_area(databases[area], area, only))
    return sorted(taken)


def refuse_newer(databases: Mapping[str, Database]) -> None:
    """Raise GatewayError where a database was made by a newer gateway."""
    for area in AREAS:
        with databases[area].read() as session:
            _refuse(area, _current(session, area), steps(session.name))


def require_current(databases: Mapping[str, Database]) -> None:
    """Raise GatewayError unless every database answers and has this gateway's schema."""
    for area in AREAS:
        with databases[area].read() as session:
            current, shipped = _current(session, area), steps(session.name)
            _refuse(area, current, shipped)
        if current < shipped[-1].number:
            raise GatewayError(
                f"The {area} schema is at {current}, this gateway needs {shipped[-1].number}. Run `gateway migrate`.",
                category=Category.UNAVAILABLE,
            )


def _migrate_area(database: Database, area: str, only: Mapping[Name, tuple[Step, ...]] | None) -> list[int]:
    taken: list[int] = []
    while True:
        with database.write() as session:
            session.lock(_LOCK)
            shipped = steps(session.name) if only is None else only[session.name]
            _enter(session, area)
            current = _current(session, area)
            _refuse(area, current, shipped)
            step = next((step for step in shipped if step.number > current), None)
            if step is None:
                return taken
            _take(session, step, area)
        taken.append(step.number)


def _take(session: Session, step: Step, area: str) -> None:
    session.do(_VERSION_TABLE)
    for statement in step.statements.get(area, ()):
        session.do(statement)
    session.insert("schema_version", ("number", "applied_us"), [(step.number, clock.now_us())])


def _enter(session: Session, area: str) -> None:
    if session.name == "postgresql":
        session.do(f"CREATE SCHEMA IF NOT EXISTS {area}")
        session.do(f"SET LOCAL search_path TO {area}")


def _current(session: Session, area: str) -> int:
    table = f"{area}.schema_version" if session.name == "postgresql" else "schema_version"
    if session.name == "postgresql":
        present = session.value("SELECT to_regclass(?)", (table,)) is not None
    else:
        present = session.one("SELECT 1 FROM sqlite_master WHERE name='schema_version'") is not None
    return int(session.value(f"SELECT coalesce(max(number), 0) FROM {table}")) if present else 0  # noqa: S608  constant


def _refuse(area: str, current: int, shipped: tuple[Step, ...]) -> None:
    newest = shipped[-1].number if shipped else 0
    if current > newest:
        raise GatewayError(
            f"The {area} schema is at {current}, this gateway knows only {newest}: a newer gateway made it. "
            "Start that version, or restore the backup taken before the upgrade.",
            category=Category.UNSUPPORTED,
        )


def _statements(body: str) -> list[str]:
    pieces = re.split(r"^-- @begin\n(.*?)^-- @end\n", body, flags=re.MULTILINE | re.DOTALL)
    plain = [part for piece in pieces[::2] for part in re.split(r";[ \t]*\n", piece)]
    return [text for part in (*plain, *pieces[1::2]) if (text := _without_comments(part))]


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip()
