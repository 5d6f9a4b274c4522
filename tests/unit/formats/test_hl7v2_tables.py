"""The shipped tables: complete, and exactly what the tool derives."""

import importlib.util
from pathlib import Path

import pytest

from gateway.formats import hl7v2_tables as tables

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.long
def test_the_tool_derives_the_tables_we_ship(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("derive", ROOT / "tools" / "derive_hl7v2_tables.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "DATA", tmp_path)
    tool.main()
    assert "hl7v2_segments.json" in capsys.readouterr().out
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (ROOT / "gateway" / "formats" / "data" / path.name).read_bytes()


def test_versions():
    assert tables.versions() == {
        "2.1",
        "2.2",
        "2.3",
        "2.3.1",
        "2.4",
        "2.5",
        "2.5.1",
        "2.6",
        "2.7",
        "2.8",
        "2.8.1",
        "2.8.2",
    }
    assert [tables.nearest(v) for v in ("2.4", "2.9", "")] == ["2.4", "2.8.2", "2.8.2"]


def test_a_segment_by_version():
    assert tables.segment("PID", "2.4")[4] == tables.Field("Patient name", "XPN", required=True, most=0)
    assert tables.segment("EVN", "2.8.2")[0] is None
    assert tables.segment("SPM", "2.3") is None
    assert tables.newest_segment("SPM")[3].name == "Specimen type"


def test_a_datatype_by_version():
    assert [part.datatype for part in tables.datatype("XPN", "2.5")[:2]] == ["FN", "ST"]
    assert tables.datatype("ST", "2.5") == ()


def test_structures_and_their_versions():
    assert tables.structure("ORM_O01", "2.8") == tables.structure("ORM_O01")
    assert tables.structure("ORU_R01", "2.3") != tables.structure("ORU_R01")
    assert tables.structure("NO_PE") is None


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5.1", "2.8.2"])
@pytest.mark.parametrize(
    "name", ["PID", "PV1", "OBR", "OBX", "ORC", "NTE", "DG1", "AL1", "NK1", "IN1", "MSH", "EVN", "MRG"]
)
def test_field_names_and_types_are_those_of_hl7apy(name, version):
    import importlib

    module = importlib.import_module("hl7apy.v" + version.replace(".", "_"))
    for child in module.SEGMENTS[name][1]:
        number, (low, high) = int(child[0].rsplit("_", 1)[1]), child[2]
        mine = tables.segment(name, version)[number - 1]
        if (low, high) == (0, 0):
            assert mine is None
            continue
        assert (mine.datatype, mine.required, mine.most) == (child[1][2], bool(low), 0 if high == -1 else high)
        assert mine.name.lower().replace(" ", "_") == child[1][3].lower().replace("__", "_").strip("_")
