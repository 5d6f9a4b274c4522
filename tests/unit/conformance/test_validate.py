"""Resources judged by profiles: what people are told, where, and what is let pass."""

import pytest

from gateway.conformance import desk, validate
from gateway.conformance.desk import Budget, Exhausted
from tests.unit.conformance.region import BASE, code_system, element, extension, region, structure, url, value_set

OID = "urn:oid:2.16.156.10011.1.3"


def found(resource, *definitions, claimed=(), severity="error", **given):
    """The findings of a severity as (code, place)."""
    issues = validate.validate(resource, region(*definitions), claimed, **given)
    return [(one.code, one.where) for one in issues if one.severity == severity]


def texts(resource, *definitions, claimed=()):
    return " ".join(one.text for one in validate.validate(resource, region(*definitions), claimed))


@pytest.fixture
def judged(patient):
    """Judge the patient of the fixtures by one profile made of elements."""

    def judge(*elements, severity="error", others=(), **changes):
        profile = structure("p", "Patient", *elements)
        return found(patient | changes, profile, *others, claimed=[url("p")], severity=severity)

    return judge


def test_a_right_resource_has_no_findings(patient, observation):
    assert found(patient) == []
    assert found(observation) == []


def test_structure_and_profile_are_told_together(patient):
    profile = structure("p", "Patient", ("Patient.telecom", {"min": 1}))
    patient["gender"] = "m"
    assert found(patient, profile, claimed=[url("p")]) == [
        ("code-invalid", "Patient.gender"),
        ("required", "Patient.telecom"),
    ]


def test_what_is_no_resource_of_r4_is_told_so():
    assert found({"resourceType": "Sparrow"}) == [("structure", "Resource")]


def test_cardinality_is_narrowed(judged):
    assert judged(("Patient.telecom", {"min": 1})) == [("required", "Patient.telecom")]
    assert judged(("Patient.name", {"max": "0"})) == [("structure", "Patient.name")]
    two = [{"text": "a"}, {"text": "b"}]
    assert judged(("Patient.name", {"max": "1"}), name=two) == [("structure", "Patient.name")]
    assert judged(("Patient.name", {"min": 3}), name=two) == [("required", "Patient.name")]
    assert judged(("Patient.name", {"min": 1, "max": "1"})) == []


def test_a_sentence_names_the_profile_and_what_to_do(patient):
    profile = structure("p", "Patient", ("Patient.telecom", {"min": 1}), title="居民")
    assert "telecom is missing: “居民” needs it." in texts(patient, profile, claimed=[url("p")])


def test_types_of_a_choice_are_narrowed(judged):
    rule = ("Patient.deceased[x]", {"type": [{"code": "dateTime"}]})
    assert judged(rule, deceasedBoolean=True) == [("structure", "Patient.deceased")]
    assert judged(rule, deceasedDateTime="2026-01-01") == []
    short = ("Patient.deceasedDateTime", {"min": 1})
    assert judged(short) == [("required", "Patient.deceased")]
    assert judged(short, deceasedDateTime="2026-01-01") == []


def test_fixed_is_exact_and_pattern_is_a_part(judged):
    name = {"family": "王"}
    assert judged(("Patient.name", {"patternHumanName": name})) == []
    assert judged(("Patient.name", {"fixedHumanName": name})) == [("value", "Patient.name[0]")]
    assert judged(("Patient.gender", {"fixedCode": "female"})) == [("value", "Patient.gender")]


