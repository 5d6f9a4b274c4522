"""How far two records agree, field by field: what china.md section 5.2 shows of damaged, lunar, masked and mistyped values."""

import pytest

from gateway.identity.agreement import Level, births, compare, names, valid_ids
from gateway.identity.evidence import Evidence, Name

ID = "11010519491231002X"


def name(text: str, sound: str = "", *, damaged: bool = False) -> Name:
    return Name(text, text[:1], text[1:], sound, damaged)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        (name("王建国"), name("王建国"), "same"),
        (name("张伟", "zhang wei"), name("张玮", "zhang wei"), "sound"),
        (name("张三", "zhang san"), name("zhangsan", "zhangsan"), "sound"),
        (name("王建国", "wang jian guo"), name("王建军", "wang jian jun"), "close"),
        (name("章建国", "zhang jian guo"), name("王建国", "wang jian guo"), "close"),
        (name("张伟", "zhang wei"), name("张丽", "zhang li"), "apart"),
        (name("王建国", "wang jian guo"), name("李小红", "li xiao hong"), "apart"),
        (name("阿卜杜热合曼"), name("阿卜杜"), "close"),
        (name("阿卜杜热合曼"), name("阿卜都热合曼"), "close"),
        (name("李小明"), name("李明"), "apart"),
    ],
)
def test_names_agree_by_text_sound_or_all_but_one_character(a: Name, b: Name, level: str) -> None:
    assert names((a,), (b,)) == names((b,), (a,)) == level


@pytest.mark.parametrize(
    ("damaged", "whole", "level"),
    [
        ("王建�", "王建国", "damaged"),
        ("王*国", "王建国", "damaged"),
        ("王\ue123", "王䶮", "partial"),
        ("锟斤拷", "王建国", "partial"),
        ("寮犱笁", "张三", "partial"),  # nothing of it can be read, so nothing speaks against
        ("李建�", "王建国", "apart"),
        ("王军�", "王建国", "apart"),
    ],
)
def test_what_is_legible_of_a_damaged_name_must_fit(damaged: str, whole: str, level: str) -> None:
    one, other = (name(damaged, damaged=True),), (name(whole),)
    assert names(one, other) == names(other, one) == level


def test_two_damaged_names_never_agree_better_than_damaged() -> None:
    one = (name("王建�", damaged=True),)
    assert names(one, one) == Level.DAMAGED
    assert names(one, (name("王�国", damaged=True),)) == Level.APART
    assert names(one, (name("王�", damaged=True),)) == Level.PARTIAL


def test_a_former_name_counts_and_no_name_says_nothing() -> None:
    assert names((name("李芳"), name("王建国")), (name("王建国"),)) == Level.SAME
    assert names((), (name("王建国"),)) == Level.ABSENT


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("1980-05-07", "1980-05-07", "same"),
        ("1980", "1980", "partial"),
        ("1980-05", "1980-05-07", "partial"),
        ("1981", "1980-05-07", "close"),
        ("1983", "1980-05-07", "apart"),
        ("198x", "1980-05-07", "apart"),
        ("1980-05-07", "1980-07-05", "close"),  # day and month
        ("1980-05-07", "1980-05-01", "close"),  # one digit
        ("1980-05-17", "1980-05-71", "apart"),  # no date
        ("1980-05-12", "1980-05-21", "close"),  # two digits change places
        ("1999-12-31", "2000-12-31", "close"),  # a year off, as by 虚岁
        ("1980-05-07", "1980-06-14", "close"),  # the lunar date written as the solar one
        ("1980-01-01", "1980-09-23", "close"),  # only the year was known
        ("1980-05-07", "1981-03-23", "close"),  # reckoned from an age
        ("1980-05-07", "1981-09-23", "apart"),
        ("1980-05-07", "1989-05-07", "close"),
        ("1950-05-07", "1980-05-07", "apart"),  # one digit, but a generation
        ("", "1980-05-07", "absent"),
    ],
)
def test_births_tell_slips_from_other_days(a: str, b: str, level: str) -> None:
    assert births(a, b) == births(b, a) == level


