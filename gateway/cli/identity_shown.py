"""How two records are shown side by side, with what could harm their person masked unless it is asked for."""

from collections.abc import Iterable

from rich.table import Table

from gateway.fhir import temporal
from gateway.identity.decide import Decision
from gateway.identity.events import codes_of
from gateway.identity.evidence import Evidence
from gateway.store.identity import Event
from gateway.store.values import Head

_ENDS = {"resident": (6, 2), "phone": (3, 2)}
_SHORT = 6


def masked(value: str, *, plain: bool, kind: str = "") -> str:
    """Return a number with its middle replaced by asterisks; what stands before `|` names its kind and stays."""
    name, bar, number = value.rpartition("|")
    first, last = _ENDS.get(kind, (2, 2))
    if plain or not number:
        return value
    if len(number) < _SHORT:
        return f"{name}{bar}{'*' * len(number)}"
    return f"{name}{bar}{number[:first]}{'*' * (len(number) - first - last)}{number[-last:]}"


def sides(heads: tuple[Head, Head], evidence: tuple[Evidence | None, Evidence | None], *, plain: bool) -> Table:
    """Return a table of what two records say of who they are."""
    table = Table("", *(f"Patient/{head.fid}" for head in heads))
    columns = [_values(one, plain=plain) if one else {} for one in evidence]
    table.add_row("site", *(head.site for head in heads))
    for name in dict.fromkeys(key for column in columns for key in column):
        cells = [column.get(name, "") for column in columns]
        if any(cells):
            table.add_row(name, *cells)
    return table


def _values(evidence: Evidence, *, plain: bool) -> dict[str, str]:
    def many(values: Iterable[str], kind: str = "") -> str:
        return ", ".join(masked(value, plain=plain, kind=kind) for value in values)

    mother = evidence.mother if plain or not any(sign.isdecimal() for sign in evidence.mother) else "***"
    return {
        "resident ID": masked(evidence.resident, plain=plain, kind="resident"),
        "damaged ID": masked(evidence.damaged_resident, plain=plain, kind="resident"),
        "documents": many(evidence.documents),
        "national numbers": many(evidence.national),
        "local numbers": many(evidence.local),
        "names": ", ".join(name.text + (" (damaged)" if name.damaged else "") for name in evidence.names),
        "sex": evidence.sex,
        "birth": evidence.birth,
        "phones": many(evidence.phones, "phone"),
        "address": evidence.address,
        "area": evidence.area,
        "mother": mother,
        "flags": ", ".join(evidence.flags),
    }


def decided(decision: Decision | None) -> list[str]:
    """Return the lines that tell a decision with its reasons."""
    if decision is None:
        return ["decision: none, because one of the two has no evidence"]
    head = f"decision: {decision.verdict} ({decision.grade}), {decision.bits:.2f} bits, model {decision.model}"
    return [head, *(f"  {reason.code}: {reason.text} {reason.zh}" for reason in decision.reasons)]


def parts(decision: Decision) -> Table:
    """Return a table of the parts of a score."""
    table = Table("field", "level", "bits")
    for part in decision.parts:
        table.add_row(part.field, part.level, f"{part.bits:+.2f}")
    return table


def history(events: Iterable[Event]) -> Table:
    """Return a table of what was done about two records."""
    table = Table("when", "what", "who", "why")
    for event in events:
        why = ", ".join(sorted(codes_of(event.evidence)))
        table.add_row(temporal.instant(event.at_us), event.action, event.actor, why)
    return table
