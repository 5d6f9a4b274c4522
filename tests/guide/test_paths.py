"""Guide paths: labels, references, sloppy brackets."""

import pytest

from tools.guide import paths, r4
from tools.guide.paths import Step


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("identifier[2].value", "P.identifier.value"),
        ("participant[1].individual(Practitioner)", "P.participant.individual->Practitioner"),
        (
            "a(PractitionerRole[1].practitioner(Practitioner.name))",
            "P.a->PractitionerRole.practitioner->Practitioner.name",
        ),
        ("partOf.reference(Location[6])", "P.partOf->Location"),
        ("note(Annotation.text)", "P.note.text"),
        ("name.suffix[2}", "P.name.suffix"),
        ("extension[2].valueReference(Condition", "P.extension.valueReference->Condition"),
        ("$this", "P"),
    ],
)
def test_paths_are_read(text, shown):
    assert paths.show("P", tuple(s for s in paths.parse(text) if s.name)) == shown


def test_a_leading_label_belongs_to_the_attribute_it_is_used_for():
    joined = paths.join(paths.parse("name[1]"), paths.parse("[2].given"))
    assert joined == (Step("name", "1.2"), Step("given"))


def test_a_map_bracket_names_a_resource_or_a_data_type():
    assert paths.is_resource("PractitionerRole")
    assert paths.is_resource("Specimen-Source")
    assert not paths.is_resource("Identifier-Extension")
    assert not paths.is_resource("Device-udiCarrier")


@pytest.mark.parametrize(
    ("root", "path", "problem"),
    [
        ("Patient", "name[1].given[1]", ""),
        ("Patient", "birthDate.extension[1].valueDateTime", ""),
        ("Patient", "deceasedBoolean", ""),
        ("Encounter", "length.value", ""),
        ("Observation", "valueQuantity.code", ""),
        ("Observation", "valueAttachment", "R4 has no Observation.valueAttachment"),
        ("Condition", "assigner(Organization)", "R4 has no Condition.assigner"),
        (
            "Patient",
            "generalPractitioner(Device)",
            "Reference(Organization|Practitioner|PractitionerRole) cannot be a reference to Device in R4",
        ),
        ("Nothing", "at.all", "R4 has no resource Nothing"),
    ],
)
def test_paths_that_r4_lacks_are_told(root, path, problem):
    assert r4.problem(root, paths.parse(path)) == problem
