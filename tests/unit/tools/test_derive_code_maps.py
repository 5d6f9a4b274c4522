"""The code maps hold every pair of the guide, whatever its columns, and no default for what is safety-critical (R4)."""

import importlib.util
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
BASE = ROOT / "mappings" / "base"
CODES = BASE / "codes"
WIDE = "HL7 v2,,,If,,,FHIR,,,,,C\nCode,Text,Code System,ANTLR,FHIRPath,Narrative,Code,,Display,Code System,,\n"
NARROW = "HL7 v2,,,If,,FHIR,,\nCode,Text,Code System,Computable,Narrative,Code,Display,Code System\n"


@pytest.fixture(scope="module")
def tool():
    """Load tools/derive_code_maps.py, which is no package."""
    spec = importlib.util.spec_from_file_location("derive_code_maps", ROOT / "tools" / "derive_code_maps.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def derive(tool, folder, name, text):
    (folder / f"HL7 Concept Map_ {name} - Sheet1.csv").write_text(text, encoding="utf-8-sig")
    assert tool.main([str(folder), str(folder / "out")]) == 0
    return {path.name: yaml.safe_load(path.read_text("utf-8")) for path in (folder / "out").glob("*.yaml")}


@pytest.mark.parametrize(("head", "pad"), [(WIDE, ",,,"), (NARROW, ",,")])
def test_columns_are_found_by_their_names(tool, tmp_path, head, pad):
    middle = ",," if head is WIDE else ","
    row = f"Y,Yes,HL70136{pad},true{middle}Yes,http://s\n"
    (made,) = derive(tool, tmp_path, "Event[Kind]", head + row + f",only text,{pad},x{middle},\n").items()
    assert made[0] == "Event.Kind.yaml"
    assert made[1] == {
        "map": "Event[Kind]", "source": "HL7 v2-to-FHIR, concept map Event[Kind]", "table": "HL70136",
        "system": "http://s", "rows": {"Y": {"code": "true", "display": "Yes"}},
    }  # fmt: skip


def test_a_second_target_of_a_code_stands_apart_with_its_condition(tool, tmp_path):
    text = WIDE + "U,Update,HL70206,,,sometimes,PUT,,,http://s\nU,Update,HL70206,,,else,PATCH,,,http://t\n"
    made = derive(tool, tmp_path, "Action", text)["Action.yaml"]
    assert made["rows"]["U"] == {"code": "PUT", "when": "sometimes"}
    assert made["also"]["U"] == [{"code": "PATCH", "system": "http://t", "when": "else"}]


def test_a_map_without_a_pair_is_named_and_not_written(tool, tmp_path, capsys):
    assert derive(tool, tmp_path, "Empty", WIDE + "A,text,HL70001,,,,,,,\n") == {}
    assert "1 maps without a pair, not written: Empty" in capsys.readouterr().out


def test_strange_files_and_a_wrong_call_are_refused(tool, tmp_path):
    (tmp_path / "other.csv").write_text(WIDE, encoding="utf-8")
    with pytest.raises(ValueError, match="not named like a concept map"):
        tool.read(tmp_path / "other.csv")
    with pytest.raises(ValueError, match="two columns named 'code'"):
        tool.columns(["Code", "Narrative"])
    assert tool.main([]) == 2


def test_every_pair_of_the_guide_is_shipped():
    maps = [yaml.safe_load(path.read_text("utf-8")) for path in CODES.glob("*.yaml")]
    pairs = sum(len(each["rows"]) + sum(map(len, each.get("also", {}).values())) for each in maps)
    assert (len(maps), pairs) == (76, 2324)


def test_no_base_rule_chooses_a_national_table():
    rules = [path.read_text("utf-8") for kind in ("segments", "datatypes") for path in (BASE / kind).glob("*.yaml")]
    assert not any("code: cn." in text or 'code: "cn.' in text for text in rules)


def test_opposite_rh_tables_are_told_apart():
    national, reverse = (
        yaml.safe_load((CODES / "cn" / f"{name}.yaml").read_text("utf-8"))["rows"]
        for name in ("Rh", "Rh.PositiveFirst")
    )
    assert (national["1"]["display"], reverse["1"]["display"]) == ("阴性", "阳性")
