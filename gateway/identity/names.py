"""Names: how a person is called, in one form for matching only (china.md sections 5.1, 5.2 cases 1-6 and 11)."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from gateway.identity import glyphs, lists, romanized
from gateway.identity.glyphs import UNREADABLE
from gateway.search.kinds import pinyin

_USES = {"official": 0, None: 1, "usual": 2, "temp": 4, "nickname": 5, "anonymous": 6, "maiden": 7, "old": 8}
_OTHER_USE = 3
_BRACKETED = re.compile(r"[(\[{<【《〔（][^)\]}>】》〕）]*[)\]}>】》〕）]?")
_BRACKETS = re.compile(r"[()\[\]{}<>【】《》〔〕（）]")
_DOTS = re.compile(r"[·•・‧∙⋅●.]")
_NOISE = re.compile(r"[\s·•・‧∙⋅.,，、'\"‘’“”`:：;；!！|/\\^~=#$%+\-—_()\[\]{}<>【】《》〔〕\u200b-\u200f\ufeff]+")
_TITLES = re.compile(r"(?<=.)(?:先生|女士|小姐|太太|老师|同志|大爷|大妈|师傅)$")
_LATIN_IN_HAN = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+")
_LONGEST = 60
_WHOLE_SURNAME = 4  # a Chinese name of more characters is a transcription whose parts nobody marked
_MOST = 4


class Name(msgspec.Struct, frozen=True, array_like=True):
    """One name for matching: its text, surname and given name, and how it sounds without tones.

    `damaged` is one that holds what nobody can read, told as "?".
    """

    text: str
    family: str
    given: str
    sound: str
    damaged: bool


class Names(NamedTuple):
    """What a Patient's names say: the names, flags such as newborn-name, the parent a newborn is named after."""

    names: tuple[Name, ...]
    flags: tuple[str, ...]
    parent: str


class _Read(NamedTuple):
    name: Name | None = None
    flags: tuple[str, ...] = ()
    parent: str = ""
    chinese: bool = False


_NOTHING = _Read()


def of_names(told: Any) -> Names:
    """Return the names of a Patient, current ones first; pinyin beside a Chinese name says nothing new."""
    entries = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    entries.sort(key=lambda one: _USES.get(use, _OTHER_USE) if isinstance(use := one.get("use"), str | None) else 9)
    pairs = [(one, read) for one in entries for read in _entry(one)]
    found = [read for _, read in pairs]
    chinese = any(read.chinese for read in found)
    kept = [read.name for one, read in pairs if read.name and not (chinese and _spelling_of(one, read))]
    flags = {flag for read in found for flag in read.flags}
    if any(one.get("use") == "anonymous" for one in entries):
        flags.add("nameless")
    parent = next((read.parent for read in found if read.parent), "")
    return Names(tuple(dict.fromkeys(kept))[:_MOST], tuple(sorted(flags)), parent)


def folded(raw: str) -> str:
    """Return the text of a name as names are compared; '' for no name."""
    name = _read(raw, "", "").name
    return name.text if name else ""


def _spelling_of(told: dict[str, Any], read: _Read) -> bool:
    """Say whether a name only spells the Chinese one: it is pinyin, or says that it is by syllables or letters."""
    if read.chinese or read.name is None:
        return False
    extensions = told.get("extension")
    ways = [one.get("valueCode") for one in extensions if isinstance(one, dict)] if isinstance(extensions, list) else []
    return "SYL" in ways or "ABC" in ways or romanized.syllables(read.name.text) != ()


def _entry(told: dict[str, Any]) -> Iterator[_Read]:
    text, family, given = told.get("text"), told.get("family"), told.get("given")
    words = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    whole = text if isinstance(text, str) else ""
    last = family if isinstance(family, str) else ""
    if len(whole) + len(last) + sum(map(len, words)) <= _LONGEST * 4:
        yield _read(whole, last, " ".join(words))


@lists.remembered(32768)
def _read(text: str, family: str, given: str) -> _Read:
    """Return what one name says; the whole text counts unless only the parts are Chinese."""
    whole, last, first = glyphs.mended(text), glyphs.mended(family), glyphs.mended(given)
    if glyphs.holds_han(last + first) and not glyphs.holds_han(whole):
        whole = ""
    flat = _NOISE.sub("", whole or last + first).lower()[:_LONGEST]
    if not flat or flat in lists.dummies().words or whole.strip().lower() in lists.dummies().words:
        return _NOTHING
    if lists.dummies().nameless.fullmatch(flat):
        return _Read(flags=("nameless",))
    flags, parent = _newborn(flat)
    if flags and not parent:  # a child whom nobody has named, nor its parents
        return _Read(flags=flags)
    if lists.dummies().tests.fullmatch(flat):
        flags += ("test",)
    name = (_chinese if glyphs.holds_han(flat) else _latin)(whole, last, first)
    return _Read(name, flags, parent, name is not None and glyphs.holds_han(name.text))


