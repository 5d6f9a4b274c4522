"""Search on each database: its answers are those of a naive filter, page by page, within the scope."""

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.search.request import Search, parse
from gateway.search.scope import Scope
from gateway.store import index, linked, plan, query
from gateway.store.values import NewLink
from tests.support.asking import ALL, LOINC, ZONE, ids, observation, patient, search, words
from tests.support.search_records import START_US, Json, change, entry, naive, put

UCUM = "http://unitsofmeasure.org"
MRN = "https://yigong.example/fhir/id/h1/mrn"
PROPERTY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def found(store, kind: str, *pairs: tuple[str, str], **given) -> list[str]:
    return sorted(ids(search(store, kind, *pairs, **given)))


# --- a population and random queries ------------------------------------------------------------------------------


def population() -> list[Json]:
    chance = random.Random(7)
    people = [person(n, chance) for n in range(12)]
    return people + [result(n, chance) for n in range(90)]


def person(n: int, chance: random.Random) -> Json:
    made = patient(
        f"p{n}",
        identifier=[{"system": f"{MRN}{n % 2}", "value": f"{n // 2}"}],
        name=[{"text": chance.choice(["张三", "张三丰", "李四", "Zoë Müller", "ＷＡＮＧ"]), "given": ["a", "a"]}],
        gender=chance.choice(["male", "female"]),
        birthDate=chance.choice(["1958", "1958-03", "1958-03-04", "1990-12-31"]),
        telecom=[{"system": "phone", "value": f"1000000000{n % 3}"}],
    )
    if n % 3 == 0:
        made["deceasedBoolean"] = n % 2 == 0
    return made


def result(n: int, chance: random.Random) -> Json:
    made = observation(f"o{n}", f"p{chance.randrange(14)}", chance.choice(["718-7", "789-8", "777-3"]))
    made["status"] = chance.choice(["final", "amended"])
    if chance.random() < 0.5:
        made["code"]["coding"].append({"system": "https://yigong.example/fhir/cs/h1", "code": "718-7"})
    moment = f"2026-0{chance.randint(1, 3)}-{chance.randint(1, 28):02d}"
    match chance.randrange(4):
        case 0:
            made["effectiveDateTime"] = moment
        case 1:
            made["effectiveDateTime"] = f"{moment}T0{chance.randrange(9)}:00:00+08:00"
        case 2:
            made["effectivePeriod"] = {"start": moment} | ({"end": "2026-06-01"} if n % 2 else {})
    value = {"value": chance.choice([5, 5.4, 5.45, 99.6, 120]), "system": UCUM, "code": chance.choice(["g/L", "mg/L"])}
    if chance.random() < 0.7:
        made["valueQuantity"] = value
    else:
        made["component"] = [{"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": value}]
    return made


CODES = st.sampled_from(["718-7", f"{LOINC}|718-7", "789-8", "|718-7", f"{LOINC}|", "none", "8480-6", "718-7,777-3"])
PREFIX = st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
DATES = st.sampled_from(["2026", "2026-02", "2026-02-10", "2026-01-15T03:00:00+08:00", "2026-01-15T03:00", "2026-06"])
NUMBERS = st.sampled_from(["5", "5.4", "5.40", "100", "0.1", "1e2", "-3"])
UNITS = st.sampled_from(["", "||g/L", f"|{UCUM}|mg/L", "||dL", f"|{UCUM}|"])
PERSONS = st.sampled_from(["p0", "Patient/p1", "p2,p3", "Patient/p13", "http://elsewhere.example/Patient/p1"])
QUANTITY = st.builds("{}{}{}".format, PREFIX, NUMBERS, UNITS)

