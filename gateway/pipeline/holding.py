"""What waits behind a parked message: later ones that name its patient, wherever the batch ends (promise K6)."""

from collections.abc import Mapping

from gateway.pipeline.values import Parked, Parsed


class Holding:
    """The patient keys that parked messages hold, each with the first item that does; `first` are those before."""

    def __init__(self, first: Mapping[str, int]) -> None:
        self._first = dict(first)

    def park(self, entry: Parked) -> None:
        """Let a parked message hold its patient key, the first one it names, where its feed says so."""
        if entry.item.feed.hold and entry.patient_keys:
            key = entry.patient_keys[0]
            self._first[key] = min(entry.item.item_id, self._first.get(key, entry.item.item_id))

    def waits(self, entry: Parsed | Parked) -> str:
        """Return the patient key a message waits for; empty where nothing is before it."""
        keys = (*entry.patient_keys, entry.item.waited)
        return next((key for key in keys if key in self._first and self._first[key] < entry.item.item_id), "")
