"""The only place that reads the clock or draws randomness, so tests can hold both still."""

import secrets
import time
import uuid
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, with zone."""
    return datetime.now(UTC)


def now_us() -> int:
    """Return microseconds since 1970-01-01T00:00Z."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Return seconds that never go backwards; for waits and retries only."""
    return time.monotonic()


def uuid4() -> str:
    """Return a new random UUID as text."""
    return str(uuid.uuid4())


def token(size: int) -> bytes:
    """Return `size` random bytes fit for keys."""
    return secrets.token_bytes(size)


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
