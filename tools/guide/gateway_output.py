"""Runs the gateway's own mapper and hands its drafts to the comparison."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.guide.compare import Output, Resource
from tools.guide.coverage import Mapper
from tools.guide.oracle import Pair

FEED = "generic"


def load(mappings: list[Path]) -> tuple[Mapper, dict[str, set[Pair]] | None]:
    """Return the mapper of the generic feed and, by structure, the pairs its catalogue declares."""
    from gateway.formats import hl7v2  # noqa: PLC0415  the oracle works without the gateway
    from gateway.mapping import catalog  # noqa: PLC0415  the oracle works without the gateway

    loaded = catalog.load(mappings)
    mapper = loaded.mapper(FEED).with_envelope()

    def run(text: str) -> Output:
        return output(mapper.map(hl7v2.parse(text), trace=True))

    declared: dict[str, set[Pair]] | None = None
    if hasattr(loaded, "declared"):
        declared = {}
        for structure, segment_map, source in loaded.declared():
            declared.setdefault(structure, set()).add((segment_map, source))
    return run, declared


def output(mapped: Any) -> Output:
    """Return a mapped message as resources and the links between them; contained resources are linked too."""
    resources = [Resource(draft.name, draft.type, draft.body) for draft in mapped.drafts]
    links = {id(reference): name for draft in mapped.drafts for reference, name in draft.links}
    for draft in mapped.drafts:
        for number, inner in enumerate(draft.body.get("contained", ())):
            name = f"{draft.name}#{inner.get('id', number)}"
            resources.append(Resource(name, inner.get("resourceType", ""), inner))
        for reference in _references(draft.body):
            if str(reference["reference"]).startswith("#"):
                links[id(reference)] = draft.name + reference["reference"]
    return Output(resources, links)


def _references(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        if "reference" in value:
            yield value
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)
