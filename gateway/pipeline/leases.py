"""A worker's leases: the lanes it applies items of, and whether it is the one that picks up arrivals."""

from collections.abc import Sequence

from gateway import clock
from gateway.pipeline.commit import FILES, LANES, LINKER, PICKER, Lease, home
from gateway.pipeline.values import Parked, Parsed
from gateway.store.engine import Store

RENEW_SECONDS = 5.0


class Leases:
    """Renewed every 5 s; a worker that stops renewing loses its lanes after 15 s to the others.

    `beside` are the single lanes that a worker takes beside messages: those of files, and of linking where it links.
    """

    def __init__(self, store: Store, owner: str, beside: Sequence[int] = (FILES,)) -> None:
        self._store = store
        self._owner = owner
        self._beside = beside
        self._lanes: dict[int, int] = {}
        self._renew_at = 0.0
        self.renewed = False
        self._picker: int | None = None
        self._single: dict[int, int] = {}

    @property
    def takes_files(self) -> bool:
        """Say whether this worker is the one that takes files apart."""
        return FILES in self._single

    @property
    def links(self) -> bool:
        """Say whether this worker is the one that links who is the same person."""
        return LINKER in self._single

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
        picker = {} if self._picker is None else {PICKER: self._picker}
        return Lease(self._owner, self._lanes | self._single | picker)

    def renew(self, *, now: bool = False) -> bool:
        """Renew when it is time (or `now`); return whether the worker became the one that picks up arrivals."""
        self.renewed = now or clock.monotonic() >= self._renew_at
        if not self.renewed:
            return False
        self._lanes = self._store.lanes.lease(self._owner)
        before, self._picker = self._picker, self._store.lanes.take(PICKER, self._owner)
        self._renew_single()
        self._renew_at = clock.monotonic() + RENEW_SECONDS
        return self.picks and self._picker != before

    def _renew_single(self) -> None:
        """Take files apart, and link, where there is no other worker, or this one does not pick up messages."""
        lanes = self._store.lanes
        if len(self._lanes) == LANES or not self.picks:
            taken = {lane: lanes.take(lane, self._owner) for lane in self._beside}
            self._single = {lane: epoch for lane, epoch in taken.items() if epoch is not None}
            return
        for lane in self._single:
            lanes.drop(lane, self._owner)
        self._single = {}

    def release(self) -> None:
        """Give everything back at an orderly stop."""
        self._store.lanes.release(self._owner)
        self._lanes, self._picker, self._single = {}, None, {}
