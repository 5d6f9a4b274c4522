"""Stage 2: a located message to drafts, by the feed's active definitions."""

from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.mapping.catalog import Catalog
from gateway.mapping.draft import Draft
from gateway.pipeline.values import Drafted, Parked, Parsed, Reason, Sorted
from gateway.record import attachments

# Facts about one message's way stand in the columns of every version and are rendered from there (decision 14).
RENDERED = frozenset({"Provenance", "MessageHeader"})

# Without a person these mean nothing.
OF_A_PERSON = frozenset(
    {
        "AllergyIntolerance",
        "ChargeItem",
        "Condition",
        "Coverage",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "Immunization",
        "MedicationRequest",
        "Observation",
        "Procedure",
        "ServiceRequest",
    }
)


def map_all(messages: list[Parsed], catalog: Catalog) -> Sorted[Drafted]:
    """Map every message; one that yields nothing is parked as unmapped, with what was seen."""
    result: Sorted[Drafted] = Sorted()
    for parsed in messages:
        outcome = map_one(parsed, catalog)
        if isinstance(outcome, Drafted):
            result.passed.append(outcome)
        else:
            result.parked.append(outcome)
    return result


def map_one(parsed: Parsed, catalog: Catalog) -> Drafted | Parked:
    """Map one message; what a definition refuses to read is parked with its reason."""
    try:
        mapped = catalog.mapper(parsed.item.feed.name).map(parsed.message)
    except GatewayError as fault:
        return _parked(parsed, Reason.UNREADABLE, Issue("error", "structure", fault.text, fault.where))
    mapped.drafts = [draft for draft in mapped.drafts if draft.type not in RENDERED]
    if attachments.likely(parsed.item.raw, catalog.attachment_inline):
        attachments.detach(mapped, catalog.attachment_inline)
    if not mapped.drafts and not mapped.merges:
        return _parked(parsed, Reason.UNMAPPED, _nothing(parsed))
    if _nobodys(mapped.drafts):
        return _parked(parsed, Reason.UNIDENTIFIED, _whose(parsed))
    return Drafted(parsed, mapped)


def _nobodys(drafts: list[Draft]) -> bool:
    """Say whether the message tells clinical facts of a person it does not name."""
    return any(draft.type in OF_A_PERSON and not draft.patient for draft in drafts) and not any(
        draft.type == "Patient" for draft in drafts
    )


def _whose(parsed: Parsed) -> Issue:
    text = "the message names no patient (no PID segment), so nobody can tell whose record this belongs to"
    return Issue("error", "required", f"{text}; ask the sender to send PID", "PID")


def _nothing(parsed: Parsed) -> Issue:
    names = ", ".join(dict.fromkeys(segment.name for segment in parsed.message.segments))
    text = f"no definition yields a resource from {parsed.message.type}^{parsed.message.event} with {names}"
    return Issue("error", "not-supported", f"{text}; add a rule to the feed's overlay and replay", "MSH-9")


def _parked(parsed: Parsed, reason: Reason, issue: Issue) -> Parked:
    return Parked(parsed.item, reason, (*parsed.issues, issue), parsed.patient_keys)
