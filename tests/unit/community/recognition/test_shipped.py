"""The shipped knowledge: complete, without doubles, every figure with its source, every text in both languages."""

import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.community.recognition.items import Imaging, Laboratory, Panel
from gateway.community.recognition.marks import split
from gateway.community.recognition.shelf import parsed
from gateway.search.ucum import measure
from gateway.settings import shipped
from gateway.simulate.catalogue import book
from tests.support.recognition import COUNTY, known

FOLDER = shipped("profiles") / "recognition"
ROOT = Path(__file__).resolve().parents[4]
ITEMS = list(known().catalogue.items.values())
LABORATORY = [item for item in ITEMS if isinstance(item, Laboratory)]
IMAGING = [item for item in ITEMS if isinstance(item, Imaging)]
PANELS = [item for item in ITEMS if isinstance(item, Panel)]
POLICY = known().policy
FIGURES = [
    *POLICY.windows.values(),
    *(row for row, _ in POLICY.lists),
    *(row for rows in POLICY.quality.values() for row, _ in rows),
    *(row for row, _ in POLICY.exceptions),
    *(price for prices in POLICY.prices.values() for price in prices),
    *POLICY.scopes.scopes.values(),
    *POLICY.scopes.stars,
    *POLICY.scopes.relative.values(),
    *known().catalogue.covers.values(),
    *known().reasons.overrides.values(),
]


def chinese(text):
    return bool(re.search("[一-鿿]", text)) or text in ("CT", "PET")


def test_there_are_as_many_items_as_promised():
    assert len(LABORATORY) >= 120
    assert len(IMAGING) >= 60
    assert len(PANELS) >= 10


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_an_item_is_complete(item):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", item.id)
    assert chinese(item.zh) and re.search("[A-Za-z]", item.en) and not re.search("[一-鿿]", item.en)
    assert item.source and item.group in POLICY.classes
    assert len(set(item.names)) == len(item.names), "a name stands twice"
    if isinstance(item, Laboratory):
        assert item.methods and known().catalogue.specimens(item)
        assert bool(item.unit) is item.numeric
        assert (measure(item.unit) is not None) is item.numeric


def test_no_name_and_no_code_is_given_twice():
    for what in ("zh", "en"):
        double = [name for name, times in Counter(getattr(item, what) for item in ITEMS).items() if times > 1]
        assert double == []
    assert max(Counter(code for item in ITEMS for code in item.loinc).values()) == 1
    mine = {item.zh: item.id for item in ITEMS}
    taken = [(item.id, name) for item in ITEMS for name in item.also if mine.get(name, item.id) != item.id]
    assert taken == [], "a local name is another item's own name"


def test_imaging_items_differ_in_what_g3_compares():
    assert max(Counter((one.modality, one.part, one.contrast, one.view) for one in IMAGING).values()) == 1


def test_laboratory_items_differ_in_more_than_their_names():
    """Two items of one specimen, property and unit are two analytes; their names tell, so look at what is alike."""
    alike = Counter((one.zh.split("（")[0], one.specimen, one.quantity, one.methods, one.unit) for one in LABORATORY)
    assert [one for one, times in alike.items() if times > 1] == [
        ("D-二聚体", "plasma", "mass-concentration", ("turbidimetric", "chemiluminescence"), "mg/L")
    ]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_a_loinc_code_has_its_check_digit(item):
    for code in item.loinc:
        number, digit = code.split("-")
        doubled = [int(one) * (2 if place % 2 == 0 else 1) for place, one in enumerate(reversed(number))]
        assert (10 - sum(sum(divmod(one, 10)) for one in doubled)) % 10 == int(digit)


def test_every_loinc_code_was_found_in_a_published_package_or_list():
    told = parsed((ROOT / "tools/definitions/published-recognition.yaml").read_bytes())
    assert set(told["loinc"]) == {code for item in ITEMS for code in item.loinc}
    assert all(entry["by"] and entry["names"] for entry in told["loinc"].values())


