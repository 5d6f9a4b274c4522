"""Modifiers on each database: what is found by display, by type, by value set, by place in a code system."""

import random

import pytest

from gateway.errors import Category, GatewayError
from gateway.search import definitions, terms
from gateway.store import tokens
from gateway.store.terminology import Concept, NewSystem
from tests.store import make
from tests.store.test_query import LOINC, found, observation, patient
from tests.support.search_records import Json, change, put

MR = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
ICD = "http://hl7.org/fhir/sid/icd-10"


def called(fid: str, display: str = "", text: str = "", code: str = "718-7") -> Json:
    coding = {"system": LOINC, "code": code} | ({"display": display} if display else {})
    return observation(fid, code=code) | {"code": {"coding": [coding]} | ({"text": text} if text else {})}


@pytest.mark.parametrize("read", [0, 200])
def test_text_finds_what_people_call_a_code(store, monkeypatch, read):
    monkeypatch.setattr(tokens, "_TEXTS_READ", read)
    put(
        store,
        called("a", "血红蛋白"),
        called("b", "Haemoglobin", "血红蛋白测定"),
        called("c", text="血"),
        called("d"),
        {**observation("e"), "code": {"coding": [{"display": "血糖"}]}},
        {**called("f"), "code": {"coding": [{"code": "1", "display": "x"}, {"code": "1", "display": "血脂"}]}},
    )
    assert found(store, "Observation", ("code:text", "血红")) == ["a", "b"]
    assert found(store, "Observation", ("code:text", "血")) == ["a", "b", "c", "e", "f"]
    assert found(store, "Observation", ("code:text", "HAEMO"), ("code", "718-7")) == ["b"]
    assert found(store, "Observation", ("code:text", "x,血糖")) == ["e", "f"]
    assert found(store, "Observation", ("combo-code:text", "血糖")) == ["e"]
    assert found(store, "Observation", ("category:text", "血")) == []


def test_text_follows_a_change(store):
    (pid,) = put(store, called("a", "old"))
    change(store, pid, 2, called("a", "new"))
    assert found(store, "Observation", ("code:text", "old")) == []
    assert found(store, "Observation", ("code:text", "new")) == ["a"]


def test_text_finds_references_and_kinds_of_identifiers(store):
    put(store, observation("a", subject={"display": "张三"}), observation("b", subject={"reference": "Patient/p"}))
    put(store, patient("p", identifier=[{"type": {"text": "住院号"}, "value": "1"}]))
    assert found(store, "Observation", ("subject:text", "张")) == ["a"]
    assert found(store, "Patient", ("identifier:text", "住院")) == ["p"]


def test_references_by_identifier(store):
    key = {"system": "https://yigong.example/fhir/id/h1/mrn", "value": "7"}
    put(store, observation("a", subject={"identifier": key}), observation("b", subject={"reference": "Patient/7"}))
    assert found(store, "Observation", ("subject:identifier", f"{key['system']}|7")) == ["a"]
    assert found(store, "Observation", ("patient:identifier", "7")) == ["a"]
    assert found(store, "Observation", ("subject:identifier", "other|7")) == []


def test_identifiers_of_a_type(store):
    other = {**MR, "code": "PI"}
    put(
        store,
        patient(
            "a", identifier=[{"type": {"coding": [MR]}, "value": "1"}, {"type": {"coding": [other]}, "value": "2"}]
        ),
        patient("b", identifier=[{"type": {"coding": [other, MR]}, "value": "1"}, {"value": "3"}]),
        patient("c", identifier=[{"value": "1"}]),
    )
    assert found(store, "Patient", ("identifier:of-type", f"{MR['system']}|MR|1")) == ["a", "b"]
    assert found(store, "Patient", ("identifier:of-type", f"{MR['system']}|PI|1")) == ["b"]
    assert found(store, "Patient", ("identifier:of-type", f"{MR['system']}|MR|2")) == []
    assert found(store, "Patient", ("identifier", "1")) == ["a", "b", "c"]


def test_not_means_none_of_the_values(store):
    two = [{"coding": [{"code": "lab"}]}, {"coding": [{"code": "vital"}]}]
    put(store, observation("a", category=two), observation("b", category=two[:1]), observation("c"))
    assert found(store, "Observation", ("category:not", "vital")) == ["b", "c"]
    assert found(store, "Observation", ("category:not", "lab,vital")) == ["c"]


