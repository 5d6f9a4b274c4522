"""Glyphs: what became of a name's characters on their way, mended where nothing was lost (china.md §5.2 cases 1-6)."""

import re
import unicodedata

from gateway.identity import lists
from gateway.search.kinds import pinyin

UNREADABLE = "?"
"""Stands in a folded name for a character that nobody can read; it agrees with any."""

_WRITTEN = re.compile(r"&#[xX]([0-9a-fA-F]{2,6});?|(?:\\u|U\+)([0-9a-fA-F]{4,5})|&#([0-9]{3,7});?")
_TWICE_BROKEN = re.compile(r"(?:锟斤拷|烫烫|屯屯|锟斤|斤拷|鈥|锟|ï¿½)+")
_DESCRIBED = re.compile(r"[⿰-⿻][⿰-⿻]?..")
_LOST = re.compile(r"[\ufffd?□■▯〓●◇◆_*\ue000-\uf8ff\U000f0000-\U0010fffd\u0080-\u009f]|某")
_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿〇\U00020000-\U0003fffd]")
_WESTERN = re.compile(r"[\u0080-\u00ff\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
_ODD = re.compile(r"[?*&\\+_]")
_NEITHER = re.compile(r"[^㐀-䶿一-鿿豈-﫿〇\U00020000-\U0003fffd\s·•・‧∙⋅.()\[\]{}<>【】《》〔〕A-Za-z0-9]")


def _private() -> dict[int, str]:
    """Return the private-use code points that GB18030 has since given their characters, such as U+E863 for 䶮."""
    bytes_of = [bytes((0xFE, low)) for low in (*range(0x50, 0x7F), *range(0x80, 0xA1))]
    known = ((0xE815 + at, pair.decode("gb18030")) for at, pair in enumerate(bytes_of))
    return {code: meant for code, meant in known if not "\ue000" <= meant <= "\uf8ff"}


_PRIVATE = _private()


def mended(raw: str) -> str:
    """Return a name with every character that can be told, and UNREADABLE for each of the others."""
    if raw.isascii() and not _ODD.search(raw):
        return raw
    text = _WRITTEN.sub(_character, raw).translate(_PRIVATE)
    told = _TWICE_BROKEN.sub(UNREADABLE, _decoded(text) or text)
    told = _LOST.sub(UNREADABLE, _DESCRIBED.sub(UNREADABLE, unicodedata.normalize("NFKC", told)))
    if UNREADABLE in told and holds_han(told):
        told = _NEITHER.sub(UNREADABLE, told)
    return told.translate(lists.variants())


def holds_han(text: str) -> bool:
    """Say whether there is a Chinese character."""
    return _HAN.search(text) is not None


def _character(match: re.Match[str]) -> str:
    code = int(match[3]) if match[3] else int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else UNREADABLE


def _decoded(text: str) -> str | None:
    """Return what was read in the wrong encoding, read in the right one; None where it was not, or nobody can tell."""
    if holds_han(text):
        return _credible(text, _again(text, "gb18030", "utf-8"))
    if not _WESTERN.search(text):
        return None
    return next(filter(None, (_credible(text, _again(text, "", right)) for right in ("utf-8", "gb18030"))), None)


def _again(text: str, wrong: str, right: str) -> str:
    """Return a text read again; what was lost on the way is U+FFFD."""
    try:
        held = text.rstrip("\ufffd?")
        return (held.encode(wrong) if wrong else b"".join(map(_western, held))).decode(right, "replace")
    except UnicodeEncodeError:
        return ""


def _western(one: str) -> bytes:
    """Return the byte that a character of Windows-1252 stands for; where that has none, of Latin-1."""
    return one.encode("latin-1" if ord(one) < 0x100 else "cp1252")


def _credible(text: str, found: str) -> str | None:
    """Return a text read again only where it is a name and the one that was sent begins as none does.

    Chinese characters that turn out to be a whole other name were no accident; dots and accents take a surname.
    """
    known = lists.surnames().single
    told, sent = found.translate(lists.variants()), text.translate(lists.variants())
    whole = told.rstrip("\ufffd")
    if not whole or sent[0] in known or not all(pinyin.reading(whole)):
        return None
    return found if told[0] in known or (told == whole and len(told) > 1 and holds_han(text)) else None
