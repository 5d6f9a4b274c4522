"""Lanes: which worker may apply which patients' items, with an epoch that shuts a slow owner out."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from gateway import clock
from gateway.store.dialect import Session
from gateway.store.failures import Fenced
from gateway.store.tx import Tx

LANES = 256
_LOCK = 4
_ROWS = "SELECT lane, owner, epoch, heartbeat_us FROM lane"
_UPSERT = ("owner", "epoch", "heartbeat_us")


class LaneWrites(Tx):
    """The fence inside a write transaction."""

    def fence(self, owner: str, lanes: Mapping[int, int]) -> None:
        """Raise Fenced unless `owner` still holds these lanes at these epochs; they cannot move until commit."""
        if not lanes:
            return
        lock = " FOR SHARE" if self.session.name == "postgresql" else ""
        marks = ",".join("?" * len(lanes))
        rows = self.session.run(
            f"SELECT lane, epoch FROM lane WHERE owner=? AND lane IN ({marks}){lock}",  # noqa: S608  marks only
            (owner, *lanes),
        )
        if dict(rows) != dict(lanes):
            raise Fenced("These lanes belong to another worker now. Lease again and start over from the inbox.")


class Lanes:
    """Leases of lanes; every call is a transaction of its own."""

    def __init__(self, write: Callable[[], AbstractContextManager[Tx]]) -> None:
        self._write = write

    def lease(self, owner: str, ttl_s: float = 15.0, count: int = LANES) -> dict[int, int]:
        """Renew our lanes and take a fair share of free or expired ones; return lane and epoch of all we hold.

        Call it every third of `ttl_s`. Lanes above the fair share are given back for the other workers.
        """
        with self._write() as tx:
            session = tx.session
            session.lock(_LOCK)
            now = _now(session)
            share = -(-count // _workers(session, owner, now, ttl_s))
            rows = {lane: (who, epoch, beat) for lane, who, epoch, beat in session.run(_ROWS) if 0 <= lane < count}
            others = {lane for lane, (who, _, beat) in rows.items() if _taken(who, owner, beat, now, ttl_s)}
            mine = _choose(owner, rows, [lane for lane in range(count) if lane not in others], share)
            changes = [(lane, owner, epoch, now) for lane, epoch in mine.items()]
            changes += [(lane, "", row[1], now) for lane, row in rows.items() if row[0] == owner and lane not in mine]
            session.upsert("lane", ("lane",), _UPSERT, changes)
            return mine

    def take(self, lane: int, owner: str, ttl_s: float = 15.0) -> int | None:
        """Renew or take one lane that only one worker may have (use negative numbers); None while another has it."""
        with self._write() as tx:
            session = tx.session
            session.lock(_LOCK)
            now = _now(session)
            row = session.one(f"{_ROWS} WHERE lane=?", (lane,)) or (lane, "", 0, 0)
            who, epoch, beat = str(row[1]), int(row[2]), int(row[3])
            if _taken(who, owner, beat, now, ttl_s):
                return None
            held = epoch + (who != owner)
            session.upsert("lane", ("lane",), _UPSERT, [(lane, owner, held, now)])
            return held

    def drop(self, lane: int, owner: str) -> None:
        """Give one lane back at once, so that another worker may take it."""
        with self._write() as tx:
            tx.session.do("UPDATE lane SET owner='' WHERE lane=? AND owner=?", (lane, owner))

    def release(self, owner: str) -> None:
        """Give all lanes back (an orderly stop), so that others need not wait for the lease to expire."""
        with self._write() as tx:
            tx.session.lock(_LOCK)
            tx.session.do("UPDATE lane SET owner='' WHERE owner=?", (owner,))
            tx.session.do("DELETE FROM worker WHERE owner=?", (owner,))

    def owners(self) -> dict[int, tuple[str, int]]:
        """Return owner and epoch of each lane."""
        with self._write() as tx:
            return {lane: (owner, epoch) for lane, owner, epoch, _ in tx.session.run(f"{_ROWS} ORDER BY lane")}


def _workers(session: Session, owner: str, now_us: int, ttl_s: float) -> int:
    """Note that we live, forget the silent, and return how many workers share the lanes."""
    beats = {**dict(session.run("SELECT owner, heartbeat_us FROM worker")), owner: now_us}
    live = [who for who, beat in beats.items() if who == owner or _alive(beat, now_us, ttl_s)]
    session.upsert("worker", ("owner",), ("heartbeat_us",), [(owner, now_us)])
    session.many("DELETE FROM worker WHERE owner=?", [(who,) for who in beats if who not in live])
    return len(live)


def _choose(owner: str, rows: Mapping[int, tuple[str, int, int]], open_lanes: list[int], share: int) -> dict[int, int]:
    """Keep what we hold first, then take free lanes, up to our share; a lane that changes hands gets a new epoch."""
    held = [lane for lane in open_lanes if lane in rows and rows[lane][0] == owner]
    free = [lane for lane in open_lanes if lane not in rows or rows[lane][0] != owner]
    chosen = (held + free)[:share]
    return {lane: rows[lane][1] + (rows[lane][0] != owner) if lane in rows else 1 for lane in chosen}


def _now(session: Session) -> int:
    """Return microseconds of a clock all workers share: the server's, or this machine's monotonic one."""
    if session.name == "postgresql":
        return int(session.value("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
    return int(clock.monotonic() * 1_000_000)


def _taken(who: str, owner: str, heartbeat_us: int, now_us: int, ttl_s: float) -> bool:
    return who not in ("", owner) and _alive(heartbeat_us, now_us, ttl_s)


def _alive(heartbeat_us: int, now_us: int, ttl_s: float) -> bool:
    # A heartbeat from the future is one from before the machine started again.
    return 0 <= now_us - heartbeat_us < ttl_s * 1_000_000
