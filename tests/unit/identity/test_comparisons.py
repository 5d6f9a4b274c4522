import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity.comparisons import COMPARATORS, MISSING, Step, comparison
from gateway.identity.names import Name

STEPS = (Step(0.92, None), Step(0.8, None))


def level(kind, a, b, steps=()):
    place = comparison(kind, steps)(a, b)
    return "missing" if place == MISSING else COMPARATORS[kind].order(f"step{n}" for n in range(len(steps)))[place]


def name(text, sound="", family="", given="", *, damaged=False):
    family = family or text[:1]
    return Name(text, family, given or text[len(family) :], sound, damaged)


ZHANG = name("张秀英", "zhang xiu ying")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ZHANG, "same"),
        (name("章秀颖", "zhang xiu ying"), "sound"),
        (name("zhangxiuying", "zhang xiu ying", "zhang"), "sound"),
        (name("xiuyingzhang", "xiu ying zhang", "xiuying"), "sound"),
        (name("张秀英", "zhang xiu ying", damaged=True), "damaged"),
        (name("张?英", "zhang ying", damaged=True), "damaged"),
        (name("张??", "zhang", damaged=True), "damaged"),
        (name("李??", "li", damaged=True), "different"),
        (name("???", damaged=True), "different"),
        (name("?", damaged=True), "different"),
        (name("张?", "zhang", damaged=True), "damaged"),
        (name("张秀兰", "zhang xiu lan"), "close"),
        (name("张英", "zhang ying"), "close"),
        (name("李秀英", "li xiu ying"), "given"),
        (name("张建国", "zhang jian guo"), "family"),
        (name("王建国", "wang jian guo"), "different"),
    ],
)
def test_names_agree_in_text_in_sound_or_in_part(other, expected):
    assert level("name", ZHANG, other) == expected
    assert level("name", other, ZHANG) == expected


def test_transcriptions_without_parts_agree_as_a_whole():
    one, near, other = (Name(text, "", "", "", False) for text in ("买买提艾力江", "买买提艾力汗", "古丽米热木"))
    assert [level("name", one, b) for b in (one, near, other, ZHANG)] == ["same", "close", "different", "different"]


def test_of_several_names_the_best_pair_counts():
    former = name("李秀英", "li xiu ying")
    assert level("name", (former, ZHANG), (ZHANG,)) == "same"
    assert level("name", ZHANG, (former, name("王五", "wang wu"))) == "given"
    assert level("name", (), (ZHANG,)) == "missing"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1949-12-31", "1949-12-31", "same"),
        ("1949", "1949-12-31", "partial"),
        ("1949-12", "1949-11-30", "different"),
        ("1950-03-08", "1950-08-03", "swapped"),
        ("1950-03-08", "1950-03-18", "edit"),
        ("1950-03-08", "1950-03-27", "part"),
        ("1950-03-08", "1971-03-08", "part"),
        ("1950-03-08", "1950-12-27", "year"),
        ("1950-03-08", "1987-12-27", "different"),
        ("", "1987-12-27", "missing"),
    ],
)
def test_birth_dates(a, b, expected):
    assert level("date", a, b) == level("date", b, a) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("11010519491231002X", ""), ("11010519491231002X", ""), "same"),
        (("11010519491231002X", ""), ("440524188001010014", ""), "different"),
        (("11010519491231002X", ""), ("", "110105194912310021"), "damaged"),
        (("11010519491231002X", ""), ("", "110105********002X"), "damaged"),
        (("11010519491231002X", ""), ("", "440524188001010015"), "different"),
        (("", "110105194912310021"), ("", "110105194912310021"), "damaged"),
        (("", ""), ("11010519491231002X", ""), "missing"),
        ((None, None), ("11010519491231002X", ""), "missing"),
    ],
)
def test_resident_ids_prove_only_where_both_are_proven(a, b, expected):
    assert level("number", a, b) == level("number", b, a) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("passport|E1", "permit-tw|2"), ("passport|E1",), "same"),
        (("passport|E1",), ("passport|E2", "permit-tw|2"), "different"),
        (("passport|E1",), ("permit-tw|2",), "missing"),
        ((), ("permit-tw|2",), "missing"),
    ],
)
def test_numbers_of_one_kind_agree_or_differ_and_others_say_nothing(a, b, expected):
    assert level("numbered", a, b) == level("numbered", b, a) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("10012345678",), ("10099999999", "10012345678"), "same"),
        (("02755512345",), ("55512345",), "same"),
        (("10012345678",), ("10012345687",), "edit"),
        (("10012345678",), ("10099999999",), "different"),
        ((), ("10099999999",), "missing"),
    ],
)
def test_telephones(a, b, expected):
    assert level("phone", a, b) == level("phone", b, a) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("幸福村3组12号", "519927001"), ("幸福村3组12号", ""), "same"),
        (("幸福村3组12号", "519927001"), ("幸福村3组12", "519927001"), "step0"),
        (("幸福村3组12号", "519927001"), ("光明街5号", "519927001"), "area"),
        (("", "519927001"), ("光明街5号", "519927001"), "area"),
        (("幸福村3组12号", ""), ("光明街5号", ""), "different"),
        (("幸福村3组12号", ""), ("", "519927001"), "missing"),
        ((None, None), ("", "519927001"), "missing"),
    ],
)
def test_addresses(a, b, expected):
    assert level("place", a, b, (Step(0.8, None),)) == expected
    assert level("place", b, a, (Step(0.8, None),)) == expected


def test_texts_by_likeness_or_by_edits():
    assert [level("text", "neumann", b, STEPS) for b in ("neumann", "neuman", "numan", "smith")] == [
        "same", "step0", "step1", "different",
    ]  # fmt: skip
    assert level("text", "4223", "4232", (Step(None, 1),)) == "step0"
    assert level("text", "4223", "", STEPS) == "missing"
    assert [level("exact", "male", b) for b in ("male", "female", "", None)] == [
        "same",
        "different",
        "missing",
        "missing",
    ]


@given(st.text("abAB 张王", max_size=8), st.text("abAB 张王", max_size=8))
@settings(max_examples=200)
def test_the_order_of_the_two_does_not_matter(a, b):
    assert level("text", a, b, STEPS) == level("text", b, a, STEPS)
    one, other = name(a or "x", a, damaged="A" in a), name(b or "x", b, damaged="A" in b)
    assert level("name", one, other) == level("name", other, one)
