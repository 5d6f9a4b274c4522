"""Makes a failing case small: fewer criteria, links, resources and elements, as long as it fails."""

from collections.abc import Callable, Iterator

from tests.oracle.worlds import Placed, World

Pairs = list[tuple[str, str]]
Fails = Callable[[World, Pairs], bool]
KEPT = ("resourceType", "id")


def reduced(world: World, pairs: Pairs, fails: Fails) -> tuple[World, Pairs]:
    """Return a case that still fails and fails no more when any one part of it is left out."""
    found = True
    while found:
        found = False
        for smaller in _smaller(world, pairs):
            if fails(*smaller):
                (world, pairs), found = smaller, True
                break
    return world, pairs


def _smaller(world: World, pairs: Pairs) -> Iterator[tuple[World, Pairs]]:
    for at in range(len(pairs)):
        yield world, pairs[:at] + pairs[at + 1 :]
    for at in range(len(world.links)):
        yield World(world.placed, world.links[:at] + world.links[at + 1 :]), pairs
    for one in world.placed:
        others = [each for each in world.placed if each is not one]
        people = {each.body["id"] for each in others if each.body["resourceType"] == "Patient"}
        yield World(others, [link for link in world.links if people.issuperset(link)]), pairs
    for at, one in enumerate(world.placed):
        for key in one.body:
            if key not in KEPT:
                less = Placed({k: v for k, v in one.body.items() if k != key}, one.site, one.hidden)
                yield World([*world.placed[:at], less, *world.placed[at + 1 :]], world.links), pairs


def shown(world: World) -> str:
    """Return a world as lines."""
    lines = [f"  {one.site}{' hidden' if one.hidden else ''} {one.body}" for one in world.placed]
    return "\n".join([*lines, f"  links {world.links}"])
