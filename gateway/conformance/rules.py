"""Our StructureDefinitions as trees of rules, compiled from their differentials when first needed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.conformance.profiles import Profiles
from gateway.errors import GatewayError
from gateway.fhir import types

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
"""Where R4's own types have their canonical URLs."""

CLAIMED = ("https://yigong.example/fhir/CodeSystem/profile-use", "claimed")
"""The keyword of a profile that mapped resources bear as meta.profile where they satisfy it."""

_STEP = re.compile(r"([A-Za-z0-9]+(?:\[x\])?)(?::([^.]+))?")


class Constraint(NamedTuple):
    """One invariant: a FHIRPath expression that must hold, and what it asks in words."""

    key: str
    severity: str
    human: str
    expression: str


class Binding(NamedTuple):
    """The value set of a coded element."""

    strength: str
    value_set: str


class Kind(NamedTuple):
    """One type an element may have, with the profiles its value or the target of its reference must satisfy."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class Discriminator(NamedTuple):
    """What tells the slices of a list apart: value, pattern, exists, type or profile of what stands at a path."""

    kind: str
    path: str


class Slicing(NamedTuple):
    """How a list is sliced; `rules` is open, closed or openAtEnd."""

    by: tuple[Discriminator, ...]
    rules: str = "open"
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A value an element must equal (`exact`, fixed[x]) or contain (pattern[x])."""

    value: Any
    exact: bool


@dataclass(slots=True)
class Rule:
    """What a profile asks of one element or slice; `most` is None where nothing is said."""

    name: str
    type: str
    slice: str = ""
    least: int = 0
    most: int | None = None
    kinds: tuple[Kind, ...] = ()
    constant: Constant | None = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    slices: "dict[str, Rule]" = field(default_factory=dict)
    children: "dict[str, Rule]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """One compiled StructureDefinition of the region; `base` is the canonical URL of what it narrows."""

    url: str
    title: str
    type: str
    base: str
    root: Rule
    definition: Json

    @property
    def claimed(self) -> bool:
        """Say whether mapped resources bear it as meta.profile."""
        words = self.definition.get("keyword", ())
        plain = self.definition["kind"] == "resource" and not self.definition["abstract"]
        return plain and any((word.get("system"), word.get("code")) == CLAIMED for word in words)

    @property
    def modifier(self) -> bool:
        """Say whether it is an extension that changes the meaning of what bears it."""
        own = (one for one in self.definition["differential"]["element"] if "." not in one["path"])
        return any(one.get("isModifier", False) for one in own)


def canonical(address: str) -> tuple[str, str]:
    """Return URL and version (empty: any) of a canonical reference, without its fragment."""
    url, _, version = address.partition("|")
    return url.partition("#")[0], version.partition("#")[0]


def find(profiles: Profiles, address: str) -> Profile | None:
    """Return the compiled profile of a canonical `url` or `url|version`, None when it is not ours.

    Raises GatewayError for a definition that contradicts R4.
    """
    url, version = canonical(address)
    definition = profiles.canonical.get(url)
    if definition is None or definition["resourceType"] != "StructureDefinition":
        return None
    if version and version != definition.get("version", version):
        return None
    found = profiles.compiled.get(url)
    if found is None:
        found = profiles.compiled[url] = _compile(definition)
    assert isinstance(found, Profile)
    return found


def everything(profiles: Profiles) -> Iterator[Profile]:
    """Yield every StructureDefinition of the region that constrains a type, compiled."""
    for url, definition in profiles.canonical.items():
        if definition["resourceType"] == "StructureDefinition" and definition.get("derivation") == "constraint":
            found = find(profiles, url)
            assert found is not None
            yield found


def _compile(definition: Json) -> Profile:
    url, name = definition["url"], definition["type"]
    if name not in types.RESOURCE_TYPES | types.DATA_TYPES:
        raise GatewayError(f"{url} narrows {name!r}, which is no type of R4.", where="type")
    root = Rule(name, name)
    for element in definition.get("differential", {}).get("element", ()):
        rule = _place(root, element, url)
        _fill(rule, element)
    title = definition.get("title") or definition["name"]
    return Profile(url, title, name, definition.get("baseDefinition", CORE + name), root, definition)


def _place(root: Rule, element: Json, url: str) -> Rule:
    """Return the rule of a differential's element, making those on the way."""
    steps = _steps(element)
    if steps[0][0] != root.name:
        raise GatewayError(f"{url}: {element['path']} does not begin with {root.name}.", where=element["path"])
    rule = root
    for name, part in steps[1:]:
        rule = _child(rule, name, part, f"{url}: {element.get('id', element['path'])}")
    return rule


