"""A gateway on disk with a few messages worked off, and the command run in this process."""

import functools
import shutil

import pytest
from click.testing import CliRunner

from gateway.cli import main as command
from tests.store.conftest import database_url  # noqa: F401  the fixture of the store's tests
from tests.support.county import county, hl7, lab, msh, pid


@pytest.fixture(autouse=True)
def _definitions_read_once(definitions_read_once):
    """Every run of the command in this process would read the shipped definitions anew."""


def gateway(*words):
    """Run the gateway command; return its result, the exit code as a shell would see it."""
    return CliRunner().invoke(_whole, [str(word) for word in words])


@functools.cache
def _main():
    import click

    @click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def whole(words):
        import sys

        before, sys.argv = sys.argv, ["gateway", *words]
        try:
            command.main()
        finally:
            sys.argv = before

    return whole


_whole = _main()

MESSAGES = (
    lab("M1", "R1", ("GLU", "5.1")),
    lab("M2", "R1", ("GLU", "9.9"), patient="P2"),
    hl7(msh("M3"), pid("P2", "李四")),
    hl7(msh("M4"), pid("P3", "王五")),
)
"""Applied; parked, because the report is another person's; held behind it; applied."""


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    with county(f"sqlite:///{folder}/gateway.db", folder) as town:
        items = town.run(*MESSAGES)
        assert [item.state.name for item in items] == ["APPLIED", "PARKED", "HELD", "APPLIED"]
    return folder, [item.item_id for item in items]


class Town:
    """A store of its own for one test: four messages, of which one is parked and one held."""

    def __init__(self, folder, items):
        self.folder = folder
        self.items = items
        self.applied, self.parked, self.held, self.other = items

    def __call__(self, *words):
        return gateway(*words, "--data", self.folder)

    def opened(self):
        return county(f"sqlite:///{self.folder}/gateway.db", self.folder)

    def states(self):
        with self.opened() as town:
            return town.states()


@pytest.fixture
def town(_made, tmp_path):
    folder, items = _made
    return Town(shutil.copytree(folder, tmp_path / "data"), items)
