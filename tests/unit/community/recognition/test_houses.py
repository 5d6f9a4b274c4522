"""Institutions: by code, exact name or site; nobody by a name that only looks alike."""

import pytest

from gateway.community.recognition import knowledge
from gateway.community.recognition.shelf import WrongKnowledge
from gateway.settings import shipped
from tests.support.recognition import known

APPROVED = "approved: {by: 张某某, on: 2026-11-20}\nsource: test\n"


@pytest.mark.parametrize("word", ["MB000001951992711A1001", "青禾县人民医院", " 青禾县人民医院 ", "county-hospital"])
def test_an_institution_is_found_by_its_own_words(word):
    house = known().houses.named(word)
    assert (house.code, house.level, house.community) == ("MB000001951992711A1001", 2, "青禾县医共体")


@pytest.mark.parametrize("word", ["", "人民医院", "青禾县人民医院2", "他县人民医院"])
def test_nobody_is_found_by_a_name_that_is_only_alike(word):
    assert known().houses.named(word) is None


def test_a_site_without_a_house_has_none():
    assert known().houses.of_site("generic") is None


def test_a_county_adds_its_own_and_no_word_means_two(tmp_path):
    row = "houses:\n  - {id: X1, zh: 甲院, sites: [a], area: '519927', level: 2}\n"
    (tmp_path / "ours.yaml").write_text(APPROVED + row, "utf-8")
    ours = knowledge.load(shipped("profiles") / "recognition", tmp_path)
    assert ours.houses.of_site("a") == ours.houses.named("甲院")
    (tmp_path / "then.yaml").write_text(APPROVED + "houses:\n  - {id: X2, zh: 甲院, sites: [a]}\n", "utf-8")
    with pytest.raises(WrongKnowledge) as fault:
        knowledge.load(shipped("profiles") / "recognition", tmp_path)
    assert "'甲院' means both X1 and X2" in str(fault.value) and "'a' means both X1 and X2" in str(fault.value)
