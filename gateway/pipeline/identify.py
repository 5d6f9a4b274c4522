"""Stage 3: drafts to planned versions, each with its id; only the site's own Patient is resolved here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.fhir.issues import Issue
from gateway.pipeline.holding import Holding
from gateway.pipeline.values import Drafted, Identified, Parked, Reason, Sorted
from gateway.record.states import KeyReused, Refused, Told
from gateway.record.workbench import Workbench

# Test traffic (MSH-11 T or D) has numbers of its own, so it can never touch a real record.
_TEST_SPACE = "~test"


@dataclass(slots=True)
class Identities(Sorted[Identified]):
    """What is planned and what is parked, and the items that wait, each with the patient key it waits for."""

    held: dict[int, str] = field(default_factory=dict)


def identify(entries: Sequence[Drafted | Parked], bench: Workbench, holding: Holding) -> Identities:
    """Plan every message in inbox order; reused keys and impossible merges are parked, what is behind those is held.

    Messages that earlier stages parked keep their place, so that what waits for them is known in its turn.
    """
    told = {entry.item.item_id: told_of(entry) for entry in entries if isinstance(entry, Drafted)}
    bench.prefetch(list(told.values()))
    result = Identities()
    for entry in entries:
        waits = holding.waits(entry.parsed if isinstance(entry, Drafted) else entry)
        if waits:
            result.held[entry.item.item_id] = waits
            continue
        outcome = _plan(entry, told[entry.item.item_id], bench) if isinstance(entry, Drafted) else entry
        if isinstance(outcome, Identified):
            result.passed.append(outcome)
        else:
            holding.park(outcome)
            result.parked.append(outcome)
    return result


def told_of(drafted: Drafted) -> Told:
    """Return a message's drafts with its alias space; test traffic has a space of its own."""
    item = drafted.item
    space = item.feed.site + _TEST_SPACE if item.test else item.feed.site
    separate = item.feed.reused == "separate"
    return Told(space, drafted.mapped, item.received_us, item.item_id, separate)


def _plan(drafted: Drafted, told: Told, bench: Workbench) -> Identified | Parked:
    try:
        plan = bench.plan(told)
    except (KeyReused, Refused) as fault:
        return refused(drafted, fault)
    bench.adopt(plan)
    return Identified(drafted, plan)


def refused(drafted: Drafted, fault: KeyReused | Refused) -> Parked:
    """Return a message parked for what it says of identities, with what was found on its way."""
    reused = isinstance(fault, KeyReused)
    issue = Issue("error", "duplicate" if reused else "business-rule", fault.text, fault.where)
    issues = (*drafted.parsed.issues, *drafted.mapped.issues, issue)
    reason = Reason.KEY_REUSED if reused else Reason.REFUSED
    return Parked(drafted.item, reason, issues, drafted.parsed.patient_keys)
