import pytest

from gateway.errors import GatewayError
from gateway.record import terminology

URL = "urn:oid:2.16.156.10011.2.3.3.11.3"
ICD = "疾病编码,疾病名称,上级编码\r\nI10.x00,原发性高血压,I10\r\nE11.900,2型糖尿病,E11\r\n,,\r\nZ00,,\r\n"


def take(store, text=ICD, version="国临2.0", encoding="utf-8", **columns):
    raw = text.encode(encoding)
    return terminology.import_file(store, raw, url=URL, version=version, source="icd.csv", columns=columns)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig"])
def test_a_code_file_becomes_a_version(new_store, encoding):
    store = new_store()
    done = take(store, encoding=encoding)
    assert (done.new, done.system.concepts, done.system.version) == (True, 2, "国临2.0")
    [(system, concept)] = terminology.look_up(store, "I10.x00")
    assert (system.url, concept.display, concept.parent) == (URL, "原发性高血压", "I10")


def test_rows_without_code_or_name_are_told_by_line_and_blank_ones_are_not(new_store):
    assert take(new_store()).passed_over == ("line 5: no code or no name",)


def test_the_same_file_again_changes_nothing(new_store):
    store = new_store()
    take(store)
    again = take(store)
    assert not again.new
    assert len(terminology.systems(store)) == 1


def test_another_file_needs_a_version_of_its_own(new_store):
    store = new_store()
    take(store)
    other = ICD.replace("原发性高血压", "特发性高血压")
    with pytest.raises(GatewayError, match=r"there already, read from icd\.csv"):
        take(store, other)
    take(store, other, version="医保2.0")
    assert [(one.version, what.display) for one, what in terminology.look_up(store, "I10.x00", URL)] == [
        ("医保2.0", "特发性高血压"),
        ("国临2.0", "原发性高血压"),
    ]


def test_a_code_with_two_meanings_imports_nothing(new_store):
    store = new_store()
    with pytest.raises(GatewayError, match=r"line 4: code I10\.x00 is '原发性高血压' and '血压高'"):
        take(store, "编码,名称\nE11,糖尿病\nI10.x00,原发性高血压\nI10.x00,血压高\n")
    assert terminology.systems(store) == []


def test_the_header_may_stand_under_a_title_and_have_unusual_names(new_store):
    store = new_store()
    take(store, "本院检验项目\n序号,内部号,中文\n1,K,钾\n", code="内部号", display="中文")
    assert [what.display for _, what in terminology.look_up(store, "K")] == ["钾"]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "编码,名称\n"])
def test_a_file_without_codes_says_what_was_looked_for(new_store, text):
    with pytest.raises(GatewayError, match=r"编码|no code"):
        take(new_store(), text)


def test_every_concept_of_a_large_version_comes_out_once(new_store, monkeypatch):
    monkeypatch.setattr("gateway.store.terminology._CHUNK", 100)
    store = new_store()
    text = "编码,名称\n" + "".join(f"C{n:04d},项目{n}\n" for n in range(1234))
    system = take(store, text).system
    with store.read() as tx:
        found = list(tx.concepts_all(system.id))
    assert len(found) == len({one.code for one in found}) == 1234
    assert found[7].display == "项目7"
