"""Contacts: telephone numbers and addresses in one form, and the area somebody lives in (china.md §5.2 case 13)."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gateway.identity import lists

_AREA_CODE = "https://yigong.example/fhir/StructureDefinition/area-code"
_PHONE_SYSTEMS = ("phone", "sms", "other", None)
_SEVERAL = re.compile(r"[/、,，;；|\n]|\s或\s|或者|或|和|(?<=\d{7})\s+(?=\+?\d{7})")
_MASKED = re.compile(r"[*＊xX•●]{2,}|\d[*＊]|[*＊]\d")
_NOT_DIALLED = re.compile(r"[^0-9+]+")
_INNER = re.compile(r"(?:转|分机|ext\.?|x|#)\s*\d{1,6}\D*$", re.IGNORECASE)
_ABROAD = re.compile(r"^(?:\+|00)")
_CHINA = re.compile(r"^(?:\+?(?:00)?86)(?=1\d{10}$|0?\d{9,11}$)")
_MOBILE = re.compile(r"0?(1\d{10})")
_LANDLINE = re.compile(r"0[1-9]\d{8,10}|0{1,4}\d{7,11}|[2-9]\d{6,7}|400\d{7}|800\d{7}")
_BEYOND = re.compile(r"\+\d{7,15}")
_MOST_PHONES = 6

_PLACE_NOISE = re.compile(r"[\s,，.。、;；:：'\"“”‘’()\[\]【】《》<>|/\\_·•#＃—–\-]+")
_PREFIX = re.compile(
    r"^(?:中国|中华人民共和国)?"
    r"(?:[^省市县区镇乡村路街号]{2,8}?(?:省|自治区|特别行政区|生产建设兵团))?"
    r"(?:[^省市县区镇乡村路街号]{1,10}?(?:市|自治州|地区|盟))?"
    r"(?:(?:[^省市县区镇乡村路街号组]{1,10}?(?:自治县|自治旗|县|(?<![小社校园院厂矿库景])区|旗)|市[中辖]区|[^省市县区镇乡村路街号]{1,5}市))?"
)
_TOWN = re.compile(r"^(?P<name>[^镇乡村路街号]{1,10}?)(?:街道办事处|街道|办事处|镇|民族乡|乡|苏木|农场|林场)")
_VILLAGE = re.compile(
    r"^(?P<name>[^镇乡村路号]{1,10}?)(?:村民委员会|(?:社区)?(?:居民委员会|居委会)|社区|行政村|村(?:委会)?(?![路街巷道])|嘎查)"
)
_NUMERALS = "〇零一二三四五六七八九十百两"
_COUNTED = re.compile(rf"[{_NUMERALS}]+(?=[号组队社小村生栋幢座楼层室单巷弄排门院户期])")
_GROUP = re.compile(r"(?<=[0-9])(?:村民小组|小组|社|队|生产队)")  # a village's groups are called this and that
_DIGITS = {one: at for at, one in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100}
_LONGEST = 200
_CODE = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
_NO_AREA = re.compile(r"(\d)\1+|\d{2}0000|999999\d*")
_HOME_FIRST = {"home": 0, None: 1, "temp": 2, "work": 3, "billing": 3, "old": 4}


class Where(NamedTuple):
    """An address folded for matching, and its area: township and village, or their number."""

    text: str
    area: str


_NOWHERE = Where("", "")


def of_telecom(told: Any) -> tuple[str, ...]:
    """Return the full telephone numbers of a Patient: eleven digits of a mobile, others with their area code."""
    found: dict[str, None] = {}
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and isinstance(value := one.get("value"), str) and _dialled(one):
            found |= dict.fromkeys(_phones(value))
    return tuple(found)[:_MOST_PHONES]


def of_addresses(told: Any) -> Where:
    """Return where a Patient lives: its home, else the first address that tells a place."""
    entries = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    entries.sort(key=lambda one: _HOME_FIRST.get(use, 1) if isinstance(use := one.get("use"), str | None) else 4)
    found = [Where(place.text, place.area or _code(one)) for one in entries for place in (_place(_text(one)),)]
    return next(
        (one for one in found if one.text and one.area), next((one for one in found if one != _NOWHERE), _NOWHERE)
    )


def same_phone(one: str, other: str) -> bool:
    """Say whether two numbers are one, also where only one of them has its area code."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return (
        longer.startswith("0") and not shorter.startswith("0") and len(shorter) in (7, 8) and longer.endswith(shorter)
    )