def test_references_point_at_the_types_of_the_profile(patient):
    target = [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Organization"]}]
    profile = structure("p", "Patient", ("Patient.generalPractitioner", {"type": target}))
    patient["generalPractitioner"] = [{"reference": "Practitioner/1"}]
    assert found(patient, profile, claimed=[url("p")]) == [("value", "Patient.generalPractitioner[0]")]
    patient["generalPractitioner"] = [{"reference": "Organization/1"}, {"reference": "https://elsewhere.example/x"}]
    assert found(patient, profile, claimed=[url("p")]) == []


def test_a_contained_target_is_judged_by_the_profile_of_the_target(patient):
    ward = structure("ward", "Organization", ("Organization.alias", {"min": 1}))
    target = [{"code": "Reference", "targetProfile": [url("ward")]}]
    profile = structure("p", "Patient", ("Patient.managingOrganization", {"type": target}))
    patient["contained"] = [{"resourceType": "Organization", "id": "o", "name": "内科"}]
    patient["managingOrganization"] = {"reference": "#o"}
    assert found(patient, profile, ward, claimed=[url("p")]) == [("structure", "Patient.managingOrganization")]
    patient["contained"][0]["alias"] = ["内"]
    assert found(patient, profile, ward, claimed=[url("p")]) == []


def test_a_target_in_the_same_bundle_is_judged_too():
    ward = structure("ward", "Organization", ("Organization.alias", {"min": 1}))
    target = [{"code": "Reference", "targetProfile": [url("ward")]}]
    profile = structure("p", "Patient", ("Patient.managingOrganization", {"type": target}))
    organization = {"resourceType": "Organization", "id": "o", "name": "内科"}
    person = {
        "resourceType": "Patient",
        "meta": {"profile": [url("p")]},
        "managingOrganization": {"reference": "Organization/o"},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "https://h.example/Patient/1", "resource": person}, {"resource": organization}],
    }
    place = "Bundle.entry[0].resource.managingOrganization"
    assert found(bundle, profile, ward) == [("structure", place)]


def test_profiles_of_meta_are_applied_and_foreign_ones_only_noted(patient):
    profile = structure("p", "Patient", ("Patient.telecom", {"min": 1}))
    patient["meta"] = {"profile": [url("p") + "|1", "https://elsewhere.example/p"]}
    assert found(patient, profile) == [("required", "Patient.telecom")]
    assert found(patient, profile, severity="warning") == [("not-supported", "Patient.meta.profile")]


def test_a_profile_that_is_not_there_is_an_error_where_it_was_asked_for_or_would_be_ours(patient):
    assert found(patient, claimed=["https://elsewhere.example/p"]) == [("not-found", "Patient")]
    patient["meta"] = {"profile": [url("none")]}
    assert found(patient) == [("not-found", "Patient")]
    versioned = structure("p", "Patient", version="2")
    assert found(patient, versioned, claimed=[url("p") + "|3"])[0] == ("not-found", "Patient")


def test_a_profile_of_another_type_does_not_fit(patient):
    profile = structure("p", "Encounter")
    assert found(patient, profile, claimed=[url("p")]) == [("structure", "Patient")]
    core = "http://hl7.org/fhir/StructureDefinition/"
    assert found(patient, claimed=[core + "Patient"]) == []
    assert found(patient, claimed=[core + "Encounter"]) == [("structure", "Patient")]


def test_a_profile_built_on_another_brings_its_rules(patient):
    lower = structure("lower", "Patient", ("Patient.telecom", {"min": 1}))
    upper = structure("upper", "Patient", ("Patient.address", {"min": 1}), baseDefinition=url("lower"))
    assert found(patient, lower, upper, claimed=[url("upper")]) == [
        ("required", "Patient.telecom"),
        ("required", "Patient.address"),
    ]
    alone = structure("alone", "Patient", baseDefinition="https://elsewhere.example/base")
    assert found(patient, alone, claimed=[url("alone")], severity="warning") == [("not-found", "Patient")]


