"""Items are found by codes; what disagrees or is unknown is missing, with hints that are never a match."""

import pytest

from gateway.community.recognition.catalogue import LOINC, OWN, Coding, Found, Missing, closed, table_of
from gateway.community.recognition.items import Cover
from tests.support.recognition import known

HOSPITAL = "https://yigong.example/fhir/CodeSystem/county-hospital/lab-item"
TOWNSHIP = "https://elsewhere.example/codes/township-centre/lab-results-long.项目代码"


def find(*codings, **more):
    return known().catalogue.find([Coding(*one) for one in codings], **more)


@pytest.mark.parametrize(
    ("system", "code", "item", "way"),
    [
        (OWN, "potassium", "potassium", "own"),
        (LOINC, "2823-3", "potassium", "loinc"),
        (HOSPITAL, "K", "potassium", "local"),
        ("https://other.base/fhir/codes/county-hospital/lab-item", "K", "potassium", "local"),
        (HOSPITAL, "3001", "qinghe-3001", "local"),
        (TOWNSHIP, "HSTNI", "troponin-i-hs", "local"),
    ],
)
def test_an_item_is_found_by_any_of_its_codes(system, code, item, way):
    found = find((system, code))
    assert isinstance(found, Found)
    assert (found.item.id, found.way) == (item, way)


@pytest.mark.parametrize(
    ("system", "code"),
    [(OWN, "nothing"), (LOINC, "0000-0"), (HOSPITAL, "k"), (HOSPITAL, "?"), ("", ""), ("K", "K"), (TOWNSHIP, "WBC")],
)
def test_an_unknown_code_is_missing(system, code):
    assert find((system, code)) == Missing()


def test_codes_that_agree_are_one_item_and_those_that_do_not_are_none():
    assert isinstance(find((LOINC, "2823-3"), (HOSPITAL, "K"), ("x", "y")), Found)
    clash = find((LOINC, "2951-2"), (HOSPITAL, "K"))
    assert isinstance(clash, Missing)
    assert set(clash.items) == {"sodium", "potassium"}


def test_a_local_code_may_mean_an_item_by_specimen_only():
    assert isinstance(find((TOWNSHIP, "K"), specimen="静脉血"), Found)
    assert find((TOWNSHIP, "K"), specimen="全血") == Missing()
    assert find((TOWNSHIP, "K")) == Missing()
    assert find((TOWNSHIP, "K"), specimen="什么血") == Missing()


def test_a_code_may_be_known_as_no_item():
    found = find((HOSPITAL, "RMK"), name="异常提示")
    assert isinstance(found, Missing)
    assert found.known


def test_a_name_is_never_a_match_but_makes_hints():
    for name in ("钾", "★钾", "Potassium", "K"):
        found = find((HOSPITAL, "Q99"), name=name)
        assert isinstance(found, Missing)
        assert "potassium" in [hint.item for hint in found.hints]
    assert known().catalogue.hints("") == known().catalogue.hints("★")[:0]
    assert known().catalogue.hints("与此无关的一段很长的文字") == ()
    first = known().catalogue.hints("丙氨酸氨基转移酶(ALT)")[0]
    assert (first.item, first.likeness) >= ("alt", 60)


def test_hints_are_kept_and_bounded():
    index = known().catalogue.index
    for number in range(5000):
        index.cache[str(number), 5] = ()
    assert index.like("血糖", 5)[0].item == "glucose"
    assert len(index.cache) == 1


def test_panels_cover_their_analytes_by_chains_too():
    catalogue = known().catalogue
    panel, analyte = catalogue.items["panel-liver"], catalogue.items["alt"]
    cover = catalogue.covering(panel, analyte)
    assert cover is not None and "a panel covers its analyte" in cover.source
    assert catalogue.covering(analyte, panel) is None
    chain = [Cover(whole="a", part="b", source="one"), Cover(whole="b", part="c", source="two", assumed=True)]
    found = closed({}, chain, ())
    assert found["a", "c"] == Cover(whole="a", part="c", source="one; two", assumed=True)


def test_a_panels_specimens_and_methods_are_its_analytes():
    catalogue = known().catalogue
    assert catalogue.specimens(catalogue.items["panel-lipids"]) == {"serum", "plasma", "venous-blood"}
    assert "calculated" in catalogue.methods(catalogue.items["panel-coagulation"])
    assert catalogue.specimens(catalogue.items["ct-chest-plain"]) == frozenset()
    assert catalogue.item("nothing") is None


def test_a_local_table_is_the_end_of_the_systems_address():
    assert table_of(HOSPITAL) == table_of("http://a/b/county-hospital/lab-item") == "county-hospital/lab-item"
    assert table_of("urn") == "urn"


@pytest.mark.parametrize("word", ["血清", " 血 清 ", "SER", "ser", "119364003", "Serum", "ＳＥＲ"])
def test_words_are_known_by_their_spelling(word):
    assert known().catalogue.words.specimens.get(word) == "serum"
    assert known().catalogue.words.specimens.get("血淸") == ""


def test_words_have_names_in_both_languages():
    sides = known().catalogue.words.sides
    assert (sides.name("left", "zh"), sides.name("left", "en"), sides.name("x", "zh")) == ("左侧", "left", "x")
