"""Reads the XML that spreadsheet programs write: attributes, texts, escapes; no tree, no document types."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from gateway.formats import charset
from gateway.formats.sheet_model import NotATable

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_COMMENT = re.compile("<!--.*?-->", re.S)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.S)
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ENTITY = re.compile("&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_PHONETIC = re.compile(r"<(?:\w+:)?rPh\b.*?</(?:\w+:)?rPh>", re.S)
_TEXT = re.compile(r"<(?:\w+:)?t(?:\s[^>]*?)?(?:/>|>(.*?)</(?:\w+:)?t>)", re.S)


def markup(raw: bytes, name: str) -> str:
    """Return a part of a workbook as text free of comments; raises NotATable when it is no well-formed XML."""
    try:
        text = charset.decode(raw, None if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "UTF-8").text
    except charset.Undecodable as error:
        raise damaged(f"its part {name} is not text ({error.text})") from error
    _check(text, name)
    if "<!" in text:
        text = _CDATA.sub(lambda found: _escaped(found.group(1)), _COMMENT.sub("", text))
    return text.replace("\r\n", "\n")


def _check(text: str, name: str) -> None:
    """Make sure of well-formed XML, so that searching it by pattern neither misses a cell nor runs astray."""
    if "<!DOCTYPE" in text:
        raise damaged(f"its part {name} declares a document type, which no workbook does")
    try:
        expat.ParserCreate("utf-8").Parse(_DECLARATION.sub("", text, count=1), True)
    except (expat.ExpatError, ValueError) as error:
        raise damaged(f"its part {name} is no XML ({error})") from error


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attributes(text: str) -> dict[str, str]:
    """Return the attributes of one tag, their values as written."""
    return {name: one or two for name, one, two in _ATTRIBUTE.findall(text)}


def elements(xml: str, name: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of every element of that name, with or without a prefix."""
    for found in re.finditer(rf"""<(?:\w+:)?{name}\s((?:[^>"']|"[^"]*"|'[^']*')*)>""", xml):
        yield {key: entities(value) for key, value in attributes(found.group(1)).items()}


def attributes_of(xml: str, name: str) -> dict[str, str]:
    """Return the attributes of the first element of that name, {} when there is none."""
    return next(elements(xml, name), {})


def rich(xml: str) -> str:
    """Return the text of a string item, its runs joined, phonetic readings left out."""
    if "rPh" in xml:
        xml = _PHONETIC.sub("", xml)
    return plain("".join(_TEXT.findall(xml)))


def plain(text: str) -> str:
    """Return the text of XML content, with Excel's own `_x000D_` escapes resolved."""
    if "&" in text:
        text = entities(text)
    if "_x" in text:
        text = _ESCAPE.sub(lambda found: _char(int(found.group(1), 16)), text)
    return text


def count(digits: str) -> int | None:
    """Return a number of an attribute, None when it is not one of at most nine digits."""
    return int(digits) if digits.isdecimal() and len(digits) < 10 else None


def entities(text: str) -> str:
    """Return text with character references and the five named entities resolved."""
    return _ENTITY.sub(_entity, text) if "&" in text else text


def _entity(found: re.Match[str]) -> str:
    if found.group(3):
        return _ENTITIES[found.group(3)]
    digits = found.group(1) or found.group(2)
    return _char(int(digits, 16 if found.group(1) else 10)) if len(digits) < 10 else ""


def _char(code: int) -> str:
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return ""
    return chr(code)


def damaged(why: str) -> NotATable:
    """Return the refusal of a workbook that cannot be read, for people."""
    return NotATable(f"The workbook is damaged: {why}. Ask the sender to save and send it again.")
