"""Options shared by the verbs, made from the table of settings, and how a verb gets at the gateway."""

import ctypes
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from gateway import settings, wiring
from gateway.errors import GatewayError
from gateway.settings import SETTINGS, Settings

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_HELP = {setting.name: setting for setting in SETTINGS}
STORE = ("data", "database", "mappings")

# Nothing that comes from a message may be taken for markup, and a pipe has no edge to wrap at.
_WIDE = None if sys.stdout.isatty() else 400
console = Console(highlight=False, markup=False, width=_WIDE)
errors = Console(stderr=True, highlight=False, markup=False)


def setting_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb `--config` and an option for each setting; it gets a Settings value as its first argument."""

    def decorate(verb: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(verb)
        def called(**given: Any) -> Any:
            config = given.pop("config")
            chosen = {name: given.pop(name) or None for name in names}
            try:
                loaded = settings.load(Path(config) if config else None, **chosen)
            except GatewayError as fault:
                raise click.UsageError(f"{fault.text} ({fault.where})" if fault.where else fault.text) from fault
            return verb(loaded, **given)

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


@contextmanager
def opened(chosen: Settings, *, migrate: bool = False) -> Iterator[wiring.Gateway]:
    """Give a verb the gateway, and close its store at the end; warnings and worse are logged to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    gateway = wiring.open_gateway(chosen, migrate=migrate)
    try:
        yield gateway
    finally:
        gateway.store.close()


def name_process(role: str) -> None:
    """Let `ps` and `top` tell the gateway's processes apart: gateway_receive, gateway_worker, gateway_web (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"gateway{role}"[:15].encode())


def die_with_parent() -> None:
    """Ask the system to end this process when its supervisor dies, so that no port stays taken (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            sys.exit(0)
