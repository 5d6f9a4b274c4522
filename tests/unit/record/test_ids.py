"""Ids: the same number is the same id everywhere, and every id is one FHIR allows."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping.draft import Key
from gateway.record import ids

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
SECRET = b"k" * 32


def test_an_id_depends_on_every_part_of_the_key_and_on_the_installation():
    base = (SECRET, "county", "Patient", Key("s", "1", ""))
    others = [
        (b"x" * 32, *base[1:]),
        (SECRET, "township", *base[2:]),
        (SECRET, "county", "Encounter", base[3]),
        (*base[:3], Key("t", "1", "")),
        (*base[:3], Key("s", "2", "")),
        (*base[:3], Key("s", "1", "20260102")),
    ]
    assert ids.mint(*base) == ids.mint(*base)
    assert len({ids.mint(*one) for one in [base, *others]}) == 7


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_every_minted_id_and_child_is_a_fhir_id(system, value, part):
    parent = ids.mint(SECRET, "county", "Patient", Key(system, value))
    child = ids.child(parent, part)
    grandchild = ids.child(child, part)
    assert re.fullmatch("[a-z2-7]{26}", parent)
    assert FHIR_ID.fullmatch(child)
    assert FHIR_ID.fullmatch(grandchild)


def test_a_child_shows_its_parent_and_two_parts_never_meet():
    assert ids.child("p" * 26, "obx-3") == "p" * 26 + "-obx-3"
    long = {ids.child("p" * 26, part) for part in ("钾", "钠", "x" * 60, "x" * 61, "a b", "a/b")}
    assert len(long) == 6
    assert all(name.startswith("p" * 26 + "-") for name in long)