def test_covers_go_one_way_and_stay_within_a_kind_and_a_modality():
    covers, items = known().catalogue.covers, known().catalogue.items
    assert not any((part, whole) in covers or whole == part for whole, part in covers)
    for whole, part in covers:
        one, other = items[whole], items[part]
        assert one.kind == other.kind
        if isinstance(one, Imaging):
            assert (one.modality, one.part) == (other.modality, other.part)
    assert ("ct-chest-both", "ct-chest-plain") in covers
    assert ("ct-chest-plain", "dx-chest-frontal") not in covers


def test_every_figure_has_a_source_and_an_assumed_one_says_so():
    for figure in FIGURES:
        assert len(figure.source) > 5, figure
        assert figure.assumed or "assumed" not in figure.source or "HR" in figure.source, figure
    for window in POLICY.windows.values():
        assert window.assumed is ("[L5]" not in window.source), window


def test_every_item_has_a_window_for_every_patient_and_issuer():
    for item in ITEMS:
        for patient in ("outpatient", "inpatient", "emergency"):
            for level in (None, 0, 1, 2, 3):
                assert POLICY.window(item, patient, level) is not None, item.id


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("albumin", 30),
        ("glucose", 30),
        ("hba1c", 60),
        ("ldl-cholesterol", 30),
        ("bilirubin-total", 30),
        ("potassium", 7),
    ]
    + [
        (code, 7)
        for code in (
            "sodium",
            "chloride",
            "calcium",
            "magnesium",
            "iron",
            "iron-binding-capacity",
            "phosphate",
            "lithium",
        )
    ],
)
def test_windows_with_a_source_are_the_sources(code, days):
    assert POLICY.window(known().catalogue.items[code], "outpatient", 2).days == days


def test_every_text_is_there_in_both_languages():
    words = known().catalogue.words
    vocabularies = (
        words.specimens,
        words.methods,
        words.conditions,
        words.sides,
        words.modalities,
        words.contrasts,
        words.parts,
    )
    texts = [entry for one in vocabularies for entry in one.entries.values()]
    texts += [*POLICY.classes.values(), *POLICY.circumstances.values(), *POLICY.scopes.scopes.values()]
    texts += [*known().reasons.gates.values(), *known().reasons.texts.values(), *known().reasons.overrides.values()]
    for text in texts:
        assert chinese(text.zh), text
        assert re.search("[A-Za-z]", text.en) and not re.search("[一-鿿]", text.en), text
    assert {f"E{number}" for number in range(1, 7)} <= set(known().reasons.overrides)
    assert all(override.local is not code.startswith("E") for code, override in known().reasons.overrides.items())


def test_every_file_was_approved_by_a_named_person():
    assert known().pending == ()
    for path in FOLDER.glob("*.yaml"):
        raw = parsed(path.read_bytes())
        assert raw["approved"]["by"] and raw["approved"]["on"] and raw["version"], path.name


def test_the_simulated_county_is_mapped_whole():
    """What `gateway simulate` sends finds its item by its code, so that a month of it has something to recognise."""
    catalogue, clinic = known().catalogue, book("clinic")
    for code in [*clinic["items"], *clinic["panels"]]:
        assert catalogue.local["county-hospital/lab-item", code]
    for code in clinic["imaging"]:
        assert catalogue.local["county-hospital/imaging-item", code]
    for code, panel in clinic["panels"].items():
        item = catalogue.items[catalogue.local["county-hospital/lab-item", code]]
        sent = {catalogue.local["county-hospital/lab-item", one] for one in panel["items"]}
        assert sent <= ({part.id for part in catalogue.analytes(item)} or {item.id})


def test_the_simulated_countys_starred_items_have_passed_their_evaluation():
    catalogue, clinic = known().catalogue, book("clinic")
    for code, item in clinic["items"].items():
        if split(item["name"]).marks:
            found = catalogue.items[catalogue.local["county-hospital/lab-item", code]]
            assert any(found.id in items for row, items in POLICY.quality[COUNTY.code] if row.kind == "eqa")
