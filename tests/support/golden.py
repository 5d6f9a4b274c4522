"""The golden pairs' resources, and the region's own definitions they are judged by."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from gateway.conformance import profiles
from gateway.conformance.profiles import Profiles

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "mappings").glob("**/samples/*.json"))


@cache
def ours() -> Profiles:
    """Return the definitions of profiles/."""
    return profiles.load(ROOT / "profiles")


def resources(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the resources of a golden file, whatever they are wrapped in."""
    if isinstance(value, dict) and "resourceType" in value and value["resourceType"] != "Bundle":
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from resources(one)


@cache
def golden() -> list[tuple[str, dict[str, Any]]]:
    """Return every resource of the golden pairs with the name of its file; draft references are given right ids."""
    found = []
    for path in SAMPLES:
        text = re.sub(r'("reference": "[A-Za-z]+/)[^"]*"', r'\1x"', path.read_text("utf-8"))
        found += [(path.stem, one) for one in resources(json.loads(text))]
    return found