OBSERVATION = st.one_of(
    st.tuples(st.sampled_from(["code", "combo-code", "component-code", "code:not"]), CODES),
    st.tuples(st.sampled_from(["patient", "subject", "subject:Patient"]), PERSONS),
    st.tuples(st.just("date"), st.builds("{}{}".format, PREFIX, DATES)),
    st.tuples(st.sampled_from(["value-quantity", "combo-value-quantity"]), QUANTITY),
    st.tuples(
        st.sampled_from(["code-value-quantity", "combo-code-value-quantity", "component-code-value-quantity"]),
        st.builds("{}${}".format, CODES.filter(lambda code: "," not in code), QUANTITY),
    ),
    st.tuples(st.just("status"), st.sampled_from(["final", "amended", "final,amended", "nothing"])),
    st.tuples(
        st.sampled_from(
            ["date:missing", "value-quantity:missing", "combo-code-value-quantity:missing", "patient:missing"]
        ),
        st.sampled_from(["true", "false"]),
    ),
    st.tuples(st.just("_id"), st.sampled_from(["o1", "o1,o2", "p1"])),
)
PATIENT = st.one_of(
    st.tuples(
        st.sampled_from(["name", "name:exact", "name:contains"]), st.sampled_from(["张", "张三", "zoe", "三", "a"])
    ),
    st.tuples(st.just("identifier"), st.sampled_from([f"{MRN}0|1", "1", f"{MRN}1|", "1,2"])),
    st.tuples(st.just("birthdate"), st.builds("{}{}".format, PREFIX, st.sampled_from(["1958", "1958-03-04", "1990"]))),
    st.tuples(st.sampled_from(["gender", "gender:not"]), st.sampled_from(["male", "female", "other"])),
    st.tuples(st.sampled_from(["phone", "telecom"]), st.sampled_from(["10000000001", "1"])),
    st.tuples(st.just("deceased"), st.sampled_from(["true", "false"])),
)
SORTS = {
    "Observation": ["", "date", "-date", "_lastUpdated", "-_lastUpdated", "value-quantity", "-value-quantity"],
    "Patient": ["", "birthdate", "-birthdate", "name", "-name"],
}


@st.composite
def queries(draw) -> tuple[str, list[tuple[str, str]]]:
    kind, criteria = draw(st.sampled_from([("Observation", OBSERVATION), ("Patient", PATIENT)]))
    pairs = draw(st.lists(criteria, max_size=3))
    order = draw(st.sampled_from(SORTS[kind]))
    return kind, pairs + ([("_sort", order)] if order else [])


def every_page(store, kind: str, pairs: list[tuple[str, str]], scope: Scope, size: int) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = search(store, kind, *pairs, ("_count", str(size)), scope=scope, cursor=cursor)
        pages.append(ids(page))
        cursor = page.next
        if cursor is None:
            return pages


def check(store, bodies: list[Json], kind: str, pairs: list[tuple[str, str]], size: int, scope: Scope = ALL) -> None:
    asked: Search = parse(kind, pairs, ZONE)
    wanted = sorted(naive(asked, bodies))
    pages = every_page(store, kind, pairs, scope, size)
    listed = [fid for page in pages for fid in page]
    assert sorted(listed) == wanted
    assert all(len(page) == size for page in pages[:-1])
    assert search(store, kind, *pairs, ("_summary", "count"), scope=scope).total == len(wanted)
    whole = search(store, kind, *pairs, ("_count", "1000"), scope=scope)
    assert ids(whole) == listed


@pytest.mark.parametrize("probe", [3, 1000])
def test_answers_are_those_of_a_naive_filter(store, monkeypatch, probe):
    monkeypatch.setattr(plan, "PROBE", probe)
    bodies = population()
    put(store, *bodies)

    @PROPERTY
    @given(queries(), st.integers(1, 40))
    def property_(asked, size):
        check(store, bodies, *asked, size)

    property_()


def test_a_scope_answers_like_a_store_holding_only_what_it_may_see(store, monkeypatch):
    monkeypatch.setattr(plan, "PROBE", 3)
    bodies = population()
    mine, other, hidden, test = bodies[0::4], bodies[1::4], bodies[2::4], bodies[3::4]
    put(store, *mine)
    put(store, *other, site="h2")
    put(store, *hidden, sensitivity=4)
    put(store, *test, test=True)

    @PROPERTY
    @given(queries(), st.integers(1, 40))
    def property_(asked, size):
        check(store, mine, *asked, size, Scope(frozenset({"h1"}), hidden=4))
        check(store, mine + other + hidden, *asked, size, ALL)
        check(store, test, *asked, size, Scope(None, test=True))

    property_()
    assert found(store, "Patient", scope=Scope(frozenset())) == []
    assert search(store, "Patient", ("_summary", "count"), scope=Scope(frozenset({"nowhere"}))).total == 0


