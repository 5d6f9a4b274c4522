"""One PostgreSQL for the whole run, and a loud line where there is none."""

import os
from collections.abc import Iterator

import pytest

from gateway.store.engine import open_store
from tests.support import postgres

TEMPLATE = "migrated"
MISSING = "NOT TESTED ON POSTGRESQL"


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """The session's PostgreSQL with a migrated template; missing it skips loudly, and fails where CI=true."""
    try:
        running = postgres.start()
    except postgres.NoPostgres as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test on PostgreSQL. {error}")
        pytest.skip(f"{MISSING}: {error}")
    try:
        store = open_store(running.create(TEMPLATE))
        store.migrate()
        store.close()
        yield running
    finally:
        running.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of the fault plan; say in red, quiet or not, that half of the store went untested."""
    _fault_rows(terminalreporter)
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if MISSING in str(report.longrepr)]
    if skipped:
        reason = str(skipped[0].longrepr[2]) if isinstance(skipped[0].longrepr, tuple) else MISSING
        terminalreporter.write_line(f"{len(skipped)} tests: {reason}", red=True, bold=True)


def _fault_rows(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        text
        for outcome in ("passed", "failed")
        for found in terminalreporter.stats.get(outcome, [])
        for name, text in getattr(found, "user_properties", ())
        if name == "fault"
    ]
    if rows:
        terminalreporter.section("fault plan")
        for row in sorted(rows):
            terminalreporter.write_line(row)
