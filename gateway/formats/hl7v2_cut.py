"""Cuts the text of a message into segments: any line ending, text that runs over lines, segments glued together."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from gateway.fhir.issues import Issue

_STRAY = "\r\n\x1c\x0b\x00"
_MSH_FIELDS = 11  # glue is believed in MSH only after MSH-12, the last field that must be there
_NUMBERED = "NK1 DG1 AL1 IN1 GT1 TQ1 PR1 FT1 AIS AIP AIL AIG RGS SPM IAM TXA"
_ROMAN = "PD1 PV2 IN2 IN3 UB1 UB2 TQ2 DB1"
_ODD = "MRG SFT QRD QRF QAK QPD RXE RXO RXR RXD RXC RXG RXA BLG DSC DSP DRG"
_PLAIN = "ROL SCH PRT CTI ACC PDA ERR ARV SAC CTD"
_ALL = f"PID PV1 OBX OBR ORC NTE EVN MSA {_NUMBERED} {_ROMAN} {_ODD} {_PLAIN}".split()
_VALUE = "[0-9\u0080-\uffff)\\]\"'^~&"  # an open character class: what a value may end with


@dataclass(frozen=True, slots=True)
class _Patterns:
    irregular: re.Pattern[str]
    split: re.Pattern[str]
    glue_hint: re.Pattern[str]


def cut(text: str, field: str) -> tuple[list[str], list[Issue]]:
    """Return one string per segment and an issue per repair; joined by CR they hold every character of the text.

    `text` begins with a segment name; `field` is the field separator.
    """
    patterns = _patterns(field)
    text = text.rstrip(_STRAY)
    issues: list[Issue] = []
    if "\n" in text or patterns.irregular.search(text):
        lines = patterns.split.split(text)
        issues += _continuations(lines)
    else:
        lines = text.split("\r")
    if patterns.glue_hint.search(text):
        lines = _recut(lines, field, issues)
    return lines, issues


@lru_cache(maxsize=32)
def _patterns(field: str) -> _Patterns:
    f = re.escape(field)
    names = "|".join(_ALL)
    return _Patterns(
        irregular=re.compile(f"\r(?![A-Z][A-Z0-9]{{2}}{f})"),
        split=re.compile(f"[\r\n]+(?=[A-Z][A-Z0-9]{{2}}(?:{f}|[\r\n]|$))"),
        glue_hint=re.compile(f"{f}(?<=[A-Z][A-Z0-9][A-Z0-9]{f})(?<=[^\r\n](?:{names}){f})"),
    )


@lru_cache(maxsize=32)
def _glue(f: str) -> re.Pattern[str]:
    """Return what marks a segment that starts in the middle of a line, by how the segment must go on.

    Values end in such letters too: LIPID, RAPID, MPV1, GGT1, WILLIAM, SFAC, 2021ACC. So a name counts only after a
    character that does not make it a word, and before the first fields that this segment has.
    """
    end = f"(?:{f}|$)"
    x, value, word = f"[^{f}\r\n]", f"(?<={_VALUE}])", f"(?<={_VALUE}A-Za-z])"
    return _any(
        f"{value}PID{f}[0-9]{{0,4}}{f}{x}*{f}",
        f"{value}PV1{f}[0-9]{{0,4}}{f}[^0-9.{f}]{{1,20}}{end}",
        f"{value}NTE{f}[0-9]{{0,4}}{f}[A-Z]?{end}",
        f"{value}(?:{_alternatives(_NUMBERED)}){f}[0-9]{{1,6}}{end}",
        f"(?<=[{f}^~&][MFPN])(?:NK1|DG1|TQ1){f}[0-9]{{1,4}}{f}",
        f"{value}(?:{_alternatives(_ROMAN)}){f}",
        *_unlike_words(f, x, word),
    )


@lru_cache(maxsize=32)
def _glue_alone(f: str) -> re.Pattern[str]:
    """Return the same for a message that is all one line, and for MSH: there segments must be glued somewhere.

    Then an empty field may stand before the name, a word too when the segment is numbered, and plainer names count.
    """
    end = f"(?:{f}|$)"
    x, value, word = f"[^{f}\r\n]", f"(?<={_VALUE}{f}])", f"(?<={_VALUE}{f}A-Za-z])"
    return _any(
        f"{value}PID{f}[0-9]{{0,4}}{f}{x}*{f}",
        f"{word}PID{f}[0-9]{{1,4}}{f}{x}*{f}",
        f"{value}PV1{f}[0-9]{{1,4}}{f}{x}{{0,20}}{end}",
        f"{word}PV1{f}[0-9]{{0,4}}{f}[^0-9.{f}]{{1,20}}{end}",
        f"{value}NTE{f}[0-9]{{0,4}}{f}[A-Z]?{end}",
        f"{word}NTE{f}[0-9]{{1,4}}{f}[A-Z]?{end}",
        f"{word}(?:{_alternatives(_NUMBERED)}){f}[0-9]{{1,6}}{end}",
        f"{word}(?:{_alternatives(_ROMAN + ' ' + _ODD)}){f}",
        f"{value}(?:{_alternatives(_PLAIN)}){f}",
        *_unlike_words(f, x, word),
    )


def _unlike_words(f: str, x: str, word: str) -> tuple[str, ...]:
    """Return the patterns of segments that no word ends like and that go on in their own way."""
    return (
        f"{word}OBX{f}[0-9]*{f}(?:[A-Z]{{2,3}})?{f}{x}+{f}",
        f"{word}OBR{f}[0-9]*{f}{x}*{f}{x}*{f}{x}+{f}?",
        f"{word}ORC{f}[A-Z]{{2}}(?:{f}|$)",
        f"{word}EVN{f}(?:[A-Z][A-Z0-9]{{2}})?{f}[0-9]{{8}}",
        f"{word}MSA{f}[AC][AER](?:{f}|$)",
    )


def _alternatives(names: str) -> str:
    return names.replace(" ", "|")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def ordinals(lines: list[str]) -> list[int]:
    """Return for each line which segment of its name it is, from 1."""
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        name = line[:3]
        number = seen[name] = seen.get(name, 0) + 1
        found.append(number)
    return found


def _continuations(lines: list[str]) -> list[Issue]:
    return [
        Issue(
            "information",
            "structure",
            f"{line[:3]} runs over more than one line; the lines that do not begin a segment were kept as its text.",
            f"{line[:3]}[{number}]",
        )
        for line, number in zip(lines, ordinals(lines), strict=True)
        if "\r" in line or "\n" in line
    ]


def _recut(lines: list[str], field: str, issues: list[Issue]) -> list[str]:
    alone = len(lines) == 1
    whole: list[str] = []
    glued: list[int] = []
    for line in lines:
        glue = (_glue_alone if alone or line.startswith("MSH") else _glue)(re.escape(field))
        for begin, end in pairwise((0, *_cuts(line, glue, field), len(line))):
            if begin:
                glued.append(len(whole))
            whole.append(line[begin:end])
    numbers = ordinals(whole) if glued else []
    issues += [_glued(whole[at - 1], numbers[at - 1], whole[at][:3], field) for at in glued]
    return whole


def _cuts(line: str, glue: re.Pattern[str], field: str) -> list[int]:
    """Return where the line is to be cut."""
    found = [match.start() for match in glue.finditer(line)]
    if line.startswith("MSH"):
        while found and line.count(field, 0, found[0]) < _MSH_FIELDS:
            del found[0]
    return found


def _glued(before: str, ordinal: int, name: str, field: str) -> Issue:
    number = before.count(field) + before.startswith(("MSH", "BHS", "FHS"))
    return Issue(
        "warning",
        "structure",
        f"{name} followed {before[:3]}-{number} without a segment separator; the line was cut there.",
        f"{before[:3]}[{ordinal}]-{number}",
    )