def _steps(element: Json) -> list[tuple[str, str]]:
    text: str = element.get("id") or element["path"]
    parts = [_STEP.fullmatch(part) for part in text.split(".")]
    steps = [(part[1], part[2] or "") for part in parts if part]
    if len(steps) < len(parts):
        raise GatewayError(f"{text!r} is no path of elements and slices.", where=element["path"])
    if "id" not in element and "sliceName" in element:
        steps[-1] = (steps[-1][0], element["sliceName"])
    return steps


def _child(rule: Rule, name: str, part: str, told: str) -> Rule:
    plain = name.removesuffix("[x]")
    owner = "Element" if rule.type in types.PRIMITIVES else rule.type
    element = types.elements(owner).get(plain) if owner else None
    if element is None:
        return _chosen(rule, owner, plain, told)
    child = rule.children.get(plain)
    if child is None:
        child = rule.children[plain] = Rule(plain, _only(element.types))
    return _slice(child, part) if part else child


def _chosen(rule: Rule, owner: str, name: str, told: str) -> Rule:
    """Return the rule of `valueQuantity`: the slice of value[x] that is a Quantity."""
    chosen = types.fields(owner).get(name) if owner else None
    if chosen is None:
        raise GatewayError(f"{told}: {owner or 'this type'} has no element {name!r} in R4.", where=name)
    child = rule.children.setdefault(chosen.element.name, Rule(chosen.element.name, ""))
    found = _slice(child, name)
    found.type, found.kinds = chosen.type, (Kind(chosen.type),)
    child.slicing = child.slicing or Slicing((Discriminator("type", "$this"),))
    return found


def _slice(rule: Rule, name: str) -> Rule:
    """Return a slice, which begins with no rules of its own but the type of the list."""
    if rule.slicing is None and rule.name in ("extension", "modifierExtension"):
        rule.slicing = Slicing((Discriminator("value", "url"),))
    return rule.slices.setdefault(name, Rule(rule.name, rule.type, slice=name))


def _only(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ""


def _fill(rule: Rule, element: Json) -> None:
    """Take over what a differential says of an element."""
    rule.least = element.get("min", rule.least)
    most = element.get("max", "*")
    rule.most = rule.most if most == "*" else int(most)
    if "type" in element:
        rule.kinds = tuple(_kind(one) for one in element["type"])
        codes = tuple(dict.fromkeys(kind.code for kind in rule.kinds))
        # A backbone keeps the path it is declared at as its type.
        if codes not in (("BackboneElement",), ("Element",)):
            rule.type = _only(codes)
    rule.constant = _constant(element) or rule.constant
    if "valueSet" in element.get("binding", {}):
        rule.binding = Binding(element["binding"]["strength"], element["binding"]["valueSet"])
    rule.constraints = tuple(_constraint(one) for one in element.get("constraint", ()) if "expression" in one)
    if "slicing" in element:
        rule.slicing = _slicing(element["slicing"])


def _kind(one: Json) -> Kind:
    code = one["code"]
    plain = "string" if code.startswith("http://hl7.org/fhirpath/") else code
    return Kind(plain, tuple(one.get("profile", ())), tuple(one.get("targetProfile", ())))


def _constant(element: Mapping[str, Any]) -> Constant | None:
    for key, value in element.items():
        if key.startswith("fixed"):
            return Constant(value, exact=True)
        if key.startswith("pattern"):
            return Constant(value, exact=False)
    return None


def _constraint(one: Json) -> Constraint:
    return Constraint(one["key"], one["severity"], one["human"], one["expression"])


def _slicing(one: Json) -> Slicing:
    by = tuple(Discriminator(told["type"], told["path"]) for told in one.get("discriminator", ()))
    return Slicing(by, one["rules"], one.get("ordered", False))
