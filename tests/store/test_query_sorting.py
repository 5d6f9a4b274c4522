"""Order on each database: any parameter, several keys, missing values last; pages that neither repeat nor skip."""

import random
from functools import cmp_to_key

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.search import extract, parameters
from gateway.search.kinds.string import SPOKEN
from gateway.search.scope import Scope
from gateway.store import pages, plan
from tests.support.asking import ids, listed, observation, patient, search, words
from tests.support.search_records import Json, change, put

PROPERTY = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PATHS = {
    "sorted": (1000, 5000, 10_000, 50_000),
    "soon": (3, 5000, 10_000, 50_000),
    "walked": (3, 0, 10_000, 50_000),
    "gathered": (3, 0, 2, 50_000),
    "long": (3, 0, 2, 1),
}
"""Ways to a page: entries probed, those that are few, entries walked, matches gathered."""


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.long] * (name in ("soon", "long"))) for name in PATHS])
def way(request, monkeypatch):
    probe, few, walk, gather = PATHS[request.param]
    monkeypatch.setattr(plan, "PROBE", probe)
    monkeypatch.setattr(plan, "FEW", few)
    monkeypatch.setattr(pages, "WALK", walk)
    monkeypatch.setattr(pages, "GATHER", gather)


# --- a naive order ------------------------------------------------------------------------------------------------


def population() -> list[Json]:
    chance = random.Random(11)
    people = [person(n, chance) for n in range(15)]
    return people + [result(n, chance) for n in range(50)]


def person(n: int, chance: random.Random) -> Json:
    made = patient(f"p{n}", gender=chance.choice(["male", "female", "other"]))
    names = [{"text": chance.choice(["张三", "李四", "Zoë", "Ａnn", "bob"])} for _ in range(chance.randrange(3))]
    if names:
        made["name"] = names
    if n % 3:
        made["birthDate"] = chance.choice(["1958", "1958-03", "1990-12-31"])
    if n % 4:
        made["identifier"] = [{"system": f"s{each}", "value": str(chance.randrange(5))} for each in range(n % 4)]
    if n % 5 == 0:
        made["meta"] = {"profile": [chance.choice(["https://a.example/b", "https://a.example/a"])]}
    return made


def result(n: int, chance: random.Random) -> Json:
    made = observation(f"o{n}", f"p{chance.randrange(20)}", chance.choice(["b", "a", "c"]))
    if n % 5 == 0:
        del made["subject"]
    if n % 3:
        moment = f"2026-0{chance.randint(1, 2)}-0{chance.randint(1, 3)}"
        made |= chance.choice([{"effectiveDateTime": moment}, {"effectivePeriod": {"end": moment}}])
    if n % 4:
        sign = {"comparator": "<"} if n % 7 == 0 else {}
        made["valueQuantity"] = {"value": chance.choice([5, 5.4, 99.6]), "code": "g/L"} | sign
    made["category"] = [{"coding": [{"code": each}]} for each in chance.sample(["x", "y", "z"], n % 3)]
    return made


def value(body: Json, name: str, *, descending: bool):
    """Return the best sort value of a parameter, None where there is none."""
    if name == "_id":
        return body["id"]
    parameter = parameters.for_type(body["resourceType"])[name]
    params = {each.id for each in parameters.stored(parameter)}
    rows = extract.rows(body, body["resourceType"])
    read = {
        "token": lambda row: row[3],
        "reference": lambda row: f"{row[1]}/{row[2]}",
        "string": lambda row: row[1] if row[2] != SPOKEN else None,
    }.get(parameter.kind, lambda row: row[1])
    found = [read(row) for row in getattr(rows, parameter.kind) if row[0] in params]
    found = [each for each in found if each is not None]
    if parameter.only:
        found = [each for each in found if each.startswith(f"{parameter.only}/")]
    return (max if descending else min)(found) if found else None


def naive(bodies: list[Json], sort: str) -> list[str]:
    """Return the ids of resources, given in the order of their pids, in an order."""
    keys = [(key.removeprefix("-"), key.startswith("-")) for key in sort.split(",")]

    def compare(one: tuple[int, Json], other: tuple[int, Json]) -> int:
        for name, descending in keys:
            left, right = (value(body, name, descending=descending) for _, body in (one, other))
            if left != right:
                if left is None or right is None:
                    return 1 if left is None else -1
                return (-1 if left < right else 1) * (-1 if descending else 1)
        return (one[0] - other[0]) * (-1 if keys[0][1] else 1)

    return [body["id"] for _, body in sorted(enumerate(bodies), key=cmp_to_key(compare))]


