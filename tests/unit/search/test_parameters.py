"""The shipped table: all of R4's types, ids that stay, and rows that are stored once."""

import pytest

from gateway.errors import Category, GatewayError
from gateway.search import extract, parameters
from gateway.search.kinds import number, quantity, reference, token
from gateway.search.parameters import Parameter
from gateway.search.walk import relative

INDEX = {"token": token.INDEX, "number": number.INDEX, "quantity": quantity.INDEX, "reference": reference.INDEX}

UNANSWERED = {
    ("Location", "near"),
    ("Patient", "age"),
}


def every() -> list[Parameter]:
    return [each for name in parameters.types() for each in parameters.published(name).values()]


def test_holds_every_type_and_common_parameter():
    assert len(parameters.types()) == 146
    common = {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"}
    assert all(common <= parameters.for_type(name).keys() for name in parameters.types())


def test_ids_are_unique_and_fit_a_small_integer():
    ids = [each.id for each in every()]
    assert len(set(ids)) == len(ids) == 2584
    assert 0 < min(ids) <= max(ids) < 2**15


def test_ids_never_change():
    """Index rows hold them: a failure here means the table was renumbered and every index would lie."""
    observation = parameters.for_type("Observation")
    kept = {name: observation[name].id for name in ("code", "date", "subject", "value-quantity")}
    assert kept == {"code": 1687, "date": 1705, "subject": 1722, "value-quantity": 1725}
    assert parameters.for_type("Account")["_id"].id == 1


def test_all_but_a_few_can_be_answered():
    assert {(each.type, each.name) for each in every() if not extract.answerable(each)} == UNANSWERED


def test_every_answered_parameter_has_rows_of_its_own_or_of_others():
    for each in every():
        if extract.answerable(each) and each.name not in extract.COLUMNS:
            alone = each.kind == "composite" and extract.whole(each)
            assert alone or any(extract.walkers(one, extract.ZONE) for one in parameters.stored(each)), each


def test_twins_and_unions_are_stored_once():
    observation = parameters.for_type("Observation")
    assert observation["combo-code"].via == ("code", "component-code")
    assert (observation["patient"].via, observation["patient"].only) == (("subject",), "Patient")
    stored = parameters.stored(observation["combo-code"])
    assert [each.name for each in stored] == ["code", "component-code"]
    assert all(not one.via for each in every() for one in parameters.stored(each))


def test_via_keeps_the_kind():
    assert all(one.kind == each.kind for each in every() for one in parameters.stored(each))


def test_an_unknown_type_is_not_found():
    with pytest.raises(GatewayError, match="no resource type 'Obs'") as caught:
        parameters.for_type("Obs")
    assert caught.value.category is Category.NOT_FOUND


def test_each_part_of_a_pair_can_be_indexed_where_it_stands():
    seen: set[tuple[str, str]] = set()
    for each in filter(extract.paired, (one for one in every() if one.kind == "composite")):
        names = parameters.for_type(each.type)
        for part in each.components:
            root = next(path for path in each.expression.split(" | ") if path != each.type)
            context, kind = parameters.elements()[root][0], names[part.name].kind
            at = each.type if part.expression.startswith("%resource.") else context
            path = part.expression.removeprefix("%resource.")
            emits = relative(path, at, INDEX[kind].get, parameters.elements())
            assert emits, (each.name, part)
            seen.add((each.type, part.name))
    assert ("DocumentReference", "relatesto") in seen
