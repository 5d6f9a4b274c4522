"""The few search parameters that the naive evaluator knows, as R4 publishes them, and what they read in a resource."""

from typing import Any

from tests.support.naive_kinds import Json, Refused, at, target_type

# kind, target types of references, and where the values stand (path:type, "|" between alternatives). `only` narrows
# references to one type, as `.where(resolve() is Patient)` does.
_EVERY = {
    "_id": ("token", "id:code"),
    "_lastUpdated": ("date", "meta.lastUpdated:instant"),
    "_tag": ("token", "meta.tag:Coding"),
    "_security": ("token", "meta.security:Coding"),
    "_profile": ("uri", "meta.profile:canonical"),
    "_source": ("uri", "meta.source:uri"),
}
_HUMAN = {
    "identifier": ("token", "identifier:Identifier"),
    "name": ("string", "name:HumanName"),
    "family": ("string", "name.family:string"),
    "given": ("string", "name.given:string"),
    "telecom": ("token", "telecom:ContactPoint"),
    "phone": ("token", "telecom:ContactPoint", "phone"),
    "email": ("token", "telecom:ContactPoint", "email"),
    "address": ("string", "address:Address"),
    "address-city": ("string", "address.city:string"),
    "gender": ("token", "gender:code"),
    "active": ("token", "active:boolean"),
}
_SUBJECT = "subject:Reference"
PARAMETERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Patient": {
        **_HUMAN,
        "birthdate": ("date", "birthDate:date"),
        "death-date": ("date", "deceasedDateTime:dateTime"),
        "deceased": ("token", "deceased"),
        "general-practitioner": (
            "reference Organization Practitioner PractitionerRole",
            "generalPractitioner:Reference",
        ),
        "organization": ("reference Organization", "managingOrganization:Reference"),
        "link": ("reference Patient RelatedPerson", "link.other:Reference"),
        "language": ("token", "communication.language:CodeableConcept"),
    },
    "Practitioner": _HUMAN,
    "Organization": {
        "identifier": ("token", "identifier:Identifier"),
        "name": ("string", "name:string|alias:string"),
        "active": ("token", "active:boolean"),
        "type": ("token", "type:CodeableConcept"),
        "partof": ("reference Organization", "partOf:Reference"),
        "address": ("string", "address:Address"),
    },
    "Encounter": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "class": ("token", "class:Coding"),
        "type": ("token", "type:CodeableConcept"),
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "date": ("date", "period:Period"),
        "length": ("quantity", "length:Quantity"),
        "participant": ("reference Practitioner PractitionerRole RelatedPerson", "participant.individual:Reference"),
        "service-provider": ("reference Organization", "serviceProvider:Reference"),
        "part-of": ("reference Encounter", "partOf:Reference"),
        "diagnosis": ("reference Condition Procedure", "diagnosis.condition:Reference"),
    },
    "Condition": {
        "identifier": ("token", "identifier:Identifier"),
        "code": ("token", "code:CodeableConcept"),
        "clinical-status": ("token", "clinicalStatus:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter", "encounter:Reference"),
        "onset-date": ("date", "onsetDateTime:dateTime|onsetPeriod:Period"),
        "onset-age": ("quantity", "onsetAge:Quantity|onsetRange:Range"),
        "onset-info": ("string", "onsetString:string"),
        "recorded-date": ("date", "recordedDate:dateTime"),
    },
    "Observation": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "code": ("token", "code:CodeableConcept"),
        "component-code": ("token", "component.code:CodeableConcept"),
        "combo-code": ("token", "code:CodeableConcept|component.code:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Device Group Location Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter EpisodeOfCare", "encounter:Reference"),
        "performer": (
            "reference CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson",
            "performer:Reference",
        ),
        "derived-from": (
            "reference DocumentReference ImagingStudy Media MolecularSequence Observation QuestionnaireResponse",
            "derivedFrom:Reference",
        ),
        "has-member": ("reference MolecularSequence Observation QuestionnaireResponse", "hasMember:Reference"),
        "date": ("date", "effectiveDateTime:dateTime|effectivePeriod:Period|effectiveInstant:instant"),
        "value-quantity": ("quantity", "valueQuantity:Quantity"),
        "component-value-quantity": ("quantity", "component.valueQuantity:Quantity"),
        "combo-value-quantity": ("quantity", "valueQuantity:Quantity|component.valueQuantity:Quantity"),
        "value-concept": ("token", "valueCodeableConcept:CodeableConcept"),
        "value-string": ("string", "valueString:string|valueCodeableConcept.text:string"),
        "code-value-quantity": ("composite", "", "code", "value-quantity"),
        "component-code-value-quantity": ("composite", "component", "code", "value-quantity"),
        "combo-code-value-quantity": ("composite", "|component", "code", "value-quantity"),
    },
    "DiagnosticReport": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "code": ("token", "code:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Device Group Location Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter EpisodeOfCare", "encounter:Reference"),
        "result": ("reference Observation", "result:Reference"),
        "date": ("date", "effectiveDateTime:dateTime|effectivePeriod:Period"),
        "issued": ("date", "issued:instant"),
        "conclusion": ("token", "conclusionCode:CodeableConcept"),
    },
    "RiskAssessment": {
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "probability": ("number", "prediction.probabilityDecimal:decimal|prediction.probabilityRange:Range"),
        "risk": ("token", "prediction.qualitativeRisk:CodeableConcept"),
    },
}
TYPES = tuple(PARAMETERS)


def parameter(kind: str, name: str) -> tuple[str, ...]:
    """Return the facts of one parameter."""
    found = _EVERY.get(name) or PARAMETERS[kind].get(name)
    if found is None:
        raise Refused(f"{kind} has no {name}")
    return found


def kind_of(kind: str, name: str) -> str:
    """Return the kind of a parameter: token, date …"""
    return parameter(kind, name)[0].split()[0]


def targets_of(kind: str, name: str) -> list[str]:
    """Return the types a reference parameter leads to."""
    return parameter(kind, name)[0].split()[1:]


def values(resource: Json, kind: str, name: str) -> list[tuple[str, Any]]:
    """Return (type, value) of everything a parameter reads in a resource."""
    facts = parameter(kind, name)
    if name == "deceased":
        dead = resource.get("deceasedDateTime") is not None or resource.get("deceasedBoolean") is True
        return [("boolean", dead)]
    found = []
    for place in facts[1].split("|"):
        path, _, type_name = place.partition(":")
        found += [(type_name, one) for one in at(resource, path)]
    if facts[2:] in (("phone",), ("email",)):
        found = [(t, v) for t, v in found if v.get("system") == facts[2]]
    if facts[2:] == ("only",):
        found = [(t, v) for t, v in found if target_type(v) == "Patient"]
    return found