NAMES = {
    "Observation": [
        "date",
        "value-quantity",
        "combo-value-quantity",
        "code",
        "combo-code",
        "subject",
        "patient",
        "category",
        "status",
        "_id",
    ],
    "Patient": ["birthdate", "name", "gender", "identifier", "_profile", "_id", "telecom"],
}


@st.composite
def sorts(draw) -> tuple[str, str]:
    kind = draw(st.sampled_from(sorted(NAMES)))
    names = draw(st.lists(st.sampled_from(NAMES[kind]), min_size=1, max_size=3, unique=True))
    return kind, ",".join(draw(st.sampled_from(["", "-"])) + name for name in names)


def test_every_order_is_the_naive_one_page_by_page(store, way):
    bodies = population()
    put(store, *bodies)

    @PROPERTY
    @given(sorts(), st.integers(1, 20), st.booleans())
    def property_(asked, size, narrow):
        kind, sort = asked
        mine = [body for body in bodies if body["resourceType"] == kind]
        pairs = [("_sort", sort)]
        if narrow:
            pairs.append(("status", "final") if kind == "Observation" else ("gender", "male,other"))
            mine = [body for body in mine if body.get("gender") != "female"]
        assert listed(store, kind, *pairs, size=size) == naive(mine, sort)

    property_()


def test_the_order_within_a_scope_is_that_of_a_store_holding_only_it(store, way):
    bodies = population()
    put(store, *bodies[::2])
    put(store, *bodies[1::2], site="h2")
    mine = [body for body in bodies[::2] if body["resourceType"] == "Observation"]
    for sort in ("subject,-date", "-subject", "code,patient", "-date,subject"):
        assert listed(store, "Observation", ("_sort", sort), scope=Scope(frozenset({"h1"}))) == naive(mine, sort)


# --- what stands behind -------------------------------------------------------------------------------------------


def test_a_short_walk_or_a_long_one_ends_the_same(store, monkeypatch):
    monkeypatch.setattr(plan, "PROBE", 3)
    monkeypatch.setattr(plan, "FEW", 0)
    old = [observation(f"old{n}", code="old", effectiveDateTime=f"2020-01-{n + 10}") for n in range(6)]
    new = [observation(f"new{n}", effectiveDateTime=f"2026-01-{n + 10}") for n in range(20)]
    put(store, *old, *new, observation("undated", code="old"))
    asked = ("code", "old"), ("_sort", "-date")
    assert words(store, "Observation", *asked) == "in the order of search_date"
    wanted = [f"old{5 - n}" for n in range(6)] + ["undated"]
    for walk, gather in ((2, 100), (2, 1), (100, 100)):
        monkeypatch.setattr(pages, "WALK", walk)
        monkeypatch.setattr(pages, "GATHER", gather)
        assert listed(store, "Observation", *asked) == wanted


def test_a_limit_below_and_above_a_value_is_an_order_too(store):
    limits = {"low": {"value": 5, "comparator": "<"}, "high": {"value": 5, "comparator": ">"}, "at": {"value": 5}}
    put(store, *(observation(fid, valueQuantity=given) for fid, given in limits.items()), observation("none"))
    assert listed(store, "Observation", ("_sort", "value-quantity"), size=1) == ["low", "high", "at", "none"]


def test_how_a_name_sounds_is_not_where_it_stands(store, way):
    put(store, *(patient(fid, name=[{"text": text}]) for fid, text in (("a", "张三"), ("b", "bob"), ("c", "丁一"))))
    assert listed(store, "Patient", ("_sort", "name")) == ["b", "c", "a"]
    assert listed(store, "Patient", ("_sort", "-name")) == ["a", "c", "b"]


def test_a_target_stands_where_it_is_written_before_and_after_it_comes(store):
    put(store, observation("o1", "b"), observation("o2", "a"))
    assert ids(search(store, "Observation", ("_sort", "subject"))) == ["o2", "o1"]
    put(store, patient("a"), patient("b"))
    assert ids(search(store, "Observation", ("_sort", "subject"))) == ["o2", "o1"]
    elsewhere = {"reference": "http://elsewhere.example/Patient/1"}
    put(store, observation("o3", subject=elsewhere), observation("o4", subject={"reference": "Group/z"}))
    assert ids(search(store, "Observation", ("_sort", "subject"))) == ["o4", "o2", "o1", "o3"]


def test_the_last_change_and_then_the_code(store, way):
    pids = put(store, *(observation(f"o{n}", code=code) for n, code in enumerate("cbab")))
    change(store, pids[0], 2, observation("o0", code="c"))
    assert listed(store, "Observation", ("_sort", "-_lastUpdated")) == ["o0", "o3", "o2", "o1"]
    assert listed(store, "Observation", ("_sort", "code,-_lastUpdated"), size=1) == ["o2", "o3", "o1", "o0"]
