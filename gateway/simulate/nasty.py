"""Decides where the defects of real life strike: each once where it can, then at its rate, by the row's key."""

from gateway.simulate.catalogue import rates
from gateway.simulate.streams import Streams
from gateway.simulate.values import Mark


class Nasty:
    """The chooser; the order of the questions and the seed decide, nothing else."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._rates: dict[str, float] = {str(case): share for case, share in rates()["cases"].items()}
        self._seen: set[str] = set()

    def one(self, key: object, *cases: str) -> str:
        """Return the case that befalls this row, '' for most; one not yet seen strikes the first that could have it."""
        fresh = next((case for case in cases if case not in self._seen), "")
        if fresh:
            self._seen.add(fresh)
            return fresh
        lot = self._streams.share("nasty", key)
        for case in cases:
            lot -= self._rates[case]
            if lot < 0:
                return case
        return ""

    def strikes(self, case: str, key: object) -> bool:
        """Say whether this one case befalls the row."""
        return self.one(f"{case}|{key}", case) == case


def mark(
    case: str, note: str, *, outcome: str = "applied", reason: str = "", resource: str = "", **facts: object
) -> Mark:
    """Return a label: the case, and what a gateway must make of it."""
    return Mark(case, outcome, reason, resource, note, dict(facts))
