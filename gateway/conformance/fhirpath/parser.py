"""FHIRPath text to a tree of tuples (http://hl7.org/fhirpath/N1/#grammar): literals, paths, calls, operators."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.errors import Category, GatewayError
from gateway.fhir.primitives import shown

Tree = tuple[Any, ...]
"""`(kind, …)`: see the kinds in `compiler`."""

_LENGTH = 10_000
_DEPTH = 60

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<time>@(?:T[0-9:.]+|[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?(?:T(?:[0-9:.]+(?:Z|[+-][0-9:]{5})?)?)?))
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<name>[A-Za-z_]\w*|`(?:[^`\\]|\\.)*`)
    |(?P<variable>%(?:[A-Za-z_][\w-]*|`[^`]*`|'[^']*'))
    |(?P<this>\$this|\$index|\$total)
    |(?P<sign><=|>=|!=|!~|[-+*/=~<>|&.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}

# Operators by precedence, the loosest first.
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"implies"}),
    frozenset({"or", "xor"}),
    frozenset({"and"}),
    frozenset({"in", "contains"}),
    frozenset({"=", "!=", "~", "!~"}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"|"}),
    frozenset({"is", "as"}),
    frozenset({"+", "-", "&"}),
    frozenset({"*", "/", "div", "mod"}),
)


class _Token(NamedTuple):
    kind: str
    text: str


def parse(text: str) -> Tree:
    """Return the tree of an expression; raises GatewayError (unsupported) where it is not FHIRPath as we read it."""
    if len(text) > _LENGTH:
        raise _fault(text, f"it is longer than {_LENGTH:,} characters")
    parser = _Parser(text)
    tree = parser.binary(0)
    if parser.here.kind != "end":
        raise _fault(text, f"{shown(parser.here.text)} is not expected")
    return tree


def _fault(text: str, why: str) -> GatewayError:
    return GatewayError(f"The expression {shown(text)} cannot be read: {why}.", category=Category.UNSUPPORTED)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _fault(text, f"{shown(text[at : at + 10])} is no part of FHIRPath")
        at = match.end()
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group()))
    return [*found, _Token("end", "")]


class _Parser:
    """Reads one expression by descending through the levels of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    @property
    def here(self) -> _Token:
        """Return the token that comes next."""
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self.here
        self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        """Say whether the next token is `sign`, and step over it if so."""
        if self.here.text != sign or self.here.kind not in ("sign", "name"):
            return False
        self._at += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise _fault(self._text, f"{sign!r} is missing before {shown(self.here.text)}")

    def binary(self, level: int) -> Tree:
        """Read operands joined by the operators of a level, from left to right."""
        if level == len(_LEVELS):
            return self._unary()
        left = self.binary(level + 1)
        while self.here.kind in ("sign", "name") and self.here.text in _LEVELS[level]:
            sign = self._next().text
            if sign in ("is", "as"):
                left = (sign, left, self._type())
            else:
                left = ("operator", sign, left, self.binary(level + 1))
        return left

    def _unary(self) -> Tree:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _fault(self._text, f"it nests deeper than {_DEPTH} levels")
        if self._take("-"):
            found: Tree = ("operator", "-", ("literal", [0]), self._unary())
        elif self._take("+"):
            found = self._unary()
        else:
            found = self._postfix()
        self._depth -= 1
        return found

    def _postfix(self) -> Tree:
        tree = self._term()
        while True:
            if self._take("."):
                tree = self._invocation(tree)
            elif self._take("["):
                tree = ("index", tree, self.binary(0))
                self._need("]")
            else:
                return tree

    def _term(self) -> Tree:
        token = self.here
        if token.kind == "string":
            found: Tree = ("literal", [_unescaped(self._next().text[1:-1])])
        elif token.kind == "number":
            number = self._next().text
            found = ("literal", [Decimal(number) if "." in number else int(number)])
        elif token.kind == "time":
            found = ("moment", self._next().text[1:])
        elif token.kind == "variable":
            found = ("variable", self._next().text[1:].strip("`'"))
        elif token.text in ("true", "false") and token.kind == "name":
            found = ("literal", [self._next().text == "true"])
        elif self._take("("):
            found = self.binary(0)
            self._need(")")
        elif self._take("{"):
            self._need("}")
            found = ("literal", [])
        else:
            found = self._invocation(None)
        return found

    def _invocation(self, on: Tree | None) -> Tree:
        """Read a member, a call, $this, $index or $total, applied to `on` (None: to the focus)."""
        token = self._next()
        if token.kind == "this":
            return (token.text,)
        if token.kind != "name":
            raise _fault(self._text, f"{shown(token.text)} stands where a name should")
        name = token.text.strip("`")
        if not self._take("("):
            return ("member", on, name)
        if name in ("is", "as", "ofType"):
            kind = self._type()
            self._need(")")
            return (name, on or ("$this",), kind)
        return ("call", on, name, self._arguments())

    def _arguments(self) -> list[Tree]:
        if self._take(")"):
            return []
        found = [self.binary(0)]
        while self._take(","):
            found.append(self.binary(0))
        self._need(")")
        return found

    def _type(self) -> str:
        name = self._next().text.strip("`")
        return self._next().text.strip("`") if self._take(".") else name


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _escape(found[1]), text)


def _escape(mark: str) -> str:
    return chr(int(mark[1:], 16)) if len(mark) > 1 else _ESCAPED.get(mark, mark)
