"""Plans: message maps compiled to what each segment does, in the order of the message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping import paths, program
from gateway.mapping.definition import MessageDef, ResourceDef, Source, Use
from gateway.mapping.draft import Mode
from gateway.mapping.keys import NAMINGS, Naming
from gateway.mapping.program import SegmentProgram, Test

FOLLOWERS = frozenset({"NTE", "PRT", "ROL", "CTI", "CTD"})
# Rendered from provenance columns; as resources only where a feed (or a test) asks for them.
_ENVELOPE = frozenset({"MessageHeader", "Provenance"})
_MISSING = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
    ]
}


@dataclass(slots=True, eq=False)
class Blueprint:
    """One resource of a message map, ready to be made."""

    name: str
    type: str
    mode: Mode
    naming: Naming
    parent: str
    by: tuple[Source, ...]
    links: list[tuple[str, paths.Write, str]]
    into: list[tuple[str, paths.Write, str]]
    required: list[tuple[str, paths.Write]]
    starters: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    yields: str = ""
    is_patient: bool = False
    quiet: bool = False
    joins_text: bool = False
    within: str = ""


@dataclass(slots=True)
class Action:
    """What one segment does to one resource: start it or add to it, with this program."""

    blueprint: Blueprint
    starts: bool
    program: SegmentProgram
    test: Test | None = None
    after: frozenset[str] = frozenset()


@dataclass(slots=True)
class MessagePlan:
    """A compiled message map."""

    name: str
    actions: dict[str, tuple[Action, ...]]
    kept: dict[str, str]
    time: tuple[Source, ...]
    identities: dict[str, tuple[str, SegmentProgram]]
    timing: frozenset[str] = frozenset()
    unions: dict[tuple[int, ...], frozenset[int]] = field(default_factory=dict)


def compile_plan(
    definition: MessageDef,
    program_of: Callable[[str], SegmentProgram],
    *,
    envelope: bool = False,
    authority: bool = False,
) -> MessagePlan:
    """Compile one message map; `program_of` gives the compiled segment maps by name.

    `envelope` makes MessageHeader and Provenance as resources, `authority` lets its Patients replace (R6).
    """
    resources = definition.resources
    actions: dict[str, list[Action]] = {}
    for resource in resources.values():
        made = _blueprint(resource, resources)
        holder = resources.get(resource.under)
        made.quiet = not envelope and (resource.type in _ENVELOPE or (holder is not None and holder.type in _ENVELOPE))
        if authority and made.is_patient:
            made.mode = "replace"
        for segment, use in resource.on.items():
            actions.setdefault(segment, []).append(_action(made, True, use, segment, program_of))
        for segment, use in resource.also.items():
            actions.setdefault(segment, []).append(_action(made, False, use, segment, program_of))
    identities = {segment: (word, program_of(name)) for segment, (word, name) in definition.identities.items()}
    steps = {segment: tuple(found) for segment, found in actions.items()}
    time = definition.time or (Source("MSH", 7),)
    return MessagePlan(definition.name, steps, dict(definition.kept), time, identities, frozenset(s.name for s in time))


def missing() -> dict[str, Any]:
    """Return what stands for a reference that an element needs and the message does not have."""
    return {"extension": [dict(item) for item in _MISSING["extension"]]}


def _blueprint(resource: ResourceDef, resources: Mapping[str, ResourceDef]) -> Blueprint:
    return Blueprint(
        name=resource.name,
        type=resource.type,
        mode=resource.mode,
        naming=NAMINGS[resource.keys],
        parent=resource.parent or resource.under,
        by=resource.by,
        links=[
            (target, paths.writer(path), _single(path))
            for path, targets in resource.links.items()
            for target in targets.split("|")
        ],
        into=[(target, paths.writer(path), _single(path)) for target, path in resource.into.items()],
        required=[(paths.parse(path)[0].name, paths.writer(path)) for path in resource.required],
        starters=tuple(resource.on),
        below=_below(resource.name, resources),
        needs=frozenset(resource.needs),
        yields=resource.yields,
        is_patient=resource.keys == "patient",
        joins_text=resource.keys == "observation",
        within=resource.under if resource.keys == "observation" else "",
    )


def _is_envelope(resource: ResourceDef, resources: Mapping[str, ResourceDef]) -> bool:
    """Say whether a resource tells of the message rather than of the patient, itself or by what it is under."""
    above = resources.get(resource.under)
    return resource.type in _ENVELOPE or (above is not None and above.type in _ENVELOPE)


def _single(path: str) -> str:
    """Return the element a path writes when it can stand there once only, '' for lists."""
    steps = paths.parse(path)
    return steps[0].name if len(steps) == 1 and not steps[0].choose else ""


def _below(name: str, resources: Mapping[str, ResourceDef]) -> tuple[str, ...]:
    direct = [other.name for other in resources.values() if other.under == name and other.name != name]
    return tuple(dict.fromkeys([*direct, *(deep for child in direct for deep in _below(child, resources))]))


def _action(
    made: Blueprint, starts: bool, use: Use, segment: str, program_of: Callable[[str], SegmentProgram]
) -> Action:
    test = program.condition(use.when, segment) if use.when is not None else None
    return Action(made, starts, program.merged([program_of(name) for name in use.maps]), test, use.after)
