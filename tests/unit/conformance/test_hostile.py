"""Resources broken at random: whatever stands where, there are findings, never an exception."""

import copy
import json
import random

import pytest

from gateway import settings
from gateway.conformance import profiles, validate
from tests.unit.conformance.test_claims import produced

JUNK = (
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    "#",
    "#x",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"x": 1},
    {"reference": ["#"]},
    ["a", {}],
    "2026-13",
)
BEAR = ("resident", "contract", "referral", "medical-insurance", "shared-report")
URL = "https://yigong.example/fhir/StructureDefinition/"


@pytest.fixture(scope="module")
def shipped():
    return profiles.load(settings.shipped("profiles"))


def places(node, found):
    """Every (holder, key) in a resource."""
    for key, below in node.items() if isinstance(node, dict) else enumerate(node):
        found.append((node, key))
        if isinstance(below, dict | list):
            places(below, found)
    return found


def broken(resource, chance):
    body = copy.deepcopy(resource)
    for _ in range(chance.randint(1, 3)):
        holder, key = chance.choice(places(body, []))
        if chance.random() < 0.3 and isinstance(holder, dict) and isinstance(holder[key], dict):
            holder[key][chance.choice(("extension", "id", "reference", "url", "contained", "coding"))] = chance.choice(
                JUNK
            )
        else:
            holder[key] = copy.deepcopy(chance.choice(JUNK))
    return body


def test_nothing_breaks_the_judge(shipped):
    chance = random.Random(20261122)
    whole = list(produced())
    for number in range(400):
        body = broken(chance.choice(whole), chance)
        if number % 3 == 0:
            entry = [{"fullUrl": "urn:x", "resource": body}]
            body = broken({"resourceType": "Bundle", "type": "collection", "entry": entry}, chance)
        claimed = [URL + chance.choice(BEAR)]
        try:
            issues = validate.validate(body, shipped, claimed) + validate.check(body, shipped)
        except Exception:
            print(json.dumps(body, ensure_ascii=False, default=str))
            raise
        assert all(one.text for one in issues)
