"""Parsing of searches: whatever arrives becomes a Search, or a sentence that says what would be right."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import Category, GatewayError
from gateway.search import parameters
from gateway.search.kinds.date import Date
from gateway.search.kinds.reference import Target
from gateway.search.kinds.string import String
from gateway.search.kinds.token import Token
from gateway.search.refusals import UNSUPPORTED
from gateway.search.request import MOST, Cursor, Owner, Search, named_types, parse, parse_all

ZONE = "Asia/Shanghai"


def one(kind: str, name: str, value: str):
    (criterion,) = parse(kind, [(name, value)], ZONE).criteria
    return criterion


def refusal(kind: str, *pairs: tuple[str, str]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        parse(kind, pairs, ZONE)
    return caught.value


def test_values_are_read_by_kind():
    assert one("Observation", "code", "http://loinc.org|718-7").values == (Token("http://loinc.org", "718-7"),)
    assert one("Patient", "name:exact", "Wáng").values == (String("Wáng", "exact"),)
    assert one("Patient", "name", "Wáng").values == (String("wang", "starts"),)
    assert one("Observation", "patient", "1").values == (Target((("Patient", "1"),)),)
    date = one("Observation", "date", "ge2026-01-01").values[0]
    assert isinstance(date, Date)
    assert date.low == 1767196800000000


def test_commas_are_or_and_repeats_are_and():
    assert one("Observation", "status", r"final,amended,a\,b").values == (
        Token(None, "final"),
        Token(None, "amended"),
        Token(None, "a,b"),
    )
    assert len(parse("Observation", [("date", "ge2026"), ("date", "lt2027")], ZONE).criteria) == 2


def test_modifiers():
    assert one("Observation", "status:not", "final").negated
    assert one("Observation", "encounter:missing", "true").missing is True
    assert one("Observation", "subject:Patient", "7").values == (Target((("Patient", "7"),)),)
    assert one("Measure", "url:below", "http://x").values[0].below


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("status:exact", "x", "status:exact is not supported; status takes :not, :text, :in, .*:missing"),
        ("status:missing", "maybe", "'status:missing'|'status' is true or false"),
        (
            "subject:Organization",
            "7",
            "subject takes :Device, :Group, :Location, :Patient, :identifier, :text, :missing",
        ),
        ("subject:Patient", "Group/7", "does not name a Patient"),
        ("date", "2026-02-30", "is not a date"),
        ("date", "next week", "is not a date such as"),
        ("value-quantity", "ten", "is not a number"),
        ("value-quantity", "5|g/L", r"number\|\|code"),
        ("code", "a|b|c", "is not a code"),
        ("code", "|", "is not a code"),
        ("code", " ", "has no value"),
        ("code", "a\0", "no text may hold"),
        ("subject", "a b", "is not an id"),
        ("code-value-quantity", "718-7", "2 values joined by"),
        ("_sort", "code-value-quantity", "its values are composite; sort by code and value-quantity"),
        ("_sort", "date,nothing", "no search parameter 'nothing'"),
        ("_sort", ",".join(list(parameters.for_type("Observation"))[:9]), "takes 8 keys at most"),
        ("_count", "-1", "_count is a whole number"),
        ("_total", "all", "_total is none"),
        ("_summary", "some", "_summary is one of true, text, data, count, false"),
        ("_linked", "no", "'_linked' is true or false"),
        ("subject.name", "x", "say which, as in subject:"),
        ("colour", "red", "Observation has no search parameter 'colour'. Supported: .*code.*_sort"),
    ],
)
def test_refusals_say_what_is_right(name, value, text):
    with pytest.raises(GatewayError, match=text):
        parse("Observation", [(name, value)], ZONE)


@pytest.mark.parametrize("name", [*UNSUPPORTED])
def test_later_features_are_refused_by_name(name):
    error = refusal("Patient", (name, "x"))
    assert error.category is Category.UNSUPPORTED
    assert "not supported yet. Supported: " in error.text


def test_what_needs_more_than_rows_is_refused():
    assert "distances need geography" in refusal("Location", ("near", "1|2")).text
    assert "ask by birthdate" in refusal("Patient", ("age", "30")).text
    assert refusal("Patient", ("age", "30")).category is Category.UNSUPPORTED


def test_an_unknown_type_is_not_found():
    assert refusal("Nothing").category is Category.NOT_FOUND


def test_too_many_values_are_refused():
    assert "more than 200 values" in refusal("Observation", ("code", ",".join(map(str, range(201))))).text


def test_steering():
    search = parse(
        "Observation",
        [
            ("_count", "5000"),
            ("_total", "estimate"),
            ("_sort", "-date,code"),
            ("_sort", "_id,date"),
            ("_include", "Observation:subject:Patient"),
            ("_include", "Observation:subject:Patient"),
            ("_linked", "false"),
            ("_format", "json"),
            ("_summary", "false"),
            ("_elements", "status"),
        ],
        ZONE,
        Cursor((3, None, "x"), 7),
    )
    assert (search.count, search.total, search.linked) == (MOST, "estimate", False)
    assert search.cursor == Cursor((3, None, "x"), 7)
    assert [(sort.parameter.name, sort.descending) for sort in search.sort] == [
        ("date", True),
        ("code", False),
        ("_id", False),
    ]
    assert [include.target for include in search.include] == ["Patient"]
    assert search.criteria == ()


@pytest.mark.parametrize("pair", [("_summary", "count"), ("_count", "0")])
def test_the_total_alone(pair):
    for pairs in ([pair], [pair, ("_total", "none")], [("_total", "none"), pair]):
        search = parse("Patient", pairs, ZONE)
        assert (search.count, search.total) == (0, "accurate")
    assert parse("Patient", [("_total", "estimate"), pair], ZONE).total == "estimate"
    assert parse("Patient", [pair, ("_count", "5")] if pair[0] == "_summary" else [pair], ZONE).count == 0


def test_a_page_link_of_another_sort_is_refused():
    with pytest.raises(GatewayError, match="of another search"):
        parse("Patient", [("_sort", "birthdate,name")], ZONE, Cursor((1,), 7))


def test_a_lenient_client_is_told_what_was_ignored():
    pairs = [("colour", "red"), ("_text", "x"), ("colour", "blue"), ("status", "final")]
    search = parse("Observation", pairs, ZONE, lenient=True)
    assert search.ignored == ("colour", "_text")
    assert len(search.criteria) == 1
    with pytest.raises(GatewayError, match="is not a date"):
        parse("Observation", [("date", "soon")], ZONE, lenient=True)


# --- several types, compartments ----------------------------------------------------------------------------------


def test_a_search_of_several_types_takes_what_they_have_in_common():
    kinds, pairs = named_types([("_type", "Observation,Condition"), ("_type", "Encounter"), ("patient", "1")])
    assert (kinds, pairs) == (("Observation", "Condition", "Encounter"), (("patient", "1"),))
    searches = parse_all(kinds, [*pairs, ("_sort", "-_lastUpdated")], ZONE)
    assert [search.type for search in searches] == list(kinds)
    assert {search.criteria[0].parameter.type for search in searches} == set(kinds)
    assert {search.sort[0].parameter.type for search in searches} == set(kinds)


@pytest.mark.parametrize("name", ["birthdate", "birthdate:missing", "birthdate.x"])
def test_what_only_some_of_the_types_have_is_refused(name):
    with pytest.raises(GatewayError, match="'birthdate' is not a search parameter of each of Patient, Observation"):
        parse_all(("Patient", "Observation"), [(name, "2000")], ZONE)
    assert parse_all(("Patient", "Observation"), [(name, "2000")], ZONE, lenient=True)[1].ignored == (name,)


def test_without_types_only_parameters_of_all_are_known():
    with pytest.raises(GatewayError, match=f"each of all {len(parameters.types())} types.*Supported: _id,"):
        parse_all(parameters.types(), [("patient", "1")], ZONE)
    assert len(parse_all(parameters.types(), [("_id", "1")], ZONE)) == len(parameters.types())


def test_a_type_that_is_none_is_refused():
    with pytest.raises(GatewayError, match="no resource type 'Patent'"):
        named_types([("_type", "Patient,Patent")])


def test_a_compartment_is_any_of_its_parameters():
    within = parse("Observation", [], ZONE, owner=Owner("Patient", "1")).within
    assert within is not None
    assert {parameter.name for parameter in within.parameters} == {"subject", "performer"}
    assert not within.itself
    itself = parse("Patient", [], ZONE, owner=Owner("Patient", "1")).within
    assert itself is not None
    assert itself.itself


NAMES = st.sampled_from([*parameters.for_type("Observation"), *parameters.for_type("Patient"), "_sort", "_count", "_x"])
SUFFIX = st.sampled_from(["", ":exact", ":contains", ":missing", ":not", ":Patient", ":", ".name", ":text"])
VALUES = st.text() | st.from_regex(r"(eq|gt|ap)?[0-9T:.+-]{1,20}([|$,\\][a-z|]{0,5}){0,3}", fullmatch=True)


@given(
    st.sampled_from(["Observation", "Patient", "Encounter", "RiskAssessment", "MolecularSequence"]),
    st.lists(st.tuples(st.builds("{}{}".format, NAMES, SUFFIX) | st.text(), VALUES), max_size=4),
)
@example("Observation", [("date", "9999-12-31")])
@example("Observation", [("value-quantity", "1e999")])
@example("Observation", [("date", "ap0001")])
def test_anything_is_a_search_or_a_sentence(kind, pairs):
    try:
        assert isinstance(parse(kind, pairs, ZONE), Search)
    except GatewayError as error:
        assert error.text.endswith((".", "?"))


def test_a_total_as_fhirpy_asks_for_it():
    assert parse("Patient", [("_count", "0"), ("_totalMethod", "count")], ZONE).total == "accurate"
    assert parse("Patient", [("_totalMethod", "countEstimate")], ZONE).total == "estimate"
