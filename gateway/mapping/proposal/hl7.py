"""Proposes the definitions of an HL7 v2 feed: who it is, its charset, numbers and code systems, what is left."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stdnum.cn import ric

from gateway.formats import hl7v2
from gateway.formats.hl7v2 import Message
from gateway.mapping.catalog import Mapper
from gateway.mapping.draft import Mapped
from gateway.mapping.environment import Environment, slug
from gateway.mapping.proposal.values import SURE, Decision, Proposal, most, report, shape, share, word

_NUMBERED = re.compile(r"\[\d+\]")
_CODED = (("OBX", 3), ("OBR", 4), ("DG1", 3), ("AL1", 3), ("PR1", 3), ("RXE", 2), ("RXO", 1))
_LEFT_SHOWN = 40


class Sample(NamedTuple):
    """One message with the charset its bytes had."""

    message: Message
    encoding: str


@dataclass(slots=True)
class Seen:
    """What the samples say, counted."""

    applications: Counter[str] = field(default_factory=Counter)
    facilities: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, list[str]] = field(default_factory=dict)
    codings: Counter[str] = field(default_factory=Counter)
    issues: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    fields: int = 0
    mapped: int = 0


def propose(site: str, feed: str, samples: Sequence[Sample], mapper: Mapper) -> Proposal:
    """Return the folder of a new HL7 feed; `mapper` is that of a feed without overlays (generic)."""
    seen = _look(samples, mapper)
    proposal = Proposal()
    naming = [*_numbers(seen, mapper.environment, proposal), *_codings(seen, mapper.environment, proposal)]
    proposal.decisions += [Decision("code", f"{text} ({n})") for text, n in seen.issues.most_common(_LEFT_SHOWN)]
    proposal.decisions += [
        Decision("no rule reads", f"{where} ({n} of {len(samples)} messages)", "a rule in segments/, or kept")
        for where, n in seen.left.most_common(_LEFT_SHOWN)
    ]
    body = "\n".join(["naming:", *naming]) if naming else ""
    proposal.files[f"{site}/site.yaml"] = f"site: {word(site)}\n"
    proposal.files[f"{site}/{feed}/feed.yaml"] = "\n".join(filter(None, [*_feed(feed, seen), body])) + "\n"
    proposal.files[f"{site}/{feed}/DECIDE.md"] = report(feed, proposal, _head(samples, seen))
    return proposal


def _look(samples: Iterable[Sample], mapper: Mapper) -> Seen:
    seen = Seen()
    for message, encoding in samples:
        header = message.header
        seen.applications[header.value(3)] += 1
        seen.facilities[header.value(4)] += 1
        seen.encodings[encoding] += 1
        seen.events[f"{message.type}^{message.event}"] += 1
        _look_numbers(message, seen)
        for name, number in _CODED:
            for segment in message.all(name):
                seen.codings[segment.value(number, 3)] += 1
        _look_mapped(mapper.map(message), seen)
    return seen


def _look_numbers(message: Message, seen: Seen) -> None:
    for segment in message.all("PID"):
        for raw in segment.reps(3):
            parts = [hl7v2.component(raw, n, message.delimiters) for n in (1, 5, 4)]
            if parts[0]:
                seen.numbers.setdefault(parts[1] or parts[2], []).append(parts[0])


def _look_mapped(mapped: Mapped, seen: Seen) -> None:
    seen.fields += mapped.populated
    seen.mapped += mapped.mapped
    seen.issues.update({f"{_NUMBERED.sub('', one.where)}: {one.text}" for one in mapped.issues if "code" in one.code})
    seen.left.update({_NUMBERED.sub("", one.where) for one in mapped.left if not one.kept})


def _feed(feed: str, seen: Seen) -> list[str]:
    lines = [f"# Proposed from {sum(seen.events.values())} messages; DECIDE.md says what is open."]
    lines += [f"title: {word(feed)}", "format: hl7v2", "match:"]
    for name, counted in (("msh3", seen.applications), ("msh4", seen.facilities)):
        told = [value for value, _ in counted.most_common() if value]
        if told:
            lines.append(f"  {name}: {word(told[0] if len(told) == 1 else told)}  {share(counted, told[0])}")
    encoding, number = seen.encodings.most_common(1)[0]
    if number == sum(seen.encodings.values()) and encoding not in ("ascii", "utf-8"):
        lines.append(f"charset: {encoding}  {share(seen.encodings, encoding)}, whatever MSH-18 says")
    return lines


def _numbers(seen: Seen, known: Environment, proposal: Proposal) -> list[str]:
    """Return the identifier types nobody has named yet, each with what its numbers look like."""
    lines: list[str] = []
    for kind, values in sorted(seen.numbers.items()):
        if not kind or kind in known.identifiers:
            continue
        valid = sum(map(ric.is_valid, values))
        shapes = Counter(map(shape, values))
        if valid >= SURE * len(values):
            told = f"# {valid} of {len(values)} have a right check digit"
            lines.append(f"    {word(kind)}: {{national: resident-id}}  {told}")
            continue
        lines.append(f"    {word(kind)}: {{kind: {slug(kind)}}}  # ? {most(shapes, 3)}")
        text = f"numbers of type {kind}: {most(shapes, 3)}; {len(set(values))} different of {len(values)}"
        proposal.decisions.append(Decision("whose number is it", text, "weak: true when it passes to other persons"))
    return ["  identifiers:", *lines] if lines else []


def _codings(seen: Seen, known: Environment, proposal: Proposal) -> list[str]:
    lines: list[str] = []
    for name, number in seen.codings.most_common():
        if not name or name in known.coding or name.upper() in known.coding:
            continue
        lines.append(f"    {word(name)}: {word(known.code_system(name))}  # ? {number} codes")
        seen_as = f"{name} ({number} codes)"
        proposal.decisions.append(Decision("code system", seen_as, "its address, if it is a public one"))
    return ["  coding:", *lines] if lines else []


def _head(samples: Sequence[Sample], seen: Seen) -> list[str]:
    return [
        f"- {len(samples)} messages: {most(seen.events)}",
        f"- charset of the bytes: {most(seen.encodings)}",
        f"- {seen.mapped} of {seen.fields} populated fields have a rule in the base mappings",
    ]
