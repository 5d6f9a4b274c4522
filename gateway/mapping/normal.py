"""Fields in standard delimiters: the engine reads `|^~\\&` only, so other delimiters are rewritten first."""

from functools import lru_cache

from gateway.formats.hl7v2 import Delimiters, Segment

_STANDARD = "|^~\\&"
_ESCAPES = {"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "\\": "\\E\\", "&": "\\T\\"}


def standard_fields(segment: Segment) -> list[str]:
    """Return the fields of a segment (index = HL7 number), in standard delimiters whatever the sender uses."""
    mine = segment.delimiters
    if _plain(mine):
        return segment.fields
    table = _table(mine)
    return [
        raw if number == 1 and segment.name == "MSH" else raw.translate(table)
        for number, raw in enumerate(segment.fields)
    ]


def _plain(mine: Delimiters) -> bool:
    return (
        mine.field == "|" and mine.component == "^" and mine.repetition == "~"
        and mine.escape == "\\" and mine.subcomponent == "&"
    )  # fmt: skip


@lru_cache(maxsize=64)
def _table(mine: Delimiters) -> dict[int, str]:
    told = (mine.field, mine.component, mine.repetition, mine.escape, mine.subcomponent)
    table = {ord(char): escape for char, escape in _ESCAPES.items()}
    table.update({ord(char): standard for char, standard in zip(told, _STANDARD, strict=True) if char})
    return table
