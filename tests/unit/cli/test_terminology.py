import pytest

from tests.unit.cli.conftest import gateway


@pytest.fixture
def codes(tmp_path):
    path = tmp_path / "icd.csv"
    lines = ["疾病编码,疾病名称", "I10.x00,原发性高血压", *(f"X{n}," for n in range(12))]
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    return path


def test_imports_lists_and_looks_up(codes, tmp_path):
    data = ("--data", tmp_path / "data")
    result = gateway("terminology", "import", codes, "--system", "ICD-10", "--version", "国临2.0", *data)
    assert result.exit_code == 0
    assert "国临2.0: 1 codes, stored" in result.stdout
    assert "passed over: line 3" in result.stderr
    assert "and 2 more" in result.stderr
    assert (
        "already there"
        in gateway("terminology", "import", codes, "--system", "ICD-10", "--version", "国临2.0", *data).stdout
    )
    assert "icd.csv" in gateway("terminology", "list", *data).stdout
    found = gateway("terminology", "lookup", "I10.x00", "--system", "ICD-10", *data)
    assert found.exit_code == 0
    assert "I10.x00 原发性高血压" in found.stdout
    assert gateway("terminology", "lookup", "I11", *data).exit_code == 1


def test_an_address_is_taken_as_it_is_and_an_unknown_name_is_refused(codes, tmp_path):
    data = ("--data", tmp_path / "data")
    system = "https://health.example/icd"
    assert system in gateway("terminology", "import", codes, "--system", system, "--version", "1", *data).stdout
    result = gateway("terminology", "import", codes, "--system", "NOSUCH", "--version", "1", *data)
    assert result.exit_code == 1
    assert "naming.yaml" in result.stderr
