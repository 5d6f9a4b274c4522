"""Parses the guide's FHIR paths: names, [n] labels, and (Type.path) for the resource a reference points to."""

from dataclasses import dataclass, replace
from functools import cache

NOT_RESOURCES = {"Annotation"}
SILENT = {"$this", "$value", "reference", ""}
RESOURCES = {
    "Appointment", "CareTeam", "Condition", "Device", "DeviceDefinition", "DocumentReference", "EpisodeOfCare",
    "Group", "Location", "Medication", "MedicationRequest", "Observation", "Organization", "Patient",
    "Practitioner", "PractitionerRole", "Procedure", "RelatedPerson", "ServiceRequest", "Specimen", "Task",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step down: an element name, or the resource a reference points to. `label` is the guide's [n]."""

    name: str
    label: str = ""
    refers: bool = False

    def __str__(self) -> str:
        return f"->{self.name}" if self.refers else self.name


Path = tuple[Step, ...]


@cache
def parse(text: str) -> Path:
    """Return the steps of a guide path; unbalanced brackets are forgiven."""
    steps: list[Step] = []
    _scan(text.replace("}", "]"), 0, steps)
    return tuple(step for step in steps if step.name not in SILENT or step.label)


def _scan(text: str, at: int, steps: list[Step]) -> int:
    while at < len(text):
        char = text[at]
        if char == "[":
            at = _label(text, at, steps)
        elif char == "(":
            at = _scan_reference(text, at + 1, steps)
        elif char == ")":
            return at + 1
        elif char in ". ":
            at += 1
        else:
            at = _name(text, at, steps)
    return at


def _name(text: str, at: int, steps: list[Step]) -> int:
    end = at
    while end < len(text) and text[end] not in "[](). ":
        end += 1
    if end == at:
        return at + 1
    steps.append(Step(text[at:end]))
    return end


def _label(text: str, at: int, steps: list[Step]) -> int:
    end = at + 1
    while end < len(text) and text[end] not in "].":
        end += 1
    label = text[at + 1 : end]
    if steps and steps[-1].name not in SILENT:
        steps[-1] = replace(steps[-1], label=label)
    else:
        steps.append(Step("", label))
    return end + 1 if end < len(text) and text[end] == "]" else end


def _scan_reference(text: str, at: int, steps: list[Step]) -> int:
    inner: list[Step] = []
    end = _scan(text, at, inner)
    head = next((step for step in inner if step.name not in SILENT), None)
    if head is None:
        return end
    rest = inner[inner.index(head) + 1 :]
    if head.name not in NOT_RESOURCES:
        steps.append(replace(head, refers=True))
    steps.extend(rest)
    return end


def is_resource(name: str) -> bool:
    """Return whether the name in a map's brackets is a resource type: PractitionerRole, not Identifier."""
    return name.partition("-")[0] in RESOURCES and name != "Device-udiCarrier"


def join(prefix: Path, rest: Path) -> Path:
    """Put a data type map's path below the attribute it is used for; a leading [n] belongs to the latter."""
    if rest and not rest[0].name and prefix:
        last = prefix[-1]
        label = f"{last.label}.{rest[0].label}" if last.label else rest[0].label
        return (*prefix[:-1], replace(last, label=label), *rest[1:])
    return (*prefix, *(step for step in rest if step.name))


def show(root: str, path: Path) -> str:
    """Return a path as people write it, without labels: Encounter.participant.individual->Practitioner.name."""
    return root + "".join(f"->{step.name}" if step.refers else f".{step.name}" for step in path)
