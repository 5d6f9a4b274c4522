"""Small random records: persons of a county with their encounters, results, reports and conditions, at two sites."""

from dataclasses import dataclass
from typing import Any

from tests.oracle import chance as st

Json = dict[str, Any]

SITES = ("h1", "h2")
HIDDEN = 4
LOINC, UCUM, MRN = "http://loinc.org", "http://unitsofmeasure.org", "https://yigong.example/fhir/id/h1/mrn"
TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
OUTSIDE = "http://elsewhere.example/fhir"

CODES = ("718-7", "789-8", "8480-6")
DISPLAYS = ("Hemoglobin", "血红蛋白", "Haemoglobin mass")
NAMES = ("张三", "张三丰", "李四", "Zoë Müller", "zoe", "ＷＡＮＧ Wei", "O'Neil 二世")
WORDS = ("人民医院", "Village clinic", "village", "东风 镇卫生院")
DAYS = ("2026", "2026-02", "2026-02-10", "2026-02-10T03:00:00+08:00", "2026-02-09T19:00:00Z", "2025-12-31T23:59:59.5+08:00",
        "2026-03-01")  # fmt: skip
BIRTHS = ("1958", "1958-03", "1958-03-04", "1990-12-31")
NUMBERS = (5, 5.4, 5.45, 5.5, 100, 99.5, 0.1, -3)
UNITS = (("g/L", "g/L"), ("mg/L", "mg/L"), ("%", "percent"), ("", "drops"))

COUNTS = {"Organization": 2, "Practitioner": 2, "Patient": 4, "Encounter": 3, "Condition": 2, "Observation": 6,
          "DiagnosticReport": 2, "RiskAssessment": 2}  # fmt: skip
"""The most resources of each type."""


def some(*pool: Any) -> st.Choice:
    """Return one of a pool."""
    return st.sampled_from(pool)


