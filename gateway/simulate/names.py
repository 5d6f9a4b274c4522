"""Names as a county has them: few surnames, given names by decade, a few rare glyphs and dotted names."""

from gateway.simulate.catalogue import book, rates
from gateway.simulate.streams import Stream
from gateway.simulate.values import MALE

_DECADES = (1920, 1950, 1970, 1990, 2010)
_DOTTED_SHARE = {"05": 1.0, "04": 0.5, "07": 0.4}
# The first residents carry the names that break systems, so that the smallest county has them.
_CAST = {3: "玘", 5: "珅", 8: "妡", 11: "䶮", 14: "珇", 17: "玕", 19: "喆", 23: "堃"}
_DOTTED_CAST = (29, 31)


def surname(stream: Stream) -> str:
    """Return a surname as often as it is met."""
    weights: dict[str, float] = book("names")["surnames"]
    return stream.weighted(weights)


def given(stream: Stream, year: int, sex: str) -> str:
    """Return a given name of the fashion of a birth year."""
    names = book("names")["given"]
    decade = max(start for start in _DECADES if start <= max(year, 1920))
    words: str = names[str(decade)]["male" if sex == MALE else "female"]
    return stream.pick(words.split())


def full(stream: Stream, family: str, year: int, sex: str, ethnic: str, number: int = 0) -> str:
    """Return a whole name; `number` is the person's, some of whom carry a rare one."""
    if number in _CAST:
        return family + _CAST[number]
    if number in _DOTTED_CAST or stream.chance(_DOTTED_SHARE.get(ethnic, 0.0)):
        return dotted(stream)
    share = rates()["population"]
    if stream.chance(share["rare_name"]):
        return family + rare(stream)
    if stream.chance(share["beyond_gb2312"]):
        return f"{family}{stream.pick(book('names')['rare']['beyond_gb2312'].split())}"
    return family + given(stream, year, sex)


def rare(stream: Stream) -> str:
    """Return a glyph whose GBK bytes hold a delimiter, or that GBK does not have."""
    kinds: dict[str, str] = book("names")["rare"]
    return stream.pick([*kinds["delimiter"].split(), kinds["gb18030"]])


def dotted(stream: Stream) -> str:
    """Return a name of two parts with a middle dot."""
    parts = book("names")["dotted"]
    return f"{stream.pick(parts['first'].split())}·{stream.pick(parts['second'].split())}"


def pinyin(name: str) -> str:
    """Return the pinyin of the surname, '' where the registration desk leaves it out."""
    found: str = book("names")["pinyin"].get(name[:1], "")
    return found


def holds_delimiter(name: str) -> bool:
    """Say whether the name's GBK bytes hold a second byte that is a delimiter of HL7."""
    return any(len(raw) == 2 and raw[1] in b"|^~\\" for raw in (letter.encode("gb18030") for letter in name))


def beyond_gb2312(name: str) -> bool:
    """Say whether a GB2312 decoder fails on the name."""
    try:
        name.replace("·", "").encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False
