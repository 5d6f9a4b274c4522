"""Resources of every type made from R4's definitions: minimal ones, and ones that together hold every element."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.fhir import types
from gateway.fhir.types import Element

Json = dict[str, Any]


class Number(float):
    """A number that is written with the digits it was made from."""

    text: str

    def __new__(cls, text: str) -> "Number":
        """Return the number written as `text`."""
        made = super().__new__(cls, text)
        made.text = text
        return made


PRIMITIVES: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("5LiA5YWx", "AA=="),
    "boolean": (True, False),
    "canonical": ("https://elsewhere.example/fhir/Thing/a|1.0", "https://elsewhere.example/fhir/Thing/b"),
    "code": ("a-code", "two words"),
    "date": ("2026", "2026-03", "2026-03-01"),
    "dateTime": ("2026-03-01T08:30:00+08:00", "2026", "2026-03-01", "2025-12-31T23:59:59.123Z", "2026-03"),
    "decimal": tuple(map(Number, ("72.50", "0.0000001", "1e2", "-3.0", "5.40", "123456789012345.678901234567890"))),
    "id": ("an-id.1",),
    "instant": ("2026-03-01T08:30:00.000+08:00", "2026-03-01T00:30:00Z"),
    "integer": (0, -3, 2147483647),
    "markdown": ("*bold* 一共\n\nsecond paragraph",),
    "oid": ("urn:oid:2.16.156.10011.1.3",),
    "positiveInt": (1, 7),
    "string": ("张三", "Zoë  Müller", 'a "quoted" \\ text', "plain, with a comma", "ＷＡＮＧ 🩺"),
    "time": ("08:30:00", "23:59:59.5"),
    "unsignedInt": (0, 5),
    "uri": ("https://elsewhere.example/a", "urn:oid:1.2.3", "urn:uuid:6f1d1f2c-8f3e-4f0e-9b1a-000000000001"),
    "url": ("https://elsewhere.example/u?x=1&y=2",),
    "uuid": ("urn:uuid:6f1d1f2c-8f3e-4f0e-9b1a-0123456789ab",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml"><p>一 &amp; two</p></div>',),
}
UNLISTED = {"currencies": "CNY", "mimetypes": "text/plain", "ucum-units": "g/L"}
"""A code of each required value set that R4 defines by a rule instead of a list."""

_ABSTRACT = ("Resource", "DomainResource")
_ELSEWHERE = "https://elsewhere.example/fhir"


def minimal(name: str) -> Json:
    """Return a resource with nothing but what R4 requires."""
    return _Maker().resource(name, required=True)


def full(name: str) -> list[Json]:
    """Return resources that together hold every element of a type and every type of each choice at least once."""
    maker = _Maker()
    found = [maker.resource(name)]
    while maker.missed(name):
        maker.turn += 1
        found.append(maker.resource(name))
    return found


def spoken(resource: Json) -> bytes:
    """Return the JSON text a client might send: its own spacing, each number with the digits it was made from."""
    return _write(resource, 0).encode()


def choices(name: str) -> set[str]:
    """Return the JSON keys of every choice a type (or backbone path) holds, those of its backbones too."""
    found: set[str] = set()
    for path in _backbones(name):
        for one in types.fields(path).values():
            if one.element.choice:
                found.add(f"{path}.{one.name}")
    return found


def _backbones(name: str) -> Iterator[str]:
    seen, left = {name}, [name]
    while left:
        at = left.pop()
        yield at
        for element in types.elements(at).values():
            new = [kind for kind in element.types if "." in kind and kind not in seen]
            seen.update(new)
            left += new


@dataclass
class _Maker:
    """Makes resources; each `turn` takes the next type of every choice, after the first only where one is left."""

    turn: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def missed(self, name: str) -> bool:
        return self._needs(name, self.turn + 1, ())

    def resource(self, name: str, *, required: bool = False) -> Json:
        made = self._fill(name, (), required=required)
        return {"resourceType": name, **made}

    def _needs(self, name: str, turn: int, stack: tuple[str, ...]) -> bool:
        """Say whether a type holds a choice that has more types than turns taken."""
        if name in stack or name == "Extension" or name in types.PRIMITIVES or name in _ABSTRACT:
            return False
        if "." not in name and stack and name not in types.DATA_TYPES:
            return False
        inner = (*stack, name)
        if sum("." not in each for each in inner) > 2:  # inside a resource, one level of data types
            return False
        return any(self._left(element, turn, inner) for element in types.elements(name).values())

    def _left(self, element: Element, turn: int, stack: tuple[str, ...]) -> bool:
        if element.choice:
            return len(element.types) > turn
        return self._needs(element.types[0], turn, stack)

    def _fill(self, name: str, stack: tuple[str, ...], *, required: bool) -> Json:
        inner = (*stack, name)
        made: Json = {}
        for element in types.elements(name).values():
            if element.name == "id" and name in types.RESOURCE_TYPES:
                continue
            if element.required or (not required and self._wanted(element, inner)):
                self._put(made, element, inner, required=required)
        if name == "Extension" and not required:
            made.pop("extension", None)
        return made

    def _wanted(self, element: Element, stack: tuple[str, ...]) -> bool:
        kind = element.types[0]
        depth = sum("." not in each for each in stack)  # 1: the resource and its backbones
        if kind in stack or (kind == "Resource" and depth > 1):
            return False
        if self.turn:
            return self._left(element, self.turn, stack)
        if depth > 2:
            return kind in types.PRIMITIVES and element.name != "id" and not element.choice
        return not (kind == "Extension" and depth > 1 and element.name == "modifierExtension")

    def _put(self, made: Json, element: Element, stack: tuple[str, ...], *, required: bool) -> None:
        kind = element.types[(next(self.numbers) if "Extension" in stack else self.turn) % len(element.types)]
        key = element.name + kind[0].upper() + kind[1:] if element.choice else element.name
        count = 2 if element.many and kind in types.PRIMITIVES and not required else 1
        values = [self._value(element, kind, stack, required=required) for _ in range(count)]
        made[key] = values if element.many else values[0]
        plain = kind in types.PRIMITIVES and not required and len(stack) < 3
        if plain and element.name != "id" and kind != "xhtml" and next(self.numbers) % 3 == 0:
            note = {"extension": [self._extension("note", "valueString", "said by the family")]}
            made[f"_{key}"] = [None, note] if element.many else note

    def _value(self, element: Element, kind: str, stack: tuple[str, ...], *, required: bool) -> Any:
        if kind == "Reference":
            return self._reference(element, stack, required=required)
        if kind == "Extension":
            return self._any_extension(element.name)
        if kind == "Resource":
            return {"resourceType": "Basic", "id": f"c{next(self.numbers)}", "code": {"text": "held inside"}}
        if element.binding and kind in ("code", "Coding", "CodeableConcept"):
            return self._coded(element.binding, kind)
        if kind in PRIMITIVES:
            return self._primitive(element, kind)
        if kind == "CodeableConcept" and sum("." not in each for each in stack) > 1 and not required:
            return {"coding": [{"system": f"{_ELSEWHERE}/cs", "code": f"c{next(self.numbers)}"}], "text": "in words"}
        if self.turn and (element.choice or not self._left(element, self.turn, stack)):
            return replace(self, turn=0)._fill(kind, stack, required=required) or self._least(kind, stack)
        return self._fill(kind, stack, required=required) or self._least(kind, stack)

    def _least(self, kind: str, stack: tuple[str, ...]) -> Json:
        """Return an object with one element, where R4 requires none and an empty object is no JSON of FHIR."""
        element = next(one for one in types.elements(kind).values() if one.name not in ("id", "extension"))
        made: Json = {}
        self._put(made, element, (*stack, kind, kind, kind), required=True)
        return made

    def _primitive(self, element: Element, kind: str) -> Any:
        if element.name == "id":
            return f"e{next(self.numbers)}"
        if element.binding and kind in ("string", "uri"):
            return self._code(element.binding)[1]
        options = PRIMITIVES[kind]
        return options[next(self.numbers) % len(options)]

    def _code(self, binding: str) -> tuple[str, str]:
        listed = [(system, code) for system, codes in sorted(types.value_set(binding).items()) for code in codes]
        if not listed:
            return _ELSEWHERE, UNLISTED.get(binding, "zh-CN")
        return listed[next(self.numbers) % len(listed)]

    def _coded(self, binding: str, kind: str) -> Any:
        system, code = self._code(binding)
        if kind == "code":
            return code
        coding = {"system": system, "code": code, "display": "一个代码"}
        return coding if kind == "Coding" else {"coding": [coding], "text": "in words"}

    def _reference(self, element: Element, stack: tuple[str, ...], *, required: bool) -> Json:
        number = next(self.numbers)
        targets = element.targets or ("Patient",)
        kind = targets[number % len(targets)]
        if kind == "Resource" or kind not in types.RESOURCE_TYPES:
            kind = "Patient"
        made: Json = {"reference": f"{kind}/r{number}"}
        if not required and len(stack) < 3:
            made |= {"type": kind, "display": "who is meant"}
            made["identifier"] = {"system": f"{_ELSEWHERE}/id", "value": f"n{number}"}
        return made

    def _any_extension(self, name: str) -> Json:
        """Return an extension whose value is of the next type that extensions may hold."""
        number = next(self.numbers)
        element = types.elements("Extension")["value"]
        kind = element.types[number % len(element.types)]
        value = self._value(element, kind, ("Extension", "Extension", "Extension"), required=False)
        return self._extension(f"{name}-{number}", "value" + kind[0].upper() + kind[1:], value)

    @staticmethod
    def _extension(name: str, key: str, value: Any) -> Json:
        return {"url": f"{_ELSEWHERE}/StructureDefinition/{name}", key: value}


def _write(value: Any, depth: int) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, list):
        return "[" + ", ".join(_write(one, depth + 1) for one in value) + "]"
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=depth % 2 == 0)
    gap = "\n " if depth < 1 else ""
    return "{" + ",".join(f"{gap}{json.dumps(key)}: {_write(one, depth + 1)}" for key, one in value.items()) + "}"
