"""Marks of recognition beside an item's name: ★, *, 鄂HR, 武汉HR … taken off the name and kept (china.md §4.2)."""

import re
from typing import NamedTuple

STARS = {"★": "★", "☆": "★", "⭐": "★", "*": "*", "＊": "*", "﹡": "*", "✱": "*"}
"""Signs that stand for a mark, each with the one it is kept as."""

_STAR = f"[{''.join(map(re.escape, STARS))}]"
_SCOPE = r"[一-鿿]{0,8}"
_BRACKETED = rf"[（(\[【]\s*(?P<inside>{_SCOPE})\s*(?:HR|ＨＲ|互认)\s*[）)\]】]"
_BEFORE = re.compile(
    rf"\s*(?:(?P<star>{_STAR})|{_BRACKETED}|(?P<open>{_SCOPE})(?:HR|ＨＲ)(?=[\s:：、★☆*＊]))\s*[:：、]?"
)
_GLUED = re.compile(r"(?P<open>[一-鿿]{1,8})(?:HR|ＨＲ)(?=[一-鿿])")
_AFTER = re.compile(rf"[:：、]?\s*(?:(?P<star>{_STAR})|{_BRACKETED}|(?<=[\s★☆*＊、])(?P<open>{_SCOPE})(?:HR|ＨＲ))\s*$")
_MOST = 8


class Mark(NamedTuple):
    """A mark: `scope` is the word before HR (empty where none stands), `star` the sign; `text` what was written."""

    text: str
    scope: str = ""
    star: str = ""


class Marked(NamedTuple):
    """A name without its marks, and the marks in the order in which they stood."""

    name: str
    marks: tuple[Mark, ...] = ()


def split(text: str) -> Marked:
    """Return the name and its marks; a text that is nothing but a mark stays a name, so that nothing is lost."""
    before, rest = _peel(text.strip(), _BEFORE)
    if glued := _GLUED.match(rest):
        before, rest = [*before, Mark(glued[0], glued["open"])], rest[glued.end() :].strip()
    rest, after = _peel_back(rest)
    return Marked(rest, (*before, *reversed(after)))


def read(text: str) -> tuple[Mark, ...]:
    """Return the marks of a text that holds marks only, such as the extension recognition-mark: `★鄂HR`, `省HR`."""
    found = []
    for part in re.finditer(rf"(?P<star>{_STAR})|(?P<open>{_SCOPE})(?:HR|ＨＲ)", text):
        found.append(_mark(part))
    return tuple(found[:_MOST])


def _peel(text: str, form: re.Pattern[str]) -> tuple[list[Mark], str]:
    marks: list[Mark] = []
    while len(marks) < _MOST and (found := form.match(text)) and text[found.end() :].strip():
        marks.append(_mark(found))
        text = text[found.end() :].strip()
    return marks, text


def _peel_back(text: str) -> tuple[str, list[Mark]]:
    marks: list[Mark] = []
    while len(marks) < _MOST and (found := _AFTER.search(text)) and text[: found.start()].strip():
        marks.append(_mark(found))
        text = text[: found.start()].strip()
    return text, marks


def _mark(found: re.Match[str]) -> Mark:
    said = found.groupdict()
    text = found[0].strip().strip(":：、").strip()
    if said.get("star"):
        return Mark(text, star=STARS[said["star"]])
    return Mark(text, scope=said.get("inside") or said.get("open") or "")
