import pytest

from gateway.settings import shipped
from tests.unit.cli.conftest import gateway

SAMPLES = shipped("mappings") / "county-hospital" / "county-lis" / "samples"


def test_a_folder_is_written_that_checks_sound(tmp_path):
    result = gateway("feeds", "new", "lab", "--site", "clinic", "--from", SAMPLES, "--to", tmp_path / "m")
    assert result.exit_code == 0, result.stderr
    assert "things for you to decide" in result.stdout
    assert gateway("feeds", "check", "--mappings", tmp_path / "m").exit_code == 0


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "one.csv").write_text("条码号,项目代码,姓名,结果\nA,K,张三,3.5\n", encoding="utf-8")
    words = ("feeds", "new", "lab", "--site", "clinic", "--from", tmp_path / "one.csv", "--to", tmp_path / "m")
    assert gateway(*words).exit_code == 0
    (tmp_path / "m" / "clinic" / "lab" / "feed.yaml").write_text("title: mine\n")
    result = gateway(*words)
    assert (result.exit_code, "is there already" in result.stderr) == (1, True)
    assert (tmp_path / "m" / "clinic" / "lab" / "feed.yaml").read_text() == "title: mine\n"


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_what_is_neither_says_so(tmp_path, content):
    (tmp_path / "x.txt").write_bytes(content)
    result = gateway("feeds", "new", "lab", "--site", "clinic", "--from", tmp_path / "x.txt", "--to", tmp_path / "m")
    assert result.exit_code == 1
    assert not (tmp_path / "m").exists()
