"""Who asks, for what purpose, and how much of the record that lets them see."""

import ipaddress
from dataclasses import dataclass

from gateway.errors import Category, GatewayError
from gateway.search.scope import Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or system, the purpose of use it gave, its scope, and the site that what it writes belongs to."""

    name: str
    purpose: str
    scope: Scope
    site: str = ""


ANONYMOUS = Actor("anonymous", "", Scope(sites=frozenset()))
"""Anybody at all: may ask what the server can do, and sees nothing of the record."""

_LOCAL = Actor("insecure-local", "TREAT", Scope(sites=None), "local")


def actor_of(peer: str, *, insecure_local: bool) -> Actor:
    """Return who a request comes from; raises GatewayError (refused) for everybody but a local demonstrator.

    Deny by default (architecture decision 14): logins and client credentials are not part of this release, so
    outside `insecure_local`, which answers loopback addresses only, nobody may read.
    """
    if not insecure_local:
        text = "nobody is let in: this release has no logins yet; on your own machine start it with --insecure-local"
        raise GatewayError(text, category=Category.REFUSED)
    if not _is_loopback(peer):
        raise GatewayError("--insecure-local answers this machine only", category=Category.REFUSED)
    return _LOCAL


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