class TestSlices:
    SLICED = (
        "Patient.identifier",
        {"slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
    )
    NUMBER = ("Patient.identifier:number", {"min": 1, "max": "1"})
    SYSTEM = ("Patient.identifier:number.system", {"min": 1, "fixedUri": OID})

    def sliced(self, judged, *more, rules="open", ordered=False, identifier=(), severity="error"):
        slicing = self.SLICED[1]["slicing"] | {"rules": rules, "ordered": ordered}
        listed = ("Patient.identifier", {"slicing": slicing})
        return judged(listed, self.NUMBER, self.SYSTEM, *more, identifier=list(identifier), severity=severity)

    def test_the_slice_is_needed_and_stands_once(self, judged):
        other = {"system": "urn:other", "value": "1"}
        number = {"system": OID, "value": "1"}
        assert self.sliced(judged, identifier=[other]) == [("required", "Patient.identifier")]
        assert self.sliced(judged, identifier=[number, other]) == []
        assert self.sliced(judged, identifier=[number, number | {"value": "2"}]) == [
            ("structure", "Patient.identifier")
        ]

    def test_rules_of_a_slice_are_for_its_entries(self, judged):
        value = ("Patient.identifier:number.use", {"min": 1})
        number = {"system": OID, "value": "1"}
        assert self.sliced(judged, value, identifier=[{"system": "urn:other"}, number]) == [
            ("required", "Patient.identifier[1].use")
        ]

    def test_closed_lists_take_nothing_else(self, judged):
        entries = [{"system": OID, "value": "1"}, {"system": "urn:other"}]
        assert self.sliced(judged, rules="closed", identifier=entries) == [("structure", "Patient.identifier[1]")]

    def test_the_rest_comes_at_the_end(self, judged):
        entries = [{"system": "urn:other"}, {"system": OID, "value": "1"}]
        assert self.sliced(judged, rules="openAtEnd", identifier=entries) == [("structure", "Patient.identifier")]
        assert self.sliced(judged, rules="openAtEnd", identifier=entries[::-1]) == []

    def test_ordered_slices_keep_their_order(self, judged):
        second = ("Patient.identifier:second", {"patternIdentifier": {"system": "urn:second"}})
        entries = [{"system": "urn:second"}, {"system": OID, "value": "1"}]
        assert self.sliced(judged, second, ordered=True, identifier=entries) == [("structure", "Patient.identifier")]
        assert self.sliced(judged, second, ordered=True, identifier=entries[::-1]) == []

    def test_exists_tells_slices(self, judged):
        by = {"discriminator": [{"type": "exists", "path": "period"}], "rules": "open"}
        rules = [
            ("Patient.identifier", {"slicing": by}),
            ("Patient.identifier:past", {"max": "0"}),
            ("Patient.identifier:past.period", {"min": 1}),
        ]
        assert judged(*rules) == []
        past = [{"value": "1", "period": {"end": "2020"}}]
        assert judged(*rules, identifier=past) == [("structure", "Patient.identifier")]

    def test_a_required_value_set_tells_slices(self, judged):
        by = {"discriminator": [{"type": "value", "path": "use"}], "rules": "open"}
        rules = [
            ("Patient.name", {"slicing": by}),
            ("Patient.name:official", {"min": 1}),
            ("Patient.name:official.use", {"binding": {"strength": "required", "valueSet": f"{BASE}/ValueSet/use"}}),
        ]
        uses = value_set("use", {"system": "http://hl7.org/fhir/name-use", "concept": [{"code": "official"}]})
        assert judged(*rules, others=[uses]) == [("required", "Patient.name")]
        assert judged(*rules, others=[uses], name=[{"use": "official", "text": "王"}]) == []

    def test_a_slice_that_nothing_tells_is_a_fault_of_the_profile(self, judged):
        rules = [self.SLICED, ("Patient.identifier:vague", {"min": 1})]
        assert judged(*rules, severity="warning") == [("not-supported", "Patient")]

    def test_types_behind_references_tell_slices(self):
        by = {"discriminator": [{"type": "type", "path": "individual.resolve()"}], "rules": "closed"}
        core = "http://hl7.org/fhir/StructureDefinition/"
        doctor = [{"code": "Reference", "targetProfile": [core + "Practitioner"]}]
        profile = structure(
            "p",
            "Encounter",
            ("Encounter.participant", {"slicing": by}),
            ("Encounter.participant:doctor", {"max": "1"}),
            ("Encounter.participant:doctor.individual", {"type": doctor}),
        )
        visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
        visit["participant"] = [{"individual": {"reference": "Practitioner/1"}}]
        assert found(visit, profile, claimed=[url("p")]) == []
        visit["participant"] += [{"individual": {"reference": "RelatedPerson/1"}}]
        assert found(visit, profile, claimed=[url("p")]) == [("structure", "Encounter.participant[1]")]

    def test_profiles_tell_slices_of_a_bundle(self, patient):
        named = structure("named", "Patient", ("Patient.name", {"min": 1}))
        by = {"discriminator": [{"type": "profile", "path": "resource"}], "rules": "closed"}
        profile = structure(
            "p",
            "Bundle",
            ("Bundle.entry", {"slicing": by}),
            ("Bundle.entry:person", {"min": 1}),
            ("Bundle.entry:person.resource", {"type": [{"code": "Patient", "profile": [url("named")]}]}),
        )
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
        assert found(bundle, named, profile, claimed=[url("p")]) == []
        del patient["name"]
        assert ("structure", "Bundle.entry[0]") in found(bundle, named, profile, claimed=[url("p")])


class TestExtensions:
    def test_ours_are_judged_by_their_definition(self, patient):
        held = {"url": url("held"), "valueString": "x"}
        patient["extension"] = [held]
        assert found(patient, extension("held")) == []
        patient["extension"] = [{"url": url("held"), "valueInteger": 1}]
        assert found(patient, extension("held")) == [("structure", "Patient.extension[0].value")]
        patient["extension"] = [held, held | {"valueString": "y"}]
        assert ("extension", "Patient.extension") in found(patient, extension("held"))

    def test_they_stand_where_their_definition_says(self, patient):
        patient["name"][0]["extension"] = [{"url": url("held"), "valueString": "x"}]
        assert found(patient, extension("held")) == [("extension", "Patient.name[0].extension[0]")]
        assert found(patient, extension("held", context="HumanName")) == []
        assert found(patient, extension("held", context="Patient.name")) == []
        assert found(patient, extension("held", context="Element")) == []
        path = extension("held") | {"context": [{"type": "fhirpath", "expression": "name"}]}
        assert found(patient, path) == []

    def test_one_may_stand_on_a_primitive_or_in_another(self, patient):
        patient["_birthDate"] = {"extension": [{"url": url("held"), "valueString": "x"}]}
        assert found(patient, extension("held", context="Patient.birthDate")) == []
        inner = extension("held") | {"context": [{"type": "extension", "expression": "https://elsewhere.example/x"}]}
        outer = {"url": "https://elsewhere.example/x", "extension": [{"url": url("held"), "valueString": "x"}]}
        del patient["_birthDate"]
        assert found(patient | {"extension": [outer]}, inner) == []

    def test_unknown_ones_of_ours_are_mistakes_and_foreign_ones_pass(self, patient):
        patient["extension"] = [{"url": url("mistyped"), "valueString": "x"}]
        assert found(patient) == [("extension", "Patient.extension[0]")]
        patient["extension"] = [{"url": "https://elsewhere.example/x", "valueString": "x"}]
        assert found(patient) == []

    def test_an_unknown_modifier_is_an_error_but_may_be_stored(self, patient):
        patient["modifierExtension"] = [{"url": "https://elsewhere.example/not", "valueBoolean": True}]
        assert found(patient) == [("extension", "Patient.modifierExtension[0]")]
        assert [one.severity for one in validate.check(patient, region())] == ["warning"]

    def test_a_modifier_stands_in_its_own_list(self, patient):
        modifier = extension("held")
        modifier["differential"]["element"][0] |= {"isModifier": True, "isModifierReason": "it negates"}
        patient["extension"] = [{"url": url("held"), "valueString": "x"}]
        assert found(patient, modifier) == [("extension", "Patient.extension[0]")]
        patient["modifierExtension"] = patient.pop("extension")
        assert found(patient, modifier) == []

    def test_a_profile_may_need_one(self, patient):
        needs = structure(
            "p",
            "Patient",
            ("Patient.extension:held", {"min": 1, "type": [{"code": "Extension", "profile": [url("held")]}]}),
        )
        assert found(patient, needs, extension("held"), claimed=[url("p")]) == [("required", "Patient.extension")]
        patient["extension"] = [{"url": url("held"), "valueString": "x"}]
        assert found(patient, needs, extension("held"), claimed=[url("p")]) == []


class TestBindings:
    SYSTEM = f"{BASE}/CodeSystem/colour"
    COLOURS = code_system("colour", {"code": "red", "concept": [{"code": "pink"}]}, {"code": "blue"})

    def bound(self, patient, strength, coding, severity="error"):
        rule = {"binding": {"strength": strength, "valueSet": f"{BASE}/ValueSet/colours|1"}}
        profile = structure("p", "Patient", ("Patient.maritalStatus", rule))
        patient["maritalStatus"] = coding
        colours = value_set("colours", {"system": self.SYSTEM})
        return found(patient, profile, colours, self.COLOURS, claimed=[url("p")], severity=severity)

    def test_a_required_code_is_one_of_the_set(self, patient):
        right = {"coding": [{"system": "urn:own", "code": "7"}, {"system": self.SYSTEM, "code": "pink"}]}
        assert self.bound(patient, "required", right) == []
        for wrong in ({"coding": [{"system": self.SYSTEM, "code": "green"}]}, {"text": "pink"}):
            assert self.bound(patient, "required", wrong) == [("code-invalid", "Patient.maritalStatus")]

    def test_an_extensible_code_may_be_another_with_a_warning(self, patient):
        other = {"coding": [{"system": "urn:own", "code": "7"}]}
        assert self.bound(patient, "extensible", other) == []
        assert self.bound(patient, "extensible", other, "warning") == [("code-invalid", "Patient.maritalStatus")]
        assert self.bound(patient, "extensible", {"text": "pink"}, "warning") == []
        assert self.bound(patient, "preferred", other, "warning") == []

    def test_what_cannot_be_told_is_said_so(self, patient):
        rule = {"binding": {"strength": "required", "valueSet": "https://elsewhere.example/vs"}}
        profile = structure("p", "Patient", ("Patient.gender", rule))
        assert found(patient, profile, claimed=[url("p")], severity="information") == [("not-found", "Patient.gender")]


def test_invariants_of_a_profile_are_judged_at_their_element(judged):
    rule = {"key": "p-1", "severity": "error", "human": "A name has a text.", "expression": "text.exists()"}
    assert judged(("Patient.name", {"constraint": [rule]}), name=[{"family": "王"}]) == [
        ("invariant", "Patient.name[0]")
    ]
    unread = rule | {"expression": "text.exists("}
    assert judged(("Patient.name", {"constraint": [unread]}), severity="warning") == [
        ("not-supported", "Patient.name[0]")
    ]


def test_a_hostile_resource_is_given_up_in_time(patient):
    patient["contact"] = [{"name": {"text": "x"}, "telecom": [{"system": "phone", "value": "1"}] * 50}] * 200
    (last,) = [one for one in validate.validate(patient, region(), seconds=0.0) if one.code == "too-costly"]
    assert "0 s" in last.text


def test_findings_are_limited(patient):
    patient["contact"] = [{"gender": "male"}] * 500
    issues = validate.validate(patient, region())
    assert len(issues) == desk.ISSUE_LIMIT + 1
    assert issues[-1].code == "too-costly"


def test_a_budget_ends():
    budget = Budget(0.0)
    with pytest.raises(Exhausted):
        budget.spend(1000)


def test_a_write_is_asked_for_less(patient):
    patient["telecom"] = [{"value": "10012345678"}]
    assert found(patient) == [("invariant", "Patient.telecom[0]")]
    assert validate.check(patient, region()) == []
    patient["gender"] = "m"
    assert [one.where for one in validate.check(patient, region())] == ["Patient.gender"]


def test_a_write_must_satisfy_what_it_claims(patient):
    profile = structure("p", "Patient", ("Patient.telecom", {"min": 1}))
    patient["meta"] = {"profile": [url("p")]}
    assert [one.where for one in validate.check(patient, region(profile))] == ["Patient.telecom"]


@pytest.mark.parametrize(
    ("place", "told"),
    [("Patient.nonsense", {}), ("Encounter.status", {}), ("Patient.na me", {}), ("Patient.name.nonsense", {})],
)
def test_a_profile_that_contradicts_r4_is_refused_in_words(place, told):
    profile = structure("p", "Patient")
    profile["differential"]["element"] = [element(place, **told)]
    with pytest.raises(Exception, match=r"Patient|nonsense"):
        validate.rules.find(region(profile), url("p"))
