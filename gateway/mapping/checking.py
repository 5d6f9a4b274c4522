"""Checks definitions against each other: every name a map uses exists, every resource has what it needs."""

from collections.abc import Mapping

from gateway.mapping import paths
from gateway.mapping.definition import MapDef, MessageDef, ResourceDef, Rule
from gateway.mapping.keys import NAMINGS
from gateway.mapping.library import Faults, Library
from gateway.mapping.transforms import CONVERTERS, STEPS

GENERIC = "generic"


def check(library: Library, faults: Faults) -> None:
    """Add a fault for everything a map names that is not there."""
    for datatype in library.datatypes.values():
        if datatype.native and datatype.native not in CONVERTERS:
            faults.add(datatype.file, datatype.name, f"there is no function {datatype.native}")
        _check_rules(datatype, library, faults)
    for segment in library.segments.values():
        _check_rules(segment, library, faults)
    for message in library.messages.values():
        _check_message(message, library, faults)
    if GENERIC not in library.messages:
        faults.add("messages", GENERIC, "is missing: it takes the messages that have no map of their own")


def _check_rules(definition: MapDef, library: Library, faults: Faults) -> None:
    for rule in definition.rules.values():
        for text in _wrong(rule, definition, library):
            faults.add(rule.file, f"{definition.name}, rule {rule.id}", text)


def _wrong(rule: Rule, definition: MapDef, library: Library) -> list[str]:
    found = []
    for name in (rule.datatype, rule.spawn):
        if name and name not in library.datatypes:
            found.append(f"there is no data-type map {name}")
    if rule.code and rule.code not in library.codes:
        found.append(f"there is no code map {rule.code}")
    if rule.transform and rule.transform not in CONVERTERS and rule.transform not in STEPS:
        found.append(f"there is no function {rule.transform}")
    spawned = library.datatypes.get(rule.spawn)
    if spawned is not None and not spawned.type and not spawned.native:
        found.append(f"{rule.spawn} cannot be spawned: it names no `type`")
    home, _, row = rule.by.rpartition("]/")
    there = library.segments.get(f"{home}]") if home else definition
    if rule.by and (there is None or (row if home else rule.by) not in there.rules):
        found.append(f"is used by {rule.by}, which is not there")
    return found


def _check_message(message: MessageDef, library: Library, faults: Faults) -> None:
    for resource in message.resources.values():
        for text in _wrong_resource(resource, message.resources, library):
            faults.add(message.file, f"{message.name}, resource {resource.name}", text)
    for _, name in message.identities.values():
        if name not in library.segments:
            faults.add(message.file, message.name, f"there is no segment map {name}")


def _wrong_resource(resource: ResourceDef, others: Mapping[str, ResourceDef], library: Library) -> list[str]:
    found = [f"needs `{name}`" for name in ("type", "on", "keys") if not getattr(resource, name)]
    if resource.keys and resource.keys not in NAMINGS:
        found.append(f"there is no key function {resource.keys}; known are {', '.join(sorted(NAMINGS))}")
    for segment, use in (*resource.on.items(), *resource.also.items()):
        for name in use.maps:
            if name not in library.segments:
                found.append(f"there is no segment map {name}")
            elif not name.startswith(f"{segment}["):
                found.append(f"segment {segment} cannot be read with {name}")
    targets = (target for targets in resource.links.values() for target in targets.split("|"))
    named = (resource.under, resource.parent, resource.yields, *targets, *resource.into)
    found.extend(f"there is no resource {name}" for name in named if name and name not in others)
    for path in resource.required:
        if all(paths.parse(link)[0].name != paths.parse(path)[0].name for link in resource.links):
            found.append(f"requires {path}, which is no link")
    found.extend(_unreadable(resource))
    if _circles(resource, others):
        found.append("is under itself")
    return found


def _circles(resource: ResourceDef, others: Mapping[str, ResourceDef]) -> bool:
    seen = {resource.name}
    above = resource.under
    while above in others:
        if above in seen:
            return True
        seen.add(above)
        above = others[above].under
    return False


def _unreadable(resource: ResourceDef) -> list[str]:
    found = []
    for path in (*resource.links, *resource.into.values()):
        try:
            paths.parse(path)
        except ValueError as fault:
            found.append(str(fault))
    return found
