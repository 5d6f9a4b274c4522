"""The public address of /fhir: the setting where given, else what the proxy or the client calls this server."""

import re
from collections.abc import Mapping

from starlette.types import Scope

_HOST = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9.\-]{0,253}[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~\-]+){1,8}")
_FORWARDED = re.compile(r'(?:^|[;,\s])(host|proto|for)=("[^"]*"|[^;,\s]*)', re.IGNORECASE)
_PROXIES = frozenset({"forwarded", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-prefix"})
_PORTS = {"http": "80", "https": "443"}


_READ = "yigong.headers"


class PublicBase:
    """Gives the address that links must begin with."""

    def __init__(self, configured: str) -> None:
        self._configured = configured

    def __call__(self, scope: Scope) -> str:
        """Return the address for one request; `Forwarded` (RFC 7239) goes before `X-Forwarded-*`, both before Host."""
        if self._configured:
            return self._configured
        sent = headers(scope)
        if not _PROXIES.isdisjoint(sent):
            return self._behind(scope, sent)
        host = sent.get("host", "")
        return f"{_own_scheme(scope)}://{host if _HOST.fullmatch(host) else 'localhost'}/fhir"

    @staticmethod
    def _behind(scope: Scope, sent: Mapping[str, str]) -> str:
        proxy = {**_x_forwarded(sent), **forwarded(sent)}
        scheme = proxy.get("proto", "").lower()
        scheme = scheme if scheme in _PORTS else _own_scheme(scope)
        host = next((name for name in (proxy.get("host"), sent.get("host")) if name and _HOST.fullmatch(name)), "")
        return f"{scheme}://{_with_port(host or 'localhost', scheme, proxy)}{_prefix(sent)}/fhir"


def headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by lower-case name, repeated ones joined by a comma (RFC 9110 5.2).

    They are read once and kept in the scope.
    """
    known: dict[str, str] | None = scope.get(_READ)
    if known is not None:
        return known
    found: dict[str, str] = {}
    scope[_READ] = found
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def forwarded(sent: Mapping[str, str]) -> dict[str, str]:
    """Return host, proto and for as the first proxy saw them, from the header Forwarded."""
    first = sent.get("forwarded", "").partition(",")[0]
    return {name.lower(): value.strip('"') for name, value in _FORWARDED.findall(first)}


def _x_forwarded(sent: Mapping[str, str]) -> dict[str, str]:
    names = {"host": "x-forwarded-host", "proto": "x-forwarded-proto", "port": "x-forwarded-port"}
    return {name: sent[header].partition(",")[0].strip() for name, header in names.items() if header in sent}


def _own_scheme(scope: Scope) -> str:
    return "https" if scope.get("scheme") == "https" else "http"


def _with_port(host: str, scheme: str, proxy: Mapping[str, str]) -> str:
    port = proxy.get("port", "")
    named = ":" in host.rpartition("]")[2]
    if named or not port.isascii() or not port.isdigit() or len(port) > 5 or port == _PORTS[scheme]:
        return host
    return f"{host}:{port}"


def _prefix(sent: Mapping[str, str]) -> str:
    prefix = sent.get("x-forwarded-prefix", "").rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""