# --- order and pages ----------------------------------------------------------------------------------------------


def test_newest_come_first_without_a_sort(store):
    put(store, *(observation(f"o{n}") for n in range(5)))
    assert ids(search(store, "Observation")) == ["o4", "o3", "o2", "o1", "o0"]


@pytest.mark.parametrize("probe", [2, 1000])
@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("date", ["mid", "late", "wide", "none"]),
        ("-date", ["wide", "late", "mid", "none"]),
    ],
)
def test_a_resource_stands_at_its_best_value_and_those_without_one_last(store, monkeypatch, probe, sort, wanted):
    monkeypatch.setattr(plan, "PROBE", probe)
    put(
        store,
        observation("none"),
        observation("late", effectiveDateTime="2026-02-02"),
        observation("wide", effectivePeriod={"start": "2026-03-01"}),
        observation("mid", effectiveDateTime="2026-02-01"),
    )
    pages = every_page(store, "Observation", [("status", "final"), ("_sort", sort)], ALL, 1)
    assert [page[0] for page in pages] == wanted


@pytest.mark.parametrize("probe", [2, 1000])
def test_a_patient_of_two_names_is_listed_once(store, monkeypatch, probe):
    monkeypatch.setattr(plan, "PROBE", probe)
    put(store, *(patient(f"p{n}", name=[{"text": f"b{n}"}, {"text": f"a{9 - n}"}]) for n in range(4)))
    assert ids(search(store, "Patient", ("_sort", "name"))) == ["p3", "p2", "p1", "p0"]
    assert ids(search(store, "Patient", ("_sort", "-name"))) == ["p3", "p2", "p1", "p0"]


def test_pages_do_not_shift_while_others_write(store):
    put(store, *(observation(f"o{n}") for n in range(6)))
    first = search(store, "Observation", ("_count", "3"))
    put(store, *(observation(f"new{n}") for n in range(3)))
    assert ids(search(store, "Observation", ("_count", "3"), cursor=first.next)) == ["o2", "o1", "o0"]


def test_last_updated_filters_and_sorts(store):
    pids = put(store, *(observation(f"o{n}") for n in range(3)))
    change(store, pids[0], 2, observation("o0", code="789-8"))
    assert ids(search(store, "Observation", ("_sort", "-_lastUpdated"))) == ["o0", "o2", "o1"]
    assert found(store, "Observation", ("_lastUpdated", "ge2026-01-01T08:00:01+08:00")) == ["o0"]
    assert found(store, "Observation", ("_lastUpdated", "lt2026-01-01T08:00:01+08:00")) == ["o1", "o2"]
    assert found(store, "Observation", ("_lastUpdated:missing", "true")) == []
    assert len(found(store, "Observation", ("_lastUpdated:missing", "false"))) == 3


def test_total_is_counted_only_when_asked(store):
    put(store, *(observation(f"o{n}") for n in range(3)))
    assert search(store, "Observation").total is None
    page = search(store, "Observation", ("_total", "accurate"), ("_count", "1"))
    assert (page.total, len(page.matches)) == (3, 1)
    assert search(store, "Observation", ("_summary", "count")) == query.Page([], [], None, 3)
    assert search(store, "Observation", ("code", "none"), ("_summary", "count")).total == 0


# --- what drives --------------------------------------------------------------------------------------------------


def test_patient_and_code_are_read_from_the_clinical_rows(store):
    put(store, patient("p0"), *(observation(f"o{n}") for n in range(3)))
    asked = ("patient", "p0"), ("code", f"{LOINC}|718-7"), ("_sort", "-date")
    assert words(store, "Observation", *asked) == "search_clinical"
    assert found(store, "Observation", *asked) == ["o0", "o1", "o2"]