@pytest.fixture
def own(tmp_path):
    """Definitions of a region, taken for one test."""
    import json

    def write(folder: str, **given) -> None:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{given['name']}.json").write_text(json.dumps(given), "utf-8")

    tree = [{"code": "1", "concept": [{"code": "11", "concept": [{"code": "111"}]}, {"code": "12"}]}, {"code": "2"}]
    write("codesystems", resourceType="CodeSystem", name="tree", url="urn:tree", concept=tree)
    include = [{"system": LOINC, "concept": [{"code": "718-7"}]}, {"valueSet": ["urn:set:branch|1"]}]
    write("valuesets", resourceType="ValueSet", name="a", url="urn:set:mixed", compose={"include": include})
    rule = [{"property": "concept", "op": "descendent-of", "value": "1"}]
    write(
        "valuesets",
        resourceType="ValueSet",
        name="b",
        url="urn:set:branch",
        compose={"include": [{"system": "urn:tree", "filter": rule}]},
    )
    whole = {"include": [{"system": "urn:tree"}], "exclude": [{"system": "urn:tree", "concept": [{"code": "2"}]}]}
    write("valuesets", resourceType="ValueSet", name="c", url="urn:set:whole", compose=whole)
    odd = {"include": [{"system": "urn:tree", "filter": [{"property": "x", "op": "regex", "value": "y"}]}]}
    write("valuesets", resourceType="ValueSet", name="d", url="urn:set:odd", compose=odd)
    both = {"include": [{"system": "urn:tree", "valueSet": ["urn:set:branch"]}]}
    write("valuesets", resourceType="ValueSet", name="e", url="urn:set:both", compose=both)
    write(
        "valuesets",
        resourceType="ValueSet",
        name="f",
        url="urn:set:cut",
        compose={"include": [{"valueSet": ["urn:set:whole"]}]},
    )
    definitions.install(tmp_path)
    yield
    definitions.install(tmp_path / "none")


def tree(fid: str, code: str) -> Json:
    return {**observation(fid), "code": {"coding": [{"system": "urn:tree", "code": code}]}}


def test_value_sets_of_the_region(store, own):
    put(store, observation("loinc"), *(tree(f"t{code}", code) for code in ("1", "11", "111", "2")))
    assert found(store, "Observation", ("code:in", "urn:set:mixed")) == ["loinc", "t11", "t111"]
    assert found(store, "Observation", ("code:not-in", "urn:set:mixed")) == ["t1", "t2"]
    assert found(store, "Observation", ("code:in", "urn:set:whole")) == ["t1", "t11", "t111"]
    assert found(store, "Observation", ("code:below", "urn:tree|11")) == ["t11", "t111"]
    assert found(store, "Observation", ("code:above", "urn:tree|11")) == ["t1", "t11"]
    assert terms.parse_set("code", "urn:set:branch").inside.listed == {
        ("urn:tree", code) for code in ("11", "111", "12")
    }


@pytest.mark.parametrize("url", ["odd", "both", "cut"])
def test_value_sets_that_search_cannot_follow(own, url):
    with pytest.raises(GatewayError, match="search cannot follow") as caught:
        terms.parse_set("code", f"urn:set:{url}")
    assert caught.value.category is Category.UNSUPPORTED


def test_value_sets_of_r4_and_unknown_ones(store):
    put(store, patient("a", gender="male"), patient("b", gender="unheard"), patient("c"))
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert found(store, "Patient", ("gender:in", gender)) == ["a"]
    assert found(store, "Patient", ("gender:not-in", gender)) == ["b", "c"]
    assert found(store, "Patient", ("identifier:in", gender)) == []
    with pytest.raises(GatewayError, match="no value set 'urn:nowhere'") as caught:
        found(store, "Patient", ("gender:in", "urn:nowhere"))
    assert caught.value.category is Category.NOT_FOUND


def test_branches_of_an_imported_code_system(store):
    concepts = [Concept("A00-B99", ""), Concept("A00", "", "A00-B99"), Concept("A00.0", "", "A00"), Concept("C00", "")]
    with store.write() as tx:
        tx.code_system_add(NewSystem(ICD, "1", "", "", b"1", 1), concepts)
    for code in ("A00-B99", "A00", "A00.0", "C00"):
        put(
            store,
            {"resourceType": "Condition", "id": code.lower(), "subject": {"reference": "Patient/p"},
             "code": {"coding": [{"system": ICD, "code": code}]}},
        )  # fmt: skip
    assert found(store, "Condition", ("code:below", f"{ICD}|A00-B99")) == ["a00", "a00-b99", "a00.0"]
    assert found(store, "Condition", ("code:below", f"{ICD}|A00")) == ["a00", "a00.0"]
    assert found(store, "Condition", ("code:above", f"{ICD}|A00.0")) == ["a00", "a00-b99", "a00.0"]
    assert found(store, "Condition", ("code:below", f"{ICD}|none")) == []
    with pytest.raises(GatewayError, match=r"'urn:snomed' is not here.* Import it with gateway terminology"):
        found(store, "Condition", ("code:below", "urn:snomed|1"))
    with pytest.raises(GatewayError, match=r"is not system\|code"):
        found(store, "Condition", ("code:below", "A00"))