def test_valid_ids_are_the_same_near_or_other() -> None:
    assert valid_ids(ID, ID) == Level.SAME
    assert valid_ids(ID, "110105194912310038") == Level.CLOSE  # a twin's or a wrong key
    assert valid_ids(ID, "440524188001010014") == Level.APART
    assert valid_ids(ID, "") == Level.ABSENT


@pytest.mark.parametrize(
    ("damaged", "level"),
    [
        ("110105194912310021", "close"),
        ("11010519491231002", "close"),
        ("110105194912310036", "apart"),
        ("110***********002X", "partial"),
        ("110105194912310000", "partial"),
        ("110***********003X", "apart"),
        ("440524188001010099", "apart"),
        ("", "absent"),
    ],
)
def test_a_damaged_id_is_held_against_the_valid_one(damaged: str, level: str) -> None:
    one, other = Evidence("a", resident=ID), Evidence("b", damaged_resident=damaged)
    assert compare(one, other).spoiled == compare(other, one).spoiled == level


def test_two_damaged_ids_are_the_same_where_they_are_whole() -> None:
    bad, masked = (
        Evidence("a", damaged_resident="110105194912310021"),
        Evidence("a", damaged_resident="110***********002X"),
    )
    assert compare(bad, bad).spoiled == Level.SAME
    assert compare(masked, masked).spoiled == Level.PARTIAL


def test_numbers_of_a_site_count_within_that_site_only() -> None:
    one = Evidence("a", local=("https://a/id/visit|1",))
    assert compare(one, one).local == Level.SAME
    assert compare(one, Evidence("b", local=one.local)).local == Level.ABSENT


def test_documents_of_other_kinds_say_nothing() -> None:
    passport = Evidence("a", documents=("passport|E1",))
    assert compare(passport, Evidence("b", documents=("passport|E1", "permit|H2"))).document == Level.SAME
    assert compare(passport, Evidence("b", documents=("permit|H2",))).document == Level.ABSENT
    assert compare(passport, Evidence("b", documents=("passport|E9",))).document == Level.APART
    assert compare(passport, Evidence("b")).document == Level.ABSENT


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        (("东山李村3组12号", "东山/李村"), ("东山李村3社12号", "东山/李村"), "same"),
        (("东山李村3组", "东山/李村"), ("东山李村3组", "东山/李村"), "close"),
        (("东山李村3组", "东山/李村"), ("东山李村3组12号", "东山/李村"), "close"),
        (("东山李村3组12号", "东山/李村"), ("东山李村3组13号", "东山/李村"), "partial"),
        (("东山李村", "东山/李村"), ("东山李村3组13号", "东山/李村"), "partial"),
        (("东山李村", "东山/李村"), ("东山李村", "东山/李村"), "partial"),
        (("幸福路甲大院", ""), ("幸福路甲大院", ""), "same"),
        (("", "519927100201"), ("", "519927100201"), "partial"),
        (("", "519927100201"), ("", "519927100"), "absent"),
        (("", "东山"), ("东山李村3组", "东山/李村"), "absent"),
        (("东山李村3组12号", "东山/李村"), ("东山王湾3组12号", "东山/王湾"), "apart"),
        (("东山李村3组12号", "东山/李村"), ("西河赵村3组12号", "西河/赵村"), "apart"),
        (("幸福路1号", ""), ("建设路1号", ""), "apart"),
        (("", ""), ("西河赵村1组2号", "西河/赵村"), "absent"),
    ],
)
def test_places_agree_as_a_whole_or_by_area(a: tuple[str, str], b: tuple[str, str], level: str) -> None:
    one, other = Evidence("a", address=a[0], area=a[1]), Evidence("b", address=b[0], area=b[1])
    assert compare(one, other).place == compare(other, one).place == level


def test_phones_sexes_and_mothers_agree_or_not() -> None:
    one = Evidence("a", phones=("10000000001", "10000000002"), sex="male", mother="m")
    other = Evidence("b", phones=("10000000002",), sex="female", mother="m")
    found = compare(one, other)
    assert (found.phone, found.sex, found.mother) == ("same", "apart", "same")