def _newborn(flat: str) -> tuple[tuple[str, ...], str]:
    """Return the flags of a name such as 张三之子 and the parent in it (china.md section 5.2 case 11)."""
    dummies = lists.dummies()
    for pattern in dummies.newborns:
        match = pattern.fullmatch(flat)
        if match is not None:
            twin = dummies.twins.fullmatch(match[2]) is not None
            return ("newborn-name", "twin-name") if twin else ("newborn-name",), match[1] or ""
    return (), ""


def _chinese(whole: str, family: str, given: str) -> Name | None:
    """Return a Chinese name from its text, else from its parts whichever way round they are."""
    ordered = _ordered(_bare(family), _bare(given))
    if whole:
        ordered = _of_words(whole, ordered, _bare(given) + _bare(family))
    dotted = _DOTS.split(_BRACKETED.sub("", _LATIN_IN_HAN.sub("", whole or family)).strip())
    text = _TITLES.sub("", ordered)
    if text != ordered or len(text) == 1:  # 张先生, or the surname alone: the given name is not told
        text += UNREADABLE
    if not text.replace(UNREADABLE, ""):
        return None
    last = _bare(dotted[0]) if len(dotted) > 1 and _bare(dotted[0]) else _family(text)
    last = last if text.startswith(last) else _family(text)
    rest = text[len(last) :] if last else ""
    return Name(text, last.replace(UNREADABLE, ""), rest, " ".join(_sounds(text)), UNREADABLE in text)


def _of_words(whole: str, ordered: str, swapped: str) -> str:
    """Return a text whose words may be given name and surname, or that is the parts the wrong way round."""
    told = _BRACKETED.sub("", whole)
    told = told if glyphs.holds_han(told) else _BRACKETS.sub("", whole)
    text = _bare(told)
    if text == swapped and ordered:
        return ordered
    words = [one for one in map(_bare, told.split()) if one]
    return _ordered(*words) if len(words) == 2 else text


def _bare(text: str) -> str:
    """Return the Chinese and unreadable characters of a text: without blanks, dots, pinyin and numbers."""
    return _NOISE.sub("", _LATIN_IN_HAN.sub(_spelling, text)) if text else ""


def _spelling(match: re.Match[str]) -> str:
    """Return UNREADABLE for one syllable, which stands for a character a system lacks, as in 李SHEN."""
    beside = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
    alone = len(match[0]) > 1 and len(romanized.syllables(match[0].lower(), surname=False)) == 1
    return UNREADABLE if alone and glyphs.holds_han(beside) else ""


def _ordered(family: str, given: str) -> str:
    """Return surname and given name in Chinese order, from parts that may be swapped or hold the whole name."""
    if not family or not given:
        return family or given
    if given.startswith(family) and len(family) < len(given) <= _WHOLE_SURNAME:
        return given
    if family.endswith(given) and len(family) > len(given) and _surname(family):
        return family
    swapped = not _is_surname(family) and _is_surname(given)
    return given + family if swapped else family + given


def _is_surname(text: str) -> bool:
    known = lists.surnames()
    return text in known.single or text in known.compound


def _surname(text: str) -> str:
    """Return the surname a Chinese name begins with, '' where it begins with none that is known."""
    known = lists.surnames()
    if len(text) > 2 and text[:2] in known.compound:
        return text[:2]
    return text[0] if text[0] in known.single else ""


def _family(text: str) -> str:
    if len(text) > _WHOLE_SURNAME and text[:2] not in lists.surnames().compound:
        return ""
    return _surname(text) or text[0]


def _sounds(text: str) -> tuple[str, ...]:
    found = tuple(one or UNREADABLE for one in pinyin.reading(text))
    compound = lists.surnames().compound.get(text[:2])
    return compound[:2] + found[2:] if compound and len(text) > 2 else found


def _latin(whole: str, family: str, given: str) -> Name | None:
    """Return a name in Latin or other letters; pinyin in Chinese order, others given name first."""
    last, first = romanized.parts(_BRACKETED.sub("", whole), family, given)
    text, damaged = "".join(last + first), UNREADABLE in (whole or family + given)
    if sum(one.isalpha() for one in text) < 2 or (damaged and not text.isascii()):
        return None
    if romanized.syllables(text):
        sound = " ".join(one for word in (*last, *first) for one in romanized.syllables(word) or (word,))
        return Name(text, "".join(last), "".join(first), sound, damaged)
    return Name("".join(first + last), "".join(last), "".join(first), " ".join(first + last), damaged)