def optional(**fields: st.Choice) -> st.Choice:
    """Return an object with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def ids(kind: str, *, beyond: int = 1) -> tuple[str, ...]:
    """Return the references to all resources of a type there may be, and to some there never are."""
    return tuple(f"{kind}/{kind[0].lower()}{n}" for n in range(COUNTS[kind] + beyond))


def reference(*kinds: str) -> st.Choice:
    """Return a reference to one of some types: relative, of a version, elsewhere, by identifier alone."""
    there = [text for kind in kinds for text in ids(kind)]
    odd = [f"{there[0]}/_history/1", f"{OUTSIDE}/{kinds[0]}/x", "#inside"]
    return st.fixed_dictionaries(
        {"reference": st.one_of(some(*there), some(*there), some(*there, *odd))}, optional={"identifier": identifier()}
    )


def codings(systems: tuple[str, ...] = (LOINC, "https://yigong.example/fhir/cs/h1")) -> st.Choice:
    """Return a coding, with or without system and display."""
    return st.fixed_dictionaries(
        {"code": some(*CODES)}, optional={"system": some(*systems), "display": some(*DISPLAYS)}
    )


def concept() -> st.Choice:
    """Return a concept of up to two codings, or of words alone."""
    coded = st.fixed_dictionaries(
        {"coding": st.lists(codings(), min_size=1, max_size=2)}, optional={"text": some(*DISPLAYS)}
    )
    return st.one_of(coded, coded, st.fixed_dictionaries({"text": some(*DISPLAYS)}))


def identifier() -> st.Choice:
    """Return an identifier, some with a type."""
    kind = st.fixed_dictionaries({"coding": st.just([{"system": TYPE, "code": "MR"}])}, optional={"text": some(*WORDS)})
    return st.fixed_dictionaries(
        {"value": some("1", "2", "A-1")}, optional={"system": some(MRN, f"{OUTSIDE}/id"), "type": kind}
    )


def quantity() -> st.Choice:
    """Return a quantity, in a unit of UCUM, in words, or bare."""

    def made(number: Any, unit: tuple[str, str], mark: str) -> Json:
        code = {"system": UCUM, "code": unit[0]} if unit[0] else {}
        return {"value": number, "unit": unit[1], **code, **({"comparator": mark} if mark else {})}

    bare = st.builds(lambda number: {"value": number}, some(*NUMBERS))
    return st.one_of(st.builds(made, some(*NUMBERS), some(*UNITS), some("", "", "", "<", ">=")), bare)


def period() -> st.Choice:
    """Return a period, open at either end perhaps."""
    return st.one_of(
        st.builds(
            lambda start, end: dict(zip(("start", "end"), sorted((start, end)), strict=True)), some(*DAYS), some(*DAYS)
        ),
        st.builds(lambda day: {"start": day}, some(*DAYS)),
        st.builds(lambda day: {"end": day}, some(*DAYS)),
    )


def metas() -> st.Choice:
    """Return what clients say in meta."""
    return optional(
        tag=st.lists(codings(), min_size=1, max_size=2),
        security=st.lists(codings(), min_size=1, max_size=1),
        profile=st.lists(some(f"{OUTSIDE}/p", f"{OUTSIDE}/p/1", f"{OUTSIDE}/pp"), min_size=1, max_size=1),
        source=some(f"{OUTSIDE}/p", "urn:yigong:feed:a"),
    )


def listed(one: st.Choice, most: int = 2) -> st.Choice:
    """Return a list of one or a few."""
    return st.lists(one, min_size=1, max_size=most)


HUMAN = {
    "identifier": listed(identifier()),
    "active": st.booleans(),
    "name": listed(optional(text=some(*NAMES), family=some("张", "Müller"), given=listed(some("三", "Wei")))).filter(
        all
    ),
    "telecom": listed(
        st.fixed_dictionaries({"system": some("phone", "email"), "value": some("10000000001", "10000000002")})
    ),
    "gender": some("male", "female", "other"),
    "address": listed(optional(city=some(*WORDS), text=some(*WORDS), line=listed(some(*WORDS)))).filter(all),
}
_MEASURED = st.one_of(
    st.builds(lambda value: {"valueQuantity": value}, quantity()),
    st.builds(lambda value: {"valueCodeableConcept": value}, concept()),
    st.builds(lambda value: {"valueString": value}, some(*WORDS)),
    st.just({}),
)
_COMPONENT = st.builds(lambda code, value: {"code": code, **value}, concept(), _MEASURED)
_WHEN = st.one_of(
    st.just({}),
    st.builds(lambda day: {"effectiveDateTime": day}, some(*DAYS)),
    st.builds(lambda held: {"effectivePeriod": held}, period()),
)
_SUBJECT = reference("Patient")


def merged(*parts: st.Choice) -> st.Choice:
    """Return the fields of all parts together."""
    return st.builds(lambda *made: {key: value for one in made for key, value in one.items()}, *parts)


BODIES: dict[str, st.Choice] = {
    "Organization": optional(
        identifier=HUMAN["identifier"], active=st.booleans(), name=some(*WORDS), alias=listed(some(*WORDS)),
        type=listed(concept()), partOf=reference("Organization"), address=HUMAN["address"],
    ),
    "Practitioner": optional(**HUMAN),
    "Patient": merged(
        optional(
            **HUMAN, birthDate=some(*BIRTHS), managingOrganization=reference("Organization"),
            generalPractitioner=listed(reference("Practitioner", "Organization")),
            link=listed(st.fixed_dictionaries({"other": reference("Patient"), "type": st.just("seealso")}), 1),
            communication=listed(st.fixed_dictionaries({"language": concept()}), 1),
        ),
        st.one_of(st.just({}), some({"deceasedBoolean": True}, {"deceasedBoolean": False}, {"deceasedDateTime": "2026-02-10"})),
    ),
    "Encounter": st.fixed_dictionaries(
        {"status": some("finished", "planned"), "class": codings()},
        optional={
            "identifier": HUMAN["identifier"], "type": listed(concept()), "subject": _SUBJECT, "period": period(),
            "length": st.builds(lambda n, unit: {"value": n, "system": UCUM, "code": unit}, some(1, 2, 60, 90), some("min", "h")),
            "participant": listed(st.fixed_dictionaries({"individual": reference("Practitioner")})),
            "serviceProvider": reference("Organization"), "partOf": reference("Encounter"),
            "diagnosis": listed(st.fixed_dictionaries({"condition": reference("Condition")})),
        },
    ),
    "Condition": merged(
        st.fixed_dictionaries(
            {"subject": _SUBJECT},
            optional={"identifier": HUMAN["identifier"], "code": concept(), "clinicalStatus": concept(),
                      "category": listed(concept()), "encounter": reference("Encounter"), "recordedDate": some(*DAYS)},
        ),
        st.one_of(
            st.just({}),
            st.builds(lambda day: {"onsetDateTime": day}, some(*DAYS)),
            st.builds(lambda held: {"onsetPeriod": held}, period()),
            st.builds(lambda n: {"onsetAge": {"value": n, "system": UCUM, "code": "a"}}, some(40, 41)),
            st.builds(lambda low: {"onsetRange": {"low": {"value": low, "system": UCUM, "code": "a"}}}, some(39, 40)),
            st.builds(lambda text: {"onsetString": text}, some(*WORDS)),
        ),
    ),
    "Observation": merged(
        st.fixed_dictionaries(
            {"status": some("final", "amended"), "code": concept()},
            optional={"identifier": HUMAN["identifier"], "category": listed(concept()), "subject": _SUBJECT,
                      "encounter": reference("Encounter"), "performer": listed(reference("Practitioner", "Organization")),
                      "derivedFrom": listed(reference("Observation")), "hasMember": listed(reference("Observation")),
                      "component": listed(_COMPONENT)},
        ),
        _MEASURED,
        _WHEN,
    ),
    "DiagnosticReport": merged(
        st.fixed_dictionaries(
            {"status": some("final", "amended"), "code": concept()},
            optional={"identifier": HUMAN["identifier"], "category": listed(concept()), "subject": _SUBJECT,
                      "encounter": reference("Encounter"), "result": listed(reference("Observation"), 3),
                      "issued": some("2026-02-10T03:00:00+08:00", "2026-02-10T03:00:00.250Z"), "conclusionCode": listed(concept())},
        ),
        _WHEN,
    ),
    "RiskAssessment": st.fixed_dictionaries(
        {"status": st.just("final"), "subject": _SUBJECT},
        optional={"prediction": listed(
            st.one_of(
                st.builds(lambda n: {"probabilityDecimal": n}, some(0.5, 0.55, 5, 100)),
                st.builds(lambda low, high: {"probabilityRange": {"low": {"value": low}, "high": {"value": high}}}, some(0.1, 0.5), some(0.5, 5)),
                st.builds(lambda risk: {"qualitativeRisk": risk}, concept()),
            )
        )},
    ),
}  # fmt: skip


@dataclass
class Placed:
    """A resource, the site it belongs to and what hides it."""

    body: Json
    site: str
    hidden: bool


@dataclass
class World:
    """Everything in a database: resources in the order they are written, and links between patients."""

    placed: list[Placed]
    links: list[tuple[str, str]]

    def seen(self, sites: frozenset[str] | None, *, all_labels: bool) -> list[Json]:
        """Return what a scope lets be seen."""
        return [
            one.body for one in self.placed if (sites is None or one.site in sites) and (all_labels or not one.hidden)
        ]


def shuffled(held: list[Any]) -> st.Choice:
    """Return a list in any order."""
    return st.Choice(lambda rng: rng.sample(held, len(held)))


@st.composite
def worlds(draw: Any, *, scoped: bool = False) -> World:
    """Return a random record; with `scoped`, of two sites and with hidden parts."""
    placed = []
    for kind, most in COUNTS.items():
        for n in range(draw(st.integers(most // 2, most))):
            body = {"resourceType": kind, "id": f"{kind[0].lower()}{n}", **draw(BODIES[kind])}
            meta = draw(st.one_of(st.just({}), metas()))
            site, hidden = draw(st.tuples(some(*SITES), some(False, False, True))) if scoped else (SITES[0], False)
            placed.append(Placed({**body, "meta": meta} if meta else body, site, hidden))
    placed = draw(shuffled(placed)) if draw(st.booleans()) else placed
    people = [one.body["id"] for one in placed if one.body["resourceType"] == "Patient"]
    pairs = [(a, b) for a in people for b in people if a < b]
    links = draw(st.lists(some(*pairs), max_size=2, unique=True)) if pairs else []
    return World(placed, links)
