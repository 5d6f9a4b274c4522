"""Every feed's samples become what the files beside them say; tools/make_golden.py writes those anew."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.mapping import catalog
from gateway.mapping.draft import Draft, Mapped, Merge
from gateway.mapping.draft import Key as BusinessKey
from gateway.mapping.samples import become, render, samples

MAPPINGS = Path(__file__).parents[3] / "mappings"
FEEDS = sorted(path.parent for path in MAPPINGS.glob("*/*/feed.yaml"))
PAIRS = [(folder.name, sample) for folder in FEEDS for sample in samples(folder)]


@pytest.fixture(scope="module")
def book():
    """Load the whole catalogue once."""
    return catalog.load([MAPPINGS])


@pytest.mark.parametrize(("feed", "sample"), PAIRS, ids=[f"{feed}/{sample.message.stem}" for feed, sample in PAIRS])
def test_sample_becomes_what_is_expected(book, feed, sample):
    declared = next(found for found in book.feeds if found.name == feed)
    assert become(sample.message.read_bytes(), declared, book, sample.message.name) == sample.expected.read_text(
        encoding="utf-8"
    )


def test_every_county_feed_has_samples():
    assert {feed for feed, _ in PAIRS} >= {"county-his", "county-lis", "county-ris"}


def test_render_keeps_digits_and_says_what_references_mean():
    reference: dict[str, str] = {}
    patient = Draft("patient", "Patient", {"resourceType": "Patient"}, "fill")
    result = Draft(
        "observation", "Observation",
        {"resourceType": "Observation", "valueQuantity": {"value": Decimal("5.10")}, "subject": reference}, "replace",
        links=[(reference, "patient")],
    )  # fmt: skip
    retired = Merge((BusinessKey("s", "1"),), "patient", "MRG[1]")
    text = render(Mapped([patient, result], merges=[retired]))
    assert '"value": 5.10' in text
    assert json.loads(text)[0]["subject"] == {"reference": "Patient/patient"}
    assert json.loads(text)[-1] == {"merge": {"into": "patient", "retired": [["s", "1", ""]]}}


def test_render_refuses_what_is_no_json():
    with pytest.raises(TypeError, match="set has no place"):
        render(Mapped([Draft("p", "Patient", {"resourceType": "Patient", "name": {1}}, "fill")]))
