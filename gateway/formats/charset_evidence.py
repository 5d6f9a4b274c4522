"""Judges whether decoded text looks like Chinese, like European text, or like text read in the wrong charset."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

# The characters that carry Chinese hospital messages: surnames, addresses, sexes, tests, findings, units.
_FREQUENT = frozenset(
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学"
    "么之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因"
    "很给名法间斯知世什两次使身者被高已亲其进此话常与活正感见明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重"
    "三机工物气每并别真打太新比才便夫再书部水像眼等体却加电主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命"
    "花结乐色王李张刘陈杨赵黄周吴徐孙胡朱高林何郭罗梁宋郑谢韩唐冯董萧程曹袁邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范石姚谭廖邹熊金陆郝孔崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚男未婚已汉族省市县区镇乡村路号街"
    "院科室病医师护士门诊急住入转出床房血尿便压糖脂肝肾功检验查测试报告单标测定量项目值参考范围阳阴正异常偏低升降白红细胞"
    "计数淋巴粒核板酸碱钾钠氯钙蛋总胆固醇甘油酶肌酐素氮葡萄抗原体疫苗诊断冠状动脉静窦律不齐炎症感染肺支气管胃肠癌肿瘤骨"
    "折伤痛热咳嗽药品片粒针剂注射液口服次日早晚每克毫升单位用法处方自费保险卡付职工居民农村合作医疗社会保障证件身份电话"
    "联系人关系父母配偶儿女本地址国籍业农退休学生干部工无业婴幼童幸福健康中心卫站所人民慢高低前后左右上下内外妇产影像放"
    "射超彩磁共振内镜心图手术麻醉护理等级免规培养菌青霉敏耐无效见描述结论提示建议随访复签约家庭服务包双向医保类型状态正"
)
_SYMBOLS = frozenset("，。、；：？！（）《》【】“”‘’—…·～％＋－×÷±≥≤≈°℃μ→↑↓①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣ　／＜＞＝")
_UNITS = frozenset("°µμ²³×±·½¼¹ºª®©£§αβγδεκλωÅ£€")
_ANY_FREQUENT = re.compile(f"[{''.join(sorted(_FREQUENT))}]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_WIDE = re.compile("[\u2000-\u2bff\u3000-\u9fff\uf900-\ufaff\ufe30-\uffef\ue000-\uf8ff\ufffd\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"(?<=[A-Za-z])[\u00c0-\u024f]|[\u00c0-\u024f](?=[a-z])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_SAMPLE = 65_536
_COMMON_ENOUGH = 0.5
_GARBLES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Garble:
    """A run of text read in the wrong charset: where it starts, what stands there, what it probably meant."""

    offset: int
    found: str
    meant: str


def wide(text: str) -> bool:
    """Say whether the text holds characters that UTF-8 writes in three bytes or more and that we expect."""
    return _WIDE.search(text) is not None


def chinese_share(text: str) -> float:
    """Return which share of the non-ASCII characters (first 64 Ki) is everyday Chinese; 0.0 when there is none."""
    others = [char for char in text[:_SAMPLE] if char > "\x7f"]
    if not others:
        return 0.0
    return sum(map(everyday, others)) / len(others)


def some_frequent(text: str) -> bool:
    """Say whether any of the few hundred characters of hospital messages occurs; accents never imitate those."""
    return _ANY_FREQUENT.search(text) is not None


def frequent(text: str) -> bool:
    """Say whether every non-ASCII character is among the few hundred of hospital messages."""
    return all(char in _FREQUENT or char in _SYMBOLS for char in text if char > "\x7f")


def everyday(char: str) -> bool:
    """Say whether the character is one of the 3,755 of GB 2312 level 1, a full-width form or a usual sign."""
    if char in _SYMBOLS or "\uff01" <= char <= "\uff5e":
        return True
    raw = char.encode("gb18030", "replace")
    return len(raw) == 2 and 0xB0 <= raw[0] <= 0xD7 and raw[1] >= 0xA1


def only_units(text: str) -> bool:
    """Say whether all non-ASCII characters are signs of measurement (µ, °, ², ×), as in `µmol/L`."""
    return all(char in _UNITS for char in text if char > "\x7f")


def latin_words(text: str) -> bool:
    """Say whether every non-ASCII character is an accented letter inside a word of ASCII letters, as in `José`."""
    return not _NOT_ASCII.search(_LATIN_WORD.sub("", text))


def european_runs(raw: bytes) -> float:
    """Return which share of the high-byte runs (first 64 KiB) stands as accents stand in European words."""
    runs = list(_HIGH_RUN.finditer(raw[:_SAMPLE]))
    if not runs:
        return 0.0
    return sum(_european(raw, run.start(), run.end()) for run in runs) / len(runs)


def _european(raw: bytes, start: int, end: int) -> bool:
    if end - start != 1:
        return False
    before, after = raw[max(start - 1, 0) : start], raw[end : end + 2]
    if raw[start] in b"\xb0\xb5\xb2\xb3\xb1\xd7":
        return True
    return _ASCII_LETTER.match(before) is not None or after.isalpha()


# ---- text that somebody already read in the wrong charset ------------------------------------------------

# GBK pairs made of the first two bytes of a Chinese character in UTF-8 (e4..e9 80..bf): 张三 becomes 寮犱笁.
_LEADS = "".join(
    sorted(
        {
            bytes((lead, trail)).decode("gb18030")
            for lead in range(0xE4, 0xEA)
            for trail in range(0x80, 0xC0)
            if trail != 0x7F
        }
    )
)
_TRIGGER = re.compile(f"[{_LEADS}锟锘�\u0080-\u00ff]")
_SUSPECT = re.compile(
    f"(?P<lost>(?:锟斤拷)+|锘|�+)|(?P<gbk>[{_LEADS}][^\x00-\x7f]+)|(?P<latin>[\u0080-\u00ff\u0152-\u02dc\u2013-\u2122]{{4,}})"
)


def garbles(text: str) -> Iterator[Garble]:
    """Yield the first few runs that are UTF-8 read as GBK (寮犱笁) or Latin-1, or lost for good (锟斤拷)."""
    start = _TRIGGER.search(text)
    if start is None:
        return
    shown = 0
    for match in _SUSPECT.finditer(text, start.start()):
        meant = "" if match.lastgroup == "lost" else _meant(match.group(), match.lastgroup or "")
        if meant is None:
            continue
        yield Garble(match.start(), match.group()[:20], meant[:20])
        shown += 1
        if shown == _GARBLES_SHOWN:
            return


def garbled(text: str) -> bool:
    """Say whether the value was read in the wrong charset somewhere before us, so that nobody should match on it."""
    return not text.isascii() and next(garbles(text), None) is not None


def _meant(found: str, kind: str) -> str | None:
    if kind == "gbk":
        return _reread(found, "gb18030", "utf-8")
    return (
        _reread(found, "cp1252", "utf-8") or _reread(found, "latin-1", "utf-8") or _reread(found, "latin-1", "gb2312")
    )


def _reread(found: str, was: str, should: str) -> str | None:
    """Return the run read again, if all of it but a cut end is Chinese that way."""
    try:
        raw = found.encode(was)
    except UnicodeEncodeError:
        return None
    meant = _prefix(raw, should)
    hanzi = sum("\u4e00" <= char <= "\u9fff" for char in meant)
    likelier = chinese_share(meant) >= _COMMON_ENOUGH > chinese_share(found)
    sure = hanzi > 1 and chinese_share(meant) == 1 > chinese_share(found) and meant.encode(should) == raw
    return meant if hanzi and (likelier or sure) else None


def _prefix(raw: bytes, encoding: str) -> str:
    """Return the longest beginning that decodes."""
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        return decoder("strict").decode(raw)
    except UnicodeDecodeError as error:
        return decoder("strict").decode(raw[: error.start])
