"""Randomness that is the same everywhere: one stream a purpose and person, so that a new resident moves no other."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """One row of random numbers; only `random()` of the library is used, which is the same in every version."""

    __slots__ = ("_next",)

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - invented people, no secrets

    def unit(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        return self._next()

    def chance(self, share: float) -> bool:
        """Return True in the given share of calls."""
        return self._next() < share

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._next() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, each as likely."""
        return choices[int(self._next() * len(choices))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, as likely as its weight says."""
        left = self._next() * sum(weights.values())
        for choice, weight in weights.items():
            left -= weight
            if left < 0:
                return choice
        return next(iter(weights))  # all weights are nought

    def normal(self, mean: float, spread: float) -> float:
        """Return a bell-shaped number: twelve added, so that no machine's logarithm matters."""
        return mean + spread * (sum(self._next() for _ in range(12)) - 6.0)

    def count(self, mean: float) -> int:
        """Return a whole number around the mean that is right on average."""
        spread = self.normal(mean, sqrt(mean) * 0.5) if mean > 4 else mean
        return max(0, int(spread + self._next()))


class Streams:
    """All streams of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = str(seed)

    def of(self, *key: object) -> Stream:
        """Return the stream of a purpose, such as `("name", 17)`; the same key gives the same numbers."""
        text = "\x1f".join((self._seed, *map(str, key)))
        return Stream(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))

    def share(self, *key: object) -> float:
        """Return one number of 0 to 1 that stands for the key, cheaper than a stream."""
        text = "\x1f".join((self._seed, *map(str, key)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / (1 << 48)
