"""`$validate` over what others published: no error that is not a fault of theirs."""

from collections import Counter

import pytest

from gateway import settings
from gateway.conformance import profiles, validate
from gateway.fhir import resource, types
from tests.corpus import sources
from tests.corpus.test_round_trip import NOT_R4

pytestmark = pytest.mark.long

FAULTS = {
    "SearchParameter": {"base is missing", "questionnaireresponse-extensions-QuestionnaireResponse-item-subject"},
    "CodeSystem": {"is not a code without leading, trailing or doubled spaces"},
    "StructureDefinition": {"rule sdf-4 of R4"},
}
"""What is wrong in HL7's package itself: parameters of extensions without a base or with too long an id, codes with a
no-break space, and four patterns that are derived from nothing."""


@pytest.fixture(scope="module")
def shipped():
    return profiles.load(settings.shipped("profiles"))


def errors(text, shipped):
    found = validate.validate(resource.loads(text, strict=False), shipped, seconds=60.0)
    return [one.text for one in found if one.severity == "error"]


def test_the_definitions_of_r4(shipped):
    seen: Counter[str] = Counter()
    for name, text in sources.definitions():
        kind = name.partition("-")[0]
        if kind not in types.RESOURCE_TYPES:  # the package's own index
            continue
        known = FAULTS.get(kind, ())
        strange = [one for one in errors(text, shipped) if not any(fault in one for fault in known)]
        assert strange == [], name
        seen[kind] += 1
    print(f"\ndefinitions: {dict(seen)}")
    assert sum(seen.values()) > 4500


def test_the_examples_of_fhirstarter(shipped):
    seen = 0
    for name, text in sources.fhirstarter():
        kind = resource.loads(text)["resourceType"]
        if name in NOT_R4 or kind not in types.RESOURCE_TYPES:
            continue
        # Basic/referral is the standard's own picture of modifier extensions that a reader does not know.
        strange = [one for one in errors(text, shipped) if "changes the meaning" not in one or kind != "Basic"]
        assert strange == [], name
        seen += 1
    print(f"\nfhirstarter: {seen} examples")
    assert seen > 100


def test_the_persons_of_synthea(shipped):
    seen = 0
    for name, text in sources.synthea():
        for one in sources.entries(text):
            found = [issue for issue in validate.validate(one, shipped) if issue.severity == "error"]
            assert found == [], name
            seen += 1
    print(f"\nsynthea: {seen} resources")
    assert seen > 1000
