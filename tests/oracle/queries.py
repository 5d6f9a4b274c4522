"""Random searches over the worlds: every kind, modifier and prefix, chains and reverse chains, order and includes."""

from functools import cache
from typing import Any

from tests.oracle import chance as st
from tests.oracle.worlds import CODES, DAYS, DISPLAYS, LOINC, MRN, OUTSIDE, TYPE, UCUM, WORDS, ids, some
from tests.support import naive

Pair = tuple[str, str]
Pairs = list[Pair]

PREFIX = some("", *naive.PREFIXES)
TRUTH = some("true", "false")
CODED = some(*CODES, *(f"{LOINC}|{code}" for code in CODES), "|718-7", f"{LOINC}|", "none", f"{OUTSIDE}|718-7")
MEASURED = st.builds(
    "{}{}{}".format,
    PREFIX,
    some("5", "5.4", "5.40", "100", "0.1", "1e2", "-3", "5500", "2", "60", "40"),
    some("", "||g/L", f"|{UCUM}|mg/L", f"|{UCUM}|g/L", "||percent", "||%", f"|{UCUM}|a", f"|{UCUM}|min", "||drops"),
)
NUMBER = st.builds("{}{}".format, PREFIX, some("0.5", "0.55", "5", "1e2", "0.3", "100.0"))
DATED = st.builds(
    "{}{}".format, PREFIX, some(*DAYS, "1958", "1958-03-04", "2026-02-10T03:00", "2026-02-10T03:00:00.25Z", "2027")
)
TEXT = some("张", "张三", "zoe", "三", "wei", "Zoë Müller", "ZOE", "人民", "village", "Village clinic", "o'neil", "wang", "zhang",
            "zs", "lisi", "zhangsanf", "10000000001", "clinic")  # fmt: skip
PHONES = some("10000000001", "10000000002", "1")
NUMBERED = some("1", f"{MRN}|1", f"{MRN}|", "|2", "A-1", f"{OUTSIDE}/id|2")
SIMPLE: dict[str, st.Choice] = {
    "gender": some("male", "female", "other", "unknown"),
    "active": TRUTH,
    "deceased": TRUTH,
    "status": some("final", "amended", "finished", "planned"),
    "phone": PHONES,
    "email": PHONES,
    "telecom": PHONES,
    "identifier": NUMBERED,
    "_tag": CODED,
    "_security": CODED,
}
URIS = some(f"{OUTSIDE}/p", f"{OUTSIDE}/p/1", OUTSIDE, "urn:yigong:feed:a", f"{OUTSIDE}/p/")


def values(kind: str, name: str) -> st.Choice:
    """Return values of a parameter."""
    if name in SIMPLE:
        return SIMPLE[name]
    if name == "_id":
        return some(*(each.partition("/")[2] for each in ids(kind)))
    match naive.kind_of(kind, name):
        case "token":
            return CODED
        case "string":
            return TEXT
        case "date":
            return DATED
        case "number":
            return NUMBER
        case "quantity":
            return MEASURED
        case "uri":
            return URIS
        case "composite":
            return st.builds("{}${}".format, CODED, MEASURED)
    return referred(kind, name)


def referred(kind: str, name: str) -> st.Choice:
    """Return references as clients write them: Type/id, a bare id, an address."""
    there = [each for target in naive.targets_of(kind, name) if target in naive.TYPES for each in ids(target)]
    there = there or ["Patient/p0"]
    return some(
        *there, *there, *(each.partition("/")[2] for each in there), f"{OUTSIDE}/{there[0].partition('/')[0]}/x"
    )


MODIFIERS = {
    "token": ("not", "text"),
    "string": ("exact", "contains"),
    "uri": ("below", "above"),
    "reference": ("identifier",),
}


def modified(kind: str, name: str) -> st.Choice:
    """Return a parameter with a modifier that its kind takes, and a value."""
    facts = naive.parameter(kind, name)
    sort = facts[0].split()[0]
    if name in ("_id", "_lastUpdated"):
        return st.tuples(st.just(name), values(kind, name))
    found = [st.tuples(st.just(f"{name}:missing"), TRUTH)]
    for modifier in MODIFIERS.get(sort, ()):
        named = st.just(f"{name}:{modifier}")
        worded = sort == "token" and modifier == "text"
        if worded and not facts[1].endswith(("CodeableConcept", "Coding", "Identifier")):
            continue
        if modifier == "identifier":
            found.append(st.tuples(named, NUMBERED))
        else:
            found.append(st.tuples(named, some(*DISPLAYS, "hem", "血", *WORDS) if worded else values(kind, name)))
    if facts[1].endswith(":Identifier"):
        found.append(st.tuples(st.just(f"{name}:of-type"), some(f"{TYPE}|MR|1", f"{TYPE}|MR|2", f"{TYPE}|PI|1")))
    if sort == "reference":
        targets = [one for one in naive.targets_of(kind, name) if one in naive.TYPES]
        for target in targets:
            found.append(
                st.tuples(st.just(f"{name}:{target}"), some(*(each.partition("/")[2] for each in ids(target))))
            )
    return st.one_of(found)


