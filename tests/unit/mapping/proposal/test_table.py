import pytest
import yaml

from gateway.errors import GatewayError
from gateway.formats import sheet
from gateway.mapping import catalog
from gateway.mapping.proposal.table import File, propose
from gateway.settings import shipped

HEAD = "条码号,报告单号,就诊卡号,患者的姓名,性别,证件号,项目代码,项目名称,检验结果值,单位,参考范围,本院自定义\r\n"
ROWS = "".join(
    f"2611{n:04d},R{n},K{n},张{n},1,110105194912310{n:02d}X,K,钾,3.{n},mmol/L,3.5--5.3,x{n}\r\n" for n in range(20)
)


@pytest.fixture(scope="module")
def tables():
    return catalog.load([shipped("mappings")]).base_tables


def proposed(tables, text=HEAD + ROWS, name="检验结果20261109.csv"):
    return propose("new-clinic", "exports", [File(name, sheet.read(text.encode("gb18030")))], tables)


def test_the_export_is_recognised_by_its_header_whatever_it_is_called(tables):
    feed = yaml.safe_load(proposed(tables).files["new-clinic/exports/feed.yaml"])
    assert list(feed["tables"]) == ["lab_results_long"]
    assert feed["tables"]["lab_results_long"] == {"mode": "delta", "files": ["*检验结果*"]}
    assert feed["format"] == "csv"


def test_a_header_that_is_new_is_given_to_the_column_it_looks_like_with_a_question_mark(tables):
    text = proposed(tables).files["new-clinic/exports/tables/lab_results_long.yaml"]
    found = {column["name"]: column["also"] for column in yaml.safe_load(text)["columns"]}
    assert found["姓名"] == ["患者的姓名"]
    assert "# ? " in text


def test_a_needed_column_that_is_not_there_is_asked_for(tables):
    page = proposed(tables, HEAD.replace("条码号", "甲乙丙") + ROWS).files["new-clinic/exports/DECIDE.md"]
    assert "| a column that is not there | lab_results_long needs 条码号, " in page


def test_what_resembles_nothing_is_left_to_a_person_with_its_shape(tables):
    page = proposed(tables).files["new-clinic/exports/DECIDE.md"]
    assert "| a column no rule reads | lab_results_long: 本院自定义 (" in page
    assert "张1" not in page


def test_no_code_is_given_a_meaning(tables):
    proposal = proposed(tables)
    text = proposal.files["new-clinic/exports/tables/lab_results_long.yaml"]
    assert "codes" not in yaml.safe_load(text)
    assert '#     "1": ?  # 20 of 20' in text


def test_an_export_no_table_knows_becomes_a_skeleton_with_a_key(tables):
    text = "流水,日期,身份证,状态\r\n" + "".join(f"S{n},2026-11-{n + 1:02d},11010519491231002X,1\r\n" for n in range(9))
    found = proposed(tables, text, "kitchen.csv")
    skeleton = found.files["new-clinic/exports/tables/kitchen.yaml"]
    assert yaml.safe_load(skeleton) == {
        "table": "kitchen",
        "columns": ["流水", "日期", "身份证", "状态"],
        "key": ["流水"],
    }
    assert "9 of 9 look like 身份证号" in skeleton
    assert "9 of 9 look like 日期" in skeleton


def test_a_file_without_a_header_is_refused_by_name(tables):
    with pytest.raises(GatewayError, match=r"numbers\.csv has no row that looks like a header"):
        proposed(tables, "11111,22222\r\n33333,44444\r\n", "numbers.csv")


def test_what_is_proposed_is_sound(tables, tmp_path):
    for name, text in proposed(tables).files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    book = catalog.load([shipped("mappings"), tmp_path])
    file = book.tables("exports").read((HEAD + ROWS).encode(), "检验结果.csv")
    assert len(file.records) == 20
