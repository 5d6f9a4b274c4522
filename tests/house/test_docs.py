"""The documentation keeps up: every metric, setting and verb is told, and nothing is told that is not there."""

import re
from pathlib import Path

import click
import pytest

from gateway.cli.main import VERBS, cli
from gateway.settings import PREFIX, SETTINGS
from gateway.web.metrics import METRICS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


def row(setting):
    """The line of a setting in docs/settings.md; when this fails, paste the line it wants."""
    default = " ".join(map(str, setting.default)) if isinstance(setting.default, tuple) else setting.default
    shown = str(default).lower() if isinstance(default, bool) else "" if default is None else str(default)
    told = setting.help.replace("|", "\\|")
    return f"| `{setting.name}` | {setting.type} | {f'`{shown}`' if shown else ''} | {told} |"


def test_every_setting_stands_in_the_documentation_as_in_the_table():
    rows = [line for line in text("settings.md").splitlines() if line.startswith("| `")]
    assert rows == [row(setting) for setting in SETTINGS]
    assert PREFIX in text("settings.md")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_documented_with_its_labels(name):
    (line,) = [line for line in text("metrics.md").splitlines() if line.startswith(f"| `{name}`")]
    assert re.findall("`([a-z_]+)`", line.split("|")[2]) == list(METRICS[name][1])
    assert len(line.split("|")[3].strip()) > 20


def test_no_metric_is_documented_that_is_gone():
    told = set(re.findall(r"^\| `(gateway_[a-z_]+)`", text("metrics.md"), re.MULTILINE))
    assert told == set(METRICS)


def commands():
    context = click.Context(cli)
    for verb in VERBS:
        command = cli.get_command(context, verb)
        yield verb, command
        for name in getattr(command, "verbs", None) or getattr(command, "commands", ()):
            yield f"{verb} {name}", command.get_command(context, name)


def sections():
    """The parts of docs/verbs.md by the command in their heading."""
    parts = re.split(r"^#{2,3} `gateway ([a-z ]+)`$", text("verbs.md"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_verb_is_documented_and_no_other():
    assert list(sections()) == [name for name, _ in commands()]


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_verb_is_documented_with_its_options_and_example(name, command):
    told = sections()[name]
    flags = [flag for one in command.params for flag in one.opts if flag.startswith("--")]
    assert [flag for flag in flags if f"`{flag}" not in told and flag not in ("--config", "--help")] == []
    assert (command.epilog or "").removeprefix("Example: ") in told.replace("\\|", "|")
