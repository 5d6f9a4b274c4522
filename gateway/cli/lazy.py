"""A group of verbs, each in a module of its own that is imported only when the verb is called."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

# verb: (module in gateway.cli, one line for the overview); the module has the command under the verb's own name
Table = Mapping[str, tuple[str, str]]


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is called."""

    def __init__(self, *args: Any, verbs: Table, hidden: Table | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.verbs = verbs
        self.unlisted = hidden or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs a person calls, in the order of the overview."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        found = self.verbs.get(cmd_name) or self.unlisted.get(cmd_name)
        if found is None:
            return None
        module = importlib.import_module(f"gateway.cli.{found[0]}")
        command: click.Command = getattr(module, cmd_name.lstrip("_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing every verb."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in self.verbs.items()])
