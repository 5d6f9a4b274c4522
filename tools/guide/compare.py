"""Looks for what the oracle expects in the resources a mapper made, following references into their targets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tools.guide.oracle import Fact, Fragment
from tools.guide.paths import Step
from tools.guide.values import Expected, equal

MAX_CHOICES = 64


@dataclass(slots=True)
class Node:
    """Expectations as a tree: what must be at this place, and below it."""

    expected: list[Expected] = field(default_factory=list)
    below: dict[Step, "Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """One output resource: its body and, for each Reference in it (by identity), the resource it points to."""

    name: str
    type: str
    body: Mapping[str, Any]


class Output:
    """The resources of one mapped message."""

    def __init__(self, resources: Iterable[Resource], links: Mapping[int, str]) -> None:
        self.resources = list(resources)
        self.named = {resource.name: resource for resource in self.resources}
        self.links = links

    def follow(self, reference: object) -> Resource | None:
        """Return the resource a Reference points to."""
        return self.named.get(self.links.get(id(reference), ""))

    def places(self, resource: Resource) -> Iterator[Resource]:
        """Yield the resource and, for a Location, the places it is part of."""
        seen: set[str] = set()
        here: Resource | None = resource
        while here is not None and here.name not in seen:
            seen.add(here.name)
            yield here
            here = self.follow(here.body.get("partOf")) if here.type == "Location" else None


def tree(facts: Iterable[Fact]) -> Node:
    """Merge facts into one tree; equal steps are the same instance."""
    top = Node()
    for fact in facts:
        node = top
        for step in fact.path:
            node = node.below.setdefault(step, Node())
        node.expected.append(fact.expected)
    return top


def holds(fragment: Fragment, output: Output) -> bool:
    """Whether one resource of the output holds all facts of the fragment, in one set of choices."""
    candidates = [resource for resource in output.resources if resource.type == fragment.root]
    for facts in variants(fragment.facts):
        wanted = tree(facts)
        if any(_matches(wanted, resource.body, None, output) for resource in candidates):
            return True
    return False


def holds_fact(fact: Fact, root: str, output: Output) -> bool:
    """Whether any resource of the type holds this one fact."""
    return holds(Fragment(fact.pair, fact.where, root, (fact,)), output)


def found(fact: Fact, root: str, output: Output) -> list[Any]:
    """Return the values at the fact's path, whatever they are."""
    values: list[Any] = [resource.body for resource in output.resources if resource.type == root]
    for step in fact.path:
        values = [below for value in values for below in _down(value, step, output)]
    return [value for value in values if value not in (None, "", [], {})]


def variants(facts: tuple[Fact, ...]) -> Iterator[tuple[Fact, ...]]:
    """Yield the facts of every combination of the choices the guide leaves to the implementer."""
    groups: dict[str, dict[str, None]] = {}
    for fact in facts:
        for group, option in fact.choices:
            groups.setdefault(group, {})[option] = None
    for count, options in enumerate(product(*groups.values())):
        if count >= MAX_CHOICES:
            return
        chosen = dict(zip(groups, options, strict=True))
        yield tuple(fact for fact in facts if all(chosen[g] == option for g, option in fact.choices))


def _matches(node: Node, value: Any, sibling: Any, output: Output) -> bool:
    """Whether a value (one element; `sibling` is its underscore twin) meets the node."""
    if isinstance(value, list):
        twins = sibling if isinstance(sibling, list) else [None] * len(value)
        return any(_matches(node, one, twin, output) for one, twin in zip(value, twins, strict=False))
    if any(not equal(expected, value) for expected in node.expected):
        return False
    holder = value if isinstance(value, Mapping) else sibling
    return all(_child(step, below, value, holder, output) for step, below in node.below.items())


def _child(step: Step, below: Node, value: Any, holder: Any, output: Output) -> bool:
    if step.refers:
        target = output.follow(value)
        if target is None or target.type not in step.name.split("|"):
            return False
        return any(_matches(below, place.body, None, output) for place in output.places(target))
    if not isinstance(holder, Mapping):
        return False
    if step.name not in holder and "_" + step.name not in holder:
        return False
    return _matches(below, holder.get(step.name), holder.get("_" + step.name), output)


def _down(value: Any, step: Step, output: Output) -> list[Any]:
    if step.refers:
        target = output.follow(value)
        return [target.body] if target and target.type in step.name.split("|") else []
    if not isinstance(value, Mapping):
        return []
    below = value.get(step.name)
    if below is None:
        below = value.get("_" + step.name)
    return list(below) if isinstance(below, list) else [] if below is None else [below]
