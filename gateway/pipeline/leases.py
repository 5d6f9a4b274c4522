"""A worker's leases: the lanes it applies items of, and whether it is the one that picks up arrivals."""

from gateway import clock
from gateway.pipeline.commit import FILES, LANES, PICKER, Lease, home
from gateway.pipeline.values import Parked, Parsed
from gateway.store.engine import Store

RENEW_SECONDS = 5.0


class Leases:
    """Renewed every 5 s; a worker that stops renewing loses its lanes after 15 s to the others."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner
        self._lanes: dict[int, int] = {}
        self._renew_at = 0.0
        self.renewed = False
        self._picker: int | None = None
        self._files: int | None = None

    @property
    def takes_files(self) -> bool:
        """Say whether this worker is the one that takes files apart."""
        return self._files is not None

    @property
    def picks(self) -> bool:
        """Say whether this worker is the one that picks up arrivals."""
        return self._picker is not None

    @property
    def lanes(self) -> list[int]:
        """Return the lanes held."""
        return list(self._lanes)

    def holds(self, entry: Parsed | Parked) -> bool:
        """Say whether this worker applies a message; the others are given a row to wait in for their own."""
        return len(self._lanes) == LANES or home(entry.item, entry.patient_keys) in self._lanes

    def lease(self) -> Lease:
        """Return what a transaction of this worker is fenced with."""
        single = {PICKER: self._picker, FILES: self._files}
        return Lease(self._owner, self._lanes | {lane: epoch for lane, epoch in single.items() if epoch is not None})

    def renew(self, *, now: bool = False) -> bool:
        """Renew when it is time (or `now`); return whether the worker became the one that picks up arrivals."""
        self.renewed = now or clock.monotonic() >= self._renew_at
        if not self.renewed:
            return False
        self._lanes = self._store.lanes.lease(self._owner)
        before, self._picker = self._picker, self._store.lanes.take(PICKER, self._owner)
        self._renew_files()
        self._renew_at = clock.monotonic() + RENEW_SECONDS
        return self.picks and self._picker != before

    def _renew_files(self) -> None:
        """Take files apart where there is no other worker, or this one does not pick up messages."""
        if len(self._lanes) == LANES or not self.picks:
            self._files = self._store.lanes.take(FILES, self._owner)
        elif self._files is not None:
            self._store.lanes.drop(FILES, self._owner)
            self._files = None

    def release(self) -> None:
        """Give everything back at an orderly stop."""
        self._store.lanes.release(self._owner)
        self._lanes, self._picker, self._files = {}, None, None
