"""Questions of one batch, each answered on a snapshot of its own, so that none is held while messages are mapped.

On SQLite a snapshot that is held keeps the write-ahead log from beginning anew: with two workers, each mapping most
of the time, there was never a moment without one, and the log grew to eight times its length. What is planned on
different moments is safe as it is on PostgreSQL: keys and version numbers say so when it is written.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager

from gateway.store.engine import ReadTx
from gateway.store.values import AliasKey, Head, Link, Target


class Glances:
    """The reads that planning needs; `read` opens a short reading transaction."""

    def __init__(self, read: Callable[[], AbstractContextManager[ReadTx]]) -> None:
        self._read = read

    def blocked(self, patient_keys: Iterable[str], besides: Collection[int] = ()) -> dict[str, int]:
        """Return, of these patient keys, those with an item that holds later ones back, and its id."""
        with self._read() as tx:
            return tx.blocked(patient_keys, besides)

    def aliases(self, site: str, keys: Iterable[AliasKey]) -> dict[AliasKey, Target]:
        """Return the resources a site's keys stand for."""
        with self._read() as tx:
            return tx.aliases(site, keys)

    def aliases_of(self, pid: int) -> list[tuple[str, AliasKey]]:
        """Return every (site, key) that stands for a resource."""
        with self._read() as tx:
            return tx.aliases_of(pid)

    def heads(self, refs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Head]:
        """Return the heads of (type, id) pairs."""
        with self._read() as tx:
            return tx.heads(refs)

    def heads_by_pid(self, pids: Iterable[int]) -> dict[int, Head]:
        """Return the heads of these pids."""
        with self._read() as tx:
            return tx.heads_by_pid(pids)

    def bodies(self, versions: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return the texts of (pid, version) pairs."""
        with self._read() as tx:
            return tx.bodies(versions)

    def replaced(self, pids: Iterable[int]) -> Sequence[Link]:
        """Return the merges that hold by which these pids are replaced by others."""
        with self._read() as tx:
            return tx.replaced(pids)
