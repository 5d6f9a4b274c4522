"""Kinds: what is indexed and what is asked compare as R4 says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.search.extract import Rows
from gateway.search.kinds import composite, date, number, quantity, reference, string, token, uri
from gateway.search.kinds.ordered import PREFIXES, holds
from gateway.search.kinds.text import plain, split

ZONE = "Asia/Shanghai"
NOW = 1767225600000000
UCUM = "http://unitsofmeasure.org"


# --- text ---


@given(st.lists(st.text(), min_size=1))
def test_escaped_values_survive_splitting(parts):
    joined = ",".join(part.replace("\\", "\\\\").replace(",", "\\,") for part in parts)
    assert [plain(part) for part in split(joined, ",")] == [plain(part.replace("\\", "\\\\")) for part in parts]


def test_splitting_leaves_escapes_to_the_next_level():
    assert split(r"a\,b,c", ",") == [r"a\,b", "c"]
    assert split("a\\", ",") == ["a\\"]


# --- token ---


def tokens(type_name: str, value) -> list[tuple]:
    made = Rows()
    token.INDEX[type_name](1, value, made)
    return [row[2:4] for row in made.token]


@pytest.mark.parametrize(
    ("type_name", "value", "wanted"),
    [
        ("CodeableConcept", {"coding": [{"code": "a"}, {"system": "s"}]}, [("", "a")]),
        ("CodeableConcept", {"text": "only"}, []),
        ("Coding", {"system": "s", "code": "b"}, [("s", "b")]),
        ("Coding", {"display": "x"}, []),
        ("Identifier", {"system": "s", "value": "v"}, [("s", "v")]),
        ("Identifier", {"system": "s"}, []),
        ("ContactPoint", {"system": "phone", "value": "10000000001"}, [("", "10000000001")]),
        ("code", "final", [("", "final")]),
        ("boolean", True, [("", "true")]),
        ("boolean", False, [("", "false")]),
        ("integer", 3, [("", "3")]),
    ],
)  # fmt: skip
def test_tokens_of_each_type(type_name, value, wanted):
    assert tokens(type_name, value) == wanted


def test_the_memo_is_bounded(monkeypatch):
    monkeypatch.setattr(token, "_MEMO_SIZE", 2)
    assert [token.row(1, "", str(n))[3] for n in range(5)] == ["0", "1", "2", "3", "4"]
    assert len(token._MEMO) <= 2


@pytest.mark.parametrize(
    ("text", "system", "code", "wanted"),
    [
        ("a", "s", "a", True),
        ("s|a", "s", "a", True),
        ("s|a", "t", "a", False),
        ("|a", "s", "a", False),
        ("|a", "", "a", True),
        ("s|", "s", "b", True),
        (r"s\|t|a", "s|t", "a", True),
        ("A", "", "a", False),
    ],
)
def test_tokens_match(text, system, code, wanted):
    assert token.parse("x", text).matches(token.row(1, system, code)) is wanted


# --- string ---


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoë  MÜLLER", "zoe muller"),
        ("ＷＡＮＧ　ｘｉａｏ", "wang xiao"),
        ("Nguyễn", "nguyen"),
        ("张三", "张三"),
        ("\uf900", "\u8c48"),
        ("Straße", "strasse"),
        ("e\u0301a", "ea"),
    ],
)
def test_folding(text, folded):
    assert string.fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert string.fold(string.fold(text)) == string.fold(text)


def strings(type_name: str, value) -> list[str]:
    sink: list = []
    string.INDEX[type_name](1, value, sink)
    return [row[2] or row[1] for row in sink]


def test_names_and_addresses_are_found_by_their_parts():
    assert strings("HumanName", {"text": "张三", "family": "张", "given": ["三", ""], "use": "usual"}) == [
        "张三",
        "张",
        "三",
    ]
    assert strings("Address", {"line": ["1 路"], "city": "县", "postalCode": "519927"}) == ["1 路", "县", "519927"]
    assert strings("string", "") == []


@pytest.mark.parametrize(
    ("modifier", "asked", "held", "wanted"),
    [
        ("", "mull", "Müller", True),
        ("", "ull", "Müller", False),
        ("contains", "ULL", "Müller", True),
        ("exact", "Müller", "Müller", True),
        ("exact", "muller", "Müller", False),
        ("exact", "\u8c48", "\uf900", False),
        ("", "\u8c48", "\uf900", True),
    ],
)
def test_strings_match(modifier, asked, held, wanted):
    sink: list = []
    string.add(1, held, sink)
    assert string.parse("name", asked, modifier).matches(sink[0]) is wanted


def test_a_text_of_marks_alone_is_refused():
    with pytest.raises(Exception, match="is not a text"):
        string.parse("name", "\u0301", "")


# --- dates ---


def period(start: str, end: str) -> tuple[int, int, int]:
    sink: list = []
    date.INDEX["Period"](1, {"start": start, "end": end}, sink, ZONE)
    return sink[0]


MARCH = period("2026-03-10", "2026-03-20")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("2026-03", True),
        ("2026-03-10", False),
        ("ne2026-03-10", True),
        ("ne2026", False),
        ("gt2026-03-15", True),
        ("gt2026-03-20", False),
        ("lt2026-03-15", True),
        ("lt2026-03-10", False),
        ("ge2026-03-20", False),
        ("ge2026", True),
        ("le2026-03", True),
        ("le2026-03-09", False),
        ("sa2026-03-09", True),
        ("sa2026-03-10", False),
        ("eb2026-03-21", True),
        ("eb2026-03-20", False),
        ("ap2026-03-12", True),
    ],
)
def test_dates_are_contained_not_merely_overlapped(asked, wanted):
    assert date.parse("date", asked, ZONE, NOW).matches(MARCH) is wanted


def test_approximately_widens_by_a_tenth_of_the_distance_from_now():
    year = 365 * 86_400_000_000
    assert date.parse("date", "ap2025-01-01", ZONE, NOW + 9 * year).matches(period("2025-06-01", "2025-06-02"))
    assert not date.parse("date", "ap2026-01-01", ZONE, NOW).matches(period("2025-06-01", "2025-06-02"))


def test_open_periods_and_timings():
    sink: list = []
    date.INDEX["Period"](1, {"start": "2026"}, sink, ZONE)
    date.INDEX["Period"](1, {"end": "2026"}, sink, ZONE)
    date.INDEX["Period"](1, {}, sink, ZONE)
    date.INDEX["Timing"](1, {"event": ["2026-01-01", "2026-01-03"]}, sink, ZONE)
    date.INDEX["Timing"](1, {"repeat": {"boundsPeriod": {"start": "2027"}}}, sink, ZONE)
    day = 86_400_000_000
    assert [row[1] == date.EARLIEST for row in sink] == [False, True, False, False]
    assert [row[2] == date.LATEST for row in sink] == [True, False, False, True]
    assert sink[2][2] - sink[2][1] == 3 * day
    sink.clear()
    date.INDEX["Timing"](1, {"event": ["2026-01-01"], "repeat": {"boundsPeriod": {"end": "2025-01-01"}}}, sink, ZONE)
    date.INDEX["Timing"](1, {"repeat": {"frequency": 1}}, sink, ZONE)
    assert sink == [(1, date.EARLIEST, sink[0][2])]
    assert sink[0][2] == date.parse("date", "2026-01-01", ZONE, NOW).high


def test_a_plus_that_became_a_space_is_read():
    assert date.parse("date", "2026-01-01T08:00:00 08:00", ZONE, NOW).low == NOW


# --- numbers ---


@pytest.mark.parametrize(
    ("asked", "at", "wanted"),
    [
        ("100", 99.5, True),
        ("100", 100.5, False),
        ("100.0", 99.5, False),
        ("1e2", 149, True),
        ("ne100", 100.4, False),
        ("gt100", 100.1, True),
        ("gt100", 100, False),
        ("ge100", 100, True),
        ("ge100", 99.9, False),
        ("lt100", 99.9, True),
        ("le100", 100, True),
        ("sa100", 100, False),
        ("eb100", 99, True),
        ("ap100", 109, True),
        ("ap100", 111, False),
        ("-5", -5, True),
    ],
)
def test_numbers_have_the_precision_they_were_written_in(asked, at, wanted):
    sink: list = []
    number.INDEX["decimal"](1, at, sink)
    assert number.parse("n", asked).matches(sink[0]) is wanted


def test_ranges_of_numbers():
    sink: list = []
    number.INDEX["Range"](1, {"low": {"value": 3}}, sink)
    number.INDEX["Range"](1, {"high": {"value": 3}}, sink)
    number.INDEX["Range"](1, {}, sink)
    assert [number.parse("n", "gt100").matches(row) for row in sink] == [True, False]


@given(st.sampled_from(PREFIXES), st.integers(), st.integers(0, 9), st.integers(), st.integers(0, 9))
def test_prefixes_hold_together(prefix, low, width, start, length):
    given_ = (low, low + width, start, start + length)
    assert holds("ne", *given_) != holds("eq", *given_)
    assert holds("ge", *given_) == (holds("gt", *given_) or holds("eq", *given_))
    assert holds("le", *given_) == (holds("lt", *given_) or holds("eq", *given_))
    assert not (holds("sa", *given_) and width and length and holds("eb", *given_))
    assert isinstance(holds(prefix, *given_), bool)


# --- quantities ---


def quantities(type_name: str, value) -> list[tuple]:
    sink: list = []
    quantity.INDEX[type_name](1, value, sink)
    return [row[1:] for row in sink]


def test_quantities_of_each_type():
    inf = number.INFINITY
    assert quantities("Quantity", {"unit": "g"}) == []
    assert quantities("Quantity", {"value": 5, "comparator": "<", "unit": "g"}) == [(-inf, 5.0, "", "g")]
    assert quantities("Quantity", {"value": 5, "comparator": ">="}) == [(5.0, inf, "", "")]
    assert quantities("Money", {"value": 5, "currency": "CNY"}) == [(5.0, 5.0, quantity.CURRENCY, "CNY")]
    assert quantities("Money", {"currency": "CNY"}) == []
    assert quantities("Range", {"low": {"value": 1, "unit": "a"}}) == [(1.0, inf, "", "a")]
    assert quantities("Range", {}) == []
    origin = {"value": 0, "unit": "mV"}
    assert quantities("SampledData", {"origin": origin, "lowerLimit": -1, "upperLimit": 2}) == [(-1.0, 2.0, "", "mV")]
    assert quantities("SampledData", {"origin": origin}) == [(0.0, 0.0, "", "mV")]


@pytest.mark.parametrize(
    ("asked", "row", "wanted"),
    [
        ("5.4", (1, 5.4, 5.4, "x", "y"), True),
        (f"5.4|{UCUM}|g/L", (1, 5.4, 5.4, UCUM, "g/L"), True),
        (f"5.4|{UCUM}|g/L", (1, 5400.0, 5400.0, UCUM, "mg/L"), True),
        (f"5.4|{UCUM}|g/L", (1, 5.4, 5.4, UCUM, "mg/L"), False),
        ("5.4||g/L", (1, 5.4, 5.4, "", "g/L"), True),
        ("gt1||mmol/L", (1, 1500.0, 1500.0, UCUM, "umol/L"), True),
        ("gt1||mmol/L", (1, 1500.0, 1500.0, "local", "umol/L"), False),
        ("5||cells", (1, 5.0, 5.0, "", "cells"), True),
        ("5|local|g/L", (1, 5000.0, 5000.0, UCUM, "mg/L"), False),
    ],
)
def test_quantities_match_in_any_unit_they_can_be_turned_into(asked, row, wanted):
    assert quantity.parse("q", asked).matches(row) is wanted


# --- references ---


def references(type_name: str, value) -> list[tuple]:
    made = Rows()
    reference.INDEX[type_name](1, value, made)
    return [row[1:] for row in made.reference]


def test_references_of_each_type():
    assert references("Reference", {"reference": "Patient/1"}) == [("Patient", "1")]
    assert references("Reference", {"reference": "Patient/1/_history/3"}) == [("Patient", "1")]
    assert references("Reference", {"reference": "#contained"}) == []
    assert references("Reference", {"display": "x"}) == []
    assert references("Reference", {"reference": "http://e.example/Patient/1"}) == [("", "http://e.example/Patient/1")]
    assert references("canonical", "http://x|1.0") == [("", "http://x|1.0"), ("", "http://x")]
    assert references("canonical", "") == []
    assert references("Resource", {"resourceType": "Composition", "id": "c"}) == [("Composition", "c")]
    assert references("Resource", {"resourceType": "Composition"}) == []


def test_the_memo_of_references_is_bounded(monkeypatch):
    monkeypatch.setattr(reference, "_MEMO_SIZE", 2)
    assert [reference.target(f"Patient/{n}x") for n in range(5)] == [("Patient", f"{n}x") for n in range(5)]
    assert len(reference._MEMO) <= 2


def test_a_bare_id_is_of_any_target_type():
    found = reference.parse("subject", "7", ("Patient", "Group"))
    assert found.matches((1, "Group", "7"))
    assert not found.matches((1, "Device", "7"))
    assert reference.parse("x", "urn:uuid:1", ()).matches((1, "", "urn:uuid:1"))


# --- uris and composites ---


def test_uris_match_literally_or_below():
    assert uri.parse("u", "http://x/a", "").matches((1, "http://x/a"))
    assert not uri.parse("u", "http://x/a", "").matches((1, "http://x/a/b"))
    assert uri.parse("u", "http://x/a", "below").matches((1, "http://x/a/b"))
    assert not uri.parse("u", "http://x/a", "below").matches((1, "http://x/ab"))
    with pytest.raises(Exception, match="is not a URI"):
        uri.parse("u", "", "")
    sink: list = []
    uri.INDEX["uri"](1, "", sink)
    assert sink == []


def test_composites_match_in_one_element():
    sink: list = []
    composite.add(9, [[token.row(0, "s", "a")], [token.row(0, "", "b"), token.row(0, "", "c")]], sink)
    readers = [lambda text: token.parse("first", text), lambda text: token.parse("second", text)]
    assert [composite.parse("x", "s|a$c", readers).matches(row) for row in sink] == [False, True]
