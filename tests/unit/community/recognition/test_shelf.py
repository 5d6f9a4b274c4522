"""Files of knowledge: faults named with file and entry, folders laid over one another, nothing without a person's name."""

import shutil

import pytest

from gateway.community.recognition import knowledge
from gateway.community.recognition.catalogue import OWN, Coding
from gateway.community.recognition.shelf import WrongKnowledge
from gateway.settings import shipped

HEAD = "source: a test\nversion: '1'\napproved: {by: 王某, on: 2026-11-20}\n"
SHIPPED = shipped("profiles") / "recognition"


@pytest.fixture
def county(tmp_path):
    """A county's folder; returns what loading it over the shipped one gives."""

    def load(head=HEAD, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(head + text, encoding="utf-8")
        return knowledge.load(SHIPPED, tmp_path)

    return load


def faults(county, **files):
    with pytest.raises(WrongKnowledge) as told:
        county(**files)
    return told.value.faults


def test_a_county_adds_its_own(county):
    known = county(mine="codes:\n- {table: our-lab/item, rows: {'01': potassium}}\n")
    assert known.catalogue.local["our-lab/item", "01"] == "potassium"


def test_a_county_replaces_a_window_and_strikes_a_cover(county):
    known = county(
        ours="""
windows: [{class: hba1c, days: 90, replaces: true, source: our committee}]
by_item: [{whole: dx-chest-frontal-lateral, part: dx-chest-frontal, replaces: true, strike: true}]
"""
    )
    item = known.catalogue.items["hba1c"]
    assert known.policy.window(item, "outpatient", 2).days == 90
    assert ("dx-chest-frontal-lateral", "dx-chest-frontal") not in known.catalogue.covers


def test_a_county_adds_its_laboratories_words(county):
    known = county(ours="spellings: [{of: methods, id: hplc, also: ['高效液相色谱法(HPLC)']}]\n")
    assert known.catalogue.words.methods.get("高效液相色谱法（HPLC）") == "hplc"


def test_a_province_s_code_of_an_item_is_a_local_one(county):
    known = county(ours="codes: [{table: CodeSystem/recognition-item, rows: {A001: potassium}}]\n")
    (found, way) = known.catalogue.find([Coding(OWN, "A001")])
    assert (found.id, way) == ("potassium", "local")


def test_what_is_there_already_is_not_replaced_by_chance(county):
    (fault,) = faults(county, ours="windows: [{class: hba1c, days: 90, source: us}]\n")
    assert fault == "ours.yaml, windows, entry 1: is there already; say `replaces: true` to stand for it"


def test_what_is_not_there_cannot_be_replaced(county):
    (fault,) = faults(county, ours="windows: [{item: alt, days: 9, replaces: true, source: us}]\n")
    assert "replaces nothing" in fault


def test_what_nobody_approved_is_not_in_force(county):
    known = county(head="source: us\n", ours="windows: [{class: hba1c, days: 90, replaces: true, source: us}]\n")
    assert known.pending == ("ours.yaml",)
    assert known.policy.window(known.catalogue.items["hba1c"], "outpatient", 2).days == 60
    assert county(head="source: us\napproved: {by: ' ', on: 2026-11-20}\n", ours="windows: []\n").pending == (
        "ours.yaml",
    )


def test_every_fault_is_told_at_once_with_file_and_entry(county):
    told = faults(
        county,
        a="windows: [{class: hba1c, days: many, source: us}, 7]\n",
        b="laboratory: [{id: new-item, zh: 新}]\n",
        c="prices: {x: {organisation: A}}\nthings: [1]\n",
    )
    assert sorted(told) == [
        "a.yaml, windows, entry 1: Expected `int`, got `str` at `.days`",
        "a.yaml, windows, entry 2: is a mapping, not 7",
        "b.yaml, laboratory, new-item: Object missing required field `en`",
        "c.yaml, prices, x: Object contains unknown field `id`",
        "c.yaml: has a section `things` that means nothing here",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- a list", "is no mapping of sections"),
        ("{broken: [", "cannot be read"),
        ("approved: yesterday\n", "approved"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path, text, wanted):
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WrongKnowledge) as told:
        knowledge.load(SHIPPED, tmp_path)
    assert "bad.yaml" in told.value.faults[0] and wanted in told.value.faults[0]


def test_an_empty_or_missing_folder_is_told(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(WrongKnowledge, match="holds no file of knowledge"):
            knowledge.load(SHIPPED, folder)


def test_the_version_follows_the_bytes(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(SHIPPED, copy)
    first = knowledge.load(copy).version
    assert first == knowledge.load(SHIPPED).version
    path = copy / "windows.yaml"
    path.write_text(path.read_text("utf-8") + "# a remark\n", "utf-8")
    assert knowledge.load(copy).version != first


def test_words_of_yaml_stay_words(county):
    known = county(mine="codes:\n- {table: t/i, rows: {NO: potassium, on: sodium}}\n")
    assert known.catalogue.local["t/i", "NO"] == "potassium"