def test_the_rarer_condition_drives(store, monkeypatch):
    monkeypatch.setattr(plan, "PROBE", 20)
    put(store, *(observation(f"o{n}", method={"coding": [{"code": "rare"}]} if n < 2 else {}) for n in range(30)))
    asked = ("status", "final"), ("code", "718-7"), ("method", "rare")
    assert words(store, "Observation", *asked) == "all 2 rows of search_token, sorted"
    assert words(store, "Observation", *asked[:2]) == "search_token, newest first"
    assert words(store, "Observation", ("status:not", "final")) == "every resource, newest first"
    assert words(store, "Observation", ("_sort", "date")) == "in the order of search_date"
    assert found(store, "Observation", *asked) == ["o0", "o1"]


def test_a_condition_without_rows_ends_the_search(store):
    put(store, observation("o0"))
    assert words(store, "Observation", ("method", "rare"), ("status", "final")).startswith("nothing")
    with store.read() as tx:
        assert query.explain(tx, parse("Patient", [], ZONE), Scope(frozenset())).startswith("nothing")


def test_a_code_of_many_systems_is_found_in_each(store):
    put(
        store,
        *(observation(f"o{n}", code="x", category=[{"coding": [{"system": f"s{n}", "code": "c"}]}]) for n in range(20)),
    )
    assert len(found(store, "Observation", ("category", "c"))) == 20
    assert found(store, "Observation", ("category", "s7|c")) == ["o7"]


CORE = [
    ("Observation", ("code", f"{LOINC}|718-7")),
    ("Observation", ("code", "718-7")),
    ("Observation", ("code", "718-7,789-8"), ("status", "final")),
    ("Observation", ("patient", "p0"), ("code", f"{LOINC}|718-7"), ("_sort", "-date")),
    ("Observation", ("patient", "p3"), ("_sort", "-date")),
    ("Observation", ("status", "final"), ("_sort", "-date")),
    ("Observation", ("status", "final"), ("category", "laboratory")),
    ("Observation", ("date", "ge2026-02")),
    ("Observation", ("date", "2026-02"), ("value-quantity", "gt5")),
    ("Observation", ("value-quantity", "5.4")),
    ("Observation", ("status", "final"), ("_sort", "-value-quantity")),
    ("Observation", ("code-value-quantity", "718-7$gt5")),
    ("Observation", ("component-code-value-quantity", "8480-6$gt5")),
    ("Observation", ("_lastUpdated", "gt2026"), ("_sort", "_lastUpdated")),
    ("Observation", ("_id", "o1,o2")),
    ("Patient", ("identifier", f"{MRN}0|1")),
    ("Patient", ("name", "张")),
    ("Patient", ("birthdate", "lt1960"), ("_sort", "name")),
    ("Patient", ("phone", "10000000001")),
]
TABLES = ("SCAN t", "SCAN r", "SCAN x")  # the aliases of tables; all else is what a query gathered itself


@pytest.mark.parametrize("probe", [3, 1000])
@pytest.mark.parametrize("asked", CORE, ids=str)
def test_core_searches_read_an_index_from_where_they_stop(store, monkeypatch, asked, probe):
    if not store.is_sqlite:
        pytest.skip("PostgreSQL plans by its statistics, which a small table does not have")
    monkeypatch.setattr(plan, "PROBE", probe)
    put(store, *population())
    with store.read() as tx:
        seen: list[tuple[str, tuple]] = []
        run = tx.session.run
        monkeypatch.setattr(tx.session, "run", lambda sql, params=(): seen.append((sql, params)) or run(sql, params))
        page = query.run(tx, parse(asked[0], [*asked[1:], ("_count", "1")], ZONE), ALL)
        steps = [row[3] for sql, params in seen for row in run(f"EXPLAIN QUERY PLAN {sql}", params)]
    driven = words(store, asked[0], *asked[1:])
    assert driven.startswith("every resource") or not [step for step in steps if step.startswith(TABLES)], steps
    if page.next and ("newest first" in driven or "order of" in driven):
        assert not any("TEMP B-TREE FOR ORDER BY" in step for step in steps), steps


# --- identifiers, references, links -------------------------------------------------------------------------------


