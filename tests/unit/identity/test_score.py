import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import model as models
from gateway.identity.names import Name
from gateway.identity.score import score

MODEL = models.shipped()


def record(text="王秀英", *, family="", **values):
    family = family or text[:1]
    return {"names": (Name(text, family, text[len(family) :], "", False),), **values}


def test_the_score_is_the_sum_of_its_parts():
    a = record(sex="female", birth="1950-03-08", phones=("10012345678",), address="幸福村3组", area="519927001")
    found = score(MODEL, a, a)
    assert [(part.field, part.level) for part in found.parts] == [
        ("names", "same"), ("sex", "same"), ("birth", "same"), ("phones", "same"), ("address", "same"),
    ]  # fmt: skip
    assert found.bits == pytest.approx(sum(part.bits for part in found.parts))
    assert found.bits > MODEL.thresholds["auto"]


def test_what_one_side_does_not_tell_says_nothing():
    told = record(sex="female", birth="1950-03-08", resident="11010519491231002X")
    assert score(MODEL, told, record()) == score(MODEL, record(), record())
    assert score(MODEL, {}, told) == (0.0, ())
    assert score(MODEL, record(birth=""), told) == score(MODEL, record(birth=None), told)


def test_a_common_name_says_less_than_a_rare_one():
    def weight(text, family=""):
        (part,) = score(MODEL, record(text, family=family), record(text, family=family)).parts
        return part.bits

    assert weight("王秀英") < weight("戴秀英") < weight("欧阳秀英", "欧阳")
    assert weight("王秀英") < weight("王犇犇")
    assert weight("王犇犇") == weight("王骉骉"), "what no table lists weighs as its floor, however rare"


def test_of_several_names_that_agree_the_rarest_counts():
    both = {"names": record("王秀英")["names"] + record("欧阳慧", family="欧阳")["names"]}
    rare = record("欧阳慧", family="欧阳")
    assert score(MODEL, both, both).bits == score(MODEL, rare, rare).bits


@pytest.mark.parametrize(
    ("field", "better", "worse"),
    [
        ("birth", "1950-03-08", "1950-03-18"),
        ("birth", "1950-03-18", "1987-12-27"),
        ("birth", "1950", "1987-12-27"),
        ("resident", "11010519491231002X", "440524188001010014"),
        ("sex", "female", "male"),
        ("phones", ("10012345678",), ("10012345687",)),
        ("phones", ("10012345687",), ("10099999999",)),
        ("address", "幸福村3组12号", "幸福村3组14号"),
        ("address", "幸福村3组14号", "光明街道五金厂宿舍"),
        ("national", ("insurance|1",), ("insurance|2",)),
    ],
)
def test_the_better_values_agree_the_more_it_says(field, better, worse):
    whole = {
        "birth": "1950-03-08", "resident": "11010519491231002X", "sex": "female", "phones": ("10012345678",),
        "address": "幸福村3组12号", "national": ("insurance|1",),
    }  # fmt: skip
    assert score(MODEL, whole, {**whole, field: better}).bits > score(MODEL, whole, {**whole, field: worse}).bits


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "resident": st.sampled_from(["", "11010519491231002X", "440524188001010014"]),
        "damaged_resident": st.sampled_from(["", "110105194912310021", "110105********002X"]),
        "names": st.lists(
            st.builds(
                lambda family, rest, sound, damaged: Name(family + rest, family, rest, sound, damaged),
                st.sampled_from(["王", "张", "欧阳"]),
                st.sampled_from(["秀英", "英", "秀颖", "?", ""]),
                st.sampled_from(["", "zhang xiu ying", "wang ying"]),
                st.booleans(),
            ),
            max_size=3,
        ).map(tuple),
        "sex": st.sampled_from(["male", "female", ""]),
        "birth": st.sampled_from(["", "1950", "1950-03", "1950-03-08", "1950-08-03", "1951-03-08"]),
        "phones": st.lists(st.sampled_from(["10012345678", "10012345687", "02755512345", "55512345"]), max_size=3).map(
            tuple
        ),
        "address": st.sampled_from(["", "幸福村3组12号", "幸福村3组14号", "光明街"]),
        "area": st.sampled_from(["", "519927001"]),
        "documents": st.lists(st.sampled_from(["passport|1", "passport|2", "permit|1"]), max_size=2).map(tuple),
    },
)


@given(VALUES, VALUES)
@settings(max_examples=150, deadline=None)
def test_the_score_is_the_same_in_both_orders(a, b):
    assert score(MODEL, a, b) == score(MODEL, b, a)
