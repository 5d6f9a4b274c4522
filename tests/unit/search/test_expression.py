"""Reading of expressions: each form R4 uses, and a clear refusal of any other."""

import pytest

from gateway.errors import Category, GatewayError
from gateway.search.expression import Step, parse


def steps(text: str) -> list[tuple[str, ...]]:
    (path,) = parse(text)
    return [tuple(part for part in step if part) for step in path]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Patient.name.family", [("get", "Patient"), ("get", "name"), ("get", "family")]),
        ("(Observation.value as Quantity)", [("get", "Observation"), ("get", "value"), ("as", "Quantity")]),
        ("value.as(Quantity)", [("get", "value"), ("as", "Quantity")]),
        ("a.value.ofType(Reference)", [("get", "a"), ("get", "value"), ("as", "Reference")]),
        ("(a.b as C).text", [("get", "a"), ("get", "b"), ("as", "C"), ("get", "text")]),
        ("a.where(resolve() is Patient)", [("get", "a"), ("is", "Patient")]),
        ("a.where(system='phone')", [("get", "a"), ("equals", "system", "phone")]),
        ("a.where(hasExtension('http://x/y'))", [("get", "a"), ("has", "http://x/y")]),
        ("a.extension('http://x/y')", [("get", "a"), ("get", "extension"), ("equals", "url", "http://x/y")]),
        ("a.entry[0].b", [("get", "a"), ("get", "entry"), ("at", "0"), ("get", "b")]),
        ("a.b.exists() and a.b != false", [("get", "a"), ("get", "b"), ("known",)]),
        ("%resource.a", [("get", "%resource"), ("get", "a")]),
    ],
)
def test_reads_the_forms_of_r4(text, wanted):
    assert steps(text) == wanted


def test_alternatives_are_paths_of_their_own():
    assert parse("a | b.c") == [(Step("get", "a"),), (Step("get", "b"), Step("get", "c"))]
    assert parse("") == []


@pytest.mark.parametrize("text", ["a.first()", "a.where(b > 3)", "a + b", "a.b("])
def test_names_what_it_cannot_follow(text):
    with pytest.raises(GatewayError, match="Search cannot follow") as caught:
        parse(text)
    assert caught.value.category is Category.UNSUPPORTED
