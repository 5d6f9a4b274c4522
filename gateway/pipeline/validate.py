"""Stage 4: every planned version must be valid FHIR R4 before it is written."""

from gateway.conformance import structure
from gateway.fhir.issues import Issue
from gateway.pipeline.values import Identified, Parked, Reason, Sorted
from gateway.record.states import Planned


def validate(messages: list[Identified]) -> Sorted[Identified]:
    """Pass messages whose versions are all valid; park the others with the element at fault."""
    result: Sorted[Identified] = Sorted()
    for identified in messages:
        faults = [issue for planned in identified.plan.versions for issue in findings(planned)]
        if faults:
            result.parked.append(_parked(identified, faults))
        else:
            result.passed.append(identified)
    return result


def findings(planned: Planned) -> list[Issue]:
    """Return what is wrong with one version; nothing for a valid one."""
    body = planned.body
    return [] if structure.is_valid(body) else structure.check(body)


def _parked(identified: Identified, faults: list[Issue]) -> Parked:
    drafted = identified.drafted
    return Parked(
        identified.item,
        Reason.INVALID,
        (*drafted.parsed.issues, *drafted.mapped.issues, *faults),
        drafted.parsed.patient_keys,
    )
