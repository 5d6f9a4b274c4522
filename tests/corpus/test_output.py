"""What the gateway produces, judged by validators that others wrote: PyPI `fhirkit-rs`, npm `fhir` and `@medplum/core`."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterable

import fhirkit
import pytest

from gateway.store.engine import open_store
from tests.clients.test_clients import npm_home
from tests.corpus import produced, sources
from tests.support.county import county
from tests.web.county import make, seed

Complaint = tuple[str, str, str, str]
"""Judge, resource type, place and text."""

ACCEPTED: dict[tuple[str, str], str] = {
    (
        "Task.input[",
        "Missing property",
    ): "npm fhir looks for `value[x]` by that name and finds valueString and others not",
    (
        "ImagingStudy.series[0].uid",
        "Missing property",
    ): "it is there as _uid with a data-absent-reason, which npm fhir skips",
    (
        "Appointment",
        "app-3",
    ): "start and end are there as _start and _end with a data-absent-reason, which npm fhir skips",
}
"""Part of a complaint's place and text -> why it is not ours."""


@pytest.fixture
def web(tmp_path):
    """An application over a small record that may be written to."""
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    made = make(store, tmp_path)
    made.patient, made.results = seed(store)
    yield made
    store.close()


def by_fhirkit(resources: Iterable[dict]) -> list[Complaint]:
    """Return the errors that `fhirkit-rs` finds."""
    return [
        ("fhirkit", one["resourceType"], issue.path, issue.message)
        for one in resources
        for issue in fhirkit.validate(json.dumps(one))
        if issue.severity == "error"
    ]


def by_javascript(resources: Iterable[dict], folder) -> list[Complaint]:
    """Return the errors that npm `fhir` and `@medplum/core` find."""
    file = folder / "produced.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    script = sources.ROOT / "tests" / "corpus" / "judge_output.mjs"
    done = subprocess.run(["node", script, npm_home(), file], check=False, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [(one["judge"], one["kind"], one["place"], one["text"]) for one in told]


def ours(source: str, resources: list[dict], complaints: list[Complaint]) -> Counter:
    """Print what was judged; return the complaints that no reason excuses."""
    excused = [one for one in complaints if excuse(one)]
    left = Counter(one for one in complaints if not excuse(one))
    print("\n".join(f"{number} x {one}" for one, number in left.most_common(40)))
    print(f"\n{source}: {len(resources)} judged, {len(complaints)} complaints, {len(excused)} not ours")
    return left


def excuse(complaint: Complaint) -> str:
    """Return why a complaint is not ours, "" where it is."""
    _, kind, place, text = complaint
    return next((why for (where, what), why in ACCEPTED.items() if where in f"{kind} {place}" and what in text), "")


def test_samples_and_answers_by_fhirkit(web):
    mapped, answered = list(produced.golden()), list(produced.answers(web))
    assert len(mapped) > 100
    assert not ours("mapped samples", mapped, by_fhirkit(mapped))
    assert not ours("answers", answered, by_fhirkit(answered))


@pytest.mark.long
def test_samples_answers_and_a_record_by_three_validators(web, tmp_path):
    record = demonstrated(tmp_path)
    everything = [*produced.golden(), *produced.answers(web), *record]
    assert len(record) > 50
    assert not ours("by fhirkit-rs", everything, by_fhirkit(everything))
    assert not ours("by fhir and @medplum/core", everything, by_javascript(everything, tmp_path))


def demonstrated(folder) -> list[dict]:
    """Return the record that the example messages make."""
    with county(f"sqlite:///{folder}/demo.db", folder / "demo") as town:
        for file in sorted(produced.MESSAGES.glob("*.hl7")):
            town.send(file.read_bytes())
            town.work()
        with town.store.read() as tx:
            found = tx.current(range(1, tx.last_pid() + 1)).values()
    return [json.loads(stored.body) for stored in sorted(found)]
