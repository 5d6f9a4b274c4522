"""The store: opens SQLite files or a PostgreSQL database and hands out transactions and doors."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.search.scope import Scope
from gateway.store import index, migrations, outbox
from gateway.store.aliases import AliasReads, AliasWrites
from gateway.store.audit import Audit
from gateway.store.blobs import AttachedReads, AttachedWrites, Blobs
from gateway.store.dialect import Session
from gateway.store.identity import IdentityReads, IdentityWrites
from gateway.store.inbox import Inbox
from gateway.store.lanes import Lanes, LaneWrites
from gateway.store.links import LinkReads, LinkWrites
from gateway.store.names import Names
from gateway.store.outbox import Outbox, OutboxReads, Turn
from gateway.store.postgres import PostgresDatabase
from gateway.store.resources import ResourceReads, ResourceWrites
from gateway.store.rows import Files, RowReads, RowWrites
from gateway.store.sqlite import NARROW_PAGE, PAGE, SqliteFile
from gateway.store.terminology import TerminologyReads, TerminologyWrites
from gateway.store.values import Stored
from gateway.store.work import Work, WorkReads, WorkWrites

_FILES = {"record": "gateway.db", "blobs": "blobs.db", "inbox": "inbox.db", "audit": "audit.db"}
_SLOTS = 32
_PID_BLOCK = 1024  # the increment of PostgreSQL's sequence resource_pid


class ReadTx(
    ResourceReads,
    AliasReads,
    WorkReads,
    LinkReads,
    IdentityReads,
    OutboxReads,
    AttachedReads,
    TerminologyReads,
    RowReads,
):
    """A reading transaction on the record."""


class WriteTx(
    ResourceWrites,
    AliasWrites,
    WorkWrites,
    LinkWrites,
    IdentityWrites,
    LaneWrites,
    AttachedWrites,
    TerminologyWrites,
    RowWrites,
    ReadTx,
):
    """A writing transaction on the record: all of it is kept, durably, or none."""

    def __init__(self, session: Session, names: Names, pids: "PidBlocks", slot: int) -> None:
        super().__init__(session, names)
        self._turn: Turn | None = None
        self.slot = slot
        self._pids = pids
        self._next_pid = 0
        self._next_seq = 0

    def allocate(self, count: int) -> Sequence[int]:
        """Return `count` new pids in rising order."""
        if self.session.name == "postgresql":
            return self._pids.take(self.session, count)
        if not self._next_pid:
            self._next_pid = int(self.session.value("SELECT coalesce(max(pid), 0) FROM resource")) + 1
        first = self._next_pid
        self._next_pid += count
        return range(first, self._next_pid)

    def moment(self, wanted_us: int) -> int:
        """Return the moment that all versions of this transaction bear; to be asked for before anything else.

        It is later than every moment a reader may have seen: `wanted_us` or just after the last one on SQLite, the
        database's own clock on PostgreSQL.
        """
        if self._turn is None:
            self._turn = outbox.take_turn(self.session, wanted_us)
        assert self._turn.fresh, "a transaction's moment is asked for before it writes or locks anything"
        return self._turn.moment_us

    def next_seqs(self, count: int) -> range:
        """Return the next `count` change numbers of this transaction."""
        if not self._next_seq:
            self._next_seq = (self._turn or outbox.take_turn(self.session, 0)).seq
        first = self._next_seq
        self._next_seq += count
        return range(first, self._next_seq)

    def index(self, entries: Sequence[index.Entry], known: Mapping[tuple[str, str], int] | None = None) -> None:
        """Replace the search rows of resources: (pid, type id, rows, whether the resource is new)."""
        index.replace(self, entries, known)


class PidBlocks:
    """Pids taken from PostgreSQL's sequence a block at a time, so that most allocations ask nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[int] = []

    def take(self, session: Session, count: int) -> list[int]:
        """Return `count` pids in rising order."""
        with self._lock:
            while len(self._free) < count:
                first = int(session.value("SELECT nextval('resource_pid')"))
                self._free.extend(range(first, first + _PID_BLOCK))
            taken, self._free = self._free[:count], self._free[count:]
        return taken