def plain(kind: str, name: str) -> st.Choice:
    """Return a parameter with one value or several."""
    return st.tuples(st.just(name), st.lists(values(kind, name), min_size=1, max_size=3).map(",".join))


def names(kind: str, *, links: bool = False) -> list[str]:
    """Return the parameters of a type, or those that are references."""
    found = [*naive.PARAMETERS[kind], "_id", "_tag", "_profile", "_source", "_security"]
    return [name for name in found if not links or naive.kind_of(kind, name) == "reference"]


@cache
def any_name(kind: str) -> st.Choice:
    """Return a parameter: a kind of them first, so that the rare kinds are asked as often as tokens."""
    kinds: dict[str, list[str]] = {}
    for name in names(kind):
        kinds.setdefault("meta" if name.startswith("_") else naive.kind_of(kind, name), []).append(name)
    return st.one_of([some(*found) for found in kinds.values()])


@st.composite
def criteria(draw: Any, kind: str, depth: int = 2) -> Pair:
    """Return one criterion: plain, modified, chained or reverse chained."""
    way = draw(some("plain", "plain", "plain", "modified", "chain", "has")) if depth else "plain"
    if way == "chain":
        return draw(chained(kind, depth))
    if way == "has":
        return draw(reverse(kind, depth))
    name = draw(any_name(kind))
    return draw(plain(kind, name) if way == "plain" else modified(kind, name))


@st.composite
def chained(draw: Any, kind: str, depth: int) -> Pair:
    """Return `reference:Type.rest` (or `reference.rest` where only one type can be meant)."""
    links = [name for name in names(kind, links=True) if ends(kind, name)]
    if not links:
        return draw(plain(kind, "_id"))
    name = draw(some(*links))
    target = draw(some(*ends(kind, name)))
    rest, value = draw(criteria(target, depth - 1))
    typed = len(naive.targets_of(kind, name)) > 1 or draw(st.booleans())
    return (f"{name}:{target}.{rest}" if typed else f"{name}.{rest}"), value


def ends(kind: str, name: str) -> list[str]:
    """Return the types of the worlds that a reference leads to."""
    return [one for one in naive.targets_of(kind, name) if one in naive.TYPES]


@st.composite
def reverse(draw: Any, kind: str, depth: int) -> Pair:
    """Return `_has:Type:reference:rest`."""
    found = [(other, name) for other in naive.TYPES for name in names(other, links=True) if kind in ends(other, name)]
    if not found:
        return draw(plain(kind, "_id"))
    other, name = draw(some(*found))
    rest, value = draw(criteria(other, depth - 1))
    return f"_has:{other}:{name}:{rest}", value


@st.composite
def included(draw: Any, kind: str) -> Pair:
    """Return `_include` or `_revinclude`, once or again and again."""
    again = draw(some("", "", ":iterate"))
    if draw(st.booleans()):
        source = draw(some(*naive.TYPES)) if again else kind
        links = names(source, links=True)
        if not links:
            return "_include", f"{kind}:*"
        name = draw(some(*links, "*"))
        to = draw(some("", *ends(source, name))) if name != "*" else ""
        return f"_include{again}", f"{source}:{name}{':' + to if to else ''}"
    found = [
        (other, name)
        for other in naive.TYPES
        for name in names(other, links=True)
        if again or kind in ends(other, name)
    ]
    if not found:
        return "_include", f"{kind}:*"
    other, name = draw(some(*found))
    return f"_revinclude{again}", f"{other}:{name}"


SORTED = ("token", "string", "date", "number", "quantity", "uri")


@st.composite
def queries(draw: Any, depth: int = 2) -> tuple[str, Pairs]:
    """Return a type and the pairs of a search."""
    kind = draw(some(*naive.TYPES))
    pairs = draw(st.lists(criteria(kind, depth), min_size=1, max_size=draw(some(1, 1, 2, 3))))
    if draw(some(True, False, False)):
        usable = [name for name in names(kind) if naive.kind_of(kind, name) in SORTED]
        keys = draw(st.lists(st.builds("{}{}".format, some("", "-"), some(*usable)), min_size=1, max_size=2))
        pairs.append(("_sort", ",".join(keys)))
    if draw(some(True, False, False)):
        pairs += draw(st.lists(included(kind), min_size=1, max_size=2))
    return kind, pairs + draw(some([], [], [], [("_linked", "false")]))