def test_uris_above_and_profiles(store):
    urls = ["https://y.example/a", "https://y.example/a/b", "https://y.example/a/b/c", "https://y.example/ab"]
    put(store, *({"resourceType": "Measure", "id": f"m{n}", "url": url} for n, url in enumerate(urls)))
    assert found(store, "Measure", ("url:above", "https://y.example/a/b/x")) == ["m0", "m1"]
    assert found(store, "Measure", ("url:above", urls[2])) == ["m0", "m1", "m2"]
    put(store, observation("o", meta={"profile": [urls[1], urls[1]]}))
    assert found(store, "Observation", ("_profile", urls[1])) == ["o"]
    assert found(store, "Observation", ("_profile:below", urls[0])) == ["o"]
    assert found(store, "Observation", ("_profile:above", urls[2])) == ["o"]
    assert found(store, "Observation", ("_profile:missing", "false")) == ["o"]


def test_sources_of_feeds_and_of_clients(store):
    row = make.work(5)
    with store.write() as tx:
        tx.work_put([row])
    make.create(store, "fed", item_id=row.item_id)
    put(store, patient("own", meta={"source": "https://clinic.example/a"}), patient("none"))
    told = "urn:yigong:feed:county-his"
    assert found(store, "Patient", ("_source", f"{told}#{row.item_id}")) == ["fed"]
    assert found(store, "Patient", ("_source", f"urn:yigong:feed:other#{row.item_id}")) == []
    assert found(store, "Patient", ("_source", f"{told}#1")) == []
    assert found(store, "Patient", ("_source", told)) == []
    assert found(store, "Patient", ("_source:below", told)) == ["fed"]
    assert found(store, "Patient", ("_source", "https://clinic.example/a")) == ["own"]
    assert found(store, "Patient", ("_source:below", f"https://clinic.example,{told}")) == ["fed", "own"]
    assert found(store, "Patient", ("_source:missing", "true")) == ["none"]
    assert found(store, "Patient", ("_source:missing", "false")) == ["fed", "own"]


def test_coordinates_of_genes_stand_together(store):
    def sequence(fid: str, chromosome: str, *variants: tuple[int, int]) -> Json:
        reference = {"chromosome": {"coding": [{"code": chromosome}]}, "windowStart": 1, "windowEnd": 900}
        found = [{"start": start, "end": end} for start, end in variants]
        return {"resourceType": "MolecularSequence", "id": fid, "referenceSeq": reference, "variant": found}

    put(store, sequence("a", "1", (124, 344), (500, 600)), sequence("b", "2", (124, 344)), sequence("c", "1", (1, 900)))
    name = "chromosome-variant-coordinate"
    assert found(store, "MolecularSequence", (name, "1$gt123$lt345")) == ["a"]
    assert found(store, "MolecularSequence", (name, "1$gt123$lt601")) == ["a"]
    assert found(store, "MolecularSequence", (name, "1$124$600")) == []
    assert found(store, "MolecularSequence", (name, "1$lt345$gt123")) == ["a", "c"]
    assert found(store, "MolecularSequence", ("chromosome-window-coordinate", "2$1$900")) == ["b"]
    assert found(store, "MolecularSequence", (f"{name}:missing", "false")) == ["a", "b", "c"]


def test_long_texts_of_any_script_are_kept_and_found(store):
    chance = random.Random(5)
    text = "，".join("".join(chr(chance.randrange(0x20000, 0x2A6DF)) for _ in range(40)) for _ in range(60))
    url = "https://y.example/" + "字" * 900
    put(store, {"resourceType": "Measure", "id": "a", "description": text, "url": url})
    put(store, {"resourceType": "Measure", "id": "b", "description": text + "x", "url": url + "x"})
    assert found(store, "Measure", ("description", text[:80])) == ["a", "b"]
    assert found(store, "Measure", ("description:exact", text)) == ["a"]
    assert found(store, "Measure", ("description:exact", text + "x")) == ["b"]
    assert found(store, "Measure", ("url", url)) == ["a"]


def test_compatibility_ideographs_differ_when_asked_exactly(store):
    put(store, patient("a", name=[{"text": "\uf900"}]), patient("b", name=[{"text": "\u8c48"}]))
    assert found(store, "Patient", ("name", "\u8c48")) == ["a", "b"]
    assert found(store, "Patient", ("name:exact", "\u8c48")) == ["b"]
    assert found(store, "Patient", ("name:exact", "\uf900")) == ["a"]


def test_persons_are_found_by_pinyin_beside_everybody_else(store):
    put(store, patient("a", name=[{"family": "单", "given": ["小明"]}]), patient("b", name=[{"text": "Shan Wei"}]))
    assert found(store, "Patient", ("name", "shan")) == ["a", "b"]
    assert found(store, "Patient", ("family", "dan")) == ["a"]
    assert found(store, "Patient", ("name", "xiao ming")) == ["a"]
    assert found(store, "Patient", ("name:exact", "shan")) == []