class Resources:
    """The doors for single reads, each with a mandatory scope."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    def read(self, kind: str, fid: str, scope: Scope) -> Stored | None:
        """Return the current version (a deletion too) if the scope may see it."""
        with self._store.read() as tx:
            return tx.read(kind, fid, scope)

    def vread(self, kind: str, fid: str, ver: int, scope: Scope) -> Stored | None:
        """Return one version if the scope may see the resource."""
        with self._store.read() as tx:
            return tx.vread(kind, fid, ver, scope)

    def history(self, kind: str, fid: str, scope: Scope, count: int = 50, before: int = 0) -> list[Stored]:
        """Return versions newest first, `before` a version number (0: from the newest)."""
        with self._store.read() as tx:
            return tx.history(kind, fid, scope, count, before)


class Store:
    """Everything kept; safe to use from any thread. The record's transactions come from `write` and `read`."""

    def __init__(self, databases: dict[str, SqliteFile | PostgresDatabase]) -> None:
        self.databases = databases
        self._record = databases["record"]
        self._names = Names()
        self._pids = PidBlocks()
        self._slot = clock.token(1)[0] % _SLOTS
        self.inbox = Inbox(databases["inbox"])
        self.work = Work(self.write, self.read)
        self.files = Files(self.read)
        self.resources = Resources(self)
        self.outbox = Outbox(self.read)
        self.lanes = Lanes(self.write)
        self.blobs = Blobs(databases["blobs"])
        self.audit = Audit(databases["audit"])

    @property
    def is_sqlite(self) -> bool:
        """Say whether this store is a folder of SQLite files."""
        return isinstance(self._record, SqliteFile)

    @contextmanager
    def write(self) -> Iterator[WriteTx]:
        """Give one short transaction on the record; raises Conflict or Transient, and then nothing was kept."""
        with self._record.write() as session:
            tx = WriteTx(session, self._names, self._pids, self._slot)
            yield tx
        self._names.learn(tx.names.fresh, tx.names.noted)

    @contextmanager
    def read(self, deadline_s: float = 0.0) -> Iterator[ReadTx]:
        """Give a reading transaction; with a deadline, a query past it raises TooSlow."""
        with self._record.read(deadline_s) as session:
            tx = ReadTx(session, self._names)
            yield tx
        self._names.learn(tx.names.fresh)

    def migrate(self) -> list[int]:
        """Bring every database to this gateway's schema; return the numbers of the steps taken."""
        steps = migrations.migrate(self.databases)
        with self._record.write() as session:
            outbox.keep_rising(session)
        return steps

    def ping(self) -> None:
        """Raise Transient (or GatewayError for a schema not migrated) unless every database answers."""
        migrations.require_current(self.databases)

    def sizes(self) -> dict[str, int]:
        """Return bytes on disk: by file of SQLite, or of the whole PostgreSQL database."""
        if isinstance(self._record, PostgresDatabase):
            return {"database": self._record.size()}
        return {_FILES[area]: database.size() for area, database in self.databases.items()}

    def checkpoint(self) -> None:
        """Copy the write-ahead logs into their files now (SQLite; PostgreSQL does so by itself)."""
        for database in self.databases.values():
            if isinstance(database, SqliteFile):
                database.checkpoint()

    def copy_to(self, folder: Path) -> list[Path]:
        """Copy the files into an empty folder while everything runs: gateway.db, then blobs.db, inbox.db and audit.db.

        In this order every attachment and every item of the copied record has its bytes in the copies made after it.
        Raises GatewayError on PostgreSQL, whose own tools do this, and where the folder holds such files already.
        """
        copies = [folder / name for name in _FILES.values()]
        folder.mkdir(parents=True, exist_ok=True)
        present = [copy.name for copy in copies if copy.exists()]
        if present:
            raise GatewayError(f"{folder} already holds {', '.join(present)}. Choose an empty folder.")
        for (area, _), copy in zip(_FILES.items(), copies, strict=True):
            database = self.databases[area]
            if isinstance(database, PostgresDatabase):
                raise GatewayError("Back PostgreSQL up with pg_dump or pgBackRest.", category=Category.UNSUPPORTED)
            database.copy_to(copy)
        return copies

    def close(self) -> None:
        """Finish the audit rows under way and close every connection."""
        self.audit.close()
        for database in {id(database): database for database in self.databases.values()}.values():
            database.close()


def open_store(url: str, data_dir: Path | None = None, *, readonly: bool = False) -> Store:
    """Open a store by URL: sqlite:///PATH/gateway.db (`sqlite://` takes `data_dir`) or postgresql://….

    A new store is empty until `migrate`. Raises GatewayError for a URL it does not know and for a schema newer
    than this gateway, Transient where the database does not answer.
    """
    store = Store(_databases(url, data_dir, readonly))
    try:
        migrations.refuse_newer(store.databases)
    except BaseException:
        store.close()
        raise
    return store


def _databases(url: str, data_dir: Path | None, readonly: bool) -> dict[str, SqliteFile | PostgresDatabase]:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise GatewayError(_UNKNOWN.format(url.partition("@")[2] or url)) from error
    if parsed.get_backend_name() == "postgresql":
        database = PostgresDatabase(url, readonly=readonly)
        return dict.fromkeys(_FILES, database)
    if parsed.get_backend_name() != "sqlite":
        raise GatewayError(_UNKNOWN.format(parsed.render_as_string(hide_password=True)))
    path = Path(parsed.database) if parsed.database else (data_dir or Path("var")) / "gateway.db"
    if readonly and not path.exists():
        raise GatewayError(f"There is no store at {path}. Run `gateway migrate` first.", category=Category.NOT_FOUND)
    files = {area: path if area == "record" else path.with_name(name) for area, name in _FILES.items()}
    pages, caches = {"record": NARROW_PAGE}, {"record": 32}
    return {
        area: SqliteFile(file, readonly=readonly, page=pages.get(area, PAGE), cache_mb=caches.get(area, 8))
        for area, file in files.items()
    }


_UNKNOWN = "{}: not a database this gateway knows. Write sqlite:///PATH/gateway.db or postgresql://USER@HOST/NAME."
