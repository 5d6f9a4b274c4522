"""A small MLLP sender for the demo and for trying a feed by hand."""

import socket

from gateway.errors import Transient
from gateway.formats import mllp

_CHUNK = 65536


class Sender:
    """One MLLP connection that sends a message and waits for its answer."""

    def __init__(self, host: str, port: int, timeout: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout)
        self._decoder = mllp.Decoder()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, message: bytes) -> bytes:
        """Send one message and return the answer; raises Transient when the door closed without one."""
        self._socket.sendall(mllp.wrap(message))
        while True:
            data = self._socket.recv(_CHUNK)
            if not data:
                raise Transient("the gateway closed the connection without an answer; send the message again")
            frames = self._decoder.feed(data)
            if frames:
                return bytes(frames[0].payload)
