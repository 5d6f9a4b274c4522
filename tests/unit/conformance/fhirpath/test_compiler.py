"""FHIRPath as invariants use it: values, logic with unknowns, types; and the same answers as a second evaluator."""

from decimal import Decimal

import fhirpathpy
import pytest
from fhirpathpy.models import models

from gateway.conformance import invariants, items
from gateway.conformance.desk import Budget, Exhausted
from gateway.conformance.fhirpath import compiler
from gateway.conformance.fhirpath.functions import Env
from gateway.conformance.fhirpath.values import Moment, Unjudged, compare, plain
from gateway.errors import GatewayError

VISIT = {
    "resourceType": "Encounter",
    "id": "e",
    "status": "finished",
    "class": {"system": "urn:c", "code": "AMB"},
    "period": {"start": "2026-03-01T08:00:00+08:00", "end": "2026-03-02"},
    "length": {"value": Decimal("2.50"), "unit": "h", "system": "http://unitsofmeasure.org", "code": "h"},
    "participant": [{"individual": {"reference": "#d"}}, {"type": [{"text": "a"}, {"text": "a"}]}],
    "statusHistory": [{"status": "planned", "period": {"start": "2026"}}],
    "contained": [{"resourceType": "Practitioner", "id": "d", "active": True}],
    "extension": [{"url": "urn:x", "valueInteger": 3}],
    "_language": {"id": "n"},
}


def env(resource=VISIT, seconds=5.0):
    def resolve(item):
        text = item.value.get("reference", "")
        return next(
            (one for one in items.named(items.of(resource), "contained") if text == "#" + one.value["id"]), None
        )

    return Env(Budget(seconds), items.of(resource), resolve)


