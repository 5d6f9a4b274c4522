"""What a deployment may choose about receiving, as values read once from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.settings import Settings

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one TLS listener; `client_ca` set means every sender must show a certificate of it."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class MllpOptions:
    """One MLLP port: where it listens and how much it lets a sender take."""

    name: str = "mllp"
    host: str = "127.0.0.1"
    port: int = 2575
    tls: TlsFiles | None = None
    max_frame: int = 32 * MIB  # bytes of one message
    frame_deadline: float = 30.0  # seconds from first to last byte of a frame; idle between frames is legal
    hello_deadline: float = 10.0  # seconds for the TLS hello
    max_connections: int = 512
    max_unanswered: int = 64 * KIB  # bytes taken from one sender and not yet answered before reading pauses
    max_unread: int = 64 * KIB  # bytes of answers one sender has not read before reading pauses


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """One watched folder and the feed its files belong to (empty: told from the message header)."""

    path: Path
    feed: str = ""
    name: str = "folder"
    settle: float = 2.0  # seconds a file's size and time must stand still before it is read
    max_file: int = 256 * MIB


@dataclass(frozen=True, slots=True)
class PullOptions:
    """One query against another system's database: what to ask, how often, and by which column it goes on."""

    name: str
    feed: str
    url: str
    query: str
    every: float = 900.0  # seconds between two pulls
    since: str = ""  # column whose largest value so far is the query's :since
    begin: str = ""  # value of the first :since; empty: 1900-01-01
    overlap: float = 3600.0  # seconds read once more, for rows corrected late


@dataclass(frozen=True, slots=True)
class GateOptions:
    """When to stop reading from every sender; nobody is ever answered "no" for load."""

    min_free_bytes: int = 1024 * MIB
    min_free_share: float = 0.05  # of the disk, up to `most_free_bytes`; the larger of the two floors counts
    most_free_bytes: int = 5 * 1024 * MIB
    max_backlog: int = 2_000_000  # arrivals stored and not yet picked up by a worker
    max_held: int = 512 * MIB  # bytes held in memory over all senders


@dataclass(frozen=True, slots=True)
class ReceiveOptions:
    """Everything the receive process needs to know beside its store and its feeds."""

    data: Path
    mllp: tuple[MllpOptions, ...] = (MllpOptions(),)
    folders: tuple[FolderOptions, ...] = ()
    pulls: tuple[PullOptions, ...] = ()
    gate: GateOptions = field(default_factory=GateOptions)
    group: int = 256  # messages of one transaction
    applied_wait: float = 4.0  # seconds `ack_when: applied` waits for the worker
    query_wait: float = 4.0  # seconds a query may wait for its turn, and one search of it may take
    zone: str = "Asia/Shanghai"
    store_wait: float = 4.0  # seconds one transaction may take before senders are closed without an answer
    late_wait: float = 3600.0  # seconds an application acknowledgement may come after its message
    grace: float = 5.0  # seconds a stopping process gives to answers that are under way
    failpoint: str = ""  # see gateway.failpoints; empty in every ordinary run
    ready_file: Path | None = None


def from_settings(settings: Settings, *, ready_file: Path | None = None) -> ReceiveOptions:
    """Return the options the settings ask for: the main MLLP port, more `listeners`, watched `folders`, `pulls`."""
    main = {
        "name": "mllp",
        "host": settings.mllp_host,
        "port": settings.mllp_port,
        "tls_cert": settings.mllp_tls_cert,
        "tls_key": settings.mllp_tls_key,
        "tls_ca": settings.mllp_tls_ca,
    }
    return ReceiveOptions(
        data=settings.data,
        mllp=tuple(_mllp(table, settings) for table in (main, *settings.listeners)),
        folders=tuple(FolderOptions(Path(table["path"]), table["feed"]) for table in settings.folders),
        pulls=tuple(PullOptions(**table) for table in settings.pulls),
        gate=GateOptions(min_free_bytes=settings.min_free_bytes),
        group=settings.group_commit_messages,
        zone=settings.zone,
        failpoint=settings.failpoint,
        ready_file=ready_file,
    )


def _mllp(table: Mapping[str, Any], settings: Settings) -> MllpOptions:
    certificate, key = table["tls_cert"], table["tls_key"]
    return MllpOptions(
        name=table["name"],
        host=table["host"],
        port=table["port"],
        tls=TlsFiles(certificate, key, table["tls_ca"]) if certificate and key else None,
        max_frame=settings.max_message_bytes,
        frame_deadline=settings.frame_deadline,
    )
