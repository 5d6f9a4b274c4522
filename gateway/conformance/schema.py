"""JSON schemas of the R4 types, built from the tables: the quick yes, while `explain` has the last word.

A schema may refuse what R4 allows in rare forms (a primitive that is only an extension, an extension on a
repeated or chosen primitive, an Extension with an id or with one of the RARE values); `structure` then
asks `explain`. It never allows what R4 refuses.
"""

from typing import Any

from gateway.conformance.references import pattern
from gateway.fhir import primitives, types

Schema = dict[str, Any]

RARE = frozenset(
    {
        "ContactDetail",
        "Contributor",
        "Count",
        "DataRequirement",
        "Distance",
        "Dosage",
        "Duration",
        "Expression",
    }
    | {"Meta", "ParameterDefinition", "RelatedArtifact", "SampledData", "Signature", "Timing"}
    | {"TriggerDefinition", "UsageContext"}
)
"""Types of Extension.value that feeds do not send; without them a compiled schema is a third of the size."""


def build(name: str) -> Schema:
    """Return the JSON schema (draft 4, where 1.0 is no integer) of a resource type or data type."""
    builder = _Builder()
    return builder.reference(name) | {"definitions": builder.definitions}


class _Builder:
    """Collects the definitions that one schema needs."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def reference(self, name: str) -> Schema:
        """Return a pointer to the definition of a complex type, building it first."""
        if name not in self.definitions:
            self.definitions[name] = {}  # breaks the circle of types that hold themselves
            self.definitions[name] = self._object(name)
        return {"$ref": f"#/definitions/{name}"}

    def _object(self, name: str) -> Schema:
        schema: Schema = {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": self._properties(name),
            "required": [element.name for element in types.elements(name).values() if _plainly(element)],
        }
        if name in types.RESOURCE_TYPES:
            schema["properties"]["resourceType"] = {"enum": [name]}
            schema["required"].append("resourceType")
        if not schema["required"]:
            del schema["required"]  # draft 4 has no empty one
        if name == "Extension":
            # url and one more: counting is all the exclusivity that fifty kinds of value need.
            return schema | {"maxProperties": 2}
        choices = [rule for element in types.elements(name).values() for rule in _choice(element)]
        return schema | ({"allOf": choices} if choices else {})

    def _properties(self, name: str) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        for field in types.fields(name).values():
            if name == "Extension" and field.type in RARE:
                continue
            found[field.name] = _repeated(field, self._value(field))
            if name != "Extension" and _has_companion(field):
                found["_" + field.name] = self.reference("Element")
        return found

    def _value(self, field: types.Field) -> Schema:
        if field.type in types.PRIMITIVES:
            return _primitive(field)
        if field.type == "Resource":
            return {"type": "object", "required": ["resourceType"]}
        if field.type == "Reference":
            return self._special("Reference", "|".join(field.element.targets), _reference(field.element.targets))
        if field.type == "CodeableConcept" and types.codes(field.element.binding):
            return self._special("CodeableConcept", field.element.binding, _concept(field.element.binding))
        return self.reference(field.type)

    def _special(self, name: str, mark: str, rules: dict[str, Schema]) -> Schema:
        key = f"{name}({mark})".replace("|", "-")
        if key not in self.definitions:
            self.definitions[key] = {}
            schema = self._object(name)
            properties: dict[str, Schema] = schema["properties"]
            for field, rule in rules.items():
                properties[field] = properties[field] | rule
            required = {"required": ["coding"]} if name == "CodeableConcept" else {}
            self.definitions[key] = schema | required
        return {"$ref": f"#/definitions/{key}"}


def _has_companion(field: types.Field) -> bool:
    return field.type in types.PRIMITIVES and not (field.element.choice or field.element.many)


def _plainly(element: types.Element) -> bool:
    return element.required and not element.choice


def _repeated(field: types.Field, schema: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": schema} if field.element.many else schema


def _choice(element: types.Element) -> list[Schema]:
    if not element.choice:
        return []
    present: list[Schema] = [{"required": [element.name + kind[0].upper() + kind[1:]]} for kind in element.types]
    if element.required:
        return [{"oneOf": present}]
    return [{"oneOf": [*present, {"not": {"anyOf": present}}]}]


def _primitive(field: types.Field) -> Schema:
    kind = field.type
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "decimal":
        return {"type": "number"}
    if kind in primitives.WHOLE_NUMBERS:
        least, most = primitives.WHOLE_NUMBERS[kind]
        return {"type": "integer", "minimum": least, "maximum": most}
    codes = types.codes(field.element.binding) if kind == "code" else None
    if codes:
        return {"enum": sorted(codes)}
    limit = {"maxLength": primitives.STRING_LIMIT} if kind == "string" else {}
    return {"type": "string", "pattern": primitives.PATTERNS[kind]} | limit


def _reference(targets: tuple[str, ...]) -> dict[str, Schema]:
    rules: dict[str, Schema] = {"reference": {"pattern": pattern(targets)}}
    return rules | ({"type": {"enum": list(targets)}} if targets else {})


def _concept(binding: str) -> dict[str, Schema]:
    listed = [
        {
            "required": ["system", "code"],
            "properties": {"system": {"enum": [system]}, "code": {"enum": codes}},
        }
        for system, codes in types.value_set(binding).items()
    ]
    return {"coding": {"not": {"items": {"not": {"anyOf": listed}}}}}
