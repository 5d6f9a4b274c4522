"""Answers in gzip for clients that take it: large ones only, and never those that are sent part by part."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import replace

from gateway.web.rest.message import Answer

LEAST = 2048
"""Bytes below which packing costs more than it saves."""

_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
_WANTED = re.compile(r"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q=([0-9.]*)\s*)?(?:,|$)", re.IGNORECASE)


def packed(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """Return the answer in gzip where that is worth while and wanted (Accept-Encoding, RFC 9110 12.5.3)."""
    if len(answer.body) < LEAST or answer.stream is not None:
        return answer
    varying = {**answer.headers, "vary": "Accept-Encoding"}
    if not wanted(headers.get("accept-encoding", "")):
        return replace(answer, headers=varying)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    body = packer.compress(answer.body) + packer.flush()
    return replace(answer, body=body, headers={**varying, "content-encoding": "gzip"})


def wanted(accepted: str) -> bool:
    """Say whether a client takes gzip."""
    found = _WANTED.search(accepted)
    return found is not None and (found[1] is None or found[1].strip("0.") != "")
