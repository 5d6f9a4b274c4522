"""Whatever a search asks, by GET or POST, of any type: an answer or a refusal in words, never a 500."""

import asyncio
import random
import string
from collections import Counter
from urllib.parse import urlencode

import pytest

from gateway.fhir import types
from gateway.search import parameters
from gateway.store.engine import open_store
from tests.corpus import door
from tests.oracle import judge
from tests.oracle.queries import queries
from tests.oracle.worlds import worlds
from tests.web.county import make

FEW, MANY = 150, 15_000
KINDS = sorted(types.RESOURCE_TYPES)
MODIFIERS = ["", "", "exact", "contains", "missing", "not", "text", "in", "not-in", "below", "above", "of-type", "identifier",
             "iterate", "Patient", "Observation", "x", "", ":", "exact:exact"]  # fmt: skip
CONTROLS = ["_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude", "_include:iterate", "_page", "_type",
            "_format", "_pretty", "_linked", "_filter", "_query", "_list", "_text", "_content", "_contained", "_score", "_has",
            "_lastUpdated", "_profile", "_id", "_source", "_tag", "_security", "_at", "_since"]  # fmt: skip
VALUES = [
    "", " ", "|", "||", "|||", "$", ",", ",,,", "\\", "\\,", "a|b|c|d", "true", "TRUE", "null", "-1", "0", "1e400", "1e-400", "-0",
    "9" * 60, "0.1e", "ge", "gt", "ap", "ge2026", "sa9999-12-31T23:59:60Z", "eb0001-01-01", "ap0001", "lt0000", "2026-13", "2026-02-30",
    "9999", "2026-02-10T24:00", "2026-02-10T03:00:00+99:00", "Patient/", "/", "Patient/p0/_history/1", "http://", "urn:", "urn:oid:",
    "#x", "../..", "%00", "%", "*", "Observation:*", "*:*", "Observation:subject:Foo", "Observation:", ":", "-", "--date", "-,-",
    "date,-date,date", "张三", "ＺＯＥ", "\u202e", "\ufdd0", "\u0301", "a" * 4000, "'; DROP TABLE resource; --", "\" OR 1=1", "%s", "?", "{}",
    "5.4||", "5.4|http://unitsofmeasure.org|", "5|http://unitsofmeasure.org|[in_i", "5||10*", "nan", "inf", "Infinity", "1_000", "٣", "²",
    "718-7$gt5", "$$", "a$b$c", "http://loinc.org|718-7", "http://hl7.org/fhir/ValueSet/nothing", "MR|1", "a|b|", "count", "json", "xml",
    "application/fhir+json; fhirVersion=4.0", "Patient:link,Patient:link",
]  # fmt: skip


def a_name(chance: random.Random, kind: str, depth: int = 0) -> str:
    """Return a parameter name, sound or not."""
    names = list(parameters.for_type(kind))
    base = chance.choice([chance.choice(names), chance.choice(names), chance.choice(CONTROLS), noise(chance)])
    modifier = chance.choice(MODIFIERS)
    name = f"{base}:{modifier}" if modifier else base
    if depth < 12 and chance.random() < 0.25:
        return f"{name}.{a_name(chance, chance.choice(KINDS), depth + 1)}"
    if depth < 12 and chance.random() < 0.15:
        return f"_has:{chance.choice(KINDS)}:{base}:{a_name(chance, chance.choice(KINDS), depth + 1)}"
    return name


def noise(chance: random.Random) -> str:
    """Return a few characters of any kind but halves of one."""
    pool = string.printable + "张é\u0000\u0301𠮷|$\\,:."
    return "".join(chance.choice(pool) for _ in range(chance.randint(0, 6)))


def a_query(chance: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """Return a type and a query: a sound one with something broken, or names and values at random."""
    if chance.random() < 0.3:
        kind, pairs = queries().draw(chance)
        at = chance.randrange(len(pairs))
        pairs[at] = (pairs[at][0], chance.choice([chance.choice(VALUES), pairs[at][1] + noise(chance)]))
        return kind, pairs
    kind = chance.choice(KINDS)
    several = chance.randint(1, 4)
    return kind, [(a_name(chance, kind), chance.choice([chance.choice(VALUES), noise(chance)])) for _ in range(several)]


def thrown(store, tmp_path, seed: int, number: int) -> Counter:
    """Throw so many searches at the door; return how many were answered with which status."""
    chance = random.Random(seed)
    judge.fill(store, worlds().draw(chance))
    web = make(store, tmp_path)

    async def send() -> Counter:
        counts: Counter = Counter()
        async with door.client(web.app) as asker:
            for _ in range(number):
                kind, pairs = a_query(chance)
                address = f"{door.BASE}/{kind if chance.random() > 0.05 else ''}"
                if chance.random() < 0.2:
                    answer = await asker.post(f"{address.rstrip('/')}/_search", data=dict(pairs))
                else:
                    answer = await asker.get(f"{address}?{urlencode(pairs)}")
                counts[answer.status_code] += 1
                assert answer.status_code < 500, (kind, pairs, answer.text)
                assert answer.content[:1] in (b"{", b"<"), (kind, pairs, answer.status_code)
                if answer.status_code >= 400:
                    assert answer.json()["issue"][0]["diagnostics"], (kind, pairs)
        return counts

    return asyncio.run(send())


@pytest.fixture
def store(tmp_path):
    """A store in a file; the databases' own tests see to both kinds."""
    opened = open_store(f"sqlite:///{tmp_path}/gateway.db")
    opened.migrate()
    yield opened
    opened.close()


def test_any_search(store, tmp_path):
    print(f"\nfuzzed searches: {dict(thrown(store, tmp_path, 20261122, FEW))}")


@pytest.mark.long
def test_any_search_a_thousand_times(store, tmp_path):
    seed = random.SystemRandom().randrange(2**32)
    print(f"\nseed {seed}")
    print(f"fuzzed searches: {dict(thrown(store, tmp_path, seed, MANY))}")