def test_the_same_number_at_two_sites_is_two_patients(store):
    put(store, patient("a", identifier=[{"system": "https://yigong.example/fhir/id/h1/mrn", "value": "007"}]))
    put(
        store, patient("b", identifier=[{"system": "https://yigong.example/fhir/id/h2/mrn", "value": "007"}]), site="h2"
    )
    assert found(store, "Patient", ("identifier", "https://yigong.example/fhir/id/h1/mrn|007")) == ["a"]
    assert found(store, "Patient", ("identifier", "007")) == ["a", "b"]


def test_identifiers_are_not_matched_by_hash_alone(store, monkeypatch):
    monkeypatch.setattr("gateway.search.kinds.token.hash64", lambda text: 1)
    put(store, patient("a", identifier=[{"value": "1"}]), patient("b", identifier=[{"value": "2"}]))
    assert found(store, "Patient", ("identifier", "2")) == ["b"]


def test_a_reference_to_what_comes_later_is_found_before_and_after(store):
    put(store, observation("early", "late"))
    assert found(store, "Observation", ("patient", "late")) == ["early"]
    put(store, patient("late"), observation("after", "late"))
    assert found(store, "Observation", ("patient", "late")) == ["after", "early"]
    assert found(store, "Observation", ("patient", "late"), ("code", "718-7")) == ["after", "early"]


def link(store, one: int, other: int, state: str = "active") -> None:
    with store.write() as tx:
        tx.links_add([NewLink("replaced-by", one, other, state, START_US)])


def test_a_patient_stands_for_the_linked_ones(store):
    pids = put(store, patient("a"), patient("b"), patient("c"), patient("d"))
    put(store, *(observation(f"of-{fid}", fid) for fid in "abcd"))
    link(store, pids[0], pids[1])
    link(store, pids[2], pids[1])
    link(store, pids[3], pids[0], "proposed")
    assert found(store, "Observation", ("patient", "a")) == ["of-a", "of-b", "of-c"]
    assert found(store, "Observation", ("subject", "Patient/c"), ("code", "718-7")) == ["of-a", "of-b", "of-c"]
    assert found(store, "Observation", ("patient", "a"), ("_linked", "false")) == ["of-a"]
    assert found(store, "Patient", ("_id", "a")) == ["a"]


def test_links_to_patients_outside_the_scope_are_not_followed(store):
    (mine,) = put(store, patient("mine"))
    (theirs,) = put(store, patient("theirs"), site="h2")
    put(store, observation("of-theirs", "theirs"), observation("of-mine", "mine"))
    link(store, mine, theirs)
    assert found(store, "Observation", ("patient", "mine"), scope=Scope(frozenset({"h1"}))) == ["of-mine"]
    assert found(store, "Observation", ("patient", "mine")) == ["of-mine", "of-theirs"]


def test_at_most_64_patients_are_linked(store, monkeypatch):
    monkeypatch.setattr(linked, "MOST", 3)
    pids = put(store, *(patient(f"p{n}") for n in range(6)))
    for one, other in pairwise(pids):
        link(store, one, other)
    put(store, *(observation(f"o{n}", f"p{n}") for n in range(6)))
    assert found(store, "Observation", ("patient", "p0")) == ["o0", "o1", "o2"]


# --- the rarer kinds -----------------------------------------------------------------------------------------------


def test_uris_are_found_literally_and_below(store):
    urls = ["https://yigong.example/m", "https://yigong.example/m/a", "https://yigong.example/mm"]
    put(store, *({"resourceType": "Measure", "id": f"m{n}", "url": url} for n, url in enumerate(urls)))
    assert found(store, "Measure", ("url", urls[0])) == ["m0"]
    assert found(store, "Measure", ("url:below", urls[0])) == ["m0", "m1"]
    put(store, observation("o0", meta={"profile": [urls[0]]}))
    assert found(store, "Observation", ("_profile", urls[0])) == ["o0"]


