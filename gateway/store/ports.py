"""What the modules of the store ask of a database, be it an SQLite file or a PostgreSQL pool."""

from contextlib import AbstractContextManager
from typing import Protocol

from gateway.store.dialect import Session


class Database(Protocol):
    """A place of sessions."""

    def write(self) -> AbstractContextManager[Session]:
        """Give one durable transaction."""

    def read(self, deadline_s: float = 0.0) -> AbstractContextManager[Session]:
        """Give a reading session."""

    def close(self) -> None:
        """Close every connection."""
