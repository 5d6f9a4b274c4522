"""The pages of the guided tour: what came in from whom, what it became, what was parked, one explanation."""

import json
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from gateway.cli import serve
from gateway.cli.options import console
from gateway.cli.score import Score
from gateway.pipeline import inbox
from gateway.pipeline.parse import read
from gateway.pipeline.values import Parked
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.store.values import State, WorkFilter
from gateway.wiring import open_catalog

_MOST = 100_000
_SHOWN = 12
_EXPLAINED = ("Observation", "ORU")
_MOMENTS = ("effectiveDateTime", "authoredOn", "recordedDate", "issued", "created", "dateTime")


def came_in(store: Store, answers: Mapping[str, list[str]]) -> None:
    """Show what each feed sent, how it was answered, and what became of its messages and rows."""
    table = Table(
        "feed", "files", "messages, rows", "applied", "parked", "held", "answers", title="What came in, from whom"
    )
    files = Counter(report.feed for report in store.files.list(limit=_MOST))
    counts = store.work.counts()
    for feed in sorted({feed for feed, _ in counts} | set(files)):
        numbers = {state: counts.get((feed, state), 0) for state in State}
        told = ", ".join(f"{code} {number}" for code, number in Counter(answers.get(feed, ())).most_common())
        shown = (numbers[State.APPLIED], numbers[State.PARKED], numbers[State.HELD])
        table.add_row(feed, str(files[feed] or ""), str(sum(numbers.values())), *map(str, shown), told)
    console.print(table)


def became(store: Store) -> None:
    """Show how many resources of each type there are now."""
    types: Counter[str] = Counter()
    versions = 0
    for change in store.outbox.since(0, _MOST):
        versions += 1
        types[change.type] += change.ver == 1
    table = Table("resource", "how many", title=f"What it became: {sum(types.values())} resources, {versions} versions")
    for name, count in sorted(types.items()):
        table.add_row(name, str(count))
    console.print(table)


def when(body: Mapping[str, Any]) -> str:
    """Return the moment a resource is about."""
    moment = next((body[name] for name in _MOMENTS if name in body), body.get("period", {}).get("start", ""))
    return str(moment)[:16].replace("T", " ")


def says(body: Mapping[str, Any]) -> str:
    """Return in a few words what a resource is."""
    for name in ("code", "medicationCodeableConcept", "type", "reasonCode", "category"):
        value = body.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, dict):
            coding = (value.get("coding") or [{}])[0]
            told = value.get("text") or coding.get("display") or coding.get("code")
            if told:
                return str(told)
    return str(body.get("title") or body.get("class", {}).get("display") or body.get("status", ""))


def parked(store: Store) -> None:
    """Show what waits for a person, and why; and what was refused at the door."""
    table = Table("feed", "message or row", "reason", "why", title="What was parked or refused, and why")
    for row in sorted(store.work.list(WorkFilter([State.PARKED], limit=_SHOWN))):
        issues = json.loads(row.issues)
        table.add_row(row.feed, row.control_id, row.reason, issues[-1][2] if issues else "")
    for reject in reversed(store.inbox.rejects(limit=_SHOWN)):
        kind, _, why = reject.reason.partition(": ")
        table.add_row("-", "-", kind, why)
    console.print(table)


def explained(settings: Settings, store: Store) -> None:
    """Show for one laboratory message which rule wrote which element from which field."""
    kind, wanted = _EXPLAINED
    row = next(row for row in store.work.list(WorkFilter([State.APPLIED], limit=_MOST)) if row.type == wanted)
    catalog = open_catalog(settings)
    arrivals = store.inbox.arrivals([row.item_id >> 20])
    item = inbox.again([row], arrivals, catalog.book(insecure_local=True)).items[0]
    parsed = read(item)
    assert not isinstance(parsed, Parked), "it was applied"
    mapped = catalog.mapper(row.feed).map(parsed.message, trace=True)
    name = next(draft.name for draft in mapped.drafts if draft.type == kind)
    table = Table("element", "rule", "field", title=f"Why one {kind} of message {row.control_id} says what it says")
    for trace in mapped.trace:
        if trace.draft == name:
            table.add_row(trace.path, trace.rule, trace.source)
    console.print(table)
    left = len(mapped.left)
    console.print(f"{mapped.populated} populated fields: {mapped.mapped} mapped, {left} left over with a reason")


def judged(score: Score) -> None:
    """Show how many of the labelled defects were handled as labelled, which were not, and what is left for later."""
    total = len(score.findings)
    console.print(f"\nAgainst the truth: {score.good} of {total} labelled defects handled as labelled")
    console.print(f"Every row and message of {score.whole} of {len(score.files)} files and messages is accounted for")
    for what, number in score.later():
        console.print(f"Of {number} labels a part belongs to later work, {what}")
    missed = list(score.missed())
    if missed:
        table = Table("case", "misses", "the first one", title="Not as labelled")
        for name, number, why in missed:
            table.add_row(name, str(number), why)
        console.print(table)


def addresses(settings: Settings, person: str) -> None:
    """Show three addresses that answer."""
    base = f"{serve.address(settings)}/fhir"
    console.print("\nLook at the record:")
    console.print(f"  {base}/Person?{person}", soft_wrap=True)
    console.print(f"  {base}/DiagnosticReport?_sort=-date&_include=DiagnosticReport:result", soft_wrap=True)
    console.print(f"  {base}/CarePlan?_count=5&_include=CarePlan:subject", soft_wrap=True)


def search(address: str) -> list[dict[str, Any]]:
    """Return the resources of a Bundle at an address of ours."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 (our own)
        return [entry["resource"] for entry in json.load(answer).get("entry", [])]
