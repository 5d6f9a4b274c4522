"""Ways to choose by chance, written like hypothesis' strategies and fifty times as fast: hypothesis gives the seed."""

import random
from collections.abc import Callable, Sequence
from typing import Any


class Choice:
    """Something that can be drawn."""

    def __init__(self, draw: Callable[[random.Random], Any]) -> None:
        self.draw = draw

    def map(self, change: Callable[[Any], Any]) -> "Choice":
        """Return what becomes of a draw."""
        return Choice(lambda rng: change(self.draw(rng)))

    def filter(self, keep: Callable[[Any], bool]) -> "Choice":
        """Draw until one is kept."""

        def again(rng: random.Random) -> Any:
            while not keep(made := self.draw(rng)):
                pass
            return made

        return Choice(again)


def just(value: Any) -> Choice:
    """Return always the same."""
    return Choice(lambda rng: value)


def sampled_from(pool: Sequence[Any]) -> Choice:
    """Return one of a pool."""
    return Choice(lambda rng: pool[int(rng.random() * len(pool))])


def booleans() -> Choice:
    """Return true or false."""
    return Choice(lambda rng: rng.random() < 0.5)


def integers(least: int, most: int) -> Choice:
    """Return a whole number between two, both included."""
    return Choice(lambda rng: rng.randint(least, most))


def one_of(*choices: Any) -> Choice:
    """Return a draw of one of several."""
    several = choices[0] if len(choices) == 1 and isinstance(choices[0], list) else choices
    return Choice(lambda rng: several[int(rng.random() * len(several))].draw(rng))


def tuples(*choices: Choice) -> Choice:
    """Return a draw of each."""
    return Choice(lambda rng: tuple(one.draw(rng) for one in choices))


def lists(one: Choice, *, min_size: int = 0, max_size: int = 3, unique: bool = False) -> Choice:
    """Return so many draws."""

    def draw(rng: random.Random) -> list[Any]:
        made = [one.draw(rng) for _ in range(rng.randint(min_size, max_size))]
        return list(dict.fromkeys(made)) if unique else made

    return Choice(draw)


def builds(make: Callable[..., Any], *choices: Choice) -> Choice:
    """Return what is made of draws."""
    return Choice(lambda rng: make(*(one.draw(rng) for one in choices)))


def fixed_dictionaries(fields: dict[str, Choice], *, optional: dict[str, Choice] | None = None) -> Choice:
    """Return an object with all of the fields, and half of the optional ones."""
    more = optional or {}

    def draw(rng: random.Random) -> dict[str, Any]:
        made = {name: one.draw(rng) for name, one in fields.items()}
        return made | {name: one.draw(rng) for name, one in more.items() if rng.random() < 0.5}

    return Choice(draw)


def composite(make: Callable[..., Any]) -> Callable[..., Choice]:
    """Turn a function that draws (its first argument) into one that returns a choice."""
    return lambda *given, **named: Choice(lambda rng: make(lambda one: one.draw(rng), *given, **named))
