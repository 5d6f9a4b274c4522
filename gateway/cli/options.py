"""Options shared by the verbs, made from the table of settings, and how a verb gets at the gateway."""

import ctypes
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from gateway import settings, wiring
from gateway.settings import SETTINGS, Settings

_PR_SET_PDEATHSIG = 1
_HELP = {setting.name: setting for setting in SETTINGS}
STORE = ("data", "database", "mappings")

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def setting_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb `--config` and an option for each setting; it gets a Settings value as its first argument."""

    def decorate(verb: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(verb)
        def called(**given: Any) -> Any:
            config = given.pop("config")
            chosen = {name: given.pop(name) or None for name in names}
            return verb(settings.load(Path(config) if config else None, **chosen), **given)

        wrapped: Callable[..., Any] = called
        for name in reversed(names):
            wrapped = _option(name)(wrapped)
        return click.option("--config", metavar="FILE", help="Settings file; default ./gateway.toml if there.")(wrapped)

    return decorate


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    setting = _HELP[name]
    flag = "--" + name.replace("_", "-")
    if setting.type == "switch":
        return click.option(flag, name, is_flag=True, help=setting.help)
    if setting.type == "paths":
        return click.option(flag, name, multiple=True, metavar="DIR", help=setting.help)
    return click.option(flag, name, metavar=setting.type.upper(), help=setting.help)


def open_gateway(chosen: Settings, *, migrate: bool = False) -> wiring.Gateway:
    """Open the gateway for a verb, logging warnings and worse to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    return wiring.open_gateway(chosen, migrate=migrate)


def die_with_parent() -> None:
    """Ask the system to end this process when its supervisor dies, so that no port stays taken (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            sys.exit(0)
