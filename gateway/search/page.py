"""Page tokens: where the next page begins, sealed so that links show neither values nor positions."""

import base64
import binascii
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway import clock
from gateway.errors import GatewayError
from gateway.search.request import Cursor

_NONCE = 12


class Page(NamedTuple):
    """What a token holds: the search as it was asked, and where its last page ended."""

    type: str
    pairs: tuple[tuple[str, str], ...]
    cursor: Cursor


def seal(key: bytes, page: Page, bound: str = "") -> str:
    """Return the token of a page, fit for a URL; `key` is 16, 24 or 32 bytes.

    `bound` (an actor, say) must be the same at opening, so that a token is of no use to another.
    """
    nonce = clock.token(_NONCE)
    text = msgspec.json.encode((page.type, page.pairs, tuple(page.cursor)))
    sealed = nonce + AESGCM(key).encrypt(nonce, text, bound.encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(key: bytes, token: str, bound: str = "") -> Page:
    """Return what `seal` put into a token; GatewayError where it was made by another key, changed or cut."""
    try:
        sealed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        text = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound.encode())
    except (UnicodeEncodeError, binascii.Error, ValueError, InvalidTag):
        raise GatewayError(
            "This page link is damaged or no longer valid. Run the search again from its first page.", where="_page"
        ) from None
    type_name, pairs, cursor = _read(text)
    return Page(type_name, tuple((name, value) for name, value in pairs), Cursor(*cursor))


def _read(text: bytes) -> Any:
    return msgspec.json.decode(text)