def run(text, resource=VISIT):
    at = env(resource)
    return [plain(one) for one in compiler.compiled(text)(at, [at.context])]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("status", ["finished"]),
        ("Encounter.status", ["finished"]),
        ("Patient.status", []),
        ("Resource.id", ["e"]),
        ("participant.type.text", ["a", "a"]),
        ("participant.type.text.distinct()", ["a"]),
        ("participant.type.text.isDistinct()", [False]),
        ("participant[1].type[0].text", ["a"]),
        ("participant['x']", []),
        ("participant.count()", [2]),
        ("participant.where(type.exists()).count()", [1]),
        ("participant.exists(individual.exists())", [True]),
        ("participant.all(individual.exists())", [False]),
        ("participant.select($index)", [0, 1]),
        ("participant.individual.resolve().active", [True]),
        ("extension('urn:x').value", [3]),
        ("extension.value + 1", [4]),
        ("extension.value * 2 - 1", [5]),
        ("extension.value / 2", [Decimal("1.5")]),
        ("7 div 2", [3]),
        ("7 mod 2", [1]),
        ("-extension.value", [-3]),
        ("+3", [3]),
        ("length.value > 2.4", [True]),
        ("length.value = 2.5", [True]),
        ("length.value.toString()", ["2.50"]),
        ("language.exists()", [True]),
        ("language.hasValue()", [False]),
        ("status.hasValue()", [True]),
        ("class.hasValue()", [False]),
        ("text.div.exists()", [False]),
        ("`class`.code", ["AMB"]),
        ("'it\\'s \\u0041'", ["it's A"]),
        ("'a' & {} & 'b'", ["ab"]),
        ("{} = 1", []),
        ("1 = 1 and {} = 1", []),
        ("false and {}", [False]),
        ("true or {}", [True]),
        ("{} or false", []),
        ("true xor false", [True]),
        ("true xor {}", []),
        ("false implies {}", [True]),
        ("{} implies true", [True]),
        ("{} implies false", []),
        ("true implies false", [False]),
        ("not()", [False]),
        ("{}.not()", []),
        ("1 != 2", [True]),
        ("{} != 2", []),
        ("'A  b' ~ 'a B'", [True]),
        ("1 !~ 2", [True]),
        ("(1 | 2) ~ (2 | 1)", [True]),
        ("(1 | 2) = (1 | 2)", [True]),
        ("(1 | 2) = 1", [False]),
        ("status in ('planned' | 'finished')", [True]),
        ("('planned' | 'finished') contains status", [True]),
        ("{} in (1 | 2)", []),
        ("(1 | 2 | 2).count()", [2]),
        ("(1 | 2).union(3).count()", [3]),
        ("(1 | 2).combine(2).count()", [3]),
        ("(1 | 2).intersect(2 | 3)", [2]),
        ("(1 | 2).exclude(2)", [1]),
        ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
        ("(1 | 2).supersetOf(3)", [False]),
        ("(1 | 2 | 3).first()", [1]),
        ("(1 | 2 | 3).last()", [3]),
        ("(1 | 2 | 3).tail()", [2, 3]),
        ("(1 | 2 | 3).skip(1)", [2, 3]),
        ("(1 | 2 | 3).take(2)", [1, 2]),
        ("(1).single()", [1]),
        ("(1 | 2 | 3).aggregate($total + $this, 0)", [6]),
        ("{}.aggregate($total + $this)", []),
        ("(true | true).allTrue()", [True]),
        ("(true | false).anyTrue()", [True]),
        ("(true | false).allFalse()", [False]),
        ("(false).anyFalse()", [True]),
        ("iif(status = 'finished', 1, 2)", [1]),
        ("iif(status = 'x', 1, 2)", [2]),
        ("iif(status = 'x', 1)", []),
        ("status.trace('here')", ["finished"]),
        ("status is code", [True]),
        ("status is string", [True]),
        ("status is System.String", [True]),
        ("extension.value is Integer", [True]),
        ("length is Quantity", [True]),
        ("1 is Integer", [True]),
        ("1.5 is Decimal", [True]),
        ("true is Boolean", [True]),
        ("'a' is String", [True]),
        ("@2026 is Date", [True]),
        ("@2026-01-01T00:00:00Z is DateTime", [True]),
        ("@T08:00:00 is Time", [True]),
        ("contained.ofType(Practitioner).id", ["d"]),
        ("contained.as(Patient).id", []),
        ("(length as Quantity).code", ["h"]),
        ("contained.first().is(DomainResource)", [True]),
        ("%resource.id", ["e"]),
        ("contained.where(%rootResource.id = 'e').id", ["d"]),
        ("%context.status", ["finished"]),
        ("length.system = %ucum", [True]),
        ("period.start < period.end", [True]),
        ("period.start <= @2026-03-01T00:00:00Z", [True]),
        ("period.start = @2026-03-01T00:00:00Z", [True]),
        ("@2026-03 < @2026-04-01", [True]),
        ("@T08:00 < @T09:00", [True]),
        ("today() > @2020-01-01", [True]),
        ("now() > @2020-01-01T00:00:00Z", [True]),
        ("'abc'.startsWith('ab')", [True]),
        ("'abc'.endsWith('bc')", [True]),
        ("'abc'.contains('b')", [True]),
        ("{}.contains('b')", []),
        ("'abc'.indexOf('c')", [2]),
        ("'abc'.substring(1)", ["bc"]),
        ("'abc'.substring(1, 1)", ["b"]),
        ("'abc'.substring(9)", []),
        ("'abc'.length()", [3]),
        ("'abc'.upper().lower()", ["abc"]),
        ("'abc'.toChars().count()", [3]),
        ("'abc'.replace('b', 'x')", ["axc"]),
        ("'abc'.replaceMatches('[ab]', 'x')", ["xxc"]),
        ("'abc'.matches('[a-c]+')", [True]),
        ("'abcd'.matches('[a-c]+')", [False]),
        ("'12'.toInteger()", [12]),
        ("'1x'.toInteger()", []),
        ("true.toInteger()", [1]),
        ("'7'.toInteger()", [7]),
        ("class.toInteger()", []),
        ("class.toDecimal()", []),
        ("'1.50'.toDecimal()", [Decimal("1.50")]),
        ("'x'.toDecimal()", []),
        ("true.toString()", ["true"]),
        ("length.toString()", []),
        ("statusHistory.children().count()", [2]),
        ("statusHistory.descendants().count()", [3]),
        ("repeat(contained).id", ["d"]),
        ("1 + 2 // three\n", [3]),
    ],
)
def test_expressions(text, wanted):
    assert run(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "participant.single()",
        "(1 | 2) in (1 | 2)",
        "(1 | 2) < 3",
        "'a' < 1",
        "1 + 'a'",
        "1 / 0",
        "(1 | 2) + 1",
        "true + 1",
        "'abc'.matches('(')",
        "(1 | 2).toInteger().not() and (true | false)",
        "participant is Quantity",
        "length < class",
        "period.end < period.start + 1",
        "(1 | 2) & 'a'",
        "'a'.take('b')",
        "1.startsWith('a')",
    ],
)
def test_what_has_no_answer_is_no_finding(text):
    with pytest.raises(Unjudged):
        run(text)
    assert compiler.holds(text, env()) is None


