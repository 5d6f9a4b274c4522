"""One person's name is one name however a feed writes it; what nobody can read is no name (china.md §5.2 cases 3, 6, 11)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import names
from gateway.identity.names import Name


def first(told):
    found = names.of_names([told if isinstance(told, dict) else {"text": told}]).names
    return found[0] if found else None


@pytest.mark.parametrize("told", [
    "李建国", "李 建国", "李\u3000建 国", " 李建国 ", "李建國", "李建国 LI JIANGUO", "李建国(LI JIAN GUO)", "李建国2", "李建国（儿子）",
    "建国 李", "&#x674e;建国", {"family": "李", "given": ["建国"]}, {"family": "李", "given": ["建", "国"]},
    {"family": "建国", "given": ["李"]}, {"family": "李建国", "given": ["LIJIANGUO"]}, {"family": "李建国"}, {"given": ["李建国"]},
    {"family": "李", "given": ["李建国"]}, {"family": "李建国", "given": ["建国"]}, {"text": "LI JIANGUO", "family": "李", "given": ["建国"]},
    {"text": "建国李", "family": "李", "given": ["建国"]},
])  # fmt: skip
def test_a_chinese_name_is_one_however_it_is_sent(told):
    assert first(told) == Name("李建国", "李", "建国", "li jian guo", False)


@pytest.mark.parametrize("told", ["ZHANG SAN", "zhang san", "Zhangsan", "San Zhang", {"family": "Zhang", "given": ["San"]},
                                  {"family": "San", "given": ["Zhang"]}])  # fmt: skip
def test_pinyin_is_one_name(told):
    assert first(told) == Name("zhangsan", "zhang", "san", "zhang san", False)


@pytest.mark.parametrize("told", ["John Smith", "Smith, John", "JOHN SMITH", {"family": "Smith", "given": ["John"]}])
def test_a_western_name_is_one_name(told):
    assert first(told) == Name("johnsmith", "smith", "john", "john smith", False)


@pytest.mark.parametrize(("told", "family", "sound"), [
    ("欧阳修", "欧阳", "ou yang xiu"), ("尉迟恭", "尉迟", "yu chi gong"), ("曾国藩", "曾", "zeng guo fan"), ("单雄信", "单", "shan xiong xin"),
    ("司马相如", "司马", "si ma xiang ru"), ("肖战", "萧", "xiao zhan"), ("娜仁花", "娜", "na ren hua"), ("欧阳", "欧", "ou yang"),
])  # fmt: skip
def test_surnames_and_how_they_sound(told, family, sound):
    assert (first(told).family, first(told).sound) == (family, sound)


@pytest.mark.parametrize("dot", [*"·•・‧∙．.", " · ", "･"])
def test_the_dot_of_a_minority_name_is_no_part_of_it(dot):
    name = first(f"阿卜杜{dot}热合曼")
    assert name == Name("阿卜杜热合曼", "阿卜杜", "热合曼", "a bo du re he man", False)
    assert first("阿卜杜热合曼").text == name.text
    assert first("阿卜杜热合曼").family == ""  # where nobody marked the parts, none is made up


@pytest.mark.parametrize(("told", "text"), [
    ("张?", "张?"), ("王□明", "王?明"), ("刘玉SHEN", "刘玉?"), ("张先生", "张?"), ("王女士", "王?"), ("张", "张?"), ("李(王申)", "李?"),
    ("张**", "张??"), ("张某某", "张??"), ("寮犱笁", "张三"), ("ÕÅÈý", "张三"),
])  # fmt: skip
def test_a_name_that_cannot_be_read_whole_says_so(told, text):
    assert (first(told).text, first(told).damaged) == (text, "?" in text)


@pytest.mark.parametrize("told", ["", "  ", "无", "不详", "未知", "unknown", "NULL", "??", "锟斤拷", "***", "-", "�С��", "1", "男婴",
                                  {}, {"family": 3}, {"given": "x"}, {"text": None}, {"text": "张" * 999}])  # fmt: skip
def test_what_is_no_name(told):
    assert first(told) is None


@pytest.mark.parametrize(
    "told",
    ["无名氏", "无名氏12", "无名男", "急诊无名氏", "佚名", "不明身份", "三无人员", "未知姓名", "Unknown1", "John Doe"],
)
def test_persons_nobody_could_name(told):
    found = names.of_names([{"text": told}])
    assert (found.names, found.flags) == ((), ("nameless",))


@pytest.mark.parametrize(("told", "parent", "twin"), [
    ("张三之子", "张三", False), ("尼扎木木呷之子", "尼扎木木呷", False), ("陈玘之女", "陈玘", False), ("张三之大女", "张三", True), ("张三之次子", "张三", False), ("李四之子甲", "李四", True),
    ("李四双胞胎之一", "李四", True), ("王五妹大双", "王五妹", True), ("张三之女1", "张三", True), ("赵六妹的儿子", "赵六妹", False), ("张三（新生儿）", "张三", False),
    ("张三之婴", "张三", False), ("张三之女B", "张三", True), ("新生儿张三", "张三", False), ("張三之子", "张三", False), ("Baby boy of Zhang San", "zhangsan", False), ("Newborn girl", "", False),
])  # fmt: skip
def test_a_newborn_named_after_its_parent(told, parent, twin):
    found = names.of_names([{"text": told}])
    assert found.flags == (("newborn-name", "twin-name") if twin else ("newborn-name",))
    assert found.parent == parent


@pytest.mark.parametrize(
    "told", ["王之子", "Testino Baby", "Babykina Anna", "李宝宝", "张小双", "林之儿", "孙女", "李婴宁", "宋之问"]
)
def test_names_that_only_sound_like_a_newborns(told):
    assert names.of_names([{"text": told}]).flags == ()


@pytest.mark.parametrize("told", ["测试", "测试病人1", "张测试", "Test Patient", "test01", "某某"])
def test_names_typed_to_try_a_system_out(told):
    found = names.of_names([{"text": told}])
    assert "test" in found.flags or found.names == ()


def test_current_names_come_first_and_pinyin_beside_chinese_says_nothing_new():
    told = [
        {"text": "赵敏", "use": "old"},
        {"text": "LI MIN"},
        {"text": "李敏", "use": "official"},
        {"text": "Mary Li", "use": "nickname"},
    ]
    assert [name.text for name in names.of_names(told).names] == ["李敏", "maryli", "赵敏"]


def test_a_name_that_says_it_is_a_spelling_is_no_second_name():
    way = [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}]
    told = [{"text": "RE HE MAN ABUDU", "extension": way}, {"text": "阿卜杜·热合曼"}, {"text": "Mary", "extension": 3}]
    assert [name.text for name in names.of_names(told).names] == ["阿卜杜热合曼", "mary"]
    assert [name.text for name in names.of_names(told[:1]).names] == ["rehemanabudu"]


def test_an_anonymous_name_is_flagged():
    assert names.of_names([{"text": "王甲", "use": "anonymous"}]).flags == ("nameless",)


def test_at_most_four_names_are_kept():
    assert len(names.of_names([{"text": f"王{one}{one}"} for one in "天地玄黄宇宙洪荒"]).names) == 4


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "family", "given", "use"]), inner)))  # fmt: skip
def test_nothing_is_too_odd_for_a_name(told):
    for name in names.of_names(told).names:
        assert name.text


@given(st.text("王李张欧阳三明国華張·• ?□A1", min_size=1, max_size=7), st.text(" \u3000\u00a0", max_size=3))
def test_blanks_change_nothing_of_a_name_and_a_folded_name_stays(text, blanks):
    name = first(text)
    assert first(f"{blanks}{text}{blanks}") == name
    if name is not None and not name.damaged:
        assert first(name.text).text == name.text
        assert name.family + name.given in (name.text, "")
        assert names.folded(text) == name.text