def test_pairs_are_found_where_both_stand_together(store):
    def document(fid: str, *pairs: tuple[str, str]) -> Json:
        relations = [{"code": code, "target": {"reference": f"DocumentReference/{to}"}} for code, to in pairs]
        return {"resourceType": "DocumentReference", "id": fid, "relatesTo": relations}

    put(store, document("old"), document("a", ("replaces", "old"), ("signs", "other")), document("b", ("signs", "old")))
    asked = parse("DocumentReference", [("relationship", "DocumentReference/old$replaces")], ZONE)
    assert [part.name for part in asked.criteria[0].parameter.components] == ["relatesto", "relation"]
    assert found(store, "DocumentReference", ("relationship", "DocumentReference/old$replaces")) == ["a"]
    assert found(store, "DocumentReference", ("relationship", "DocumentReference/other$replaces")) == []
    assert found(store, "DocumentReference", ("relationship:missing", "true")) == ["old"]


def test_contexts_pair_a_kind_with_a_code(store):
    context = {"code": {"code": "venue"}, "valueCodeableConcept": {"coding": [{"system": "s", "code": "ward"}]}}
    put(store, {"resourceType": "Measure", "id": "m", "useContext": [context]}, {"resourceType": "Measure", "id": "n"})
    assert found(store, "Measure", ("context-type-value", "venue$s|ward")) == ["m"]
    assert found(store, "Measure", ("context-type-value", "venue$s|")) == ["m"]
    assert found(store, "Measure", ("context-type-value", "gender$ward")) == []


@pytest.mark.parametrize("probe", [0, 1000])
def test_numbers(store, monkeypatch, probe):
    monkeypatch.setattr(plan, "PROBE", probe)
    risks = [{"probabilityDecimal": 0.5}, {"probabilityRange": {"low": {"value": 0.7}, "high": {"value": 0.9}}}]
    put(
        store,
        *({"resourceType": "RiskAssessment", "id": f"r{n}", "prediction": [risk]} for n, risk in enumerate(risks)),
    )
    for asked, wanted in [("0.5", ["r0"]), ("gt0.6", ["r1"]), ("lt0.6", ["r0"]), ("ne0.5", ["r1"]), ("sa0.6", ["r1"])]:
        assert found(store, "RiskAssessment", ("probability", asked)) == wanted
    assert ids(search(store, "RiskAssessment", ("_sort", "-probability"))) == ["r1", "r0"]


def test_any_code_of_a_system_and_a_patient(store):
    put(store, patient("p0"), observation("o0"), observation("o1", code="1", of="p1"))
    assert found(store, "Observation", ("patient", "p0"), ("code", f"{LOINC}|")) == ["o0"]
    assert found(store, "Patient", ("identifier", f"{MRN}|")) == []


# --- includes -----------------------------------------------------------------------------------------------------


def test_includes_follow_the_literal_reference_within_the_scope(store):
    put(store, patient("p0"))
    put(store, patient("p1"), site="h2")
    put(store, observation("o0"), observation("o1", "p1"), observation("o2", "gone"))
    asked = ("_include", "Observation:subject")
    assert sorted(hit.fid for hit in search(store, "Observation", asked).includes) == ["p0", "p1"]
    scope = Scope(frozenset({"h1"}))
    assert [hit.fid for hit in search(store, "Observation", asked, scope=scope).includes] == ["p0"]
    group = ("_include", "Observation:subject:Group")
    assert search(store, "Observation", group).includes == []
    assert len(search(store, "Observation", ("_include", "Observation:patient:Patient")).includes) == 2


def test_a_match_is_not_included_again(store):
    put(store, observation("a"), observation("b", derivedFrom=[{"reference": "Observation/a"}]))
    assert search(store, "Observation", ("_include", "Observation:derived-from")).includes == []


# --- writing ------------------------------------------------------------------------------------------------------


def test_deleted_resources_are_not_found(store):
    (pid,) = put(store, observation("o0"))
    with store.write() as tx:
        index.remove(tx, [pid])
    assert found(store, "Observation", ("code", "718-7")) == []


def test_a_hit_carries_the_stored_text(store):
    put(store, patient("p0"))
    (hit,) = search(store, "Patient").matches
    assert hit == query.StoredHit("Patient", "p0", 1, hit.updated_us, b'{"resourceType": "Patient", "id": "p0"}')


def test_entry_is_what_replace_takes():
    assert entry(1, patient("x"))[:2] == (1, "Patient")