def test_a_reference_that_leads_elsewhere_has_no_answer():
    visit = {"resourceType": "Encounter", "subject": {"reference": "Patient/1"}}
    with pytest.raises(Unjudged):
        run("subject.resolve()", visit)


def test_an_empty_answer_is_a_no_unless_told():
    assert compiler.holds("{}", env()) is False
    assert compiler.holds("{}", env(), empty=True) is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("status.", "name"),
        ("status)", "not expected"),
        ("(status", "missing"),
        ("a[1", "missing"),
        ("f(1, 2", "missing"),
        ("{1}", "missing"),
        ("a # b", "no part"),
        ("%unknown", "%unknown"),
        ("memberOf('x')", "memberOf"),
        ("where()", "where"),
        ("(" * 100 + "1" + ")" * 100, "deeper"),
        ("1 + " * 4000 + "1", "longer"),
    ],
)
def test_what_is_not_read_is_refused_in_words(text, why):
    with pytest.raises(GatewayError, match=why):
        compiler.compiled(text)


def test_every_step_costs():
    many = VISIT | {"participant": [{"type": [{"text": "a"}]}] * 200}
    at = env(many, seconds=0.0)
    with pytest.raises(Exhausted):
        compiler.compiled("participant.type.where(text.exists())")(at, [at.context])


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("2026", "2027-01-01", -1),
        ("2026-01-02", "2026-01-01", 1),
        ("2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00", 0),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", 1),
        ("2026-01-01", "2026-01-01", 0),
    ],
)
def test_moments_have_an_order(one, other, order):
    assert compare(Moment(one), Moment(other)) == order


@pytest.mark.parametrize(("one", "other"), [("2026", "2026-05-01"), ("2026-13", "2026"), ("2026-01-01", 5)])
def test_a_moment_inside_another_has_none(one, other):
    with pytest.raises(Unjudged):
        compare(Moment(one), Moment(other) if isinstance(other, str) else other)


def test_quantities_compare_in_the_same_unit():
    low = {"value": Decimal("1"), "unit": "mg"}

    def judged(high):
        at = env({"resourceType": "RiskAssessment", "prediction": [{"probabilityRange": {"low": low, "high": high}}]})
        return compiler.holds("prediction.probability.all(low <= high)", at)

    assert judged({"value": 2, "unit": "mg"}) is True
    assert judged({"value": Decimal("0.5"), "unit": "mg"}) is False
    assert judged({"value": 2, "unit": "g"}) is None


def test_all_of_r4s_rules_are_read_but_those_left_out_by_name():
    rules = [one for listed in invariants.table().values() for one in listed]
    for one in rules:
        compiler.compiled(one.expression)
    assert len(rules) == 236
    assert {one.key for one in rules}.isdisjoint(invariants.LEFT_OUT)


MODEL = models["r4"]
# What the second evaluator does not know or reads otherwise: it matches a part of a text, has no hasValue, no htmlChecks.
OTHERWISE = (
    "hasValue",
    "htmlChecks",
    "matches",
    "resolve",
    "trace",
    "descendants",
    "rootResource",
    " is ",
    "toInteger",
)


@pytest.mark.parametrize("path", sorted(path for path in invariants.table() if "." not in path))
def test_r4s_rules_answer_as_a_second_evaluator_does(path, maker):
    if path in ("Element", "DomainResource", "Extension", "Resource"):
        return
    resource_types = items.types.RESOURCE_TYPES
    for choice in (0, 1):
        body = maker(choice).resource(path) if path in resource_types else maker(choice).object(path, 2)
        for bare in (body, {key: body[key] for key in list(body)[:3]}):
            for rule in invariants.table()[path]:
                if not any(word in rule.expression for word in OTHERWISE):
                    _agree(rule.expression, bare, path)


def _agree(expression, body, path):
    item = items.Item(body, None, path, path, items.Frame(body, body))
    at = Env(Budget(5.0), item, lambda _: None)
    try:
        ours = [plain(one) for one in compiler.compiled(expression)(at, [item])]
    except Unjudged:
        return
    where = expression if "resourceType" in body else {"base": path, "expression": expression}
    try:
        theirs = fhirpathpy.evaluate(body, where, {"resource": body}, MODEL)
    except Exception:  # whatever it cannot answer
        return
    assert ours == theirs, (expression, body)
