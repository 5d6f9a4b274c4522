"""Page tokens: where the next page begins, sealed so that links show neither values nor positions."""

import base64
import binascii
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway import clock
from gateway.errors import GatewayError
from gateway.search.request import Cursor

_NONCE = 12


class Page(NamedTuple):
    """What a token holds: the search as it was asked and of what, and where its last page ended (None: begin anew)."""

    type: str
    pairs: tuple[tuple[str, str], ...]
    cursor: Cursor | None


def seal(key: bytes, page: Page, bound: str = "") -> str:
    """Return the token of a page, fit for a URL; `key` is 16, 24 or 32 bytes.

    `bound` (an actor, say) must be the same at opening, so that a token is of no use to another.
    """
    nonce = clock.token(_NONCE)
    text = msgspec.msgpack.encode(page)  # as JSON, infinity would be null
    sealed = nonce + AESGCM(key).encrypt(nonce, text, bound.encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(key: bytes, token: str, bound: str = "") -> Page:
    """Return what `seal` put into a token; GatewayError where it was made by another key, changed or cut."""
    try:
        sealed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        text = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound.encode())
        return msgspec.msgpack.decode(text, type=Page)
    except (UnicodeEncodeError, binascii.Error, ValueError, InvalidTag, msgspec.MsgspecError):
        raise GatewayError(
            "This page link is damaged or no longer valid. Run the search again from its first page.", where="_page"
        ) from None
