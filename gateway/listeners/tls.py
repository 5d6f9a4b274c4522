"""TLS of a listener: the context from PEM files, read anew when they change, and who the peer proved to be."""

import hashlib
import logging
import ssl
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.listeners.options import TlsFiles

log = logging.getLogger(__name__)
_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}


def context(files: TlsFiles) -> ssl.SSLContext:
    """Return a server context for TLS 1.2 and 1.3; GatewayError names the file that cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(files.certificate, files.key)
        if files.client_ca is not None:
            made.load_verify_locations(files.client_ca)
            made.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as fault:
        raise GatewayError(
            f"The TLS files cannot be used ({fault}); check certificate {files.certificate}, "
            f"key {files.key} and client CA {files.client_ca or '(none)'}.",
            where=str(files.certificate),
            category=Category.UNAVAILABLE,
        ) from fault
    return made


class Tls:
    """The current context of one listener; connections made before a change keep theirs."""

    __slots__ = ("_files", "_stamp", "context", "fault")

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamp = self._look()
        self.context = context(files)
        self.fault = ""

    def reload(self, *, force: bool = False) -> bool:
        """Take changed files into use for new connections; on a fault keep the old ones and say so."""
        stamp = self._look()
        if stamp == self._stamp and not force:
            return False
        try:
            self.context = context(self._files)
        except GatewayError as fault:
            if stamp != self._stamp:
                log.error("tls reload refused, the old certificate stays in use: %s", fault.text)
            self._stamp, self.fault = stamp, fault.text
            return False
        self._stamp, self.fault = stamp, ""
        log.info("tls files taken into use: %s", self._files.certificate)
        return True

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        found = []
        for path in (self._files.certificate, self._files.key, self._files.client_ca):
            try:
                stat = path.stat() if path else None
            except OSError:
                stat = None
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else (0, 0, 0))
        return tuple(found)


def peer_certificate(ssl_object: Any) -> str:
    """Return `CN=…,O=… sha256:…` of the certificate the peer proved to hold, or an empty text."""
    der = ssl_object.getpeercert(binary_form=True)
    if not der:
        return ""
    subject = ",".join(
        f"{_SHORT.get(name, name)}={value}"
        for part in (ssl_object.getpeercert() or {}).get("subject", ())
        for name, value in part
    )
    return f"{subject} sha256:{hashlib.sha256(der).hexdigest()}"