def _dialled(one: dict[str, Any]) -> bool:
    system = one.get("system")
    return isinstance(system, str | None) and system in _PHONE_SYSTEMS and one.get("use") != "old"


@lists.remembered(32768)
def _phones(raw: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", raw)[:_LONGEST]
    return tuple(number for part in _SEVERAL.split(text) if part and (number := _phone(part)))


def _phone(part: str) -> str:
    """Return one number in one form, '' for a masked one, a dummy or none."""
    if _MASKED.search(part):
        return ""
    digits = _NOT_DIALLED.sub("", _INNER.sub("", part))
    local = _CHINA.sub("", digits)
    if local != digits and not local.startswith(("0", "1")):
        local = f"0{local}"
    mobile = _MOBILE.fullmatch(local)
    if mobile is not None:
        local = mobile[1]
    elif _ABROAD.match(local) and _BEYOND.fullmatch(_ABROAD.sub("+", local)) and not local.startswith("000"):
        local = _ABROAD.sub("+", local)
    elif not _LANDLINE.fullmatch(local):
        return ""
    return "" if lists.dummies().phones.fullmatch(local) else local


def _text(told: dict[str, Any]) -> str:
    """Return the words of an address; the parts that its lines begin with already are not said twice."""
    text, lines = told.get("text"), told.get("line")
    whole = text if isinstance(text, str) and text.strip() else "".join(_words(lines))
    parts: Iterable[Any] = (told.get("state"), told.get("city"), told.get("district"))
    missing = [one for one in _words(list(parts)) if one not in whole]
    return "".join(missing) + whole if whole else ""


def _words(told: Any) -> Iterator[str]:
    for one in told if isinstance(told, list) else ():
        if isinstance(one, str):
            yield one


@lists.remembered(32768)
def _place(raw: str) -> Where:
    """Return an address from the township on, folded, and its township and village."""
    text = unicodedata.normalize("NFKC", raw[:_LONGEST]).translate(lists.variants()).lower()
    text = _PLACE_NOISE.sub("", text)
    if not text or text in lists.dummies().words or "*" in text:
        return _NOWHERE
    text = _GROUP.sub("组", _COUNTED.sub(lambda match: _number(match[0]), text))
    rest = _PREFIX.sub("", text, count=1)
    town = _TOWN.match(rest)
    after = rest[town.end() :] if town else rest
    village = _VILLAGE.match(after)
    names = [match["name"] for match in (town, village) if match]
    folded = "".join(names) + (after[village.end() :] if village else after)
    return Where(folded, "/".join(names) if town else "")


def _number(numeral: str) -> str:
    """Return a Chinese numeral below 1000 as digits: 二十三 and 二三 are 23."""
    if not any(one in _UNITS for one in numeral):
        return "".join(str(_DIGITS[one]) for one in numeral)
    total, digit = 0, None
    for one in numeral:
        if one in _UNITS:
            total += (1 if digit is None else digit) * _UNITS[one]
            digit = None
        else:
            digit = _DIGITS[one]
    return str(total + (digit or 0))


def _code(told: dict[str, Any]) -> str:
    """Return the number of the area that our mappings write beside an address."""
    extensions = told.get("extension")
    for one in extensions if isinstance(extensions, list) else ():
        coding = one.get("valueCoding") if isinstance(one, dict) and one.get("url") == _AREA_CODE else None
        code = coding.get("code") if isinstance(coding, dict) else None
        if isinstance(code, str) and _CODE.fullmatch(code) and not _NO_AREA.fullmatch(code):
            return code
    return ""
