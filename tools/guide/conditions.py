"""Parses and judges the guide's computable conditions (the "Computable ANTLR" column), typos included."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

Lookup = Callable[[str], list[str]]

TOKEN = re.compile(
    r"""\s*(?:
    (?P<url>https?://\S+)
    | "(?P<text>[^"]*)" | '(?P<quoted>[^']*)'
    | (?P<ref>[A-Z][A-Z0-9]{1,2}[-.]\d+(?:\.\d+)*)
    | (?P<number>\d+)
    | (?P<sign><=|>=|[()=<>,])
    | (?P<word>[A-Za-z][A-Za-z0-9.]*)
    )""",
    re.VERBOSE,
)
FILLERS = {"IF", "IS", "ARE", "AREA", "THAN", "TO", "ERROR", "DOES", "OF"}
VALUED = {"VALUED", "VALUE", "EXIST", "EXISTS"}
EQUALS = {"EQUALS", "EQUAL", "="}
COUNTS = {"LST.COUNT", "COUNT"}
COMPARISONS = {"GREATER": ">", "LESS": "<", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


class Unreadable(ValueError):
    """The condition is not in a form this interpreter knows; the row is then not judged."""


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of one reference; an empty `ref` is the row's own field."""

    ref: str
    operator: str
    values: tuple[str, ...] = ()
    negated: bool = False
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Several conditions joined by AND or OR."""

    operator: str
    parts: tuple["Condition", ...]


Condition = Test | Join


@cache
def parse(text: str) -> Condition | None:
    """Return the condition as a tree, None for an empty one; raises Unreadable."""
    if not text.strip():
        return None
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise Unreadable(f"cannot read {text[position : position + 20]!r} in {text!r}")
        position = match.end()
        kind = match.lastgroup or ""
        value = match.group(kind)
        kind, value = _classify("text" if kind == "quoted" else kind, value)
        if value not in FILLERS or kind == "text":
            found.append((kind, value))
    return found


def _classify(kind: str, value: str) -> tuple[str, str]:
    if kind != "word":
        return kind, value
    upper = value.upper()
    known = FILLERS | VALUED | EQUALS | COUNTS | COMPARISONS.keys()
    known |= {"AND", "OR", "NOT", "IN", "LENGTH", "EMPTY"}
    return ("word", upper) if upper in known else ("ref", value)


class _Parser:
    """Recursive descent: OR of ANDs of tests; references without a test take the next test of the list."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.last = ""

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def whole(self) -> Condition:
        tree = self.either()
        if self.peek()[0] != "end" and self.peek()[1] != ")":
            raise Unreadable(f"left over: {self.tokens[self.at :]}")
        return tree

    def either(self) -> Condition:
        parts = [self.both()]
        while self.peek() == ("word", "OR"):
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Join("OR", tuple(parts))

    def both(self) -> Condition:
        parts = [self.one()]
        while self.peek() == ("word", "AND") or self.peek()[0] == "ref":
            if self.peek()[0] == "word":
                self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Join("AND", tuple(parts))

    def one(self) -> Condition:
        if self.peek() == ("sign", "("):
            self.take()
            inner = self.either()
            if self.peek() == ("sign", ")"):
                self.take()
            return inner
        return self.tested()

    def tested(self) -> Condition:
        refs, joiner = self.references()
        operator, values, negated, measure = self.test()
        tests = tuple(Test(ref, operator, values, negated, measure) for ref in refs)
        return tests[0] if len(tests) == 1 else Join(joiner, tests)

    def references(self) -> tuple[list[str], str]:
        refs, joiner = [], "AND"
        while self.peek()[0] == "ref":
            self.last = self.take()[1]
            refs.append(self.last)
            if self.peek()[1] in ("AND", "OR") and self.peek(1)[0] == "ref":
                joiner = self.take()[1]
                continue
            break
        return refs or [self.last], joiner

    def test(self) -> tuple[str, tuple[str, ...], bool, str]:
        measure = "COUNT" if self.peek()[1] in COUNTS else "LENGTH" if self.peek()[1] == "LENGTH" else ""
        if measure:
            self.take()
        negated = self.peek() == ("word", "NOT")
        if negated:
            self.take()
        return self.predicate(negated, measure)

    def predicate(self, negated: bool, measure: str) -> tuple[str, tuple[str, ...], bool, str]:
        kind, value = self.take()
        if kind == "text":
            return "=", (value,), negated, measure
        if value in VALUED:
            return "valued", (), negated, measure
        if value == "EMPTY":
            return "valued", (), not negated, measure
        if value == "IN":
            return "=", self.members(), negated, measure
        if value in COMPARISONS:
            return self.comparison(COMPARISONS[value]), (self.take()[1],), negated, measure
        if value in EQUALS:
            return "=", (self.take()[1],), negated, measure
        raise Unreadable(f"no test in {self.tokens}")

    def comparison(self, sign: str) -> str:
        if self.peek() == ("word", "OR"):
            self.take()
            self.take()
            return sign + "="
        return sign

    def members(self) -> tuple[str, ...]:
        if self.peek()[0] == "url":
            return (self.take()[1],)
        found = []
        self.take()
        while self.peek()[0] != "end":
            kind, value = self.take()
            if value == ")" and kind == "sign":
                break
            if kind != "sign":
                found.append(value)
        return tuple(found)


def holds(tree: Condition | None, lookup: Lookup) -> bool:
    """Judge a condition; `lookup` gives the values (one per repetition) of a reference, '' = own field."""
    if tree is None:
        return True
    if isinstance(tree, Join):
        judged = [holds(part, lookup) for part in tree.parts]
        return all(judged) if tree.operator == "AND" else any(judged)
    return _judge(tree, lookup) != tree.negated


def _judge(test: Test, lookup: Lookup) -> bool:
    values = lookup(test.ref)
    if test.operator == "valued":
        return any(values)
    if test.measure:
        size = len(values) if test.measure == "COUNT" else len(values[0]) if values else 0
        return _compare(size, test.operator, int(test.values[0]))
    wanted = {other for value in test.values for other in _constant(value, lookup)}
    return bool(values) and re.split(r"[\^&]", values[0], maxsplit=1)[0] in wanted


def _constant(value: str, lookup: Lookup) -> list[str]:
    return lookup(value)[:1] if re.fullmatch(r"[A-Z][A-Z0-9]{1,2}-\d+(\.\d+)*", value) else [value]


def _compare(size: int, sign: str, limit: int) -> bool:
    return {
        "=": size == limit,
        ">": size > limit,
        "<": size < limit,
        ">=": size >= limit,
        "<=": size <= limit,
    }[sign]
