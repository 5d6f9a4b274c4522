"""Cuts the text of a message into segments: any line ending, text that runs over lines, segments glued together."""

import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.fhir.issues import Issue

_STRAY = "\r\n\x1c\x0b\x00"
_MSH_FIELDS = 11  # glue is believed in MSH only after MSH-12, the last field that must be there
_NUMBERED = "NK1 DG1 AL1 IN1 GT1 TQ1 PR1 FT1 AIS AIP AIL AIG RGS SPM IAM TXA"
_ROMAN = "PD1 PV2 IN2 IN3 UB1 UB2 TQ2 DB1"
_PLAIN = "MRG ROL SFT QRD QRF QAK QPD SCH RXE RXO RXR RXD RXC RXG RXA PRT CTI BLG ACC PDA DSC ERR DRG DSP ARV SAC CTD"
_ALL = f"PID PV1 OBX OBR ORC NTE EVN MSA {_NUMBERED} {_ROMAN} {_PLAIN}".split()


@dataclass(frozen=True, slots=True)
class _Patterns:
    irregular: re.Pattern[str]
    split: re.Pattern[str]
    glue_hint: re.Pattern[str]
    glue: re.Pattern[str]
    glue_alone: re.Pattern[str]


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
        lines = _recut(lines, patterns, field, issues)
    return lines, issues


@lru_cache(maxsize=32)
def _patterns(field: str) -> _Patterns:
    f = re.escape(field)
    names = "|".join(_ALL)
    return _Patterns(
        irregular=re.compile(f"\r(?![A-Z][A-Z0-9]{{2}}{f})"),
        split=re.compile(f"[\r\n]+(?=[A-Z][A-Z0-9]{{2}}(?:{f}|[\r\n]|$))"),
        glue_hint=re.compile(f"{f}(?<=[A-Z][A-Z0-9][A-Z0-9]{f})(?<=[^\r\n](?:{names}){f})"),
        glue=_glue(f, alone=False),
        glue_alone=_glue(f, alone=True),
    )


def _glue(f: str, *, alone: bool) -> re.Pattern[str]:
    """Return what marks a segment that starts in the middle of a line, by how the segment must go on.

    Values end in such letters too: LIPID, RAPID, MPV1, WILLIAM, SFAC, 2021ACC. So a name counts only after a character
    that does not make it a word, and before the first fields that this segment has. When the whole message is one line
    (`alone`) segments must be glued somewhere, so an empty field before the name and the plainer names count as well.
    """
    x = f"[^{f}\r\n]"
    value = "[0-9\\u0080-\\uffff)\\]\"'^~&" + (f"{f}]" if alone else "]")
    word = f"(?:{value}|[A-Za-z])"
    tails = [
        f"(?<={value})PID{f}[0-9]{{0,4}}{f}{x}*{f}",
        f"(?<={value})PV1{f}"
        + (f"(?:[0-9]{{1,4}}{f}{x}{{0,20}}" if alone else f"(?:[0-9]{{0,4}}{f}[^0-9.{f}]{{1,20}}")
        + f"){f}",
        f"(?<={word})OBX{f}[0-9]*{f}(?:[A-Z]{{2,3}})?{f}{x}+{f}",
        f"(?<={word})OBR{f}[0-9]*{f}{x}*{f}{x}*{f}{x}+{f}",
        f"(?<={word})ORC{f}[A-Z]{{2}}{f}",
        f"(?<={value})NTE{f}[0-9]{{0,4}}{f}[A-Z]?{f}",
        f"(?<={word})EVN{f}(?:[A-Z][A-Z0-9]{{2}})?{f}[0-9]{{8}}",
        f"(?<={value})MSA{f}[AC][AER]{f}",
        f"(?<={value})(?:{_NUMBERED.replace(' ', '|')}){f}[0-9]{{1,6}}{f}",
        f"(?<={value})(?:{_ROMAN.replace(' ', '|')}){f}",
    ]
    if alone:
        tails.append(f"(?<={value})(?:{_PLAIN.replace(' ', '|')}){f}")
    return re.compile("|".join(tails))


def _continuations(lines: list[str]) -> list[Issue]:
    return [
        Issue(
            "information",
            "structure",
            f"{line[:3]} runs over more than one line; the lines that do not begin a segment were kept as its text.",
            f"{line[:3]}[{_ordinal(lines, index)}]",
        )
        for index, line in enumerate(lines)
        if "\r" in line or "\n" in line
    ]


def _recut(lines: list[str], patterns: _Patterns, field: str, issues: list[Issue]) -> list[str]:
    glue = patterns.glue_alone if len(lines) == 1 else patterns.glue
    whole: list[str] = []
    for line in lines:
        begin = 0
        for match in glue.finditer(line):
            at = match.start()
            if line.startswith("MSH") and begin == 0 and line.count(field, 0, at) < _MSH_FIELDS:
                continue
            whole.append(line[begin:at])
            issues.append(_glued(whole, line[at : at + 3], field))
            begin = at
        whole.append(line[begin:])
    return whole


def _glued(whole: list[str], name: str, field: str) -> Issue:
    before = whole[-1]
    number = before.count(field) + (before[:3] in ("MSH", "BHS", "FHS"))
    return Issue(
        "warning",
        "structure",
        f"{name} followed {before[:3]}-{number} without a segment separator; the line was cut there.",
        f"{before[:3]}[{_ordinal(whole, len(whole) - 1)}]-{number}",
    )


def _ordinal(lines: list[str], index: int) -> int:
    name = lines[index][:3]
    return sum(line.startswith(name) for line in lines[: index + 1])
